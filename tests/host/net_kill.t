#!/bin/bash
# SPDX-License-Identifier: MIT
#
# nictagadm killed at each of its steps: the tags are the old ones or the new ones,
# and the next commands put everything right.
skip() { echo "1..0 # SKIP $*"; exit 0; }

if [ -z "${DAIS_TEST_NETNS:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	command -v strace >/dev/null || skip "'strace' is not installed"
	strace -o /dev/null true 2>/dev/null || skip "no process can be traced here"
	DAIS_TEST_NETNS=1 exec unshare -n "$0" "$@"
fi
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/nictagadm" ] || skip "'$bin/nictagadm' is not built"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
count=0 bad=0
export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer cannot run under a tracer

run() { "$bin/nictagadm" --root "$root" "$@" 2>&1; }

# killed_at SYSCALL N ARGS...: run until the Nth such call; did it come to that?
killed_at() {
	local call=$1 n=$2
	shift 2
	# In a shell of its own, which keeps bash's word about the death to itself.
	(
		strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
			"$bin/nictagadm" --root "$root" "$@" >/dev/null 2>&1
		exit $?
	) 2>/dev/null
	[ $? -eq 137 ]
}

complain() {
	why="$why $*;"
}

# What must hold after a kill, whatever was done by then.
heal() {
	why=
	run list >"$root/said" || complain "list: $(cat "$root/said")"
	if run exists stub0 >/dev/null; then
		run up >"$root/said" || complain "up: $(cat "$root/said")"
		[ -n "$(ip -o link show br-stub0 up 2>/dev/null)" ] || complain "no bridge"
	else
		run add -l -p address=10.88.0.1/24 stub0 >"$root/said" ||
			complain "add: $(cat "$root/said")"
	fi
	ip -4 -o addr show dev br-stub0 2>/dev/null | grep -q ' 10\.88\.0\.1/24 ' ||
		complain "no address"
	run delete stub0 >"$root/said" || complain "delete: $(cat "$root/said")"
	[ -z "$(ip -o link show type bridge)" ] || complain "a bridge is left"
	[ "$(cat "$root/etc/dais/nictags.json")" = '{}' ] || complain "a tag is left"
	[ "$(find "$root/etc" -name '*.new' | wc -l)" -eq 0 ] || complain "a temporary file is left"
}

# each NAME ARGS...: kill at the first, the second, ... of each kind of step.
each() {
	local name=$1 call n deaths=0
	shift
	for call in mkdirat write fsync renameat sendto; do
		for n in 1 2 3 4 5 6 7 8; do
			[ "$name" = add ] || run add -l -p address=10.88.0.1/24 stub0 >/dev/null
			killed_at $call $n "$@" || { heal; break; }
			deaths=$((deaths + 1))
			heal
			count=$((count + 1))
			if [ -z "$why" ]; then
				echo "ok $count - $name killed at $call $n"
			else
				echo "not ok $count - $name killed at $call $n #$why"
				bad=1
			fi
		done
	done
	count=$((count + 1))
	if [ $deaths -ge 5 ]; then
		echo "ok $count - $name was killed $deaths times"
	else
		echo "not ok $count - $name was killed $deaths times only: the test tests nothing"
		bad=1
	fi
}

each add add -l -p address=10.88.0.1/24 stub0
each delete delete stub0
echo "1..$count"
exit $bad
