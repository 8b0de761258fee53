#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two zones reach each other: the whole way from an empty folder to a pool, a
# network, an image, zones that answer, and nothing left. All of it in a mount and
# a network namespace of its own, on a host below a temporary folder.
#
# environment: DAIS_BIN, the programs; DAIS_IMAGES, base.json and base.tar.zst
# shellcheck source=tests/lib.bash
. "$(dirname "$0")/../lib.bash"

top=$(cd "$(dirname "$0")/../.." && pwd)
bin=${DAIS_BIN:-$top/build/bin}
images=${DAIS_IMAGES:-${DAIS_BIN:+${DAIS_BIN%/dev/bin}/images}}
images=${images:-$top/build/images}

if [ -z "${DAIS_TEST_NETNS:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	for tool in ip jq mkfs.btrfs ping nsenter; do
		command -v $tool >/dev/null || skip "'$tool' is not installed"
	done
	for tool in mkpool nictagadm imgadm vmadm zoneadmd; do
		[ -x "$bin/$tool" ] || skip "'$bin/$tool' is not built"
	done
	[ -f "$images/base.json" ] || skip "no image in '$images': make images"
	DAIS_TEST_NETNS=1 exec unshare -mn --propagation private "$0" "$@"
fi
set -u
PATH=$bin:$PATH

dir=$(mktemp -d /tmp/dais-net.XXXXXX)
chmod 711 "$dir" # the roots of zones, who are nobody here, pass through
host=$dir/host
mkdir -m 755 "$host"
zones=()
leases=

cleanup() {
	local uuid
	[ -z "$leases" ] || kill "$leases" 2>/dev/null
	for uuid in "${zones[@]}"; do
		vmadm delete --root "$host" "$uuid" >/dev/null 2>&1
	done
	mkpool --root "$host" --unmount >/dev/null 2>&1 || umount -l "$host/zones" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

# does NAME COMMAND...: succeeds; what it says is shown only if not.
does() {
	local name=$1 status
	shift
	"$@" >"$dir/said" 2>&1
	status=$?
	ok "$name" $status
	[ $status -eq 0 ] || sed 's/^/# /' "$dir/said"
	return $status
}

stop_here() {
	find "$host" -name "*.log" -path "*zoneadmd*" -exec tail -n 5 {} + 2>/dev/null | sed "s/^/# /"
	echo "1..$count"
	exit 1
}

# liblxc looks for bridges in sysfs: it must be the one of this network namespace.
mkdir "$dir/cgroup"
mount --rbind /sys/fs/cgroup "$dir/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$dir/cgroup" /sys/fs/cgroup
umount -l "$dir/cgroup"
ip link set lo up

# payload IP ALIAS [EXTRA]: one NIC on lan0, with an IPv6 address of the same number.
payload() {
	jq -n --arg ip "$1" --arg ip6 "fd88::$(expr "$1" : '.*\.\([0-9]*\)/')/64" --arg alias "$2" --arg image "$image" --argjson extra "${3:-{\}}" '{
		brand: "lx", kernel_version: "6.12.0", image_uuid: $image, alias: $alias,
		hostname: $alias, dns_domain: "t.test", max_physical_memory: 256, quota: 2,
		resolvers: ["10.88.0.53", "fd00::53"],
		nics: [ { nic_tag: "lan0", ips: [$ip, $ip6], gateways: ["10.88.0.1"], primary: true } ]
	} + $extra'
}

# create PAYLOAD: the UUID of the new zone in $uuid.
create() {
	uuid=
	echo "$1" | vmadm create --root "$host" >"$dir/said" 2>&1 || {
		sed 's/^/# /' "$dir/said"
		return 1
	}
	uuid=$(grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' "$dir/said" | tail -n 1)
	zones+=("$uuid")
}

pid_of() { vmadm get --root "$host" "$1" | jq .pid; }

# in_zone UUID COMMAND...: in the zone's own namespaces, with its own programs.
in_zone() {
	local pid
	pid=$(pid_of "$1")
	shift
	nsenter -t "$pid" -U -m -n -p -u -i -r -w env -i PATH=/usr/sbin:/usr/bin "$@" 2>&1
}

# Init runs before sshd's socket and all else does: ask until it answers.
answers() {
	local _
	for _ in $(seq 100); do
		ping -c 1 -W 1 "$1" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

# ---- a host -----------------------------------------------------------------

does "a pool in a file" mkpool --root "$host" --file "$dir/pool.img" --size 8G || stop_here
does "a network with the host in it" \
	nictagadm --root "$host" add -l -p address=10.88.0.1/24 lan0 || stop_here
does "the base image is installed" imgadm install --root "$host" -q -m "$images/base.json" \
	-f "$images/base.tar.zst" || stop_here
image=$(jq -r .uuid "$images/base.json")

payload 10.88.0.7/24 x '{"nics": [{"nic_tag": "nowhere", "ips": ["10.88.0.7/24"]}]}' |
	vmadm create --root "$host" >"$dir/said" 2>&1
[ $? -eq 1 ] && grep -q 'Invalid nic tag "nowhere"' "$dir/said"
ok "a network that there is not is refused by name" $?

# ---- two zones --------------------------------------------------------------

create "$(payload 10.88.0.7/24 one)"
ok "a zone is made" $? || stop_here
one=$uuid
[ -n "$one" ] || stop_here
create "$(payload 10.88.0.8/24 two)"
ok "and another" $?
two=$uuid

answers 10.88.0.7
ok "the host reaches the first" $?
answers 10.88.0.8
ok "the host reaches the second" $?
in_zone "$one" ping -c 1 -W 5 10.88.0.8 >"$dir/said"
ok "the first reaches the second" $?
in_zone "$two" ping -c 1 -W 5 10.88.0.1 >"$dir/said"
ok "the second reaches the host" $?
for _ in $(seq 50); do # an IPv6 address is used once nobody else answers for it
	in_zone "$two" ping -c 1 -W 1 fd88::7 >"$dir/said" && break
done
grep -q ' 0% packet loss' "$dir/said"
ok "the second reaches the first over IPv6" $?
in_zone "$two" ping -c 1 -W 5 one >"$dir/said"
ok "a zone does not know the other's name" $((! $?))
in_zone "$two" ping -c 1 -W 5 two.t.test >"$dir/said"
ok "but its own, with the domain" $?

is "the zone's systemd is content" "$(in_zone "$one" systemctl is-system-running --wait)" running
is "its address is what the payload said" \
	"$(in_zone "$one" ip -o -4 addr show dev eth0 | grep -o 'inet [^ ]*')" "inet 10.88.0.7/24"
is "so is its gateway" "$(in_zone "$one" ip -4 route show default | grep -o 'via [^ ]*')" \
	"via 10.88.0.1"
is "its MAC is the one of the record" "$(in_zone "$one" cat /sys/class/net/eth0/address)" \
	"$(vmadm get --root "$host" "$one" | jq -r '.nics[0].mac')"
is "its hostname too" "$(in_zone "$one" cat /etc/hostname)" one
is "its resolvers, each a line" "$(in_zone "$one" cat /etc/resolv.conf)" \
	"$(printf 'search t.test\nnameserver 10.88.0.53\nnameserver fd00::53')"
[ ! -e "$host/zones/$one/root/var/svc/provisioning" ]
ok "it is provisioned" $?
is "the tag's bridge has a port for each" "$(ip -o link show master br-lan0 | grep -c .)" 2

echo "$(payload 10.88.0.7/24 three)" | vmadm create --root "$host" >"$dir/said" 2>&1
[ $? -eq 1 ] && grep -q 'Conflict detected with another vm' "$dir/said"
ok "an address in use is refused" $?
is "and leaves no port behind" "$(ip -o link show master br-lan0 | grep -c .)" 2

nictagadm --root "$host" delete lan0 >"$dir/said" 2>&1
is "the network stays as long as zones use it" "$(cat "$dir/said")" \
	"Error: nic tag 'lan0' is in use"
is "who they are is known" "$(nictagadm --root "$host" vms lan0 | sort)" \
	"$(printf '%s\n' "$one" "$two" | sort)"

# ---- a zone that asks for its address -----------------------------------------

if command -v dnsmasq >/dev/null; then
	dnsmasq -k -C /dev/null -p 0 --interface=br-lan0 --bind-interfaces --no-ping \
		--dhcp-authoritative --dhcp-range=10.88.0.50,10.88.0.60,1h \
		--dhcp-option=6,10.88.0.54 -l "$dir/leases" -x '' >"$dir/dnsmasq.log" 2>&1 &
	leases=$!
	create "$(payload dhcp three '{"resolvers": []}' |
		jq '.nics[0].ips = ["dhcp"] | del(.nics[0].gateways)')"
	ok "a zone with DHCP is made" $?
	three=$uuid
	for _ in $(seq 300); do
		[ -e "$host/zones/$three/root/var/svc/provisioning" ] || break
		sleep 0.1
	done
	in_zone "$three" ip -o -4 addr show dev eth0 | grep -qE 'inet 10\.88\.0\.(5[0-9]|60)/24'
	ok "it has an address from the server once it is provisioned" $?
	in_zone "$three" ping -c 1 -W 5 10.88.0.7 >"$dir/said"
	ok "it reaches the first" $?
	is "it asks the name server that DHCP offered" \
		"$(in_zone "$three" grep nameserver /etc/resolv.conf)" "nameserver 10.88.0.54"
	does "it is deleted" vmadm delete --root "$host" "$three"
else
	ok "a zone that asks for its address # SKIP dnsmasq is not installed" 0
fi

# ---- stop, start, delete ----------------------------------------------------

does "the first stops" vmadm stop --root "$host" "$one"
ping -c 1 -W 1 10.88.0.7 >/dev/null
ok "and answers no more" $((! $?))
is "its port is gone" "$(ip -o link show master br-lan0 | grep -c .)" 1
ip link del br-lan0
does "it starts, though somebody deleted the bridge" vmadm start --root "$host" "$one"
answers 10.88.0.7
ok "and answers again" $?

does "the first is deleted" vmadm delete --root "$host" "$one"
does "the second is deleted" vmadm delete --root "$host" "$two"
zones=()
is "no port is left" "$(ip -o link | grep -c veth)" 0
is "no zone is left" "$(find "$host/zones" -maxdepth 1 -name '*-*-*-*-*')" ""
is "no record is left" "$(find "$host/etc/zones" -maxdepth 1 -type f)" ""
is "no process is left" "$(pgrep -fc "$host" || :)" 0
does "the network can be deleted now" nictagadm --root "$host" delete lan0
is "with its bridge" "$(ip -o link show type bridge)" ""
does "the pool is unmounted" mkpool --root "$host" --unmount

finish
