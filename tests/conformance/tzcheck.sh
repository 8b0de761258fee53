#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The original's tzcheck: golden/tzcheck. Links do not always survive the way of a
# fixture: they are made again by the manifest that was recorded as free of errors.
# shellcheck source-path=SCRIPTDIR source=recorded.bash
. "$(dirname "$0")/recorded.bash"
enter tzcheck
crash() { differ "$1" "the recorded run died"; }
n=$(blocks expected.txt tzcheck)
for ((i = 1; i <= n; i++)); do
	[ "$(cat "$WORK/$i.rc")" = 0 ] || continue
	good=$(sed 's/.*-f *\([^ ]*\).*/\1/' "$WORK/$i.args")
	while read -r kind entry; do
		case $kind in
		s) ln -sf "${entry#*=}" "proto/${entry%%=*}" ;;
		h) ln -f "proto/${entry#*=}" "proto/${entry%%=*}" ;;
		esac
	done <"$good"
	break
done
for ((i = 1; i <= n; i++)); do
	hold tzcheck "$i" "$i:$(tr ' ' _ <"$WORK/$i.args")"
done
