#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A zone that is to start again, and cannot: it is tried again, each time later; a stop
# meanwhile is obeyed; in the end the VM is failed, with the reason.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
set -u
zone_host

vm() { vmadm --root "$host" "$@" >"$dir/said" 2>&1; }
log() { cat "$host/zones/$uuid/logs/zoneadmd.log"; }
tries() { log | grep -c 'cannot start again: .*; the next try is in'; }
tried() { [ "$(tries)" -ge "$1" ]; }
ended() { [ ! -S "$host/run/dais/$uuid/zoneadmd.sock" ]; }
another_init() { [ "$(init_of "$uuid")" -gt 1 ] && [ "$(init_of "$uuid")" != "$init" ]; }
# Without its network no zone starts.
tags=$host/etc/dais/nictags.json
break_it() { mv "$tags" "$dir/tags"; }
mend_it() { mv "$dir/tags" "$tags"; }

zone_create again '{ "restart_init": true }'
ok "a zone is created" $?
init=$(init_of "$uuid")
restarts=$(state_of "$uuid" init_restarts)
break_it
kill -KILL "$init"
eventually 10 tried 1
ok "its init is killed, and it cannot be started again: it is tried again" $?
has "the reason is in its log" "$(log)" "cannot start again: nics[0]: "
is "it is starting" "$(state_of "$uuid" state)" starting
mend_it
eventually 15 another_init
ok "once what was in the way is gone, it runs" $?
is "which is counted once" "$(state_of "$uuid" init_restarts)" $((restarts + 1))
is "it is not failed" "$(zone_state "$uuid")" running

init=$(init_of "$uuid")
break_it
before=$(tries)
kill -KILL "$init"
eventually 10 tried $((before + 1))
vm stop "$uuid"
is "a stop while it is tried again is obeyed" "$? $(zone_state "$uuid")" "0 stopped"
eventually 10 ended
is "and nothing is left" "$(nothing_left "$uuid")" ""
mend_it

# The guest itself wants to start again.
vm start "$uuid"
init=$(init_of "$uuid")
eventually 10 eval '[ "$(awk "/^SigCgt/ { print \$2 }" "/proc/$init/status")" != 0000000000000000 ]'
break_it
before=$(tries)
kill -TERM "$init"
eventually 10 tried $((before + 4))
ok "a guest that reboots is tried four times more" $?
eventually 20 ended
is "then the VM is failed" "$(zone_state "$uuid")" failed
has "and says why" "$(vmadm --root "$host" get "$uuid" | jq -r .failed)" "start again: nics[0]: "
is "nothing is left" "$(nothing_left "$uuid")" ""
vm check
is "and check finds nothing" "$?" 0
mend_it
vm start "$uuid"
is "a start takes it out of that" "$? $(zone_state "$uuid")" "0 running"
vm delete "$uuid"
finish
