#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The original's mancf: golden/mancf-SET[-notrail].man.cf over SET/combined.manifest.gen
# (`latest-rules`: the newer rules, over the set of 2018), and what it printed for each
# golden/parse-NAME.manifest. What it refused is for manifest-parser to judge by its
# words; here by status and by nothing printed.
# shellcheck source-path=SCRIPTDIR source=recorded.bash
. "$(dirname "$0")/recorded.bash"
shopt -s nullglob
files=("$fixtures"/golden/mancf-*.man.cf)
[ ${#files[@]} -gt 0 ] || exit 77

for file in "${files[@]}"; do
	name=$(basename "$file" .man.cf)
	set=${name#mancf-}
	options=(-t)
	case $set in
	*-notrail) set=${set%-notrail} options=() ;;
	latest-rules) set=2018 options=(-t -n) ;;
	esac
	[ -f "$fixtures/$set/combined.manifest.gen" ] || continue
	if "$checks/mancf" "${options[@]}" -f "$fixtures/$set/combined.manifest.gen" 2>"$WORK/err" |
		cmp -s - "$file"; then
		agree "$name"
	else
		differ "$name" "another order: $(head -n 1 "$WORK/err")"
	fi
done

for file in "$fixtures"/golden/parse-*.manifest; do
	name=$(basename "$file" .manifest)
	[ -f "${file%.manifest}.out" ] || continue
	"$checks/mancf" -t -f "$file" >"$WORK/out" 2>"$WORK/err"
	ours=$?
	theirs=50
	[ -s "${file%.manifest}.err" ] || theirs=0
	if [ $ours -ne $theirs ]; then
		differ "$name" "status $ours, the original's is $theirs: $(head -n 1 "$WORK/err")"
	elif ! cmp -s "$WORK/out" "${file%.manifest}.out"; then
		differ "$name" "other output"
	else
		agree "$name"
	fi
done
