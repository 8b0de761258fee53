#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vminfod beside real zones: what it answers is what the files hold, and every
# change is told, in order.
. "$(dirname "$0")/vmadm_lib.bash"
[ -x "$bin/vminfod" ] || skip "'$bin/vminfod' is not built"
command -v curl >/dev/null || skip "'curl' is not installed"
sock=$root/run/dais/vminfod.sock
daemon= listeners=

end_daemons() {
	for pid in $listeners $daemon; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	cleanup
}
trap end_daemons EXIT

start_vminfod() {
	"$bin/vminfod" --root "$root" "$@" 2>>"$dir/vminfod.log" &
	daemon=$!
	eventually test -S "$sock" && eventually curl -sf --unix-socket "$sock" http://x/ping
}

get() { curl -s -m 10 --unix-socket "$sock" "http://localhost$1"; }

# listen NAME ARGS...: vmadm events into $dir/NAME
listen() {
	local name=$1
	shift
	"$bin/vmadm" --root "$root" events "$@" >"$dir/$name" 2>"$dir/$name.err" &
	listeners="$listeners $!"
	last=$!
}

# types NAME: the events' types of a file with JSON lines, modify with its states
types() {
	jq -r 'if .type == "modify"
		then (.changes[] | select(.prettyPath == "state") | .newValue) else .type end' "$dir/$1" |
		tr '\n' ' '
}

# The daemon says what the files say: NAME COMMAND...
same() {
	local name=$1 with without
	shift
	with=$("$bin/vmadm" --root "$root" "$@" 2>&1)
	mv "$sock" "$sock.away"
	without=$("$bin/vmadm" --root "$root" "$@" 2>&1)
	mv "$sock.away" "$sock"
	is "$name" "$with" "$without"
}

vm events
is "without the daemon there are no events" "$status ${err%%:*}" "1 vminfod does not run"
start_vminfod
ok "vminfod starts" $?
is "it answers" "$(get /ping)" '{"ping":"pong"}'
is "of two one may run" "$("$bin/vminfod" --root "$root" 2>&1 | grep -c 'another vminfod runs')" 1
is "unknown paths" "$(get /nonsense) $(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$sock" http://x/y)" \
	"Unsupported URL Path 404"
is "other methods" "$(curl -s -XPOST -d x -w '%{http_code}' --unix-socket "$sock" http://x/vms)" 400
is "no VM yet" "$(get /vms)" "[]"

woken() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$daemon/status"; }
sleep 0.2
before=$(woken)
sleep 1.5
is "with nothing to do it sleeps" "$(woken)" "$before"

# ---- real zones --------------------------------------------------------------------

a=aaaaaaaa-0000-4000-8000-0000000000a1
own=$a
listen json -j -r
json=$last
listen text
listen full -f -r
eventually test -s "$dir/json"
payload "\"uuid\": \"$a\", \"alias\": \"web\", \"autoboot\": true, \"tags\": {\"role\": \"front\"}" |
	"$bin/vmadm" --root "$root" create 2>/dev/null
ok "a zone is made" $?
is "a command that returned is seen" "$(get "/vms/$a" | jq -r .state)" running
same "list" list
same "list of other columns" list -o uuid,pid,zone_state,boot_timestamp,nics.0.ip -s alias
same "list by a filter" list alias=~WE
same "list without header" list -H
same "list as JSON" list -j -o uuid,state,zonedid,kernel_version,hvm
same "lookup by a tag" lookup tags.role=front
same "lookup of whole objects" lookup -j
same "get" get "$a"
missing=$(get "/vms/$a" | jq -r '["brand","v","uuid","state","hvm","quota","firewall_enabled","autoboot",
	"billing_id","owner_uuid","limit_priv","zfs_filesystem","zonepath","create_timestamp","last_modified",
	"platform_buildstamp","nics","image_uuid","kernel_version","zone_state","zonedid","server_uuid",
	"zpool","snapshots","pid","zoneid","boot_timestamp","init_restarts","zonename"] - keys | join(" ")')
is "the object has what clients want" "$missing" ""
is "and of the types that they want" "$(get "/vms/$a" | jq -r '[.brand, .v, .hvm, .quota, .autoboot, .limit_priv,
	.zonepath, .nics, .kernel_version, .platform_buildstamp | type] | join(" ")')" \
	"string number boolean number boolean string string array string string"

"$bin/vmadm" --root "$root" stop "$a" 2>/dev/null
"$bin/vmadm" --root "$root" start "$a" 2>/dev/null
"$bin/vmadm" --root "$root" kill -s KILL "$a" 2>/dev/null
eventually sh -c "'$bin/vmadm' --root '$root' list -H -o state uuid=$a | grep -q stopped"
ok "a zone whose init was killed is stopped" $?
is "a stopped zone has the time of its end and no pid" \
	"$(get "/vms/$a" | jq -c '[has("exit_timestamp"), has("pid"), has("boot_timestamp")]')" "[true,false,false]"
"$bin/vmadm" --root "$root" delete "$a" 2>/dev/null
eventually grep -q '"delete"' "$dir/json"
is "states between may be too short to be seen, the others come in order" \
	"$(types json | sed 's/\(provisioning\|ready\|shutting_down\|down\|incomplete\) //g')" \
	"create running stopped running stopped delete "
