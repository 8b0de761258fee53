#!/bin/sh
# SPDX-License-Identifier: MIT
#
# zstream.sh - what it costs to make a disk of a volume's ZFS stream, beside copying its bytes.
#
#	zvol    imgadm install of the stream : cat into a file of the same pool, with syncfs
#
# usage: zstream.sh [BIN-FOLDER [MIB]]     as root
set -eu
bin=${1:-build/bin}
mib=${2:-1024}
rounds=${ROUNDS:-3}

[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 0; }
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -m --propagation private "$0" "$@"
fi
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$bin" && pwd)
dir=$(mktemp -d)
trap '"$bin/mkpool" -q --unmount --root "$dir/root" 2>/dev/null; rm -rf "$dir"' EXIT
mkdir -p "$dir/root"
"$bin/mkpool" -q --file "$dir/pool.img" --size 8G --root "$dir/root"
zones=$dir/root/zones
python3 "$here/../host/zstream.py" volume-dense "$dir/stream" $((mib << 20))
uuid=11111111-2222-4333-8444-555555555555
printf '{"v":2,"uuid":"%s","name":"bench","version":"1","type":"zvol","os":"linux","image_size":%d,' $uuid "$mib" >"$dir/m"
printf '"nic_driver":"virtio","disk_driver":"virtio","cpu_type":"host","files":[{"size":%s,"sha1":"%s","compression":"none"}]}\n' \
	"$(stat -c %s "$dir/stream")" "$(sha1sum <"$dir/stream" | cut -c 1-40)" >>"$dir/m"

now() { date +%s%N; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	a=$(now)
	cat "$dir/stream" >"$zones/copy"
	sync -f "$zones/copy"
	b=$(now)
	echo $((b - a)) >>"$dir/by.cat"
	rm "$zones/copy"
	sync -f "$zones"
	a=$(now)
	"$bin/imgadm" install -q -m "$dir/m" -f "$dir/stream" --root "$dir/root" >"$dir/out"
	b=$(now)
	echo $((b - a)) >>"$dir/by.imgadm"
	"$bin/imgadm" delete $uuid --root "$dir/root" >/dev/null
	sync -f "$zones"
done
awk -v cat="$(median <"$dir/by.cat")" -v own="$(median <"$dir/by.imgadm")" -v mib="$mib" 'BEGIN {
	printf "zvol: %.0f MB/s, cat %.0f MB/s, ratio of times %.2f\n", mib * 1048.576e6 / own, mib * 1048.576e6 / cat, own / cat
}'
