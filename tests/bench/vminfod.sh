#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vminfod.sh [ZONES [BIG]] - how long a list takes, through vminfod and without.
#
# Makes a host below a temporary folder with ZONES records (1,000), then one with
# BIG (10,000) of five snapshots each, and prints the median of RUNS (15) runs of
# each command in milliseconds, the memory of vminfod, and the reads it takes.
# Run it on a release build; DAIS_BIN says where the programs are.
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
zones=${1:-1000} big=${2:-10000} runs=${RUNS:-15}
[ "$(id -u)" -eq 0 ] || { echo "vminfod.sh: needs root" >&2; exit 1; }

dir=$(mktemp -d /tmp/dais-bench.XXXXXX)
daemon=
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

# make_host DIR COUNT SNAPSHOTS
make_host() {
	local i uuid n
	mkdir -p "$1/etc/zones" "$1/run/dais" "$1/zones"
	chmod 700 "$1/etc/zones"
	for ((i = 0; i < $2; i++)); do
		printf -v uuid '%08x-1111-4222-8333-%012x' $((i * 2654435761 % 4294967296)) "$i"
		printf '{ "v": 1, "uuid": "%s", "zonename": "%s", "brand": "lx", "alias": "zone%d",
  "image_uuid": "11111111-2222-4333-8444-555555555555", "zpool": "zones", "autoboot": false,
  "create_timestamp": "2026-01-02T03:04:05.678Z", "owner_uuid": "00000000-0000-0000-0000-000000000000",
  "billing_id": "00000000-0000-0000-0000-000000000000", "hostname": "zone%d", "dns_domain": "local",
  "resolvers": ["8.8.8.8", "8.8.4.4"], "max_physical_memory": %d, "max_swap": 1024,
  "max_locked_memory": 512, "max_lwps": 2000, "max_shm_memory": 512, "max_msg_ids": 4096,
  "max_sem_ids": 4096, "max_shm_ids": 4096, "tmpfs": 512, "cpu_shares": 100, "zfs_io_priority": 100,
  "quota": 10, "limit_priv": "default", "firewall_enabled": false,
  "nics": [{ "interface": "net0", "mac": "02:00:%02x:%02x:%02x:01", "nic_tag": "admin",
    "ips": ["10.%d.%d.2/24"], "ip": "10.%d.%d.2", "netmask": "255.255.255.0", "primary": true }],
  "routes": {}, "tags": { "role": "role%d", "team": "blue" },
  "customer_metadata": { "user-script": "#!/bin/sh\\necho hello from %d\\n" },
  "internal_metadata": {}, "idmap_base": %d }\n' "$uuid" "$uuid" "$i" "$i" \
			$((256 * (1 + i % 8))) $((i >> 16 & 255)) $((i >> 8 & 255)) $((i & 255)) \
			$((i >> 8 & 255)) $((i & 255)) $((i >> 8 & 255)) $((i & 255)) $((i % 50)) \
			"$i" $((1073741824 + i * 65536)) >"$1/etc/zones/$uuid.json"
		mkdir -p "$1/zones/$uuid/root"
		for ((n = 0; n < $3; n++)); do
			mkdir -p "$1/zones/$uuid/snapshots/snap$n"
		done
	done
}

# median NAME COMMAND...
median() {
	local name=$1 i t
	shift
	"$@" >/dev/null || echo "failed: $*" >&2
	for ((i = 0; i < runs; i++)); do
		t=$(date +%s%N)
		"$@" >/dev/null
		echo $((($(date +%s%N) - t) / 10000))
	done | sort -n | awk -v name="$name" '{ t[NR] = $1 }
		END { printf "%-44s %8.2f ms\n", name, t[int((NR + 1) / 2)] / 100 }'
}

start_daemon() {
	local t
	t=$(date +%s%N)
	"$bin/vminfod" --root "$1" 2>"$dir/log" &
	daemon=$!
	until [ -S "$1/run/dais/vminfod.sock" ]; do
		kill -0 "$daemon" || exit 1
		sleep 0.02
	done
	printf '%-44s %8.0f ms\n' "$2: vminfod ready after" $((($(date +%s%N) - t) / 1000000))
	printf '%-44s %8.1f MB\n' "$2: vminfod resident" \
		"$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$daemon/status")"
}

stop_daemon() {
	printf '%-44s %8.1f MB\n' "$1: vminfod resident, after all that" \
		"$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$daemon/status")"
	kill "$daemon" && wait "$daemon"
	daemon=
}

make_host "$dir/a" "$zones" 0
vm=("$bin/vmadm" --root "$dir/a")
median "$zones: list, from the records" "${vm[@]}" list
median "$zones: lookup tags.role, from the records" "${vm[@]}" lookup tags.role=role7
start_daemon "$dir/a" "$zones"
median "$zones: list, through vminfod" "${vm[@]}" list
median "$zones: lookup tags.role, through vminfod" "${vm[@]}" lookup tags.role=role7
median "$zones: lookup -j, through vminfod" "${vm[@]}" lookup -j
median "$zones: lookup uuid, through vminfod" "${vm[@]}" lookup uuid=00000000-1111-4222-8333-000000000000
stop_daemon "$zones"
rm -rf "$dir/a"

make_host "$dir/b" "$big" 5
vm=("$bin/vmadm" --root "$dir/b")
median "$big: list, from the records" "${vm[@]}" list
start_daemon "$dir/b" "$big"
median "$big: list, through vminfod" "${vm[@]}" list
stop_daemon "$big"
