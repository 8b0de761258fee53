#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An image that is not the expected one is never mounted: early userspace says
# what is wrong and what to do, and powers the machine off.
. "$(dirname "$0")/lib.bash"

zeros=$(printf '0%.0s' {1..64})
start_machine -d none -a "dais.hash=$zeros dais.halt=3"
wait_log 120 'power off in 3 seconds'
ok "a boot with another hash ends in early userspace" $?
text=$(tr -d '\r' < "$log")
like "the console says that the platform did not start" "$text" 'THE PLATFORM DID NOT START'
like "and which hash was expected, and by whom" "$text" "boot option dais.hash= says $zeros"
like "and which it has" "$text" 'SHA-256 is [0-9a-f]{64}, but'
like "and what to do" "$text" 'boot an earlier platform'
wait_gone 60
ok "the machine powers itself off" $?
grep -aq 'login:' "$log"
is "nobody was asked to log in" "$?" 1

hash=$(sed -n 's/.*SHA-256 is \([0-9a-f]*\),.*/\1/p' <<< "$text")
start_machine -d none -a "dais.hash=${hash:0:63} dais.halt=1"
wait_log 120 'not a SHA-256 digest'
ok "a hash that is too short is refused as such" $?
wait_gone 60
ok "and powers off as well" $?

boot_machine -d none -a "dais.hash=$hash noimport=true root_shadow=$(openssl passwd -6 -salt dais rescue)"
ok "the right hash boots" 0
login rescue
ok "root_shadow= is root's password" $?
is "and none is made up" "$(shown_password)" ''
g 'cat /run/dais/boot.json'
like "the host knows that its image was pinned" "$out" '"image_pinned": true'
like "and its hash" "$out" "$hash"
g 'systemctl show -p ConditionResult dais-pool.service'
is "noimport=true looks for no pool" "$out" 'ConditionResult=no'
g 'systemctl is-system-running --wait'
is "the rescue system is whole" "$out" running
g poweroff
wait_gone 120
ok "poweroff ends it" $?
finish
