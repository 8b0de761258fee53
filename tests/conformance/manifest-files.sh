#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Real manifests of single repositories and projects: what build_manifest takes
# (any file with a line that is no comment) must be taken, what it refuses refused.
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash"
shopt -s nullglob
cases=()
for file in "$fixtures"/*/*.manifest; do
	case $file in
	*/golden/*) ;;
	*) cases+=("$file") ;;
	esac
done
[ ${#cases[@]} -gt 0 ] || exit 77

for file in "${cases[@]}"; do
	name=${file#"$fixtures"/}
	grep -qv '^#' "$file"
	theirs=$?
	"$BIN/builder" check --lenient "$file" 2>"$WORK/err"
	ours=$?
	if [ $ours -eq $theirs ]; then
		agree "$name"
		continue
	fi
	facts=$(facts "$file")
	rule=$(refusal_rule "$facts" "control grammar path clash below empty")
	if [ $ours -eq 1 ] && [ -n "$rule" ] && names_place "$WORK/err"; then
		listed "$rule" "$name"
	else
		differ "$name" "status $ours: $(head -n 1 "$WORK/err")"
	fi
done
