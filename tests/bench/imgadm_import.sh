#!/bin/sh
# SPDX-License-Identifier: MIT
#
# imgadm_import.sh - what imgadm import costs beside doing the same by hand, from an nginx on
# the loopback of a network of its own, into the same file system:
#
#	imgadm import UUID : curl | zstd -dc | tar x, then sync
#
# usage: imgadm_import.sh [BIN-FOLDER [TREE]]     as root; TREE is what the image holds
set -eu
bin=${1:-build/bin}
tree=${2:-/usr/bin /usr/lib/x86_64-linux-gnu}
rounds=${ROUNDS:-5}

[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 0; }
command -v nginx > /dev/null || { echo "skipped: no nginx"; exit 0; }
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -mn --propagation private "$0" "$@"
fi

bin=$(cd "$bin" && pwd)
dir=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null; "$bin/mkpool" -q --unmount --root "$dir/root" 2>/dev/null; rm -rf "$dir"' EXIT
mkdir -p "$dir/root/var/imgadm" "$dir/site"
chmod 711 "$dir"
ip link set lo up
"$bin/mkpool" -q --file "$dir/pool.img" --size 8G --root "$dir/root"
zones=$dir/root/zones

now() { date +%s%N; }
ms() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", (b - a) / 1e6 }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / (b ? b : 1) }'; }

# shellcheck disable=SC2086
tar --one-file-system -cf - $tree 2>/dev/null | zstd -q -3 -o "$dir/site/file"
uuid=11111111-2222-4333-8444-555555555555
printf '{"v":2,"uuid":"%s","name":"bench","version":"1","type":"lx-dataset","os":"linux",
	"files":[{"size":%s,"sha1":"%s","sha256":"%s","compression":"zstd"}]}\n' $uuid "$(stat -c %s "$dir/site/file")" \
	"$(sha1sum < "$dir/site/file" | cut -c1-40)" "$(sha256sum < "$dir/site/file" | cut -c1-64)" > "$dir/site/manifest"
chmod -R a+rX "$dir/site"
cat > "$dir/nginx.conf" <<END
daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error.log;
events { }
http {
	access_log off; sendfile on; client_body_temp_path $dir/b; proxy_temp_path $dir/p;
	fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
	server {
		listen 127.0.0.1:8080; root $dir/site;
		location = /images/$uuid { alias $dir/site/manifest; }
		location = /images/$uuid/file { alias $dir/site/file; }
	}
}
END
nginx -c "$dir/nginx.conf" 2>/dev/null &
server=$!
url=http://127.0.0.1:8080/images/$uuid
echo '{"sources":[{"url":"http://127.0.0.1:8080"}]}' > "$dir/root/var/imgadm/imgadm.conf"
i=0
until curl -sf -o /dev/null $url; do i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1; done

i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	sync -f "$zones"
	a=$(now)
	btrfs -q subvolume create "$zones/hand" > /dev/null
	curl -sf $url/file | zstd -dc | tar -x -C "$zones/hand" --numeric-owner -p
	sync -f "$zones"
	b=$(now)
	ms "$a" "$b" >> "$dir/hand"; echo >> "$dir/hand"
	btrfs -q subvolume delete "$zones/hand" > /dev/null; sync -f "$zones"
	a=$(now)
	/usr/bin/env time -f "%M" -o "$dir/memory" "$bin/imgadm" import -q --root "$dir/root" $uuid > /dev/null
	b=$(now)
	ms "$a" "$b" >> "$dir/imgadm"; echo >> "$dir/imgadm"
	"$bin/imgadm" delete --root "$dir/root" $uuid > /dev/null
done
echo "image: $(($(stat -c %s "$dir/site/file") >> 20)) MiB of tar.zst"
echo "curl | zstd | tar, sync: $(median < "$dir/hand") ms"
echo "imgadm import (hashed, confined, resumable, durable): $(median < "$dir/imgadm") ms"
echo "ratio: $(ratio "$(median < "$dir/imgadm")" "$(median < "$dir/hand")")"
[ ! -s "$dir/memory" ] || echo "peak memory of a process: $(($(tail -1 "$dir/memory") >> 10)) MiB"
