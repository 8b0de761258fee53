#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The original's sorter: golden/sorter/cases.txt. A case is a title, "input:",
# lines "  | LINE", lines "out: LINE" (entries, and the messages among them), and "rc=N".
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash"
cases=$fixtures/golden/sorter/cases.txt
[ -f "$cases" ] || exit 77
in=$WORK/in.manifest

# Did we refuse the input for a reason that is listed?
refused()
{
	if [ "$rc" -ne 0 ]; then
		rule=merge-all-or-nothing
	else
		rule=$(refusal_rule "$facts" "control grammar path clash below empty")
	fi
	[ "$ours" -eq 1 ] && [ ! -s "$WORK/out" ] && [ -n "$rule" ] && names_place "$WORK/err"
}

# Did we print the same entries, or warn of the same, in our own form?
same_but_form()
{
	[ "$ours" -eq 0 ] && [ "$rc" -eq 0 ] || return 1
	rule=
	if ! cmp -s "$WORK/entries" "$WORK/out"; then
		plain "$WORK/entries" | cmp -s - "$WORK/out" || return 1
		rule=merge-one-blank
	fi
	[ "$(our_warnings "$WORK/err")" = "$(their_warnings "$WORK/messages")" ] && return 0
	has_fact "$facts" same && rule=merge-same-folder
	has_fact "$facts" same && [ -z "$(our_warnings "$WORK/err")" ]
}

judge()
{
	grep -E '^(WARNING|ERROR): ' "$WORK/outs" >"$WORK/messages"
	grep -vE '^(WARNING|ERROR): ' "$WORK/outs" >"$WORK/entries"
	"$BIN/builder" merge --lenient "$in" >"$WORK/out" 2>"$WORK/err"
	ours=$?
	facts=$(facts "$in")
	if same_but_form && [ -z "$rule" ]; then
		agree "$name"
	elif same_but_form || refused; then
		listed "$rule" "$name"
	else
		differ "$name" "status $ours for $rc: $(head -n 1 "$WORK/err")"
	fi
}

while IFS= read -r line; do
	case $line in
	'input:') : >"$in"; : >"$WORK/outs" ;;
	'  | '*) printf '%s\n' "${line#  | }" >>"$in" ;;
	'out: '*) printf '%s\n' "${line#out: }" >>"$WORK/outs" ;;
	rc=*) rc=${line#rc=}; judge ;;
	*) name=$line ;;
	esac
done <"$cases"
