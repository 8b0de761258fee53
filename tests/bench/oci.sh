#!/bin/bash
# SPDX-License-Identifier: MIT
#
# oci.sh - an image of five layers from a registry on loopback to what a zone can be made of:
#
#	imgadm import : skopeo copy + umoci unpack : podman pull (of what is installed)
#	              : curl | gzip -dc | tar x, one layer after the other
#
# and a second image that shares four layers. All in one file system, in turns; the middle one of
# ROUNDS. Prints ratios, and the largest process of the import.
#
# usage: [ROUNDS=N] [WAYS="imgadm hand"] oci.sh [BIN-FOLDER [MB]]   as root; MB: unpacked
set -eu
bin=${1:-build/bin}
mb=${2:-190}
rounds=${ROUNDS:-5}

[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 0; }
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -mn --propagation private "$0" "$@"
fi
for tool in docker-registry skopeo umoci jq curl htpasswd; do
	command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 0; }
done
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$bin" && pwd)
dir=$(mktemp -d)
pids=
end() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null
	"$bin/mkpool" -q --unmount --root "$dir/root" 2>/dev/null || umount "$dir/root/zones" 2>/dev/null
	rm -rf "$dir"
}
trap end EXIT
ip link set lo up
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
mkdir "$dir/root"
"$bin/mkpool" -q --file "$dir/pool.img" --size 8G --root "$dir/root"
zones=$dir/root/zones
work=$zones/bench # beside the images, so that all write to the same place
mkdir "$work"

now() { date +%s%N; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / (b ? b : 1) }'; }

# ---- five layers of what this host has, and a sixth
mkdir "$dir/layers"
find /usr/lib /usr/share /usr/bin -xdev -type f -size -4000k 2>/dev/null | sort >"$dir/all"
awk -v want=$((mb * 1000000)) '{ print }' "$dir/all" | tr '\n' '\0' | xargs -0 stat -c '%s %n' |
	awk -v want=$((mb * 1000000)) -v dir="$dir/layers" '{
		if (sum < want) { print substr($0, index($0, " ") + 1) >(dir "/" int(sum / (want / 5))); sum += $1 }
		else if (extra++ < 300) print substr($0, index($0, " ") + 1) >(dir "/5") }'
for n in 0 1 2 3 4 5; do
	tar -C / --hard-dereference -T "$dir/layers/$n" -cf - 2>/dev/null | gzip -6n >"$dir/layers/$n.tar.gz"
done
printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5000"}\n' \
	"$dir/data" >"$dir/registry.yml"
docker-registry serve "$dir/registry.yml" >/dev/null 2>&1 &
pids=$!
for _ in $(seq 50); do curl -sf -o /dev/null http://127.0.0.1:5000/v2/ && break; sleep 0.1; done
dais_layout() (
	# shellcheck source=tests/host/oci_layout.bash
	. "$here/../host/oci_layout.bash"
	oci_layer "$@"
)
layer() { echo "$dir/layers/$1.tar.gz"; }
dais_layout "$dir/five" "$(layer 0)" "$(layer 1)" "$(layer 2)" "$(layer 3)" "$(layer 4)"
dais_layout "$dir/other" "$(layer 0)" "$(layer 1)" "$(layer 2)" "$(layer 3)" "$(layer 5)"
for name in five other; do
	skopeo --insecure-policy copy -q --preserve-digests --dest-tls-verify=false "oci:$dir/$name:latest" \
		"docker://127.0.0.1:5000/$name"
done
mkdir -p "$dir/root/var/imgadm"
echo '{"sources":[{"type":"docker","url":"http://127.0.0.1:5000"}]}' >"$dir/root/var/imgadm/imgadm.conf"

# ---- the ways
empty() {
	for uuid in $("$bin/imgadm" list -H -o uuid -s -published_at --root "$dir/root") \
		$("$bin/imgadm" list -H -o uuid --root "$dir/root") $("$bin/imgadm" list -H -o uuid --root "$dir/root") \
		$("$bin/imgadm" list -H -o uuid --root "$dir/root") $("$bin/imgadm" list -H -o uuid --root "$dir/root"); do
		"$bin/imgadm" delete --root "$dir/root" "$uuid" >/dev/null 2>&1 || :
	done
}
by_imgadm() { ${PERF:-} /usr/bin/env time -f %M -o "$dir/rss" "$bin/imgadm" import -q --root "$dir/root" five >/dev/null; }
second() { "$bin/imgadm" import -q --root "$dir/root" other >/dev/null; }
by_skopeo() {
	skopeo --insecure-policy copy -q --src-tls-verify=false docker://127.0.0.1:5000/five "oci:$work/layout:x"
	umoci unpack --image "$work/layout:x" "$work/bundle" >/dev/null 2>&1
}
by_podman() {
	podman --root "$work/podman" --runroot "$dir/podman" --storage-driver overlay pull -q --tls-verify=false \
		127.0.0.1:5000/five >/dev/null 2>&1
}
by_hand() {
	btrfs -q subvolume create "$work/hand" >/dev/null
	for digest in $(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		http://127.0.0.1:5000/v2/five/manifests/latest | jq -r '.layers[].digest'); do
		curl -s "http://127.0.0.1:5000/v2/five/blobs/$digest" | gzip -dc | tar x -C "$work/hand" --numeric-owner -p
	done
}
clean() {
	btrfs -q subvolume delete "$work/hand" >/dev/null 2>&1 || :
	umount "$work/podman/overlay" 2>/dev/null || :
	rm -rf "${work:?}"/*
	empty
	sync -f "$zones"
}
ways=${WAYS:-imgadm skopeo hand}
[ -n "${WAYS:-}" ] || ! command -v podman >/dev/null || ways="$ways podman"
for _ in $(seq "$rounds"); do
	for way in $ways; do
		clean
		a=$(now)
		if "by_$way"; then
			b=$(now)
			echo $(((b - a) / 1000000)) >>"$dir/ms.$way"
		else
			echo "$way: failed"
		fi
		if [ "$way" = imgadm ]; then
			a=$(now)
			second
			b=$(now)
			echo $(((b - a) / 1000000)) >>"$dir/ms.second"
			cat "$dir/rss" >>"$dir/rss.all"
		fi
		if [ "$way" = hand ]; then
			sync -f "$zones"
			b=$(now)
			echo $(((b - a) / 1000000)) >>"$dir/ms.synced"
		fi
	done
done
clean
own=$(median <"$dir/ms.imgadm")
echo "imgadm import: $own ms; largest process $(($(sort -n "$dir/rss.all" | tail -1) / 1024)) MB"
echo "the second image, of which one layer is new: $(median <"$dir/ms.second") ms"
for way in skopeo podman hand synced; do
	[ -s "$dir/ms.$way" ] || continue
	other=$(median <"$dir/ms.$way")
	echo "$way: $other ms; imgadm : $way = $(ratio "$own" "$other")"
done
