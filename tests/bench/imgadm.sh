#!/bin/sh
# SPDX-License-Identifier: MIT
#
# imgadm.sh - what imgadm costs beside doing the same by hand.
#
#	install    imgadm install of a tar.zst : zstd -dc | tar x, same file system
#	list       of 1,000 images, in ms of processor time
#
# usage: imgadm.sh [BIN-FOLDER [TREE]]     as root; TREE is what the image holds
set -eu
bin=${1:-build/bin}
tree=${2:-/usr/bin /usr/lib/x86_64-linux-gnu}
rounds=${ROUNDS:-5}

[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 0; }
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -m --propagation private "$0" "$@"
fi

bin=$(cd "$bin" && pwd)
dir=$(mktemp -d)
trap '"$bin/mkpool" -q --unmount --root "$dir/root" 2>/dev/null; rm -rf "$dir"' EXIT
mkdir "$dir/root"
"$bin/mkpool" -q --file "$dir/pool.img" --size 8G --root "$dir/root"
zones=$dir/root/zones

now() { date +%s%N; }
ms() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", (b - a) / 1e6 }'; }
# the middle one of the numbers on standard input
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / (b ? b : 1) }'; }

# shellcheck disable=SC2086
tar --one-file-system -cf - $tree 2>/dev/null | zstd -q -3 -o "$dir/image.tar.zst"
size=$(stat -c %s "$dir/image.tar.zst")
uuid=11111111-2222-4333-8444-555555555555
manifest() {
	printf '{"v":2,"uuid":"%s","name":"bench","version":"1","type":"lx-dataset","os":"linux",' "$1"
	printf '"files":[{"size":%s,"sha1":"%s","compression":"none"}]}\n' "$size" "$sha1"
}
sha1=$(sha1sum < "$dir/image.tar.zst" | cut -d' ' -f1)
manifest $uuid > "$dir/image.json"
cat "$dir/image.tar.zst" > /dev/null

hand() {
	btrfs -q subvolume create "$zones/hand" > /dev/null
	zstd -dc "$dir/image.tar.zst" | tar -x -C "$zones/hand" --numeric-owner -p
	[ "$1" = nosync ] || sync -f "$zones/hand"
}

i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	for how in nosync sync; do
		sync -f "$zones"
		a=$(now); hand $how; b=$(now)
		ms "$a" "$b" >> "$dir/hand.$how"; echo >> "$dir/hand.$how"
		btrfs -q subvolume delete "$zones/hand" > /dev/null; sync -f "$zones"
	done
	a=$(now)
	/usr/bin/env time -f %M -o "$dir/memory" "$bin/imgadm" install -q -m "$dir/image.json" \
		-f "$dir/image.tar.zst" --root "$dir/root" > /dev/null
	b=$(now)
	ms "$a" "$b" >> "$dir/imgadm"; echo >> "$dir/imgadm"
	[ $i = "$rounds" ] || "$bin/imgadm" delete --root "$dir/root" $uuid > /dev/null
done
ours=$(median < "$dir/imgadm")
echo "image: $((size >> 20)) MiB of tar.zst, $(du -sm "$zones/images/$uuid/rootfs" | cut -f1) MiB unpacked"
echo "by hand, not durable: $(median < "$dir/hand.nosync") ms; durable (sync): $(median < "$dir/hand.sync") ms"
echo "imgadm install (durable, hashed, confined): $ours ms"
echo "ratio to by hand, durable: $(ratio "$ours" "$(median < "$dir/hand.sync")")"
echo "ratio to by hand, not durable: $(ratio "$ours" "$(median < "$dir/hand.nosync")")"
[ ! -s "$dir/memory" ] || echo "peak memory of a process: $(($(tail -1 "$dir/memory") >> 10)) MiB"

i=0
while [ $i -lt 1000 ]; do
	i=$((i + 1))
	other=$(printf '%08x-2222-4333-8444-555555555555' $i)
	mkdir "$zones/images/$other"
	manifest "$other" > "$zones/images/$other/manifest.json"
done
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	/usr/bin/env time -f '%U %S' -o "$dir/time" "$bin/imgadm" list --root "$dir/root" > /dev/null
	awk '{ print ($1 + $2) * 1000 }' "$dir/time" >> "$dir/list"
done
echo "imgadm list of 1,001 images: $(median < "$dir/list") ms of processor time"
