#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vminfod.sh - how long a list takes, through vminfod and without.
#
# Makes a host below a temporary folder with ZONES records (1,000), then one with
# BIG (10,000) of five snapshots each in a pool, and prints the median of RUNS (15) runs of
# each command, and the memory of vminfod.
#
# environment: DAIS_BIN (release programs), ZONES, BIG, RUNS
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
zones=${ZONES:-1000} big=${BIG:-10000} runs=${RUNS:-15}
[ "$(id -u)" -eq 0 ] || { echo "skipped: not root"; exit 0; }
for tool in jq mkfs.btrfs losetup; do
	command -v "$tool" >/dev/null || { echo "skipped: '$tool' is not installed"; exit 0; }
done

dir=$(mktemp -d /tmp/dais-bench.XXXXXX)
daemon=
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	umount "$dir/b/zones" 2>/dev/null || umount -l "$dir/b/zones" 2>/dev/null
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
		echo "$uuid"
	done >"$dir/uuids"
	# To a list a snapshot is an entry of "snap" and the words about it.
	sed "s|.*|$1/zones/&/root|" "$dir/uuids" | xargs mkdir -p
	for ((n = 0; n < $3; n++)); do
		sed "s|.*|$1/zones/&/snap/snap$n $1/zones/&/snapinfo|" "$dir/uuids" | xargs mkdir -p
		sed "s|.*|$1/zones/&/snapinfo/snap$n|" "$dir/uuids" | xargs touch
	done
}

# median NAME COMMAND...: of the time, and of the command's own processor time.
median() {
	local name=$1 i t TIMEFORMAT='%U %S'
	shift
	"$@" >/dev/null || echo "failed: $*" >&2
	for ((i = 0; i < runs; i++)); do
		t=${EPOCHREALTIME/./}
		{ time "$@" >/dev/null 2>&3; } 3>&2 2>"$dir/cpu"
		echo "$((${EPOCHREALTIME/./} - t)) $(awk '{ print ($1 + $2) * 1000 }' "$dir/cpu")"
	done >"$dir/times"
	printf '%-52s %8.2f ms, processor %.0f ms\n' "$name" \
		"$(sort -n "$dir/times" | awk '{ t[NR] = $1 / 1000 } END { print t[int((NR + 1) / 2)] }')" \
		"$(sort -n -k 2 "$dir/times" | awk '{ t[NR] = $2 } END { print t[int((NR + 1) / 2)] }')"
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
	printf '%-52s %8.0f ms\n' "$2: vminfod ready after" $((($(date +%s%N) - t) / 1000000))
	printf '%-52s %8.1f MB\n' "$2: vminfod resident" \
		"$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$daemon/status")"
}

stop_daemon() {
	printf '%-52s %8.1f MB\n' "$1: vminfod resident, after all that" \
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

mkdir "$dir/b"
"$bin/mkpool" -q --file "$dir/pool.img" --size 4G --root "$dir/b" || { echo "vminfod.sh: no pool" >&2; exit 1; }
make_host "$dir/b" "$big" 5
vm=("$bin/vmadm" --root "$dir/b")
[ "$("${vm[@]}" get "$(head -1 "$dir/uuids")" | jq '.snapshots | length')" = 5 ] ||
	{ echo "vminfod.sh: the snapshots are not seen" >&2; exit 1; }
median "$big, $((big * 5)) snapshots: list, from the records" "${vm[@]}" list
median "$big, $((big * 5)) snapshots: lookup -j, each of them" "${vm[@]}" lookup -j -o uuid,snapshots
start_daemon "$dir/b" "$big"
median "$big, $((big * 5)) snapshots: list, through vminfod" "${vm[@]}" list
median "$big, $((big * 5)) snapshots: the same, each of them" "${vm[@]}" lookup -j -o uuid,snapshots
stop_daemon "$big"