is "what is printed for people" "$(sed -n '1s/^\[[0-9:.]*Z\] //p' "$dir/text")" "aaaaaaaa web create"
is "whole dates and names" "$(sed -n '2s/^\[[0-9T:.-]*Z\] //p' "$dir/full")" "$a web create"
is "ready is printed when asked for" "$(sed -n '1s/^\[[0-9T:.-]*Z\] \(ready (uuid \)[0-9a-f-]*)$/\1/p' "$dir/full")" \
	"ready (uuid "
ok "a change is told with both values" \
	"$(grep -q 'web modify: state changed :: "[a-z_]*" -> "stopped"$' "$dir/text"; echo $?)"

# ---- bursts, without zones ----------------------------------------------------------

record() { # N ALIAS
	local uuid
	uuid=$(printf 'bbbbbbbb-0000-4000-8000-%012d' "$1")
	printf '{ "v": 1, "uuid": "%s", "zonename": "%s", "brand": "lx", "alias": "%s", "autoboot": false,
		"max_physical_memory": 256, "nics": [], "tags": {} }' "$uuid" "$uuid" "$2" >"$root/etc/zones/.n$1"
	mv "$root/etc/zones/.n$1" "$root/etc/zones/$uuid.json"
}
for n in $(seq 500); do record "$n" "vm$n"; done
eventually sh -c "[ \$(grep -c '\"create\"' '$dir/json') = 501 ]"
ok "500 records at once: each is told" $?
is "and all are there" "$(get /status | jq -c '[.numVms, .refreshErrors]')" "[500,0]"
same "list of 500" list
same "lookup of 500" lookup alias=~9
echo '{' >"$root/etc/zones/bbbbbbbb-0000-4000-8000-000000000001.json"
same "a record that cannot be read is told either way" list -H alias=vm2
record 1 again
is "and forgotten when it can" "$(get /status | jq .refreshErrors)" 0

# ---- clients that do not read; clients that leave -----------------------------------

python3 - "$sock" "$dir/slow" <<'P' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(sys.argv[1])
s.sendall(b"GET /events HTTP/1.0\r\n\r\n")
open(sys.argv[2], "w").write("up")
time.sleep(120)
P
listeners="$listeners $!"
eventually test -s "$dir/slow"
eventually sh -c "[ \"\$(curl -s --unix-socket '$sock' http://x/status | jq .eventsListeners)\" = 4 ]"
ok "four listen, one of them does not read" $?
for round in 1 2 3; do for n in $(seq 500); do record "$n" "round$round-$n"; done; done
eventually sh -c "grep -q round3-500 '$dir/json'"
ok "the others are told everything" $?
eventually sh -c "[ \"\$(curl -s --unix-socket '$sock' http://x/status | jq .eventsListeners)\" = 3 ]"
ok "who does not read is cut off" $?
kill "$json"
eventually sh -c "[ \"\$(curl -s --unix-socket '$sock' http://x/status | jq .eventsListeners)\" = 2 ]"
ok "who leaves is noticed though nothing happens" $?

# ---- the daemon hangs, and dies ------------------------------------------------------------------

listen after -j -r bbbbbbbb-0000-4000-8000-000000000007
eventually test -s "$dir/after"
kill -STOP "$daemon"
vm list -H -o alias uuid=bbbbbbbb-0000-4000-8000-000000000007
is "when it hangs the files are read" "$status $out" "0 round3-7"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
vm list -H -o alias uuid=bbbbbbbb-0000-4000-8000-000000000007
is "killed, it is not missed" "$status $out" "0 round3-7"
record 7 seven
record 8 eight
start_vminfod
ok "it starts again beside its old socket" $?
is "and knows what changed meanwhile" "$(get /vms/bbbbbbbb-0000-4000-8000-000000000007 | jq -r .alias)" seven
eventually sh -c "[ \$(grep -c '\"ready\"' '$dir/after') = 2 ]"
ok "who listened is told anew" $?
record 7 eleven
record 8 twelve
eventually grep -q eleven "$dir/after"
ok "and goes on listening" $?
is "of the VM that was asked for alone" "$(grep -c '"modify"' "$dir/after")" 1
vm events cccccccc-0000-4000-8000-000000000001
is "a VM that is not there" "$status $err" "1 zoneadm: cccccccc-0000-4000-8000-000000000001: No such zone configured"
rm -f "$root"/etc/zones/bbbbbbbb-*.json
is "all records removed" "$(get /vms)" "[]"
kill "$daemon"
wait "$daemon"
ok "it ends in peace" $?
ok "and takes its socket along" "$([ ! -e "$sock" ]; echo $?)"

# ---- the loopback -----------------------------------------------------------------------

is "only the loopback is served" "$("$bin/vminfod" --root "$root" --listen 0.0.0.0:9090 2>&1 | grep -c 'not of the loopback')" 1
is "no address" "$("$bin/vminfod" --root "$root" --listen 9090 2>&1 | grep -c 'is not ADDRESS:PORT')" 1
start_vminfod --listen 127.0.0.1:9090
is "it answers there too" "$(curl -s -m 5 http://127.0.0.1:9090/ping)" '{"ping":"pong"}'
is "not under a foreign name" \
	"$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'Host: evil.example' http://127.0.0.1:9090/vms)" 403
kill "$daemon"
wait "$daemon"
daemon=
finish
