#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host with a network interface: it gets an address and resolvers, and root
# logs in over SSH with a key, and with nothing else. Then a NIC tag has the
# interface, and the address is the bridge's.
. "$(dirname "$0")/lib.bash"
command -v ssh >/dev/null || skip "no ssh"

ssh-keygen -q -t ed25519 -N '' -C test -f "$dir/key"
port=$((20000 + RANDOM % 20000))
uplink="-p $port"
on_host() {
	ssh -p "$port" -i "$dir/key" -o IdentitiesOnly=yes -o UserKnownHostsFile="$dir/known" \
		-o StrictHostKeyChecking=accept-new -o BatchMode=yes -o ConnectTimeout=60 "$@"
}

hash=$(openssl passwd -6 -salt dais uplink)
disk=$dir/disk.img
truncate -s 8G "$disk"
boot_machine -d "$disk" -a "root_shadow=$hash"
login uplink || bail "cannot log in: $out"
g 'systemctl is-system-running --wait' 300
is "every unit is up" "$out" running
until_g 60 'ip -br addr | grep -q 10.0.2.15'
ok "the interface has an address by DHCP" $?
until_g 60 'grep -q ^nameserver /etc/resolv.conf'
ok "and the host has resolvers" $?
g 'for u in networkd resolved timesyncd; do systemctl is-active systemd-$u; done'
is "what an uplink needs runs" "$out" $'active\nactive\nactive'

g 'ls -A /etc/ssh/keys; systemctl is-active ssh.service'
like "there is no SSH key and no server before the first connection" "$out" '^inactive'
out=$(on_host root@127.0.0.1 true 2>&1)
like "root is refused without a key that the host knows" "$out" 'Permission denied'
g "mkdir -p -m 700 /root/.ssh; echo '$(cat "$dir/key.pub")' > /root/.ssh/authorized_keys"
out=$(on_host root@127.0.0.1 hostname 2>&1)
is "with one, root logs in" "$out" dais
on_host root@127.0.0.1 'nohup sleep 300 > /dev/null 2>&1 &' 2>/dev/null
g 'pgrep -x sleep > /dev/null'
ok "what was started over SSH outlives the session" "$status"

# ---- changed programs on the running host --------------------------------------

sync_to() {
	PROTO=$dir/proto XDG_RUNTIME_DIR=$dir tools/rsync-to -n -p "$port" -i "$dir/key" \
		-o "UserKnownHostsFile=$dir/known" "$@" root@127.0.0.1
}
mkdir "$dir/proto"
cp -a "$BUILD/proto/dais" "$dir/proto/"
out=$(sync_to 2>&1)
is "rsync-to finds a host of this build as it is" "$?" 0
note "$out"
like "and sends nothing" "$out" 'has all [0-9]+ files already'
printf '#!/bin/sh\necho changed\n' > "$dir/proto/dais/usr/sbin/nictagadm"
echo >> "$dir/proto/dais/usr/lib/dais/vminfod"
began=$(date +%s%N)
out=$(sync_to 2>&1)
is "it pushes what differs" "$?" 0
note "in $((($(date +%s%N) - began) / 1000000)) ms: ${out//$'\n'/$'\n# '}"
like "two files" "$out" "^2 of [0-9]+ files"
like "and says who still runs an old one" "$out" 'runs an older /usr/lib/dais/vminfod: systemctl restart dais-vminfod.service'
is "the new program runs" "$(on_host root@127.0.0.1 nictagadm list 2>/dev/null)" changed
g 'findmnt -no TARGET /usr/sbin/nictagadm'
is "mounted over the old one" "$out" /usr/sbin/nictagadm
out=$(sync_to -r 2>&1)
like "-r restarts the service" "$out" 'restarted dais-vminfod.service'
g 'systemctl is-active dais-vminfod; vmadm list > /dev/null && echo listed'
is "which runs" "$out" $'active\nlisted'
out=$(sync_to -l 2>&1)
is "-l lists what is not of the image" "$out" $'  /usr/lib/dais/vminfod\n  /usr/sbin/nictagadm'
out=$(sync_to -u -r 2>&1)
is "-u brings the image's files back" "$?" 0
like "restarted as well" "$out" 'restarted dais-vminfod.service'
out=$(on_host root@127.0.0.1 'cd /; sha256sum --quiet -c /usr/share/dais/manifest 2>&1; ls /run/dais-sync' 2>&1 | grep -v '^Warning')
note "$out"
like "nothing of it is left" "$out" "cannot access '/run/dais-sync'"
ssh -o "ControlPath=$dir/dais-%C" -p "$port" -O exit root@127.0.0.1 2> /dev/null

# ---- a NIC tag has the interface -----------------------------------------------

g 'systemctl show -P After systemd-networkd.service | tr " " "\n" | grep -x dais-uplink.service; systemctl is-active dais-uplink.service'
is "who keeps the ports of NIC tags from networkd runs before it" "$out" $'dais-uplink.service\nactive'
g 'link=$(ip -o -4 addr show | sed -n "s/^[0-9]*: *\([^ ]*\) .*10\.0\.2\.15.*/\1/p"); echo $link'
note "the interface is $out"
g 'nictagadm add external $link'
[ "$status" -ne 0 ]
ok "an interface that has an address is refused as a port: $out" $?
g "mkpool /dev/vda && systemctl start dais-pool.service && mkdir -p -m 700 /usbkey/ssh && cp /root/.ssh/authorized_keys /usbkey/ssh/" 240
ok "a pool, and root's key on it" "$status" || bail "$out"
g 'nictagadm add -n -p address=10.0.2.15/24 external $link'
ok "but can be recorded for the next boot" "$status" || note "$out"
g poweroff
wait_gone 240
boot_machine -d "$disk" -a "root_shadow=$hash"
login uplink || bail "cannot log in: $out"
g 'systemctl is-system-running --wait' 300
is "after that every unit is up" "$out" running
g 'cd /sys/class/net && ls | grep -vx -e lo -e "br-.*"'
link=$out
until_g 60 "networkctl --no-pager --no-legend list $link | grep unmanaged"
ok "networkd leaves $link alone" $? || { g 'ls -l /run/systemd/network; journalctl -b -u dais-uplink -u systemd-networkd'; note "$out"; }
g "ip -o link show dev $link; ip -4 -o addr show dev $link; ip -br -4 addr show br-external"
like "it is the port of the tag's bridge" "$out" 'master br-external.*state UP'
like "which has the host's address" "$out" 'br-external +UP +10\.0\.2\.15/24'
[[ $out != *dynamic* ]]
ok "and no other was asked for" $?
# The key from before there was a pool was of that boot alone.
rm -f "$dir/known"
out=$(on_host root@127.0.0.1 hostname 2>"$dir/ssh.err") || note "$(cat "$dir/ssh.err")"
is "root logs in by that way" "$out" dais
g poweroff
wait_gone 240
ok "poweroff ends the machine" $?
finish
