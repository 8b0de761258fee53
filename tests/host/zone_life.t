#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The life of a zone under its supervisor: what its guest asks for, what commands ask
# for, what is refused, and what the files and the socket tell.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
set -u
zone_host

vm() { vmadm --root "$host" "$@" >"$dir/said" 2>&1; }
said() { sed 's/^/# /' "$dir/said"; }
root() { echo "$host/zones/$uuid/root"; }
ask() { # ask REQUEST: over the socket, as a command does
	printf '%s\n' "$1" | socat -t 70 - "UNIX-CONNECT:$host/run/dais/$uuid/zoneadmd.sock"
}

# An init that has just begun does not hear signals yet: up N waits for its Nth start.
is_up() {
	[ "$(grep -c "report write" "$host/zones/$uuid/logs/console.log")" -ge "$1" ] &&
		[ "$(init_of "$uuid")" != 0 ]
}
up() { eventually 10 is_up "$1"; }

zone_create one '{ "hostname": "one-host" }'
ok "a zone is created" $?
init=$(init_of "$uuid")
supervisor=$(supervisor_of "$uuid")
link=$(link_of "$uuid" 0)

is "its record's host name is the guest's" \
	"$(nsenter -t "$init" -u hostname 2>/dev/null)" one-host
is "its link has the name that filters look for" \
	"$(ip -o link show "$link" 2>/dev/null | grep -c 'master br-test0')" 1
is "its address is there before its init runs" \
	"$(nsenter -t "$init" -n ip -4 -o addr show dev eth0 | awk '{ print $4 }')" 10.91.0.9/24
up 1
has "its console is in a file" "$(head -1 "$host/zones/$uuid/logs/console.log")" \
	"init 1 of one-host is up"

if command -v socat >/dev/null; then
	is "the socket tells the state" "$(ask '{"request":"status"}' | jq -c '[.ok,.state,.pid]')" \
		"[true,\"running\",$init]"
	has "an unknown request is refused by name" "$(ask '{"request":"fly"}')" \
		"'fly' is no request of zoneadmd"
	has "what is no JSON is refused" "$(ask 'hello' | jq -r .ok)" false
	has "a timeout out of bounds is refused" \
		"$(ask '{"request":"stop","timeout_s":-1}' | jq -r .error)" "timeout_s: -1"
	chmod 711 "$host/run/dais" "$host/run/dais/$uuid"
	chmod 666 "$host/run/dais/$uuid/zoneadmd.sock"
	echo '{"request":"stop","force":true}' | setpriv --reuid 65534 --clear-groups socat -t 5 - \
		"UNIX-CONNECT:$host/run/dais/$uuid/zoneadmd.sock" >"$dir/said" 2>&1
	[[ $(<"$dir/said") != *'"ok":true'* ]]
	ok "as another user nobody is obeyed" $?
	alive "$init"
	ok "and the zone runs on" $?
else
	ok "requests over the socket # SKIP 'socat' is not installed" 0
fi

zoneadmd "$uuid" --root "$host" >"$dir/said" 2>&1
is "a second supervisor goes away" $? 1
is "and the first one stays" "$(supervisor_of "$uuid")" "$supervisor"

# ---- what the guest asks for ------------------------------------------------------

kill -TERM "$init"
up 2
[ "$(init_of "$uuid")" != "$init" ]
ok "its guest reboots: another init runs" $?
is "its guest reboots: the supervisor is the same" "$(supervisor_of "$uuid")" "$supervisor"
is "its guest reboots: that is counted" "$(state_of "$uuid" init_restarts)" 1
alive "$init"
is "its guest reboots: the old init is gone" $? 1

# A guest that reboots for ever must not fill the pool by what is logged of it.
head -c 300000 /dev/zero >>"$host/zones/$uuid/logs/zoneadmd.log"
kill -TERM "$(init_of "$uuid")"
up 3
[ "$(stat -c %s "$host/zones/$uuid/logs/zoneadmd.log")" -lt 100000 ]
ok "a log that has grown makes room for a new one at a reboot" $?
is "one generation is kept" "$(find "$host/zones/$uuid/logs" -name 'zoneadmd.log.*' | wc -l)" 1

