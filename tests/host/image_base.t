#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The base zone image, booted for real: plain lxc-start in a user namespace, its
# root an idmapped btrfs snapshot on a loop device, its network a bridge in a
# network namespace that ends with the test.
#
# environment: DAIS_IMAGES, the folder of base.json and base.tar.zst
# shellcheck source=tests/lib.bash
. "$(dirname "$0")/../lib.bash"

top=$(cd "$(dirname "$0")/../.." && pwd)
images=${DAIS_IMAGES:-${DAIS_BIN:+${DAIS_BIN%/dev/bin}/images}}
images=${images:-$top/build/images}

if [ -z "${DAIS_TEST_NETNS:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	for tool in lxc-start mkfs.btrfs zstd jq ip; do
		command -v $tool >/dev/null || skip "'$tool' is not installed"
	done
	[ -f "$images/base.json" ] || skip "no image in '$images': make images"
	DAIS_TEST_NETNS=1 exec unshare -mn --propagation private "$0" "$@"
fi
set -u

dir=$(mktemp -d /tmp/dais-image.XXXXXX)
chmod 711 "$dir" # the zone's root, who is nobody here, passes through
zone=dais-image-$$
leases=

cleanup() {
	[ -z "$leases" ] || kill "$leases" 2>/dev/null
	lxc-stop -P "$dir/lxc" -n "$zone" -k >/dev/null 2>&1
	umount -l "$dir/pool" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

inside() { lxc-attach -P "$dir/lxc" -n "$zone" --clear-env -v PATH=/usr/sbin:/usr/bin -- "$@" 2>&1; }

# ---- the files --------------------------------------------------------------

tar=$images/base.tar.zst
is "the manifest has the archive's size" \
	"$(jq .files[0].size "$images/base.json")" "$(stat -c %s "$tar")"
is "the manifest has the archive's SHA-1" \
	"$(jq -r .files[0].sha1 "$images/base.json")" "$(sha1sum <"$tar" | cut -c1-40)"
is "it is a Linux image of the kind that zones take" \
	"$(jq -r '"\(.v) \(.name) \(.type) \(.os) \(.files[0].compression)"' "$images/base.json")" \
	"2 dais-base lx-dataset linux zstd"
[ "$(stat -c %s "$tar")" -lt 60000000 ]
ok "it is smaller than 60 MB ($(stat -c %s "$tar") bytes)" $?

zstd -dc "$tar" | tar -tvf - >"$dir/list"
is "it has no device nodes" "$(grep -c '^[bc]' "$dir/list")" 0
is "it has no SSH host keys" "$(grep -c 'ssh_host_.*key' "$dir/list")" 0
is "it has no package sources" "$(grep -c 'sources.list.d/.' "$dir/list")" 0
is "it has no logs" "$(grep -c ' \./var/log/.' "$dir/list")" 0
is "its machine id is empty" "$(awk '$6 == "./etc/machine-id" { print $3 }' "$dir/list")" 0
is "every name belongs to an id below 65536" \
	"$(awk '{ split($2, id, "/"); if (id[1] > 65535 || id[2] > 65535) print }' "$dir/list")" ""

# ---- a host -----------------------------------------------------------------

# liblxc looks for bridges in sysfs: it must be the one of this network namespace.
mkdir -p "$dir/cgroup" "$dir/pool" "$dir/lxc/$zone"
mount --rbind /sys/fs/cgroup "$dir/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$dir/cgroup" /sys/fs/cgroup
umount -l "$dir/cgroup"

# newuidmap, where it is installed, asks this file even when root asks.
echo root:1000000:65536 >"$dir/subid"
for file in /etc/subuid /etc/subgid; do
	[ ! -e $file ] || mount --bind "$dir/subid" $file
done

truncate -s 4G "$dir/pool.img"
mkfs.btrfs -q "$dir/pool.img" >/dev/null 2>&1
if ! mount -o loop "$dir/pool.img" "$dir/pool"; then
	echo "1..$count # no loop device: the rest is left out"
	exit $((bad > 0))
fi
btrfs -q subvolume create "$dir/pool/image"
zstd -dc "$tar" | tar --numeric-owner --xattrs --xattrs-include='*' -xpf - -C "$dir/pool/image"
ok "the archive unpacks" $?

ip link set lo up
ip link add br0 type bridge
ip addr add 10.88.0.1/24 dev br0
ip link set br0 up

# boot LINE...: a fresh snapshot, started with these lines of configuration.
root=$dir/pool/root
prepare() {
	[ ! -d "$root" ] || btrfs -q subvolume delete "$root"
	btrfs -q subvolume snapshot "$dir/pool/image" "$root"
	echo "z1" >"$root/etc/hostname"
	: >"$root/var/svc/provisioning"
}

boot() {
	cat >"$dir/lxc/$zone/config" <<-EOF
	lxc.uts.name = z1
	lxc.rootfs.path = dir:$root
	lxc.rootfs.options = idmap=container
	lxc.idmap = u 0 1000000 65536
	lxc.idmap = g 0 1000000 65536
	lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
	lxc.tty.max = 0
	lxc.pty.max = 1024
	lxc.environment = container_uuid=0c2e132e-bf7f-4ea8-9728-8f688729dff0
	lxc.apparmor.profile = unconfined
	lxc.console.logfile = $dir/console
	lxc.net.0.type = veth
	lxc.net.0.link = br0
	lxc.net.0.name = net0
	lxc.net.0.flags = up
	EOF
	printf '%s\n' "$@" >>"$dir/lxc/$zone/config"
	lxc-start -P "$dir/lxc" -n "$zone" -d -l INFO -o "$dir/lxc.log" || {
		sed 's/^/# /' "$dir/lxc.log" | tail -n 20
		return 1
	}
}

# Once init answers it waits by itself; until then it is asked again.
state() {
	local answer=
	for _ in $(seq 300); do
		answer=$(inside systemctl is-system-running --wait)
		case $answer in
		running|degraded|maintenance) break ;;
		esac
		sleep 0.1
	done
	echo "$answer"
}

# ---- static -----------------------------------------------------------------

prepare
begin=$(date +%s%N)
boot 'lxc.net.0.ipv4.address = 10.88.0.7/24' 'lxc.net.0.ipv4.gateway = 10.88.0.1'
started=$?
ok "a zone with a static address starts" $started
[ $started -eq 0 ] || { echo "1..$count"; exit 1; }
is "it reaches 'running', not 'degraded'" "$(state)" running
echo "# running after $((($(date +%s%N) - begin) / 1000000)) ms"
is "no unit failed" "$(inside systemctl --failed --no-legend --plain)" ""
is "it still has its address" "$(inside ip -o -4 addr show dev net0 | grep -o 'inet [^ ]*')" \
	"inet 10.88.0.7/24"
is "and its route" "$(inside ip -4 route show default | grep -o 'default via [^ ]* dev net0')" \
	"default via 10.88.0.1 dev net0"
is "networkd was not started" "$(inside systemctl is-active systemd-networkd.service)" inactive
ping -c 1 -W 5 10.88.0.7 >/dev/null
ok "it answers the host" $?
inside ping -c 1 -W 5 10.88.0.1 >/dev/null
ok "it reaches the host" $?
[ ! -e "$root/var/svc/provisioning" ]
ok "it said that it is provisioned" $?
is "it has the hostname that was written" "$(inside uname -n)" z1
is "its machine id is the zone's" "$(inside cat /etc/machine-id)" 0c2e132ebf7f4ea897288f688729dff0
[ ! -e "$root/var/log/journal" ] && inside journalctl -n 1 >/dev/null
ok "its journal is in memory" $?
for _ in $(seq 50); do
	grep -q 'login: ' "$dir/console" && break
	sleep 0.1
done
grep -q 'login: ' "$dir/console"
ok "its console asks for a login" $?
[ "$(ls "$root"/etc/ssh/ssh_host_* 2>/dev/null | wc -l)" -eq 0 ]
ok "it made no host keys that nobody needs" $?
banner=$(exec 3<>/dev/tcp/10.88.0.7/22 && timeout 20 head -n 1 <&3)
is "it answers ssh" "${banner%%-OpenSSH*}" SSH-2.0
[ -s "$root/etc/ssh/ssh_host_ed25519_key" ]
ok "with host keys made for it" $?
is "what its root writes is root's in the snapshot" \
	"$(stat -c %u "$root/etc/ssh/ssh_host_ed25519_key")" 0
lxc-stop -P "$dir/lxc" -n "$zone" -t 30
ok "it stops when asked to" $?
grep -q 'Reached target .*System \(Halt\|Power\)' "$dir/console" ||
	grep -q -i 'power-off\|Halting\|Powering off' "$dir/console"
ok "by shutting down, not by being killed" $?

# ---- DHCP -------------------------------------------------------------------

if ! command -v dnsmasq >/dev/null; then
	ok "DHCP # SKIP dnsmasq is not installed" 0
	echo "1..$count"
	exit $((bad > 0))
fi
dnsmasq -k -C /dev/null -p 0 --interface=br0 --bind-interfaces --dhcp-authoritative --no-ping \
	--dhcp-range=10.88.0.50,10.88.0.60,1h --dhcp-option=6,10.88.0.53 --domain=t.test \
	-l "$dir/leases" -x '' >"$dir/dnsmasq.log" 2>&1 &
leases=$!
prepare
mkdir -p "$root/etc/systemd/network"
cat >"$root/etc/systemd/network/dais-net0.network" <<-EOF
	[Match]
	Name=net0

	[Network]
	DHCP=ipv4
	IPv6AcceptRA=no
	LinkLocalAddressing=ipv6
	Address=10.88.0.8/24

	[DHCPv4]
	ClientIdentifier=mac
	UseHostname=no
EOF
boot
ok "a zone with DHCP starts" $?
is "it reaches 'running'" "$(state)" running
inside ip -o -4 addr show dev net0 | grep -q 'inet 10\.88\.0\.5[0-9]/24\|inet 10\.88\.0\.60/24'
ok "it has an address from the server" $?
inside ip -o -4 addr show dev net0 | grep -q 'inet 10.88.0.8/24'
ok "and the static one beside it" $?
is "it asks the name server that DHCP offered" "$(inside grep nameserver /etc/resolv.conf)" \
	"nameserver 10.88.0.53"
is "in the domain that DHCP offered" "$(inside grep search /etc/resolv.conf)" "search t.test"
[ ! -e "$root/var/svc/provisioning" ]
ok "it is provisioned once the network is there" $?
is "no unit failed" "$(inside systemctl --failed --no-legend --plain)" ""
lxc-stop -P "$dir/lxc" -n "$zone" -k
ok "it can be killed" $?

finish
