#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vmadm against the floor: the same snapshot and the same zone by btrfs and
# lxc-start. Every figure is printed as a ratio too, from the same run.
#
# environment: DAIS_BIN (release programs), DAIS_IMAGES, ROUNDS (20)
. "$(dirname "$0")/../host/vmadm_lib.bash"
command -v lxc-start >/dev/null || skip "'lxc-start' is not installed"
rounds=${ROUNDS:-20}
u=$(printf aaaaaaaa-0000-4000-8000-%012x $$)
payload '"uuid": "'"$u"'", "nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/24"] }]' >"$dir/p.json"

now() { date +%s%N; }

# measure FILE COMMAND...: one line of milliseconds.
measure() {
	local file=$1 begin
	shift
	begin=$(now)
	"$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; exit 1; }
	echo $((($(now) - begin) / 1000)) >>"$dir/$file"
}

# pick FILE PER_CENT: that percentile in milliseconds.
pick() { sort -n "$dir/$1" | awk -v p="$2" '{ v[NR] = $1 } END { printf "%.1f", v[int((NR - 1) * p / 100) + 1] / 1000 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

"$bin/nictagadm" --root "$root" up admin >/dev/null 2>&1

# The floor: one snapshot, one lxc-start -d with an idmapped root and one veth.
mkdir -p "$dir/lxc/z"
cat >"$dir/lxc/z/config" <<EOF
lxc.uts.name = z
lxc.idmap = u 0 1000000 65536
lxc.idmap = g 0 1000000 65536
lxc.rootfs.path = dir:$zones/bare
lxc.rootfs.options = idmap=container
lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
lxc.tty.max = 0
lxc.apparmor.profile = unconfined
lxc.net.0.type = veth
lxc.net.0.link = br-admin
lxc.net.0.name = eth0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.99.0.7/24
EOF
# Without newuidmap in the PATH root writes the id mapping itself, as zoneadmd does.
lxc_start() { PATH=/usr/sbin:/sbin /usr/bin/lxc-start -P "$dir/lxc" -n z -d; }
bare_create() {
	btrfs subvolume snapshot "$zones/images/$image/rootfs" "$zones/bare" && lxc_start
}
bare_end() {
	lxc-stop -P "$dir/lxc" -n z -k
	btrfs subvolume delete "$zones/bare"
}

for _ in $(seq "$rounds"); do
	measure bare_create bare_create
	lxc-stop -P "$dir/lxc" -n z -k >/dev/null 2>&1
	measure bare_start lxc_start
	bare_end >/dev/null 2>&1
	measure create "$bin/vmadm" --root "$root" create -f "$dir/p.json"
	"$bin/vmadm" --root "$root" stop -F "$u" >/dev/null 2>&1
	measure start "$bin/vmadm" --root "$root" start "$u"
	measure delete "$bin/vmadm" --root "$root" delete "$u"
done

for what in create start; do
	printf 'vmadm %s: p50 %s ms, p99 %s ms; bare p50 %s ms; ratio %s\n' $what \
		"$(pick $what 50)" "$(pick $what 99)" "$(pick bare_$what 50)" \
		"$(ratio "$(pick $what 50)" "$(pick bare_$what 50)")"
done
printf 'vmadm delete of a running zone: p50 %s ms\n' "$(pick delete 50)"

# Records alone are enough for list.
for many in 100 1000; do
	mkdir -p "$dir/host$many/etc/zones"
	for n in $(seq $many); do
		id=$(printf '%08x-0000-4000-8000-000000000001' "$n")
		jq -n --arg id "$id" --argjson n "$n" '{ v: 1, uuid: $id, zonename: $id, brand: "lx",
			alias: "vm\($n)", hostname: $id, image_uuid: $id, owner_uuid: $id, billing_id: $id,
			autoboot: true, zpool: "zones", dns_domain: "local", resolvers: ["192.0.2.1"],
			max_physical_memory: 256, max_swap: 256, max_locked_memory: 256, tmpfs: 256,
			max_lwps: 2000, cpu_shares: 100, zfs_io_priority: 100, quota: 10,
			limit_priv: "default", firewall_enabled: false, routes: {}, tags: { n: $n },
			customer_metadata: { "user-script": ("echo hello\n" * 20) }, internal_metadata: {},
			nics: [{ interface: "net0", mac: "02:00:00:00:00:01", nic_tag: "admin",
				ips: ["10.0.0.1/24"], gateways: ["10.0.0.254"], primary: true }],
			idmap_base: 1073741824 }' >"$dir/host$many/etc/zones/$id.json"
	done
	for _ in $(seq "$rounds"); do
		measure list$many "$bin/vmadm" --root "$dir/host$many" list
		measure true true
	done
	printf 'vmadm list of %d: p50 %s ms (a process that does nothing: %s ms)\n' $many \
		"$(pick list$many 50)" "$(pick true 50)"
done