# What the record says at that moment is what starts.
record=$host/etc/zones/$uuid.json
jq '.hostname = "other-host"' "$record" >"$dir/record" && cat "$dir/record" >"$record"
init=$(init_of "$uuid")
kill -TERM "$init"
up 4
is "a reboot takes the record as it is then" \
	"$(nsenter -t "$(init_of "$uuid")" -u hostname 2>/dev/null)" other-host

kill -USR2 "$(init_of "$uuid")"
eventually 10 [ ! -S "$host/run/dais/$uuid/zoneadmd.sock" ]
is "its guest powers off: it is stopped" "$(zone_state "$uuid")" stopped
is "its guest powers off: nothing is left" "$(nothing_left "$uuid")" ""
is "its guest powers off: the end is recorded" "$(state_of "$uuid" state)" stopped

# ---- what commands ask for ----------------------------------------------------------

vm start "$uuid" || said
is "a start: it runs" "$(zone_state "$uuid")" running
before=$SECONDS
vm stop "$uuid" || said
is "a stop in peace: it is stopped" "$(zone_state "$uuid")" stopped
[ $((SECONDS - before)) -lt 20 ]
ok "a stop in peace: its init was asked and not waited out" $?
vm stop "$uuid"
has "a second stop is no failure" "$(<"$dir/said")" already

vm start "$uuid" || said
touch "$(root)/etc/deaf"
if command -v socat >/dev/null; then
	is "an init that does not listen is killed when its time is over" \
		"$(ask '{"request":"stop","timeout_s":1}' | jq -r .ok)" true
	is "and it is stopped" "$(zone_state "$uuid")" stopped
	vm start "$uuid" || said
	ask '{"request":"stop","timeout_s":30}' >"$dir/waits" &
	sleep 0.3
	is "a stop that waits is overtaken by force" \
		"$(ask '{"request":"stop","force":true}' | jq -r .ok)" true
	wait $!
	is "and who waited is told as well" "$(jq -r .ok "$dir/waits")" true
	vm start "$uuid" || said
	init=$(init_of "$uuid")
	is "a reboot by force brings another init" \
		"$(ask '{"request":"reboot","force":true}' | jq -r .ok)" true
	[ "$(init_of "$uuid")" != "$init" ] && [ "$(zone_state "$uuid")" = running ]
	ok "and it runs" $?
else
	ok "stops that wait and stops by force # SKIP 'socat' is not installed" 0
fi
vm stop -F "$uuid" || said
rm "$(root)/etc/deaf"

# ---- an init that fails ---------------------------------------------------------------

# set_record FILTER, with the record that the next start shall have
set_record() { jq "$1" "$record" >"$dir/record" && cat "$dir/record" >"$record"; }
another_init() { [ "$(init_of "$uuid")" != "$init" ] && [ "$(zone_state "$uuid")" = running ]; }
ended() { [ ! -S "$host/run/dais/$uuid/zoneadmd.sock" ]; }

vm start "$uuid" || said
kill -KILL "$(init_of "$uuid")"
eventually 10 ended
is "an init that is killed ends the zone" "$(zone_state "$uuid")" stopped
is "with the signal as its status" "$(state_of "$uuid" exit_status)" 137
vm start "$uuid" || said
set_record '.restart_init = true'
init=$(init_of "$uuid")
restarts=$(state_of "$uuid" init_restarts)
kill -KILL "$init"
eventually 15 another_init
ok "with restart_init it is started again" $?
is "which is counted" "$(state_of "$uuid" init_restarts)" $((restarts + 1))
kill -KILL "$(init_of "$uuid")"
eventually 10 eval '[ "$(state_of "$uuid" state)" = starting ]'
vm stop "$uuid"
is "a stop while it waits for that is obeyed" "$? $(zone_state "$uuid")" "0 stopped"
eventually 10 ended
is "and nothing is left" "$(nothing_left "$uuid")" ""
vm start "$uuid" || said
init=$(init_of "$uuid")
eventually 10 eval '[ "$(awk "/^SigCgt/ { print \$2 }" "/proc/$init/status")" != 0000000000000000 ]'
kill -USR2 "$init"
eventually 10 ended
is "a guest that powers off stays off" "$(zone_state "$uuid")" stopped
set_record 'del(.restart_init)'

