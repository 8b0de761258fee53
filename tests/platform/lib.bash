# SPDX-License-Identifier: MIT
#
# lib.bash - for tests that boot a platform: sourced. Makes $dir for what the
# test needs, and ends what it started with it.
#
#	uplink                  options for a network; none when empty
#	boot_machine OPTION...  start QEMU (options of tools/boot/run), wait for the
#	                        login prompt; sets $log and $boot_s
#	start_machine OPTION... start QEMU and do not wait
#	login PASSWORD          log root in on the console
#	shown_password          what the console said that root's password is
#	g COMMAND [SECONDS]     run it in the machine: $out, $status
#	until_g SECONDS COMMAND run it every second until it succeeds
#	wait_gone SECONDS       until QEMU has ended by itself
#	ok NAME STATUS, is NAME GOT WANT, like NAME GOT REGEX, note TEXT, finish
#
# environment: BUILD OUTPUT, DAIS_PLATFORM (a platform's folder)
skip() { echo "1..0 # SKIP $*"; exit 0; }

set -u
export LC_ALL=C.UTF-8
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
BUILD=$(realpath -m "${BUILD:-build}")
export BUILD
platform=${DAIS_PLATFORM:-${OUTPUT:-output}/platform-latest}
command -v "${QEMU:-qemu-system-x86_64}" >/dev/null || skip "no qemu-system-x86_64"
[ -r "$platform/boot_archive" ] || skip "no platform in '$platform': make live"

name=$(basename "$0" .t)
dir=$(mktemp -d /tmp/dais-platform.XXXXXX)
console=$dir/console
machine='' log='' uplink='' boots=0 boot_s=0 out='' status=0
count=0 failed=0

# The compiler that built everything else builds this as well.
"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -o "$console" tests/platform/console.c || exit 1

cleanup() {
	[ -z "$machine" ] || kill "$machine" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

note() { printf '# %s\n' "$*"; }

ok() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		failed=$((failed + 1))
	fi
	[ "$2" -eq 0 ]
}

is() {
	[ "$2" = "$3" ]
	ok "$1" $? || printf '# got:  %s\n# want: %s\n' "${2//$'\n'/$'\n# '}" "$3"
}

like() {
	[[ $2 =~ $3 ]]
	ok "$1" $? || printf '# got:  %s\n# want: /%s/\n' "${2//$'\n'/$'\n# '}" "$3"
}

finish() {
	echo "1..$count"
	exit "$((failed > 0))"
}

# What cannot go on ends the test, with the last of the console.
bail() {
	echo "Bail out! $*"
	[ -z "$log" ] || { note "the end of $log:"; tail -n 30 "$log" | tr -d '\r\033' | sed 's/^/# /'; }
	exit 1
}

alive() { kill -0 "$machine" 2>/dev/null; }

start_machine() {
	boots=$((boots + 1))
	mkdir -p "$BUILD/log"
	log=$BUILD/log/platform-$name-$boots.log
	: > "$log"
	rm -f "$dir/socket"
	# shellcheck disable=SC2086  # several words
	tools/boot/run ${uplink:--n} -S "$dir/socket" -L "$log" "$@" "$platform" > "$dir/qemu.out" 2>&1 < /dev/null &
	machine=$!
}

# wait_log SECONDS TEXT
wait_log() {
	local end=$((SECONDS + $1))
	until grep -aqF -- "$2" "$log"; do
		alive || return 1
		[ "$SECONDS" -lt "$end" ] || return 1
		! grep -aqF 'end Kernel panic' "$log" || return 1
		sleep 0.2
	done
}

# Why nothing was seen on the console that was waited for.
why_not() {
	if grep -aqF 'end Kernel panic' "$log"; then
		echo "the kernel has panicked"
	elif alive; then
		echo "waited for 300 s; without /dev/kvm a busy machine can take longer"
	else
		echo "QEMU has ended. $(cat "$dir/qemu.out")"
	fi
}

boot_machine() {
	local began
	began=$(date +%s%N)
	start_machine "$@"
	wait_log 300 'login: ' || bail "no login prompt: $(why_not)"
	boot_s=$((($(date +%s%N) - began) / 100000000))
	boot_s=${boot_s%?}.${boot_s: -1}
}

shown_password() { sed -n 's/.*The password of root for this boot: \([a-z0-9-]*\).*/\1/p' "$log" | tail -n 1; }

login() {
	out=$("$console" -t 120 "$dir/socket" login "$1" 2>&1)
	status=$?
	return "$status"
}

g() {
	out=$("$console" -t "${2:-120}" "$dir/socket" run "$1" 2>"$dir/console.err")
	status=$?
	if [ "$status" -ge 124 ]; then
		note "the console did not answer to: $1"
		sed 's/^/# /' "$dir/console.err" | tr -d '\r\033'
	fi
	return "$status"
}

until_g() {
	local end=$((SECONDS + $1))
	until g "$2"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		alive || return 1
		sleep 1
	done
}

wait_gone() {
	local end=$((SECONDS + $1))
	while alive; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.3
	done
	wait "$machine"
	status=$?
	machine=''
	return "$status"
}
