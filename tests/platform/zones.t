#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The main job: a platform boots, makes a pool, installs the image that came with
# it, and runs two zones that reach each other; they are there after a reboot, and
# a delete leaves nothing of them.
. "$(dirname "$0")/lib.bash"

disk=$dir/disk.img
a=11111111-2222-4333-8444-00000000000a
b=22222222-3333-4444-8555-00000000000b
truncate -s 8G "$disk"

# payload UUID NAME IP AUTOBOOT
payload() {
	cat <<-END
	{ "uuid": "$1", "alias": "$2", "hostname": "$2", "brand": "lx", "autoboot": $4,
	  "image_uuid": "$image", "max_physical_memory": 256, "max_lwps": 300, "quota": 2,
	  "cpu_cap": 150, "resolvers": ["10.99.0.1"], "fs_allowed": ["fuse"],
	  "filesystems": [ { "type": "lofs", "source": "/opt/lent", "target": "/mnt/lent", "options": ["ro"] } ],
	  "nics": [ { "nic_tag": "admin", "ip": "$3", "netmask": "255.255.255.0",
	              "gateway": "10.99.0.1", "primary": true } ] }
	END
}

# in_zone UUID COMMAND - a command for g()
in_zone() {
	echo "nsenter -a -t \"\$(sed -n 's/.*\"pid\": \\([0-9]*\\),.*/\\1/p' /run/dais/$1/state.json)\" -- $2"
}

