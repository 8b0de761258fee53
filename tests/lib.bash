# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.bash - what every test script has: results in TAP, and waiting.
#
#	. "$(dirname "$0")/../lib.bash"
#
#	skip REASON             the whole test is left out
#	ok NAME STATUS          a result
#	is NAME GOT WANT        equal texts
#	eventually COMMAND...   waits for what may take a moment: at most 20 s
#	finish                  prints the plan; the last line of a test
count=0 bad=0

skip() {
	echo "1..0 # SKIP $*"
	exit 0
}

ok() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		bad=$((bad + 1))
		echo "not ok $count - $1"
	fi
}

is() {
	[ "$2" = "$3" ]
	ok "$1" $?
	[ "$2" = "$3" ] || printf 'got:  %s\nwant: %s\n' "$2" "$3" | sed 's/^/# /'
}

eventually() {
	local n
	for n in $(seq 200); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

finish() {
	echo "1..$count"
	exit $((bad > 0))
}
