#!/bin/bash
# SPDX-License-Identifier: MIT
#
# zone.sh - what vmadm's create and start cost beside the same by hand, in one run.
#
#	create   vmadm create : btrfs subvolume snapshot + lxc-start -d
#	start    vmadm start  : lxc-start -d
#	memory   of a zoneadmd that is idle, private pages, in KiB
#
# By hand and by vmadm take turns, on the same pool, with the same image, one NIC
# on a bridge each, own id range and idmapped root each. All is done when the
# command returns: init runs. By hand there are no limits, no seccomp profile, no
# record and no supervisor.
#
# usage: zone.sh [BIN-FOLDER [IMAGES-FOLDER]]     as root
#
#	BIN-FOLDER     mkpool, nictagadm, imgadm, vmadm, zoneadmd: a release build
#	IMAGES-FOLDER  base.json and base.tar.zst; without them a root is made that
#	               holds one static program as init, and needs a C compiler
#	ROUNDS=40      how many of each
#	BARE=1         by hand without newuidmap in the PATH: liblxc then writes the id
#	               maps itself, which is faster by two programs
set -u
bin=${1:-build/bin}
images=${2:-${bin%/bin}/images}
rounds=${ROUNDS:-40}

skip() { echo "skipped: $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip "not root"
for tool in lxc-start lxc-stop btrfs ip jq; do
	command -v "$tool" >/dev/null || skip "'$tool' is not installed"
done
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -mn --propagation private "$0" "$@"
fi

bin=$(cd "$bin" && pwd)
PATH=$bin:$PATH
dir=$(mktemp -d /tmp/dais-bench.XXXXXX)
chmod 711 "$dir"
host=$dir/host
mkdir -m 755 "$host"
hand=$dir/hand

cleanup() {
	lxc-stop -k -P "$hand" -n hand >/dev/null 2>&1
	for record in "$host"/etc/zones/*.json; do
		[ -e "$record" ] || continue
		vmadm --root "$host" delete "$(basename "$record" .json)" >/dev/null 2>&1
	done
	mkpool -q --unmount --root "$host" 2>/dev/null || umount -l "$host/zones" 2>/dev/null
	umount -l "$host/run" 2>/dev/null
	rm -rf "/run/lxc/lock$dir" # where lxc-start locks
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
fail() { echo "zone.sh: $*" >&2; exit 1; }

# liblxc looks for bridges in sysfs: it must show this network namespace.
mkdir "$dir/cgroup"
mount --rbind /sys/fs/cgroup "$dir/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$dir/cgroup" /sys/fs/cgroup
umount -l "$dir/cgroup"
ip link set lo up

# lxc-start run by root still asks newuidmap, where there is one, and that this file.
echo "root:1000000:65536" >"$dir/subid"
for file in /etc/subuid /etc/subgid; do
	[ ! -e $file ] || mount --bind "$dir/subid" $file
done

# ---- what both start from -------------------------------------------------------

static_root() { # a root with one program that sleeps and ends when it is asked to
	local root=$1
	mkdir -p "$root"/{sbin,dev,proc,sys,tmp,etc,run,var}
	cat >"$dir/init.c" <<'C'
#include <signal.h>
#include <unistd.h>
static void end(int s) { (void)s; _exit(0); }
int main(void) { signal(SIGPWR, end); signal(SIGUSR2, end); for (;;) pause(); }
C
	cc -static -O1 -o "$root/sbin/init" "$dir/init.c" || fail "cannot make an init"
}

make_image() {
	local sha1 size
	static_root "$dir/static"
	tar -C "$dir/static" -cf "$dir/base.tar" --owner=0 --group=0 .
	sha1=$(sha1sum <"$dir/base.tar" | cut -d' ' -f1)
	size=$(stat -c %s "$dir/base.tar")
	cat >"$dir/base.json" <<J
{ "v": 2, "uuid": "7f0b03d4-fdcb-4a07-853b-9f0058956469", "name": "bench", "version": "1",
  "owner": "00000000-0000-0000-0000-000000000000", "type": "lx-dataset", "os": "linux",
  "state": "active", "disabled": false, "public": true, "published_at": "2026-01-01T00:00:00Z",
  "files": [{ "sha1": "$sha1", "size": $size, "compression": "none" }] }
J
}

# /run is in memory on every host.
mkdir "$host/run"
mount -t tmpfs -o mode=755 tmpfs "$host/run"

mkpool -q --file "$dir/pool.img" --size 8G --root "$host" || fail "no pool"
nictagadm --root "$host" add -l bench0 >/dev/null || fail "no NIC tag"
if [ -f "$images/base.json" ]; then
	cp "$images/base.json" "$dir/base.json"
	archive=$images/base.tar.zst
	echo "image: $(jq -r '"\(.name) \(.version)"' "$dir/base.json"), systemd as init"
else
	make_image
	archive=$dir/base.tar
	echo "image: made here, one static program as init"
fi
imgadm install --root "$host" -q -m "$dir/base.json" -f "$archive" >/dev/null || fail "no image"
image=$(jq -r .uuid "$dir/base.json")
pool=$host/zones

payload() { # payload N
	printf '{"brand":"lx","image_uuid":"%s","autoboot":true,"alias":"bench%d","hostname":"b%d",' \
		"$image" "$1" "$1"
	printf '"kernel_version":"6.12.0","max_physical_memory":256,"nowait":true,'
	printf '"nics":[{"nic_tag":"bench0","ips":["10.90.%d.%d/16"],"gateways":["10.90.0.1"],"primary":true}]}' \
		$(($1 / 200 + 1)) $(($1 % 200 + 10))
}

mkdir -p "$hand/hand"
cat >"$hand/hand/config" <<C
lxc.uts.name = hand
lxc.rootfs.path = dir:$pool/hand
lxc.rootfs.options = idmap=container
lxc.idmap = u 0 1000000 65536
lxc.idmap = g 0 1000000 65536
lxc.mount.auto = proc:mixed sys:mixed
lxc.apparmor.profile = unconfined
lxc.net.0.type = veth
lxc.net.0.link = br-bench0
lxc.net.0.flags = up
lxc.net.0.name = eth0
lxc.net.0.ipv4.address = 10.90.250.1/16
lxc.net.0.ipv4.gateway = 10.90.0.1
C

# ---- measuring ------------------------------------------------------------------

now() { printf -v "$1" %s "${EPOCHREALTIME/./}"; }
took() { echo $(($2 - $1)) >>"$dir/$3"; }

lxc_start=$(command -v lxc-start)
hand_path=${BARE:+/nonexistent}
hand_start() { PATH=${hand_path:-$PATH} "$lxc_start" -P "$hand" -n hand -d; }
hand_create() { btrfs -q subvolume snapshot "$pool/images/$image/rootfs" "$pool/hand" >/dev/null && hand_start; }
hand_stop() { lxc-stop -k -P "$hand" -n hand; }

summary() { # summary NAME: median and 99th percentile, in ms
	sort -n "$dir/$1" | awk '{ v[NR] = $1 / 1000 } END {
		printf "p50 %6.1f ms  p99 %6.1f ms", v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.99)] }'
}
p50() { sort -n "$dir/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
compare() { # compare WHAT LIMIT
	printf '%-7s by hand  %s\n' "$1" "$(summary "$1.hand")"
	printf '%-7s vmadm    %s\n' "$1" "$(summary "$1.ours")"
	awk -v a="$(p50 "$1.ours")" -v b="$(p50 "$1.hand")" -v l="$2" -v n="$1" \
		'BEGIN { printf "%-7s ratio    %.2f (goal: at most %s)\n", n, a / b, l }'
}

# The first bridge comes up with the first zone; that is not what is measured.
payload 0 >"$dir/payload"
vmadm --root "$host" create -f "$dir/payload" >/dev/null 2>"$dir/said" || fail "$(cat "$dir/said")"

for ((i = 1; i <= rounds; i++)); do
	payload "$i" >"$dir/payload"

	now a; hand_create || fail "lxc-start fails"; now b
	took "$a" "$b" create.hand
	hand_stop
	now a; vmadm --root "$host" create -f "$dir/payload" >/dev/null 2>"$dir/said" ||
		fail "$(cat "$dir/said")"; now b
	took "$a" "$b" create.ours
	uuid=$(vmadm --root "$host" lookup -1 "alias=bench$i") || fail "no zone"
	vmadm --root "$host" stop -F "$uuid" >/dev/null 2>&1

	now a; hand_start; now b
	took "$a" "$b" start.hand
	hand_stop
	now a; vmadm --root "$host" start "$uuid" >/dev/null 2>&1 || fail "start fails"; now b
	took "$a" "$b" start.ours
	vmadm --root "$host" delete "$uuid" >/dev/null 2>&1 || fail "delete fails"
	btrfs -q subvolume delete "$pool/hand" >/dev/null
done
compare create 1.5
compare start 1.3

# ---- the supervisor -------------------------------------------------------------

for state in "$host"/run/dais/*/state.json; do
	pid=$(jq -r 'select(.state == "running") | .supervisor' "$state")
	[ -n "$pid" ] || continue
	sleep 2
	before=$(awk '/voluntary/ { n += $2 } END { print n }' "/proc/$pid/status")
	sleep 3
	after=$(awk '/voluntary/ { n += $2 } END { print n }' "/proc/$pid/status")
	awk -v w=$((after - before)) '/^Private/ { p += $2 } /^Pss:/ { s = $2 } END {
		printf "memory  zoneadmd %d KiB private, %d KiB share of all; woken %d times in 3 s\n", p, s, w }' \
		"/proc/$pid/smaps_rollup"
done
