#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What vmadm list costs, of 100 and of 1000 zones, and vmadm validate, beside a process
# that does nothing. create and start are measured by zone.sh.
#
# environment: DAIS_BIN (release programs), DAIS_IMAGES, ROUNDS (20)
. "$(dirname "$0")/../host/vmadm_lib.bash"
rounds=${ROUNDS:-20}

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

payload '"alias": "a", "nics": [{ "nic_tag": "admin", "ips": ["10.99.0.2/24"] }]' >"$dir/payload.json"
for _ in $(seq "$((rounds * 5))"); do
	measure validate "$bin/vmadm" --root "$root" validate create -f "$dir/payload.json"
	measure nothing true
done
printf 'vmadm validate create: p50 %s ms, p90 %s ms (a process that does nothing: %s ms)\n' \
	"$(pick validate 50)" "$(pick validate 90)" "$(pick nothing 50)"
