#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The strict parser of the original's check tools: golden/parse-NAME.manifest,
# accepted when the file of its messages, parse-NAME.err, is empty. Where both
# refuse, the line that the original quotes must be the one that we point at.
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash"
shopt -s nullglob
cases=("$fixtures"/golden/parse-*.manifest)
[ ${#cases[@]} -gt 0 ] || exit 77

for file in "${cases[@]}"; do
	name=$(basename "$file" .manifest)
	[ -f "${file%.manifest}.err" ] || continue
	their_line=$(sed -n 's/^ERROR: invalid manifest line: //p' "${file%.manifest}.err" | head -n 1)
	"$BIN/builder" check "$file" >"$WORK/out" 2>"$WORK/err"
	ours=$?
	our_line=$(grep -oE '\.manifest:[0-9]+:' "$WORK/err" | head -n 1 | tr -dc 0-9)

	if [ -s "$WORK/out" ] || [ $ours -gt 1 ]; then
		differ "$name" "status $ours, or output where none is due"
	elif [ $ours -eq 0 ] && [ ! -s "${file%.manifest}.err" ]; then
		agree "$name"
	elif [ $ours -eq 0 ]; then
		differ "$name" "accepted, the original refuses '$their_line'"
	elif [ -s "${file%.manifest}.err" ]; then
		quoted=$(sed -n "${our_line:-0}p" "$file" 2>/dev/null | tr -d '\r')
		if [ "$quoted" = "${their_line%$'\r'}" ]; then
			agree "$name"
		else
			differ "$name" "we point at '$quoted', the original at '$their_line'"
		fi
	else
		facts=$(facts "$file")
		rule=$(refusal_rule "$facts" "control path again clash below empty")
		if [ -n "$rule" ] && names_place "$WORK/err"; then
			listed "$rule" "$name"
		else
			differ "$name" "refused: $(head -n 1 "$WORK/err")"
		fi
	fi
done
