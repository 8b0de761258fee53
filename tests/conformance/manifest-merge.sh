#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Real sets of manifests, NAME/combined/, and what the original's sorter made of
# them, NAME/combined.manifest.gen and NAME/combined.sorter.stderr.txt. Every
# entry is a case, and every warning.
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash"
shopt -s nullglob
sets=("$fixtures"/*/combined.manifest.gen)
[ ${#sets[@]} -gt 0 ] || exit 77

# Takes out the lines that we refuse for a reason that is listed, so that the rest is held too.
take_out()
{
	local fact file number path rule

	: >"$WORK/gone"
	while read -r fact file number path; do
		rule=$(refusal_rule "$fact x" "control grammar path clash below empty")
		[ -n "$rule" ] || continue
		sed -i "${number}s/.*//" "$file"
		printf '%s\t%s\n' "$path" "$rule" >>"$WORK/gone"
	done < <(facts "$@" | grep -E '^(control|grammar|path|clash|below|empty) ')
}

# Each expected entry: is it in ours, as it is or in our form?
hold_entries()
{
	awk -F '\t' -v set="$1" '
	function plain(line)
	{
		sub(/#.*/, "", line)
		gsub(/[ \t]+/, " ", line)
		sub(/ $/, "", line)
		return line
	}
	function path(line)
	{
		split(line, word, " ")
		if (line ~ /^[sh]/)
			sub(/=.*/, "", word[2])
		sub(/\/$/, "", word[2])
		return word[2]
	}
	FILENAME == ARGV[1] { gone[$1] = $2; next }
	FILENAME == ARGV[2] { ours[$0] = ++count; at[path($0)] = $0; next }
	$0 in ours {
		print "agree " set ":" $0
		if (ours[$0] < last)
			print "differ " set ":" $0 ": another order"
		last = ours[$0]
		held[$0] = 1
		next
	}
	plain($0) in ours {
		print "listed merge-one-blank " set ":" $0
		held[plain($0)] = 1
		next
	}
	path($0) in gone { print "listed", gone[path($0)], set ":" $0; next }
	plain($0) ~ /^d [^ ]*\/ / || at[path($0)] ~ /^d [^ ]*\/ / {
		print "listed merge-one-path " set ":" $0
		held[at[path($0)]] = 1
		next
	}
	{ print "differ " set ":" $0 ": not in ours" }
	END {
		for (line in ours)
			if (!(line in held))
				print "differ " set ":" line ": only in ours"
	}' "$WORK/gone" "$WORK/out" "$2"
}

# Facts are parted by blanks: our paths must have none.
cd "$WORK" || exit 1
for generated in "${sets[@]}"; do
	dir=$(dirname "$generated")
	set=$(basename "$dir")
	rm -rf combined
	cp -r "$dir/combined" combined || exit 1
	chmod -R u+w combined
	: >"$WORK/gone"
	if ! "$BIN/builder" merge --lenient combined/* >"$WORK/out" 2>"$WORK/err"; then
		take_out combined/*
		"$BIN/builder" merge --lenient combined/* >"$WORK/out" 2>"$WORK/err"
	fi
	hold_entries "$set" "$generated"

	[ -f "$dir/combined.sorter.stderr.txt" ] || continue
	comm -12 <(our_warnings "$WORK/err") <(their_warnings "$dir/combined.sorter.stderr.txt") |
		sed "s|.*|agree $set:warning &|"
	comm -3 <(our_warnings "$WORK/err") <(their_warnings "$dir/combined.sorter.stderr.txt") |
		sed "s|.*|differ $set:warning &: only one of the two|"
done
