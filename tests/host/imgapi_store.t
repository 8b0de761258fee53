#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgapi --store: one host serves the images that it has installed, a tree, what differs from it
# and a disk; another, in a network of its own, imports them and has the same.
# shellcheck source=tests/host/far_lib.bash
. "$(dirname "$0")/far_lib.bash"
server='' other=$dir/other
end_all() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$far" ] || kill "$far" 2>/dev/null
	wait
	umount "$other/zones" 2>/dev/null
	cleanup
}
trap end_all EXIT
far_host
cache=$root/var/cache/dais/imgapi
uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }
tree() { (cd "$1" && find . -mindepth 1 -printf '%p %y %m %U %G %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha1sum); }
far_imgadm() { run "$bin/imgadm" "$@" --root "$other"; }
serve() {
	# With what the unit leaves it.
	ASAN_OPTIONS=detect_leaks=0 nsenter -t $far -n setpriv --no-new-privs \
		--bounding-set=-all,+setuid,+setgid,+sys_chroot,+net_bind_service,+setfcap "$bin/imgapi" --listen 192.0.2.1:8080 --store --root "$root" 2>>"$dir/server.log" &
	server=$!
	for _ in $(seq 100); do
		curl -sf -o /dev/null $api/ping && return
		sleep 0.1
	done
	echo "# no server: $(cat "$dir/server.log")"
}
listed() { curl -s $api/images | jq -r '[.[].uuid[7:8]] | sort | join("")'; }
until_listed() { # WHICH
	for _ in $(seq 150); do
		[ "$(listed)" = "$1" ] && return
		sleep 0.2
	done
	echo "# listed: $(listed)"
	sed 's/^/# /' "$dir/server.log"
	return 1
}

run "$bin/imgapi" --store --root "$root" --listen 127.0.0.1:8081
is "without a pool it does not start" "$status" 1

# ---- what is installed
make_pool 1G
mkdir -p "$dir/l1/etc" "$dir/l2/etc" "$other"
echo one >"$dir/l1/etc/one"
echo gone >"$dir/l1/etc/gone"
head -c 3000000 /dev/urandom >"$dir/l1/data"
chmod 4755 "$dir/l1/etc/one"
chown 33:44 "$dir/l1/etc/gone"
ln -s one "$dir/l1/etc/link"
ln "$dir/l1/data" "$dir/l1/again"
echo two >"$dir/l2/etc/two"
: >"$dir/l2/etc/.wh.gone"
for n in 1 2; do tar -C "$dir/l$n" -cf "$dir/$n.tar" .; done
manifest "$dir/1.tar" "$(uuid 1)" | jq '.tags = { role: "web" }' >"$dir/1.json"
manifest "$dir/2.tar" "$(uuid 2)" | jq --arg o "$(uuid 1)" '.origin = $o | .files[0].whiteouts = true' >"$dir/2.json"
truncate -s 8M "$dir/3.tar"
head -c 300000 /dev/urandom | dd of="$dir/3.tar" bs=1M seek=2 conv=notrunc status=none
printf '\125\252' | dd of="$dir/3.tar" bs=1 seek=510 conv=notrunc status=none
manifest "$dir/3.tar" "$(uuid 3)" | jq '.type = "zvol" | .image_size = 8 | .nic_driver = "virtio" | .disk_driver = "virtio"
	| .cpu_type = "host"' >"$dir/3.json"
for n in 1 2 3; do imgadm install -q -m "$dir/$n.json" -f "$dir/$n.tar"; done
is "three images are installed here" "$status $(find "$zones/images" -mindepth 1 -maxdepth 1 -not -name '.*' | wc -l)" "0 3"

# ---- another host takes them
serve
until_listed 123
ok "all three are served" $?
is "the server is nobody, and its root the folder of files" \
	"$(awk '/^Uid:/ {print $2}' /proc/$server/status) $(readlink /proc/$server/root)" "65534 $cache"
"$bin/mkpool" -q --file "$dir/other.img" --size 1G --root "$other" || skip "no second pool can be made"
mkdir -p "$other/var/imgadm"
jq -n --arg u $api '{sources: [{type: "imgapi", url: $u}]}' >"$other/var/imgadm/imgadm.conf"
far_imgadm avail -H -o uuid name=test
is "they are found" "$(cut -c8 <<<"$out" | sort | xargs)" "1 2 3"
far_imgadm import -q "$(uuid 2)"
is "what differs is imported with what it differs from" "$status $err" "0 "
for n in 1 2; do
	diff <(tree "$zones/images/$(uuid $n)/rootfs") <(tree "$other/zones/images/$(uuid $n)/rootfs") >"$dir/diff"
	ok "tree $n is the same" $?
	sed "s/^/# /" "$dir/diff" | head -5
done
[ ! -e "$other/zones/images/$(uuid 2)/rootfs/etc/gone" ] && [ -e "$other/zones/images/$(uuid 1)/rootfs/etc/gone" ]
ok "what is gone in one is gone" $?
far_imgadm import -q "$(uuid 3)"
is "the disk" "$status $(sha1sum <"$other/zones/images/$(uuid 3)/rootfs/disk0.raw")" "0 $(sha1sum <"$dir/3.tar")"
is "their manifests differ in what they say of the file" \
	"$(for n in 1 2 3; do diff <(jq -S 'del(.files)' "$dir/$n.json") <(curl -s "$api/images/$(uuid $n)" |
		jq -S 'del(.files, .owner, .state, .disabled, .public)') | tr -d '\n'; done)" ""

