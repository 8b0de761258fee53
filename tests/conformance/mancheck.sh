#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The original's mancheck: golden/mancheck, runs over a small tree.
# shellcheck source-path=SCRIPTDIR source=recorded.bash
. "$(dirname "$0")/recorded.bash"
enter mancheck
crash() { differ "$1" "the recorded run died"; }
n=$(blocks expected.txt mancheck)
for ((i = 1; i <= n; i++)); do
	hold mancheck "$i" "$i:$(tr ' ' _ <"$WORK/$i.args")"
done
# Rules that the original has in use are rules to us.
for conf in "$fixtures"/2*/*.mancheck.conf "$fixtures"/latest/*.mancheck.conf; do
	[ -f "$conf" ] || continue
	if "$checks/mancheck" -D -c "$conf" >"$WORK/ours" 2>&1; then
		agree "$(basename "$conf")"
	else
		differ "$(basename "$conf")" "$(head -n 1 "$WORK/ours")"
	fi
done