# ---- what cannot be started ---------------------------------------------------------

refused() { # refused NAME PART: the start fails, says so, leaves nothing
	vm start "$uuid"
	is "$1: the start fails" $? 1
	has "$1: it says why" "$(<"$dir/said")" "$2"
	is "$1: nothing is left" "$(nothing_left "$uuid")" ""
}

mkdir "$dir/outside"
for name in dev proc sys tmp; do
	mv "$(root)/$name" "$dir/$name"
	ln -s "$dir/outside" "$(root)/$name"
	refused "/$name is a link" "'/$name' in the root"
	rm "$(root)/$name"
	mv "$dir/$name" "$(root)/$name"
done
is "nothing was made where the links lead" "$(ls -A "$dir/outside")" ""

mv "$(root)/sbin/init" "$dir/init"
refused "there is no init" "liblxc cannot start the machine"
mv "$dir/init" "$(root)/sbin/init"

cp "$record" "$dir/record"
jq '.idmap_base = 0' "$dir/record" >"$record"
refused "the record has no range of ids" "idmap_base: 0 is not a multiple of 65536"
jq '.nics[0].nic_tag = "none0"' "$dir/record" >"$record"
refused "its NIC tag is gone" 'none0'
jq 'del(.nics[0].mac)' "$dir/record" >"$record"
refused "a NIC without a MAC" "nics[0]: 'interface' or 'mac' is missing"
cp "$dir/record" "$record"
vm start "$uuid" || said
is "with the record as it was it starts" "$(zone_state "$uuid")" running

# ---- limits that cannot be put in force, privileges that cannot be given ---------------

vm stop -F "$uuid"
jq '.limit_priv = "default,!net_rawaccess,sys_time,-no_such"' "$dir/record" >"$record"
vm start "$uuid"
has "a privilege that is not given is named" "$(<"$dir/said")" "limit_priv: 'sys_time' is not given"
has "one that is not taken away, too" "$(<"$dir/said")" "limit_priv: '-no_such' is not in force"
bounding=$((16#$(awk '/^CapBnd/ { print $2 }' "/proc/$(init_of "$uuid")/status")))
is "what is taken away is taken away" $((bounding >> 13 & 1)) 0
if [ "$(stat -fc %T /sys/fs/cgroup)" = tmpfs ]; then
	has "a limit that is not in force is named" "$(<"$dir/said")" "max_physical_memory: not in force"
	has "and kept for who asks later" "$(state_of "$uuid" 'warnings | join(" ")')" \
		"max_physical_memory: not in force"
fi

vm delete "$uuid" || said
is "deleted: nothing is left" "$(nothing_left "$uuid")" ""

# ---- two whose UUIDs begin alike --------------------------------------------------------

# They had the same link: the start of the second failed, and its cleaning up took the
# link of the first.
for n in 1 2; do
	zone_create "twin$n" '{ "uuid": "00000000-0000-4000-8000-00000000000'$n'",
		"nics": [{ "nic_tag": "test0", "ips": ["10.91.0.2'$n'/24"] }] }'
	ok "twin $n is created" $?
done
is "both have their links" "$(ip -o link show master br-test0 up | grep -c ' dz[0-9a-f]*n0@')" 2
vm delete 00000000-0000-4000-8000-000000000002 || said
is "without the second the first keeps its own" \
	"$(ip -o link show "$(link_of 00000000-0000-4000-8000-000000000001 0)" | grep -c br-test0)" 1
vm delete 00000000-0000-4000-8000-000000000001 || said
finish
