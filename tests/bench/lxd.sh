#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A zone from an image until its init runs, beside LXD doing the same: both on
# btrfs on a file of this machine, the base image, taking turns in one run. LXD
# gets no network device and no limits; vmadm's zones have one NIC and all limits.
# And what of memory each needs beside the zones.
#
# environment: DAIS_BIN (release programs), DAIS_IMAGES, ROUNDS (10)
command -v lxd >/dev/null && command -v lxc >/dev/null || { echo "skipped: lxd is not installed"; exit 0; }
. "$(dirname "$0")/../host/vmadm_lib.bash"
rounds=${ROUNDS:-10}
export LXD_DIR=$dir/lxd
daemon=

stop_lxd() {
	for name in $(lxc list -c n -f csv 2>/dev/null); do
		lxc delete -f "$name" >/dev/null 2>&1
	done
	[ -z "$daemon" ] || { kill "$daemon"; wait "$daemon"; } 2>/dev/null
	for mount in $(awk -v d="$dir/lxd" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r); do
		umount -l "$mount"
	done
	cleanup
}
trap stop_lxd EXIT
fail() { echo "lxd.sh: $*" >&2; exit 1; }

now() { printf -v "$1" %s "${EPOCHREALTIME/./}"; }
took() { echo $(($2 - $1)) >>"$dir/$3"; }
pick() { sort -n "$dir/$1" | awk -v p="$2" '{ v[NR] = $1 } END { printf "%.1f", v[int((NR - 1) * p / 100) + 1] / 1000 }'; }

mkdir -p "$LXD_DIR"
echo "root:1000000:1000000000" >"$dir/subid"
for file in /etc/subuid /etc/subgid; do
	[ ! -e $file ] || mount --bind "$dir/subid" $file
done
lxd --group root >"$dir/lxd.log" 2>&1 &
daemon=$!
lxd waitready --timeout 60 || fail "lxd does not come up: $(tail -3 "$dir/lxd.log")"
lxd init --preseed <<'END' >/dev/null 2>"$dir/lxd.err" || fail "lxd init: $(cat "$dir/lxd.err")"
storage_pools:
- name: default
  driver: btrfs
  config: { size: 5GiB }
profiles:
- name: default
  devices: { root: { path: /, pool: default, type: disk } }
END
cat >"$dir/metadata.yaml" <<END
architecture: x86_64
creation_date: 1735689600
properties: { description: base }
END
tar -C "$dir" -czf "$dir/metadata.tar.gz" metadata.yaml
zstd -dcq "$images/base.tar.zst" | gzip -1 >"$dir/rootfs.tar.gz"
lxc -q image import "$dir/metadata.tar.gz" "$dir/rootfs.tar.gz" --alias base >/dev/null || fail "no image"
rm "$dir/rootfs.tar.gz"

launch() { lxc -q launch base "$1" >/dev/null 2>"$dir/lxd.err" || fail "lxc launch: $(cat "$dir/lxd.err")"; }
launch warm # unpacks the image into its pool
lxc -q delete -f warm
payload '"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.9/24"] }]' >"$dir/warm.json"
vm create -f "$dir/warm.json"
[ "$status" = 0 ] || fail "$err"

for n in $(seq "$rounds"); do
	payload '"alias": "z'"$n"'", "nics": [{ "nic_tag": "admin", "ips": ["10.99.0.'$((n + 20))'/24"] }]' >"$dir/z.json"
	now a
	"$bin/vmadm" --root "$root" create -f "$dir/z.json" >/dev/null 2>"$dir/err" || fail "$(cat "$dir/err")"
	now b
	took "$a" "$b" time.ours
	now a
	launch "c$n"
	now b
	took "$a" "$b" time.lxd
	"$bin/vmadm" --root "$root" delete "$("$bin/vmadm" --root "$root" lookup alias="z$n")" 2>/dev/null
	lxc -q delete -f "c$n"
done
printf 'create until init runs: vmadm p50 %s ms, p99 %s ms; lxc launch p50 %s ms, p99 %s ms\n' \
	"$(pick time.ours 50)" "$(pick time.ours 99)" "$(pick time.lxd 50)" "$(pick time.lxd 99)"
awk -v a="$(pick time.lxd 50)" -v b="$(pick time.ours 50)" 'BEGIN { printf "lxd takes %.1f times as long (goal: at least 10)\n", a / b }'
rss() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$1/status"; }
supervisor=$(jq .supervisor "$root"/run/dais/*/state.json | head -1)
printf 'memory: lxd %s MB whatever runs; zoneadmd %s KiB private a zone\n' "$(rss $daemon)" \
	"$(awk '/^Private/ { p += $2 } END { print p }' "/proc/$supervisor/smaps_rollup")"
