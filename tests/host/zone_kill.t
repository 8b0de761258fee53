#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Whatever is killed, and whenever: the zone runs on or has ended, the commands tell
# which, stop, start and delete work, and nothing is left behind.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
set -u
zone_host

vm() { vmadm --root "$host" "$@" >"$dir/said" 2>&1; }
said() { sed 's/^/# /' "$dir/said"; }

ends_clean() { # ends_clean WHAT: a stop works and leaves nothing
	vm stop -F "$uuid" || { said; [[ $(<"$dir/said") == *already* ]]; }
	ok "$1: stop works" $?
	is "$1: it is stopped" "$(zone_state "$uuid")" stopped
	is "$1: nothing is left" "$(nothing_left "$uuid")" ""
}

starts() {
	vm start "$uuid" || { said; false; }
	ok "$1: start works" $?
	is "$1: it runs" "$(zone_state "$uuid")" running
}

zone_create victim
ok "a zone is created" $?
is "it runs" "$(zone_state "$uuid")" running

# ---- the supervisor -------------------------------------------------------------

init=$(init_of "$uuid")
kill -9 "$(supervisor_of "$uuid")"
sleep 0.3
is "the supervisor is killed: the zone runs on" "$(zone_state "$uuid") $(init_of "$uuid")" \
	"running $init"
alive "$init"
ok "the supervisor is killed: its init lives" $?
vm start "$uuid"
has "the supervisor is killed: a start finds it running" "$(<"$dir/said")" already
ends_clean "the supervisor is killed"
starts "after that"

kill -9 "$(supervisor_of "$uuid")" "$(init_of "$uuid")"
eventually 5 test "$(zone_state "$uuid")" = stopped
is "supervisor and init are killed: it has stopped" "$(zone_state "$uuid")" stopped
starts "supervisor and init are killed"

# ---- the monitor, init ------------------------------------------------------------

init=$(init_of "$uuid")
kill -9 "$(monitor_of "$uuid")"
eventually 20 [ ! -S "$host/run/dais/$uuid/zoneadmd.sock" ]
is "the monitor is killed: the zone has ended" "$(zone_state "$uuid")" stopped
alive "$init"
is "the monitor is killed: so has its init" $? 1
is "the monitor is killed: the supervisor has cleaned up" "$(nothing_left "$uuid")" ""
starts "the monitor is killed"

kill -9 "$(init_of "$uuid")"
eventually 20 [ ! -S "$host/run/dais/$uuid/zoneadmd.sock" ]
is "init is killed: the zone has ended" "$(zone_state "$uuid")" stopped
is "init is killed: the supervisor has cleaned up" "$(nothing_left "$uuid")" ""
starts "init is killed"

kill -9 "$(supervisor_of "$uuid")" "$(monitor_of "$uuid")" "$(init_of "$uuid")"
ends_clean "all three are killed"
starts "all three are killed"
kill -9 "$(supervisor_of "$uuid")" "$(monitor_of "$uuid")"
eventually 5 test "$(zone_state "$uuid")" = stopped
starts "supervisor and monitor are killed"

# A monitor that hangs holds nothing up.
kill -STOP "$(monitor_of "$uuid")"
ends_clean "the monitor hangs"

# ---- at any moment of a start -----------------------------------------------------

failures=0
left=
for ms in 0 1 2 3 4 5 6 8 10 12 14 16 18 20 24 28 32 40; do
	vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1 &
	command=$!
	sleep "$(printf '0.%03d' $ms)"
	processes_of "$uuid" | awk '$2 ~ /zoneadmd/ { print $1 }' | xargs -r kill -9 2>/dev/null
	wait $command
	vm stop -F "$uuid" || [[ $(<"$dir/said") == *already* ]] || { said; failures=$((failures + 1)); }
	left+=$(nothing_left "$uuid")
done
is "the supervisor is killed in a start, 18 moments: stop works" $failures 0
is "the supervisor is killed in a start, 18 moments: nothing is left" "$left" ""
starts "after that"
ends_clean "after that"

failures=0
for ms in 2 5 10 15 20 30; do
	vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1 &
	sleep "$(printf '0.%03d' $ms)"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	# Nor does it wait for a supervisor that will not go: it took 20 s, and failed.
	vm start "$uuid" || { said; failures=$((failures + 1)); }
	! grep -q "has a supervisor already" "$dir/said" || failures=$((failures + 1))
	[ "$(zone_state "$uuid")" = running ] || failures=$((failures + 1))
	vm stop -F "$uuid" || failures=$((failures + 1))
done
is "the command is killed in a start, 6 moments: the next start works" $failures 0

# ---- delete -----------------------------------------------------------------------

starts "before a delete"
kill -9 "$(supervisor_of "$uuid")"
vm delete "$uuid" || { said; false; }
ok "the supervisor is killed: delete works" $?
is "deleted: nothing is left" "$(nothing_left "$uuid")" ""
is "deleted: no folder is left" "$(find "$host" -name "*$uuid*" ! -path '*/lock/*')" ""
finish