state_of() { g "vmadm list -H -o state uuid=$1"; out=${out// /}; }

# zone_is_up UUID NAME IP
zone_is_up() {
	state_of "$1"
	is "$2 is running" "$out" running
	until_g 120 "$(in_zone "$1" 'systemctl is-system-running --wait')"
	is "$2: its systemd is up, and no unit failed" "$out" running
	[ "$out" = running ] || { g "$(in_zone "$1" 'systemctl --failed')"; note "$out"; }
	g "$(in_zone "$1" 'cat /proc/1/comm')"
	is "$2: PID 1 is systemd" "$out" systemd
	g "$(in_zone "$1" hostname)"
	is "$2 has its host name" "$out" "$2"
	until_g 60 "ping -c 1 -W 2 $3"
	ok "$2 answers the host's ping" $?
}

# limit UUID FILE WANT
limit() {
	g "cat /sys/fs/cgroup/dais/$1/$2"
	is "limit in force: $2" "$out" "$3"
}

# ---- boot --------------------------------------------------------------------

boot_machine -d "$disk"
note "login prompt after $boot_s s"
password=$(shown_password)
like "root's password was made up and shown" "$password" '^[a-z0-9]{4}(-[a-z0-9]{4}){3}$'
login wrong-password
is "another password is refused" "$status" 1
login "$password" || bail "cannot log in: $out"
ok "root logs in on the console" 0

g 'cat /etc/version/platform'
is "the platform is the one that was built" "$out" "$(cat "$platform/etc/version/platform")"
g 'systemctl is-system-running --wait' 180
is "every unit is up" "$out" running
[ "$out" = running ] || { g 'systemctl --failed; journalctl -b -p err'; note "${out//$'\n'/$'\n# '}"; }
g 'systemd-analyze time'
note "${out//$'\n'/$'\n# '}"
g 'cat /run/dais/boot.json'
note "${out//$'\n'/ }"

sleep 3
g "awk '/^MemTotal/ { t = \$2 } /^MemAvailable/ { a = \$2 } END { print int((t - a) / 1024) }' /proc/meminfo"
note "memory in use after boot, image included: $out MiB (target: 300)"
[ "$out" -gt 0 ] && [ "$out" -lt 400 ]
ok "an idle host takes less than 400 MiB" $?
g 'stat -f -c %T /sys/fs/cgroup; grep -c " cgroup " /proc/mounts'
is "cgroup v2, and v2 alone" "$out" $'cgroup2fs\n0'
like "the login prompt says that there is no pool" "$(cat "$log")" 'no pool: this host runs in memory'

# ---- pool and image ----------------------------------------------------------

g 'mkpool /dev/vda'
ok "mkpool makes the pool" "$status" || note "$out"
until_g 60 'findmnt -n /etc/ssh/keys'
ok "what lasts is mounted by itself once there is a pool" $?
g 'systemctl start dais-pool.service'
ok "and mounting it again finds it done" "$status" || note "$out"
for path in /zones /etc/zones /etc/dais /opt /usbkey /var /etc/ssh/keys; do
	g "findmnt -n -o FSTYPE $path"
	is "$path is on the pool" "$out" btrfs
done
g 'cat /etc/dais/nictags.json'
like "the host's settings went along" "$out" 10.99.0.1/24

image=$(sed -n 's/^  "uuid": "\(.*\)",$/\1/p' "$platform/images/base.json")
g 'imgadm install -q -m /system/media/images/base.json -f /system/media/images/base.tar.zst' 600
ok "the image that came with the platform is installed without a network" "$status" || note "$out"
g 'imgadm list'
like "imgadm lists it" "$out" "$image"
g "btrfs subvolume list /zones | wc -l"
subvolumes=$out

# ---- two zones ---------------------------------------------------------------

g 'mkdir -p /opt/lent && echo word > /opt/lent/file'
g "$(printf 'cat > /root/a.json <<"END"\n%s\nEND\nvmadm create -f /root/a.json' "$(payload $a web0 10.99.0.11 true)")" 300
like "web0 is created from JSON" "$out" "Successfully created VM $a" || bail "$out"
g "$(printf 'cat > /root/b.json <<"END"\n%s\nEND\nvmadm create < /root/b.json' "$(payload $b web1 10.99.0.12 false)")" 300
like "web1 as well" "$out" "Successfully created VM $b"
state_of $b
is "web1, which has autoboot false, is not started" "$out" stopped
g "vmadm start $b" 300
ok "vmadm start starts it" "$status" || note "$out"
zone_is_up $a web0 10.99.0.11
zone_is_up $b web1 10.99.0.12
g "$(in_zone $a 'ping -c 1 -W 5 10.99.0.12')"
ok "web0 reaches web1" "$status" || note "$out"
g "$(in_zone $b 'ping -c 1 -W 5 10.99.0.11')"
ok "web1 reaches web0" "$status" || note "$out"

g "$(in_zone $a '/usr/sbin/mdata-get sdc:nics.0.ip')"
is "web0 asks the host for its address" "$out" 10.99.0.11
g "$(in_zone $a '/usr/sbin/mdata-put said hello')"
ok "and has something stored" "$status" || note "$out"
g "sed -n 's/.*\"said\": \"\([a-z]*\)\".*/\1/p' /etc/zones/$a.json"
is "which is in its record" "$out" hello
g "grep -h -A 60 '^Name:.mdata-agent' /proc/[0-9]*/status 2>/dev/null | sed -n 's/^Cap[EB][a-z]*:.//p' | sort -u"
is "who answers has no capability" "$out" 0000000000000000

g 'systemctl is-active dais-zoneadmd.service; vmadm list -H -o state uuid='"$a"'
pid() { sed -n "s/.*\"supervisor\": \([0-9]*\),.*/\1/p" /run/dais/'"$a"'/state.json; }
old=$(pid); kill -KILL "$old"
for n in $(seq 60); do new=$(pid); [ "$new" != "$old" ] && [ -e "/proc/$new" ] && break; sleep 1; done
[ "$new" != "$old" ] && cat "/proc/$new/comm"; vmadm list -H -o state uuid='"$a" 120
is "a supervisor that is killed is replaced by itself, and its zone runs on" "${out// /}" \
	$'active\nrunning\nzoneadmd\nrunning'

g 'systemctl is-active dais-vminfod.service; systemctl show -P NRestarts dais-vminfod.service
curl -s --unix-socket /run/dais/vminfod.sock http://localhost/ping; echo'
is "vminfod runs as its unit bounds it, and has never ended" "$out" $'active\n0\n{"ping":"pong"}'
g 'curl -s --unix-socket /run/dais/vminfod.sock http://localhost/list'
like "it knows both zones" "$out" 'web0.*web1|web1.*web0'
g '(vmadm events -r > /root/events 2>&1 &)'
until_g 60 'grep -q ready /root/events'
ok "vmadm events listens to it" $?

limit $a memory.max $((256 << 20))
limit $a pids.max 300
limit $a cpu.max '150000 100000'
# ---- limits hold when the guest goes at them --------------------------------------

# try SECONDS UUID COMMAND: as a process of the zone, in its group
g 'cat > /root/try <<"END"
#!/bin/sh
group=/sys/fs/cgroup/dais/$1/try
mkdir -p "$group" && echo 0 > "$group/cgroup.procs" || exit 99
pid=$(sed -n "s/.*\"pid\": \([0-9]*\),.*/\1/p" "/run/dais/$1/state.json")
exec nsenter -a -t "$pid" -- sh -c "$2"
END
chmod +x /root/try'
try() { g "/root/try $2 '$3'" "$1"; }
try 60 $a 'cat /mnt/lent/file; touch /mnt/lent/new; mount -o remount,bind,rw /mnt/lent && echo writable; ls -l /dev/fuse'
like "a folder of the host is lent to it" "$out" '^word'
like "read-only" "$out" 'touch:.*[Rr]ead-only'
[[ $out != *writable* ]]
ok "which its root cannot change" $?
like "fs_allowed gives it fuse" "$out" 'c.*10, *229.*/dev/fuse'

g 'nft list table bridge dais > /root/rules; for link in $(ip -o link show master br-admin | sed "s/^[0-9]*: //; s/@.*//"); do grep -c "$link" /root/rules; done'
like "the ports of both zones have rules in nftables" "$out" '^[1-9][0-9]*
[1-9][0-9]*$'
try 60 $a 'ping -c 1 -W 5 10.99.0.1'
ok "web0 reaches the host" "$status" || note "$out"
try 60 $a 'dev=$(ip -o route show default | sed "s/.* dev \([^ ]*\).*/\1/"); ip addr add 10.99.0.66/32 dev $dev && ping -c 1 -W 5 -I 10.99.0.66 10.99.0.1; s=$?; ip addr del 10.99.0.66/32 dev $dev; exit $s'
is "but not from an address that is not its own" "$status" 1
like "although it has sent" "$out" '1 packets transmitted, 0 received'

oom() { g "sed -n 's/^oom_kill //p' /sys/fs/cgroup/dais/$1/memory.events"; }

limit $a memory.swap.max 0
limit $a cpu.weight 100
g "cat /sys/fs/cgroup/dais/$a/io.weight"
is "weight of its disk traffic" "$out" 'default 100'
oom $a
is "nothing in web0 has run out of memory yet" "$out" 0
try 120 $a 'dd if=/dev/zero of=/dev/null bs=400M count=1'
is "400 MiB in 256 MiB: the program is ended" "$status" 137
oom $a
[ "$out" -gt 0 ]
ok "by the OOM killer of its group" $?
state_of $a
is "the zone runs on" "$out" running
oom $b
is "and the other zone did not notice" "$out" 0

# They stay until they are ended: a slow machine makes few of them in a second.
try 300 $a 'i=0; while [ $i -lt 400 ]; do sleep 3600 & i=$((i+1)); done'
[ "$status" -ne 0 ] && [ "$status" -lt 124 ]
ok "400 processes where 300 may be: fork fails" $?
g "echo 1 > /sys/fs/cgroup/dais/$a/try/cgroup.kill; sleep 1; sed -n 's/^max //p' /sys/fs/cgroup/dais/$a/pids.events"
[ "$out" -gt 0 ]
ok "by the limit of its group" $?
g "cat /sys/fs/cgroup/dais/$a/pids.peak 2>/dev/null || cat /sys/fs/cgroup/dais/$a/pids.current"
[ "$out" -le 300 ]
ok "there were never more: $out" $?

g 'vmadm check'
is "vmadm check finds nothing" "$status $out" '0 '

# A quarter of a processor for 8 seconds is 2: far from 8, and from 0.
g "vmadm update $a cpu_cap=25 max_physical_memory=320 max_lwps=200"
like "vmadm update changes a running zone" "$out" "Successfully updated VM $a"
limit $a cpu.max '25000 100000'
limit $a memory.max $((320 << 20))
limit $a pids.max 200
until_g 30 'grep -q "cpu_cap.*25" /root/events && grep -q "max_lwps.*200" /root/events'
ok "vmadm events tells it" $? || { g 'cat /root/events'; note "$out"; }
used() { g "sed -n 's/^usage_usec //p' /sys/fs/cgroup/dais/$a/cpu.stat"; }
used
before=$out
try 120 $a 'timeout 8 sh -c "while :; do :; done"; true'
used
note "CPU time in 8 s at a quarter: $(((out - before) / 1000)) ms"
[ $((out - before)) -gt 500000 ] && [ $((out - before)) -lt 5000000 ]
ok "a program that wants all of a processor gets about a quarter" $?
g "sed -n 's/^nr_throttled //p' /sys/fs/cgroup/dais/$a/cpu.stat"
[ "$out" -gt 0 ]
ok "because it is held back" $?
g "vmadm update $a cpu_cap=0 cpu_shares=50 zfs_io_priority=30 max_shm_memory=1 max_shm_ids=9 max_locked_memory=2 tmpfs=8"
like "and a cap is taken away" "$out" "Successfully updated VM $a"
limit $a cpu.max 'max 100000'
limit $a cpu.weight 50
limit $a io.weight 'default 30'
g "$(in_zone $a 'cat /proc/sys/kernel/shmall /proc/sys/kernel/shmmni')"
is "System V limits hold at once" "$out" $'256\n9'
g "$(in_zone $a 'df -k --output=size /tmp')"
like "so does the size of /tmp" "$out" '8192$'
g "$(in_zone $a 'grep locked /proc/1/limits')"
like "and what a process may lock" "$out" 'memory +2097152 +2097152'
try 60 $a 'echo 999999999 > /sys/fs/cgroup/memory.max'
[ "$status" -ne 0 ]
ok "a zone's root cannot raise its own limit" $?
limit $a memory.max $((320 << 20))

g "$(in_zone $a 'sh -c "cat /proc/self/uid_map"')"
like "a zone has ids of its own" "$out" '^ *0 +[1-9][0-9]+ +[0-9]+$'

g "$(in_zone $a "sh -c 'echo one > /root/word'"); vmadm create-snapshot $a first"
like "a snapshot of a zone that runs" "$out" 'Created snapshot' || note "$out"
g "$(in_zone $a "sh -c 'echo two > /root/word; cat /checkpoints/first/root/word'")"
is "it is visible inside" "$out" one
g "vmadm rollback-snapshot $a first" 300
like "the zone is rolled back" "$out" 'rolled back|Rolled back' || note "$out"
g "cat /zones/$a/root/root/word"
is "and has what it had" "$out" one
zone_is_up $a web0 10.99.0.11
g "vmadm delete-snapshot $a first"
ok "the snapshot is deleted" "$status" || note "$out"
g 'pkill -x vmadm; cat /root/events'
like "vmadm events has told that it stopped and runs" "$out" 'state.*stopped.*state.*running' || note "$out"

g 'vmadm list'
like "vmadm list shows both" "$out" 'web0.*web1|web1.*web0'
g "vmadm get $a"
like "vmadm get gives the record" "$out" '"alias": "web0"'
g "vmadm create -f /root/a.json"
[ "$status" -ne 0 ]
ok "a second create with the same uuid is refused" $?

g "vmadm stop $b" 300
ok "web1 stops" "$status" || note "$out"
state_of $b
is "and is stopped" "$out" stopped
g 'ping -c 1 -W 2 10.99.0.12'
[ "$status" -ne 0 ]
ok "and no longer answers" $?
g 'ping -c 1 -W 5 10.99.0.11'
ok "web0 still does" "$status"

# ---- what lasts --------------------------------------------------------------

g 'echo root:kept-password | chpasswd; systemctl start sshd-keygen; cat /etc/ssh/keys/*.pub; echo mine > /opt/mine'
key=$out
like "the host has an SSH key" "$key" '^ssh-ed25519 '
until_g 30 'grep -q . /usbkey/shadow'
ok "a password that was set is kept on the pool" $?
g 'reboot > /dev/null 2>&1 &'
wait_log 240 'reboot: Restarting system'
ok "the host goes down in good order" $?
alive && kill "$machine"
wait "$machine" 2>/dev/null

boot_machine -d "$disk"
note "login prompt after the reboot: $boot_s s"
is "no password was made up this time" "$(shown_password)" ''
login kept-password || bail "the kept password is refused: $out"
ok "the kept password logs in" 0
g 'systemctl is-system-running --wait' 300
is "every unit is up again" "$out" running
[ "$out" = running ] || { g 'systemctl --failed; journalctl -b -p err'; note "${out//$'\n'/$'\n# '}"; }
g 'findmnt -n -o FSTYPE /zones; cat /opt/mine'
is "the pool came back" "$out" $'btrfs\nmine'
g 'systemctl start sshd-keygen; cat /etc/ssh/keys/*.pub'
is "the SSH key is the same" "$out" "$key"
g 'imgadm list'
like "the image is there" "$out" "$image"

g 'vmadm check'
is "vmadm check finds nothing" "$status $out" '0 '
zone_is_up $a web0 10.99.0.11
state_of $b
is "web1, which does not start with the host, is stopped" "$out" stopped
g "vmadm start $b" 300
ok "vmadm start works after the reboot" "$status" || note "$out"
zone_is_up $b web1 10.99.0.12
g "$(in_zone $b 'ping -c 1 -W 5 10.99.0.11')"
ok "and they reach each other" "$status"

# ---- nothing is left ---------------------------------------------------------

for zone in $a $b; do
	g "vmadm delete $zone" 300
	like "$zone is deleted" "$out" "Successfully deleted VM $zone" || note "$out"
done
# Lock files stay by contract.
g "{ btrfs subvolume list /zones; findmnt -rn; ip -o link; ps ax; find /sys/fs/cgroup /etc/zones \
   /run/dais /zones -maxdepth 4 -not -path '/run/dais/lock/*' -not -path '/zones/images/*'; } |
   grep -e 11111111 -e 22222222 | grep -v grep"
is "no subvolume, mount, interface, cgroup, file or process is left" "$out" ''
g 'ls -A /etc/zones /etc/zones/.claims /etc/zones/.journal'
note "${out//$'\n'/ }"
g 'btrfs subvolume sync /zones >/dev/null; btrfs subvolume list /zones | wc -l'
is "the pool has as many subvolumes as before" "$out" "$subvolumes"
g 'vmadm list -H'
is "vmadm lists nothing" "$out" ''
g poweroff
wait_gone 240
ok "poweroff ends the machine" $?
finish
