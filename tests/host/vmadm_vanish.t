#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A guest that ends, or a supervisor that is killed, while a command looks at the VM. The
# command is held at each of its looks in turn (its Nth read of state.json, its Nth question
# to the supervisor or the kernel), the VM goes, and the command goes on. It works or says
# why not; "vmadm check" never takes what just ends in peace for something left; nothing is
# left.
#
# environment: VANISH_EVERY, every how many-th look is tried, but all of check (default 3;
#              `make soak`: 1)
#              VANISH_OPS, only these
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"
command -v strace >/dev/null || skip "'strace' is not installed"
strace -qq -o "$dir/trace" -e trace=openat true 2>/dev/null || skip "strace cannot trace here"
# What the sanitizers do at the end of a process is not possible in one that is traced.
export ASAN_OPTIONS=detect_leaks=0
every=${VANISH_EVERY:-3}

u=$(printf 5a115a11-0000-4000-8000-%012x $$)
own=$u
state_file=$root/run/dais/$u/state.json
value() { jq -r ".$1 // 0" "$state_file" 2>/dev/null; }
state() { "$bin/vmadm" --root "$root" list -Ho state "uuid=$u" | xargs; }
gone() { ! kill -0 "$1" 2>/dev/null; }
said_stopped() { [ "$(value state)" = stopped ] && [ ! -e "$root/run/dais/$u/zoneadmd.sock" ]; }

# What goes meanwhile. Of the first the supervisor sees the end, and leaves in peace.
guest() {
	local pid
	pid=$(value pid)
	[ "$pid" -gt 1 ] && kill -KILL "$pid" && eventually said_stopped
}
supervisor() {
	local pid
	pid=$(value supervisor)
	[ "$pid" -gt 1 ] && kill -KILL "$pid" && eventually gone "$pid"
}

is_up() {
	[ "$(value state)" = running ] && ! gone "$(value pid)" && ! gone "$(value supervisor)"
}
arguments() {
	case $1 in
	check) echo check ;;
	list) echo list -Ho state ;;
	stop-F) echo stop "$u" -F ;;
	reboot-F) echo reboot "$u" -F ;;
	update) echo update "$u" max_physical_memory=$((96 + RANDOM % 64)) ;;
	*) echo "$1" "$u" ;;
	esac
}
# traced OPERATION OPTION...: begins it under strace
traced() {
	local op=$1
	shift
	: >"$dir/trace"
	# shellcheck disable=SC2046  # words
	strace -D -qq -o "$dir/trace" "$@" "$bin/vmadm" --root "$root" $(arguments "$op") \
		>"$dir/out" 2>"$dir/err" </dev/null &
	command=$!
}
# Its looks at the VM, each as CALL N: the Nth call of that name.
list_looks() {
	is_up || vm start "$u"
	traced "$1" -e trace=openat,connect,pidfd_open,sendto
	wait "$command"
	awk '{ sub(/\(.*/, "", $1); n[$1]++ }
		$1 != "openat" || /state\.json"/ { print $1, n[$1] }' "$dir/trace"
}
held_or_done() { grep -q 'stopped by SIGSTOP' "$dir/trace" || gone "$command"; }

# What may come of it: the words are those of a VM that was seen to have ended already.
judge() {
	case $1:$status in
	*:0) ;;
	kill:1) [[ $err == *"Cannot find running init PID"* ]] || wrong+="$err; " ;;
	reboot-F:1) [[ $err == *"must be \"running\""* ]] || wrong+="$err; " ;;
	*) wrong+="status $status: $err$out; " ;;
	esac
	[ "$1" != check ] || [ -z "$out" ] || wrong+="finds: $out; "
	[ "$1" != reboot-F ] || [ "$status" -ne 0 ] || [ "$(state)" = running ] ||
		wrong+="rebooted, and $(state); "
	[ "$1" != stop-F ] || [ "$(state)" = stopped ] || wrong+="stopped, and $(state); "
}

# sweep OPERATION WHAT: WHAT goes at each of its looks
sweep() {
	local op=$1 what=$2 call n tried=0 failed=0 wrong
	list_looks "$op" >"$dir/looks"
	while read -r call n; do
		turn=$((turn + 1))
		[ "$op" = check ] || [ $((turn % every)) -eq 0 ] || continue
		wrong=
		is_up || vm start "$u"
		traced "$op" -e trace="$call" -e inject="$call:signal=STOP:when=$n"
		eventually held_or_done || wrong+="it hangs; "
		$what 2>/dev/null
		kill -CONT "$command" 2>/dev/null
		wait "$command"
		status=$? out=$(<"$dir/out") err=$(<"$dir/err")
		judge "$op"
		if [ "$what" = guest ] && [ -z "$wrong" ]; then
			vm check
			[ "$status" -eq 0 ] || wrong+="check: $out$err; "
		fi
		tried=$((tried + 1))
		[ -n "$wrong" ] || continue
		failed=$((failed + 1))
		echo "# $op, $what goes at $call $n: $wrong"
	done <"$dir/looks"
	[ "$failed" -eq 0 ] && [ -s "$dir/looks" ]
	ok "the $what goes while '$op' looks ($tried looks)" $?
}

payload '"uuid": "'"$u"'", "alias": "v", "autoboot": false,
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.9/24"] }]' >"$dir/vm.json"
vm create -f "$dir/vm.json"
is "a VM is made" "$status" 0
turn=0
for op in ${VANISH_OPS:-check list get start update stop-F stop reboot-F kill}; do
	sweep "$op" guest
done
# Without its supervisor there is something to mend for check; the others find their way.
for op in ${VANISH_OPS:-list get start update stop-F reboot-F kill}; do
	sweep "$op" supervisor
done
vm stop -F "$u"
vm check --repair
vm check
is "there is nothing to mend" "$status $out$err" "0 "
vm delete "$u"
is "nothing is left" "$status $(leftovers)" "0 "
finish
