#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a zone cannot do, tried from inside: its init says on its console how it went.
# docs/zones.md is the list.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
set -u
zone_host

zone_payload caged '{ "tmpfs": 16, "autoboot": false }' >"$dir/payload"
vmadm --root "$host" create -f "$dir/payload" >"$dir/said" 2>&1 || sed 's/^/# /' "$dir/said"
uuid=$(vmadm --root "$host" lookup -1 alias=caged)
root=$host/zones/$uuid/root
# An image could bring a device along: /dev/zero, readable by all.
mknod -m 666 "$root/etc/node" c 1 5
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
ok "it starts" $?
init=$(init_of "$uuid")
eventually 5 grep -q "report write" "$host/zones/$uuid/logs/console.log"
console=$(tr -d '\r' <"$host/zones/$uuid/logs/console.log")

reported() { # reported WHAT ANSWER
	is "inside, $1: $2" "$(sed -n "s/^report $1: //p" <<<"$console" | head -1)" "$2"
}
denied() { # denied WHAT: by whatever error
	[[ $console == *"report $1: "* && $console != *"report $1: allowed"* ]]
	ok "inside, $1: denied" $?
}
reported init_module "Operation not permitted"
reported bpf "Operation not permitted"
reported perf_event_open "Operation not permitted"
reported keyctl "Function not implemented"
reported io_uring_setup "Function not implemented"
reported open_by_handle_at "Operation not permitted"
reported settimeofday "Operation not permitted"
reported mknod "Operation not permitted"
reported node "Permission denied"
reported null allowed
is "inside, no subvolume can be made, by any of four calls" \
	"$(grep -c "^report subvolume: Inappropriate ioctl for device" <<<"$console")" 4
reported "subvolume, upper half" "Inappropriate ioctl for device"
reported "other ioctl" allowed
[ ! -e "$root/etc/made" ]
ok "and none is there" $?
denied sysfs
# Where the host's kernel has none there is nothing to deny.
[ ! -e /proc/sysrq-trigger ] || denied sysrq
denied sysctl
reported write allowed

# ---- from outside -----------------------------------------------------------------

base=$(jq .idmap_base "$host/etc/zones/$uuid.json")
is "its root is id $base here" "$(stat -c %u "/proc/$init")" "$base"
is "it has 65536 ids of its own" \
	"$(awk '{ print $1, $2, $3 }' "/proc/$init/uid_map" "/proc/$init/gid_map" | sort -u)" "0 $base 65536"
is "its files on the pool keep the image's ids" "$(stat -c %u:%g "$root/etc/written")" 0:0
for ns in user mnt pid net uts ipc cgroup; do
	[ "$(readlink "/proc/$init/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ]
	ok "its $ns namespace is its own" $?
done
is "a seccomp profile is in force" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$init/status")" 2
bounding=$((16#$(awk '/^CapBnd/ { print $2 }' "/proc/$init/status")))
for cap in 16:sys_module 17:sys_rawio 20:sys_pacct 25:sys_time 30:audit_control 32:mac_override \
	33:mac_admin 34:syslog 35:wake_alarm 36:block_suspend 37:audit_read 38:perfmon 39:bpf \
	40:checkpoint_restore; do
	is "it cannot have the capability ${cap#*:}" $((bounding >> ${cap%:*} & 1)) 0
done
for cap in 0:chown 12:net_admin 21:sys_admin 22:sys_boot; do
	is "in its own namespaces it has ${cap#*:}" $((bounding >> ${cap%:*} & 1)) 1
done

mounts() { awk -v p="$1" '$5 == p { print $6 }' "/proc/$init/mountinfo" | tail -1; }
has "its root is mapped while mounted" "$(mounts /)" idmapped
has "and shows no devices" "$(mounts /)" nodev
has "/sys is read-only" "$(mounts /sys)" ro
has "/proc/sys is read-only" "$(mounts /proc/sys)" ro
is "/tmp has the size of the record" \
	"$(awk '$5 == "/tmp" { print $NF }' "/proc/$init/mountinfo" | grep -o 'size=[0-9]*k')" size=16384k
is "its devices are these" "$(ls "/proc/$init/root/dev" | tr '\n' ' ')" \
	"console fd full null ptmx pts random stderr stdin stdout tty urandom zero "
if [ -f "/sys/fs/cgroup/devices/dais/$uuid/devices.list" ]; then
	is "and no others are allowed" \
		"$(sort "/sys/fs/cgroup/devices/dais/$uuid/devices.list" | tr '\n' ' ')" \
		"c 136:* rwm c 1:3 rwm c 1:5 rwm c 1:7 rwm c 1:8 rwm c 1:9 rwm c 5:0 rwm c 5:1 rwm c 5:2 rwm "
fi
# Above 31 there are the C library's own.
for mask in SigBlk SigIgn; do
	bits=$((16#$(awk -v m="$mask:" '$1 == m { print $2 }' "/proc/$init/status")))
	is "it has no $mask from us" $((bits & 0x7fffffff)) 0
done
is "it has no terminal of ours open" "$(find "/proc/$init/fd" -lname '/dev/tty*' | wc -l)" 0
is "its monitor has nothing of the supervisor's open" \
	"$(find "/proc/$(monitor_of "$uuid")/fd" -lname "$host/*" ! -lname '*/lxc.log' ! -lname '*/console.log' | wc -l)" 0

mounted=$(awk -v u="$uuid" 'index($0, u)' /proc/self/mountinfo)
is "none of its mounts is the host's" "$mounted" ""
finish
