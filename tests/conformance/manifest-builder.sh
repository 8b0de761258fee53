#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The original's builder: golden/builder/cases.txt. Its first line describes the
# search path; a case is "## TITLE", "manifest:" and lines "  | LINE" (without
# them the manifest does not exist), what was printed, "rc=N", and the tree that
# stood there afterwards, "KIND PATH MODE UID:GID [TARGET]", up to "---".
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash"
cases=$fixtures/golden/builder/cases.txt
[ -f "$cases" ] || exit 77
m=$WORK/case.manifest
tar=$WORK/case.tar

# "p1 (a/b='text' mode 0600, c->b) p2 (...)": makes the folders, and sets $search.
make_search_path()
{
	local rest=$1 dir item path

	search=()
	while [[ $rest =~ ([A-Za-z0-9_]+)\ \(([^\)]*)\)(.*) ]]; do
		dir=$WORK/search/${BASH_REMATCH[1]}
		item=${BASH_REMATCH[2]}
		rest=${BASH_REMATCH[3]}
		search+=(-s "$dir")
		mkdir -p "$dir"
		while [[ $item =~ ^[,\ ]*([^=\ ]+)(=\'([^\']*)\'(\ mode\ ([0-7]+))?|-\>([^,]+))(.*) ]]; do
			path=${BASH_REMATCH[1]%->*}
			mkdir -p "$(dirname "$dir/$path")"
			if [ -n "${BASH_REMATCH[2]%%-*}" ]; then
				printf '%s' "${BASH_REMATCH[3]}" >"$dir/$path"
				chmod "${BASH_REMATCH[5]:-0644}" "$dir/$path"
			else
				ln -s "${BASH_REMATCH[6]}" "$dir/$path"
			fi
			item=${BASH_REMATCH[7]}
		done
	done
}

# The accounts that were compiled into the original, as far as its output tells: [NAME/ID].
make_accounts()
{
	local triple='^[A-Z]*: \[[^]]*\]\[[^]]*\]\[([^]/]*)\/(-?[0-9]+)\]\[([^]/]*)\/(-?[0-9]+)\].*'

	sed -nE "s/.*(DIR|FILE): /\1: /; s/$triple/\1:x:\2:/p" "$cases" | grep -v ':-' |
		sort -u >"$WORK/passwd"
	sed -nE "s/.*(DIR|FILE): /\1: /; s/$triple/\3:x:\4:/p" "$cases" | grep -v ':-' |
		sort -u >"$WORK/group"
}

# Our archive as the recorded trees are written.
list_tree()
{
	tar --numeric-owner -tvf "$tar" | awk '
	function digit(s,    n)
	{
		n = (substr(s, 1, 1) == "r") * 4 + (substr(s, 2, 1) == "w") * 2
		return n + (substr(s, 3, 1) ~ /[xst]/)
	}
	{
		special = (substr($1, 4, 1) ~ /[sS]/) * 4 + (substr($1, 7, 1) ~ /[sS]/) * 2
		special += substr($1, 10, 1) ~ /[tT]/
		mode = 512 * special + 64 * digit(substr($1, 2, 3))
		mode += 8 * digit(substr($1, 5, 3)) + digit(substr($1, 8, 3))
		kind = substr($1, 1, 1)
		sub(/^[-h]$/, "f", kind)
		path = $6
		sub(/\/$/, "", path)
		owner = $2
		sub(/\//, ":", owner)
		printf "%s %s %o %s %s\n", kind, path, mode, owner, kind == "l" ? $8 : ""
	}' | sort
}

# "FILE: [PATH]...: OK (@DIR@/p1)" says which folder won: ours must hold the same content.
same_contents()
{
	local path dir

	while read -r path dir; do
		tar -xOf "$tar" "$path" | cmp -s - "$WORK/search/$dir/$path" || return 1
	done < <(sed -nE 's/^FILE: \[([^]]*)\].*: OK \(@DIR@\/(.*)\)$/\1 \2/p' "$WORK/printed")
}

# Why we may refuse what the original went on with.
rule_for_refusal()
{
	if [ "$rc" -ne 0 ]; then
		[ -s "$WORK/tree" ] && echo archive-all-or-nothing || echo none
	elif [ ! -f "$m" ]; then
		echo manifest-unreadable
	elif grep -q '/-1\]' "$WORK/printed"; then
		echo archive-unknown-owner
	else
		facts=$(facts "$m")
		refusal_rule "$facts" "control grammar path again clash below orphan hardlink empty"
	fi
}

judge()
{
	rm -f "$tar"
	"$BIN/builder" archive -m "$m" "${search[@]}" -o "$tar" --passwd "$WORK/passwd" \
		--group "$WORK/group" 2>"$WORK/err"
	ours=$?
	sort "$WORK/tree" -o "$WORK/tree"
	if [ $ours -eq 0 ] && [ "$rc" -eq 0 ] && list_tree | cmp -s - "$WORK/tree" && same_contents; then
		agree "$name"
	elif [ $ours -eq 1 ] && [ ! -e "$tar" ] && names_place "$WORK/err"; then
		rule=$(rule_for_refusal)
		case $rule in
		none) agree "$name" ;;
		?*) listed "$rule" "$name" ;;
		*) differ "$name" "refused: $(head -n 1 "$WORK/err")" ;;
		esac
	else
		differ "$name" "status $ours for $rc, or another tree: $(head -n 1 "$WORK/err")"
	fi
}

# Where a manifest's last line has no newline, the first message follows it at once.
manifest_line()
{
	local line=$1

	if [[ $line =~ ^(.*[^\ ])((DIR|FILE):\ \[.*|LINK\(.*)$ ]]; then
		line=${BASH_REMATCH[1]}
		printf '%s' "$line" >>"$m"
		printf '%s\n' "${BASH_REMATCH[2]}" >>"$WORK/printed"
	else
		printf '%s\n' "$line" >>"$m"
	fi
}

make_accounts
name=
part=
while IFS= read -r line || [ -n "$line" ]; do
	case $part:$line in
	*:'search dirs'*) make_search_path "$line" ;;
	*:'## '*)
		[ -z "$name" ] || judge
		name=${line#\#\# }
		part=printed
		rm -f "$m"
		: >"$WORK/printed"
		: >"$WORK/tree"
		;;
	printed:manifest:) : >"$m" ;;
	printed:'  | '*) manifest_line "${line#  | }" ;;
	printed:rc=*) rc=${line#rc=}; part=tree ;;
	printed:*) printf '%s\n' "$line" >>"$WORK/printed" ;;
	tree:---) ;;
	tree:*) printf '%s\n' "$line" >>"$WORK/tree" ;;
	esac
done <"$cases"
[ -z "$name" ] || judge
