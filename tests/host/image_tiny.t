#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tiny image as a zone: it comes up, has its network, and ends when asked.
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

a=$(printf aaaaaaaa-0000-4000-8000-%012x $$)
b=$(printf bbbbbbbb-0000-4000-8000-%012x $$)
own="$a $b"

ok "the image is under 3 MB" $(($(stat -c %s "$images/tiny.tar.zst") >= 3000000))
# Where tar 1.34 has zeros and a NUL, and 1.35 nothing.
is "its headers are the build root's, not those of this machine's tar" \
	"$(zstd -dqc "$images/tiny.tar.zst" | head -c 337 | tail -c 8 | tr '\0' @)" "000000 @"
payload '"uuid": "'$a'", "hostname": "small", "resolvers": ["10.99.0.1"],
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/24"], "gateways": ["10.99.0.1"] }]' >"$dir/a.json"
vm create -f "$dir/a.json"
is "a zone of it is made and started" "$status $(head -1 "$dir/err")" "0 Successfully created VM $a"
eventually test ! -e "$zones/$a/root/var/svc/provisioning"
ok "it says that it is up" $?
is "it has its name" "$(in_zone $a hostname)" small
eventually ping -c1 -W1 10.99.0.7
ok "the host reaches it" $?
is "its resolver is the payload's" "$(in_zone $a cat /etc/resolv.conf)" "search local
nameserver 10.99.0.1"
is "its init is busybox" "$(in_zone $a readlink /sbin/init)" /bin/busybox
is "its /run is its own" "$(in_zone $a stat -f -c %T /run)" tmpfs

was=$(in_zone $a cat /proc/sys/kernel/random/boot_id; jq .pid "$root/run/dais/$a/state.json")
vm reboot $a
is "it is rebooted" "$status" 0
ok "by a new init" "$([ "$was" != "$(jq .pid "$root/run/dais/$a/state.json")" ]; echo $?)"
eventually in_zone $a test -d /run
vm stop $a
is "it stops when asked" "$status $(vm list -Ho state; echo $out)" "0 stopped"

# An address by DHCP, from the image's own busybox at the other end.
bridge=$(ip -o link show type bridge | awk -F': ' 'NR == 1 { print $2 }')
cat >"$dir/udhcpd.conf" <<END
start 10.99.0.50
end 10.99.0.60
interface $bridge
lease_file $dir/leases
pidfile $dir/udhcpd.pid
opt subnet 255.255.255.0
END
: >"$dir/leases"
"$zones/images/$image/rootfs/bin/busybox" udhcpd -f "$dir/udhcpd.conf" >/dev/null 2>&1 &
server=$!
payload '"uuid": "'$b'", "nics": [{ "nic_tag": "admin", "ips": ["dhcp"] }]' >"$dir/b.json"
vm create -f "$dir/b.json"
has_lease() { in_zone $b ip -4 -o address show dev eth0 | grep -q ' 10\.99\.0\.\(5.\|60\)/24'; }
eventually has_lease
ok "a zone that wants DHCP gets its address" $?
kill $server
vm delete $b
vm delete $a
is "it is deleted" "$status" 0
is "and nothing is left" "$(leftovers)" ""
finish