# ---- what comes and goes
jq --arg u "$(uuid 4)" '.uuid = $u' "$dir/1.json" >"$dir/4.json"
imgadm install -q -m "$dir/4.json" -f "$dir/1.tar"
until_listed 1234
ok "an image that is installed is served" $?
imgadm delete "$(uuid 4)"
until_listed 123
ok "one that is deleted is not" $?
[ ! -e "$cache/$(uuid 4)" ]
ok "... and its file is gone" $?

# Layers of a registry's image: what differs from the one below, under their own names.
# shellcheck source=tests/host/oci_layout.bash
. "$(dirname "$0")/oci_layout.bash"
oci_layer "$dir/app" "$dir/1.tar" "$dir/2.tar"
imgadm import -q --json "oci:$dir/app"
top=$(jq -r .uuid <<<"$out") low=$(jq -r .origin "$zones/images/$(jq -r .uuid <<<"$out")/manifest.json")
for _ in $(seq 150); do
	curl -sf -o "$dir/top.json" "$api/images/$top" && break
	sleep 0.2
done
far_imgadm import -q "$top"
is "an image of layers" "$status $(jq -r .type "$dir/top.json")" "0 docker"
diff <(tree "$zones/images/$top/rootfs") <(tree "$other/zones/images/$top/rootfs") >"$dir/diff"
ok "is the same there" $?
imgadm delete "$top"
imgadm delete "$low"
until_listed 123
ok "and goes" $?

# ---- killed, and started again
before=$(cd "$cache" && stat -c '%n %i %Y' * | sort)
pgrep -P $server >"$dir/keeper"
is "one process makes the files" "$(wc -l <"$dir/keeper")" 1
kill -9 $server
wait $server 2>/dev/null
keeper=$(cat "$dir/keeper")
for _ in $(seq 50); do [ -d "/proc/$keeper" ] || break; sleep 0.1; done
[ ! -d "/proc/$keeper" ]
ok "which ends with the server" $?
rm "$cache/$(uuid 1).json"
head -c 1000 "$dir/1.tar" >"$cache/$(uuid 1)"
: >"$cache/.$(uuid 2).new"
cp "$dir/4.json" "$cache/$(uuid 4).json"
jq '.tags = { role: "new" }' "$zones/images/$(uuid 3)/manifest.json" >"$dir/m" && cp "$dir/m" "$zones/images/$(uuid 3)/manifest.json"
serve
until_listed 123
ok "what was cut off is made anew" $?
is "what was whole is kept" "$(cd "$cache" && stat -c '%n %i %Y' "$(uuid 2)" "$(uuid 2).json" "$(uuid 3)" | sort)" \
	"$(grep -E "^$(uuid 2)|^$(uuid 3) " <<<"$before")"
is "nothing of others is left" "$(find "$cache" -mindepth 1 | wc -l)" 6
for _ in $(seq 50); do
	role=$(curl -s "$api/images/$(uuid 3)" | jq -r .tags.role)
	[ "$role" = new ] && break
	sleep 0.1
done
is "a manifest that changed is served as it is now" "$role" new
kill -9 "$(pgrep -P $server)"
wait $server
is "without that process the server ends" "$?" 1
server=''

run "$bin/imgapi" --store "$dir"
is "a folder and the pool" "$status" 2
run "$bin/imgapi" --store --writers "$dir" --root "$root"
is "writers, who need a folder" "$status" 2
run "$bin/imgapi" --root "$root" "$dir"
is "a folder of another host" "$status" 2
finish
