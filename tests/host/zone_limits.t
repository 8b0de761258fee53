#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Limits of a zone at its start and while it runs. In a cgroup of version 2 they are
# in force; elsewhere each is named by a warning, and that is what is tested.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
command -v socat >/dev/null || skip "'socat' is not installed"
set -u
zone_host

ask() { # ask REQUEST: over the socket, as a command does
	printf '%s\n' "$1" | socat -t 70 - "UNIX-CONNECT:$host/run/dais/$uuid/zoneadmd.sock"
}
reload() { ask '{"request":"reload"}' >"$dir/answer"; }
warned() { jq -r '.warnings | join(" ")' "$dir/answer"; }
change() { # change JQ: the record, and the zone with it
	jq "$1" "$record" >"$dir/record" && cat "$dir/record" >"$record" && reload
}
rlimit() { # rlimit PID NAME: soft and hard
	awk -v n="$2" 'index($0, n) == 1 { print $(NF - 2), $(NF - 1) }' "/proc/$1/limits"
}

zone_create one '{ "max_locked_memory": 4, "cpu_cap": 100 }'
ok "a zone is created" $?
record=$host/etc/zones/$uuid.json
zone_tool "$host/zones/$uuid/root"
init=$(init_of "$uuid")
group=/sys/fs/cgroup/dais/$uuid
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
	limit() { is "$1: $2" "$(cat "$group/$1")" "$2"; }
else
	limit() { true; }
fi

# ---- the usual limits -----------------------------------------------------------

mib=$((1 << 20))
is "it may lock as much as its record says" "$(rlimit "$init" 'Max locked memory')" \
	"$((4 * mib)) $((4 * mib))"
limit cpu.max '100000 100000'
change '.max_locked_memory = 2 | .max_physical_memory = 256 | .max_swap = 512 | .max_lwps = 77
	| del(.cpu_cap) | .cpu_shares = 30 | .zfs_io_priority = 7'
is "a reload succeeds" "$(jq .ok "$dir/answer")" true
is "what it may lock follows while it runs" "$(rlimit "$init" 'Max locked memory')" \
	"$((2 * mib)) $((2 * mib))"
limit memory.max $((256 * mib))
limit memory.swap.max $((256 * mib))
limit pids.max 77
limit cpu.max 'max 100000'
limit cpu.weight 30
if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
	for name in max_physical_memory max_swap max_lwps cpu_shares zfs_io_priority; do
		has "a limit that is not in force is named at a reload: $name" "$(warned)" \
			"$name: not in force"
	done
	[[ $(warned) != *cpu_cap* ]]
	ok "one that is not asked for any more is not" $?
	is "and what is named is what is kept" "$(state_of "$uuid" 'warnings | join(" ")')" "$(warned)"
fi
is "its init is the same" "$(init_of "$uuid")" "$init"

# ---- System V, in its own namespace ------------------------------------------------

sysv() { nsenter -t "$init" -i cat "/proc/sys/kernel/$1" | tr '\t' ' '; }
outside=$(cat /proc/sys/kernel/{shmall,shmmni,msgmni,sem})
is "System V memory in pages is bounded from the start" "$(sysv shmall)" $((128 * mib / 4096))
is "segments" "$(sysv shmmni)" 4096
is "queues" "$(sysv msgmni)" 4096
is "semaphore sets" "$(sysv sem | cut -d' ' -f4)" 4096
change '.max_shm_memory = 1 | .max_shm_ids = 3 | .max_msg_ids = 5 | .max_sem_ids = 7'
is "they follow while it runs" "$(sysv shmall) $(sysv shmmni) $(sysv msgmni) $(sysv sem | cut -d' ' -f4)" \
	"256 3 5 7"
if command -v ipcmk >/dev/null; then
	made=0
	while [ $made -lt 9 ] && nsenter -t "$init" -i ipcmk -M 4096 >/dev/null 2>&1; do
		made=$((made + 1))
	done
	is "one that makes more segments than that is refused" $made 3
