#!/bin/bash
# SPDX-License-Identifier: MIT
#
# nictagadm's commands, texts and statuses, in a network namespace of its own.
if [ -z "${DAIS_TEST_NETNS:-}" ]; then
	export DAIS_TEST_NETNS=1
	flags=-n
	[ "$(id -u)" -eq 0 ] || flags=-rn
	unshare $flags true 2>/dev/null || { echo "1..0 # SKIP no network namespace can be made"; exit 0; }
	exec unshare $flags "$0" "$@"
fi
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/nictagadm" ] || { echo "1..0 # SKIP '$bin/nictagadm' is not built"; exit 0; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
count=0

ok() { # ok NAME STATUS
	count=$((count + 1))
	[ "$2" -eq 0 ] && echo "ok $count - $1" || echo "not ok $count - $1"
}

# t STATUS STDOUT STDERR ARGS...: runs it, compares all three.
t() {
	local want=$1 out=$2 err=$3 got
	shift 3
	"$bin/nictagadm" --root "$root" "$@" >"$root/out" 2>"$root/err"
	got=$?
	if [ "$got" -eq "$want" ] && [ "$(cat "$root/out")" = "$out" ] &&
		[ "$(cat "$root/err")" = "$err" ]; then
		ok "nictagadm $*" 0
	else
		ok "nictagadm $*" 1
		echo "# status $got, want $want"
		sed 's/^/# out: /' "$root/out"
		sed 's/^/# err: /' "$root/err"
	fi
}

links() { ip -o link show | sed -E 's/^[0-9]+: ([^:@]*).*/\1/' | grep -c "^$1\$"; }

ip link add net0 address 02:00:00:00:00:01 type veth peer name net0_peer
ip link add net1 address 02:00:00:00:00:02 type veth peer name net1_peer
# A long name: the list must not cut it.
head='NAME           MACADDRESS         LINK           TYPE            '

t 0 "$head" '' list
t 1 '' 'invalid tag: storage' exists storage
t 0 '' '' add storage 2:0:0:0:0:1
t 0 '' '' exists storage
t 0 "$head
storage        02:00:00:00:00:01  net0           normal          " '' list
t 0 'storage:02\:00\:00\:00\:00\:01:net0:normal' '' list -p
t 0 'storage=02:00:00:00:00:01=net0=normal' '' list -p -d =
[ "$(ip -o link show master br-storage | grep -c net0@)" -eq 1 ]
ok "the interface is a port of the tag's bridge" $?

t 1 '' "Error: nic tag 'storage' already exists" add storage 02:00:00:00:00:02
t 1 '' 'Error: create non-local tag, but no mac address specified' add x
t 1 '' "Error: MAC address 'zz:zz' is invalid" add x zz:zz
t 1 '' "Error: No physical nic found with MAC address '02:00:00:00:00:99'" add x 02:00:00:00:00:99
t 1 '' "Error: aggregation 'aggr9' does not exist" add x aggr9
t 1 '' 'Error: mac address specified twice' add -p mac=02:00:00:00:00:02 x 02:00:00:00:00:02
t 1 '' 'Error: invalid property: junk' add -p junk x 02:00:00:00:00:02
t 1 '' 'Error: invalid property: vlan' add -p vlan=7 x 02:00:00:00:00:02
t 1 '' 'Error: mtu must be between 1500-9000' add -p mtu=1499 x 02:00:00:00:00:02
t 1 '' 'Error: mtu must be between 1500-9000' add -p mtu=99999999999999999999 x 02:00:00:00:00:02
t 1 '' 'Error: invalid mtu: abc' add -p mtu=abc x 02:00:00:00:00:02
t 1 '' "Error: invalid address: 10.0.0.1 (ADDRESS/PREFIX, or 'none')" add -l -p address=10.0.0.1 s0

# Names go into a file that others read: they are checked, always.
t 1 '' 'Error: nic tag name is invalid' add bad.name 02:00:00:00:00:02
t 1 '' 'Error: nic tag name is invalid' add 'a;b' 02:00:00:00:00:02
t 1 '' 'Error: nic tag name is invalid' add rule/12 02:00:00:00:00:02
t 1 '' 'Error: nic tag name is invalid' add aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 02:00:00:00:00:02
t 1 '' 'Error: nic tag name is invalid' add -l stub
t 1 '' 'Error: nic tag name is invalid' add '' 02:00:00:00:00:02

t 0 '' 'MTU changes will not take effect until next reboot' add -p mac=02:00:00:00:00:02,mtu=9000 big
t 0 '' 'MTU changes will not take effect until next reboot' update -p mtu=1500 big
t 1 '' 'Error: nothing to update' update big
t 1 '' "Error: nic tag 'nope' does not exist" update nope 02:00:00:00:00:02
t 1 '' 'Error: cannot update a local tag' update -l big

