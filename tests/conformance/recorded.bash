# SPDX-License-Identifier: MIT
#
# recorded.bash - runs of a tool as they were recorded: blocks "$ TOOL ARGUMENT...",
# what it printed on both streams, "rc=N".
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
checks=$here/../../tools/checks
export BUILDER=$BIN/builder

# blocks FILE TOOL: one file a case, WORK/N, with its words in WORK/N.args, rc in WORK/N.rc.
blocks()
{
	awk -v work="$WORK" -v tool="$2" '
	$1 == "$" && $2 == tool {
		file = work "/" ++n
		sub(/^\$ [^ ]* */, "")
		print > (file ".args")
		printf "" > file
		next
	}
	/^rc=[0-9]+$/ && file { print substr($0, 4) > (file ".rc"); file = ""; next }
	file { print > file }
	END { print n + 0 }' "$1"
}

# hold TOOL N CASE: runs ours here, and tells whether it does the same. `crash CASE` is
# asked where the recorded run died of a signal.
hold()
{
	local words ours theirs
	read -r -a words <"$WORK/$2.args"
	theirs=$(cat "$WORK/$2.rc")
	"$checks/$1" "${words[@]}" >"$WORK/ours" 2>&1
	ours=$?
	if [ "$theirs" -ge 128 ]; then
		crash "$3" "$ours" "$WORK/ours"
	elif [ "$ours" -ne "$theirs" ]; then
		differ "$3" "status $ours, recorded is $theirs"
	elif ! cmp -s "$WORK/$2" "$WORK/ours"; then
		differ "$3" "$(diff "$WORK/$2" "$WORK/ours" | grep '^[<>]' | head -n 1)"
	else
		agree "$3"
	fi
}

# A folder of the fixtures to work in, with what its kind of case needs.
enter()
{
	[ -f "$fixtures/golden/$1/expected.txt" ] || exit 77
	cp -r "$fixtures/golden/$1" "$WORK/tree" && chmod -R u+w "$WORK/tree"
	cd "$WORK/tree" || exit 1
}