else
	ok "System V objects beyond the limits # SKIP 'ipcmk' is not installed" 0
fi
change '.max_shm_ids = 0 | .max_sem_ids = 100000 | .max_shm_memory = 128'
is "0 is the kernel's own bound, and more than it can is what it can" \
	"$(sysv shmmni) $(sysv sem | cut -d' ' -f4)" "4096 32768"
is "the host's own are as they were" "$(cat /proc/sys/kernel/{shmall,shmmni,msgmni,sem})" "$outside"

# ---- /tmp --------------------------------------------------------------------------

tmp_size() { awk '$5 == "/tmp" { print $NF }' "/proc/$init/mountinfo" | grep -o 'size=[0-9]*k'; }
is "/tmp has its size" "$(tmp_size)" "size=$((128 << 10))k"
change '.tmpfs = 16'
is "it follows while it runs" "$(tmp_size)" size=16384k
is "it takes that much" "$(inside "$init" fill /tmp/big $((3 * mib)))" done
change '.tmpfs = 1'
is "less than is in it cannot be" "$(tmp_size)" size=16384k
has "and that is said" "$(warned)" "tmpfs: not in force before the next start: /tmp holds more"
change '.tmpfs = 4'
is "a size that fits again is taken" "$(tmp_size)" size=4096k

cp "$record" "$dir/good"
change '.idmap_base = 0'
has "a record that cannot be is refused, and named" "$(jq -r .error "$dir/answer")" "idmap_base: 0"
is "and the zone runs on" "$(zone_state "$uuid")" running
cat "$dir/good" >"$record"

# ---- as people do it --------------------------------------------------------------

vmadm --root "$host" update "$uuid" max_locked_memory=1 max_shm_ids=11 tmpfs=32 >"$dir/said" 2>&1
ok "vmadm update changes limits" $? || sed 's/^/# /' "$dir/said"
is "and they hold at once" "$(rlimit "$init" 'Max locked memory') $(sysv shmmni) $(tmp_size)" \
	"$((1 * mib)) $((1 * mib)) 11 size=32768k"
if ! capsh --has-p=cap_sys_resource 2>/dev/null; then
	vmadm --root "$host" update "$uuid" max_locked_memory=2 >"$dir/said" 2>&1
	has "where limits cannot be raised that is said" "$(<"$dir/said")" \
		"max_locked_memory: not in force for all processes"
fi
kill -9 "$(supervisor_of "$uuid")"
eventually 5 sh -c "! kill -0 $(supervisor_of "$uuid") 2>/dev/null"
vmadm --root "$host" update "$uuid" max_shm_ids=12 >"$dir/said" 2>&1
ok "without a supervisor as well" $?
is "the zone has it" "$(sysv shmmni)" 12
is "its init is the same" "$(init_of "$uuid")" "$init"
alive "$(supervisor_of "$uuid")"
ok "and there is a supervisor again" $?
turns() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$(supervisor_of "$uuid")/status"; }
sleep 0.5
before=$(turns)
sleep 1
is "a supervisor that has nothing to do is not woken" "$(turns)" "$before"
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1
vmadm --root "$host" update "$uuid" max_shm_ids=13 zlog_max_size=8192 >"$dir/said" 2>&1
ok "a zone that does not run is changed" $?
is "and nobody is started for that" "$(nothing_left "$uuid")" ""
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
init=$(init_of "$uuid")
is "it has it with its next start" "$(sysv shmmni)" 13
log=$host/zones/$uuid/logs/console.log
eventually 10 grep -q "report write" "$log"
is "a console log over its size is rotated" "$(inside "$init" console 20000)" done
eventually 5 test -f "$log.1"
ok "to one that is kept" $?
[ "$(stat -c %s "$log" "$log.1" 2>/dev/null | sort -n | tail -1)" -le 8192 ]
ok "and neither is over it" $?

vmadm --root "$host" delete "$uuid" >"$dir/said" 2>&1 || sed 's/^/# /' "$dir/said"
is "deleted: nothing is left" "$(nothing_left "$uuid")" ""
finish