# Two tags on one interface are one network: the bridge has it as a port once.
t 0 '' '' update big 02:00:00:00:00:01
t 0 "$head
storage        02:00:00:00:00:01  net0           normal          
big            02:00:00:00:00:01  net0           normal          " '' list
[ "$(jq -r .big.bridge "$root/etc/dais/nictags.json")" = br-storage ]
ok "tags with the same interface share its bridge" $?
t 0 '' '' delete big
[ "$(links br-storage)" -eq 1 ]
ok "the shared bridge stays for the other tag" $?

# Switches inside the host.
t 0 '' '' add -l -p address=10.99.0.1/24 stub0
t 1 '' 'Error: create local tag, but mac address specified' add -l stub1 02:00:00:00:00:02
t 1 '' 'Error: Cannot specify MTU for local nic tag' add -l -p mtu=9000 stub1
t 1 '' 'Error: cannot update a local tag' update stub0 02:00:00:00:00:02
t 0 "$head
stub0          -                  -              etherstub       " '' list -l
t 0 "$head
storage        02:00:00:00:00:01  net0           normal          " '' list -L
t 1 '' 'Error: Cannot specify both local and non-local options' list -l -L
t 1 '' 'Error: Delimiter option requires parsable option to be set' list -d =
ip -o addr show dev br-stub0 | grep -q ' 10.99.0.1/24 '
ok "the host has the tag's address" $?
ip -o addr show dev br-stub0 | grep -q inet6
ok "and no address that nobody asked for" $((! $?))
t 0 '' '' update -p address=10.99.7.1/24 stub0
[ "$(ip -o -4 addr show dev br-stub0 | grep -o 'inet [^ ]*')" = 'inet 10.99.7.1/24' ]
ok "a new address takes the place of the old one" $?
t 0 '' '' update -p address=none stub0
[ -z "$(ip -o -4 addr show dev br-stub0)" ]
ok "an address can be taken away" $?

# What a VM uses stays.
mkdir -p "$root/etc/zones"
uuid=0c2e132e-bf7f-4ea8-9728-8f688729dff0
echo "{\"v\": 1, \"uuid\": \"$uuid\", \"nics\": [{\"nic_tag\": \"stub0\"}]}" >"$root/etc/zones/$uuid.json"
t 0 "$uuid" '' vms stub0
t 0 '' '' vms storage
t 1 '' "Error: nic tag 'stub0' is in use" delete stub0
t 0 '' '' delete -f stub0
[ "$(links br-stub0)" -eq 0 ]
ok "the bridge of a deleted tag is gone" $?
t 1 '' "Error: nic tag 'stub0' does not exist" delete stub0
t 1 '' 'Error: tag_exists: no tag specified' exists
t 1 '' 'storage1
nope' exists -l storage storage1 nope

# A link that carries the host's own traffic is not torn away.
ip addr add 192.0.2.1/24 dev net1
t 1 '' "Error: nic tag 'lan': 'net1' has the address 192.0.2.1/24, which would stop working: give it to 'br-lan' first" \
	add lan net1
[ "$(jq 'has("lan")' "$root/etc/dais/nictags.json")$(links br-lan)" = false1 ]
ok "a refused tag is not recorded" $?
t 1 '' "Error: nic tag 'lan' does not exist" delete lan

# Bridges that somebody else made.
ip link add vmbr0 type bridge
t 1 '' "Error: bridge 'vmbr9' does not exist" add -p bridge=vmbr9 lan
t 0 '' '' add -p bridge=vmbr0 lan
t 0 '' '' delete lan
[ "$(links vmbr0)" -eq 1 ]
ok "a foreign bridge outlives its tag" $?

t 0 '' '' up
"$bin/nictagadm" bogus >"$root/out" 2>"$root/err"
[ $? -eq 1 ] && [ "$(cat "$root/err")" = 'Error: unknown command bogus' ]
ok "an unknown command is named" $?
"$bin/nictagadm" list -z >"$root/out" 2>"$root/err"
[ $? -eq 2 ] && grep -q '^usage:' "$root/err" && [ ! -s "$root/out" ]
ok "wrong use is status 2 and says so on standard error" $?

# A file that somebody edited: where, what rule, what to do.
echo '{"admin": {"mtu": "big"}}' >"$root/etc/dais/nictags.json"
t 1 '' "Error: $root/etc/dais/nictags.json: /admin/mtu: must be an integer of 1500 to 9000" list
echo '{"admin": ' >"$root/etc/dais/nictags.json"
"$bin/nictagadm" --root "$root" add -l stub0 2>"$root/err"
[ $? -eq 1 ] && grep -q "nictags.json:" "$root/err" && [ "$(cat "$root/etc/dais/nictags.json")" = '{"admin": ' ]
ok "a broken file is reported and not overwritten" $?

echo "1..$count"
