#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a new user types, as the page imgadm(8) shows it: sources added, an image found
# and imported from each kind of source, a zone made and customised, an image made of
# it and pushed, and what nobody needs taken away. Three real servers: our imgapi,
# nginx with a simplestreams tree, and Debian's container registry.
IMAGE=tiny
# shellcheck source=tests/host/vmadm_lib.bash
. "$(dirname "$0")/vmadm_lib.bash"
for tool in nginx docker-registry skopeo xz zstd curl; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
[ -x "$bin/imgapi" ] || skip "'$bin/imgapi' is not built"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

servers=
stop_servers() {
	# shellcheck disable=SC2086 # several numbers
	kill $servers 2>/dev/null
	# shellcheck disable=SC2086
	wait $servers 2>/dev/null
	cleanup
}
trap stop_servers EXIT
up() {
	for _ in $(seq 100); do
		curl -sf -o /dev/null "$1" && return 0
		sleep 0.1
	done
	skip "no server answers at $1"
}

# ---- the servers -----------------------------------------------------------------

mkdir -p "$dir/api" "$dir/site/streams/v1" "$dir/site/images/tiny" "$dir/registry" "$dir/nginx"
one=$(printf 11111111-0000-4000-8000-%012x $$)
# Another tree than the one that is installed: images are told apart by what is in them.
again() { # again WORD FILE: the tiny image with WORD in it, as a tar
	mkdir -p "$dir/add.$1/etc"
	echo "$1" >"$dir/add.$1/etc/motd"
	zstd -qdc "$images/tiny.tar.zst" >"$2"
	tar -C "$dir/add.$1" --owner=0 --group=0 -rf "$2" ./etc/motd
}
again api "$dir/api/tiny.tar"
jq --arg u "$one" --arg s "$(sha1sum <"$dir/api/tiny.tar" | cut -c1-40)" --argjson n "$(stat -c %s "$dir/api/tiny.tar")" \
	'.uuid = $u | .name = "tiny-web" | .files = [{ sha1: $s, size: $n, compression: "none" }]' \
	"$images/tiny.json" >"$dir/api/tiny.json"
chmod -R a+rX "$dir/api"
"$bin/imgapi" --listen 127.0.0.1:8080 "$dir/api" >"$dir/imgapi.log" 2>&1 &
servers+=" $!"

again streams "$dir/rootfs.tar"
xz -1 -c "$dir/rootfs.tar" >"$dir/site/images/tiny/rootfs.tar.xz"
echo meta | xz >"$dir/site/images/tiny/lxd.tar.xz"
arch=$(dpkg --print-architecture)
item() { printf '{ "ftype": "%s", "path": "images/tiny/%s", "size": %s, "sha256": "%s"' "$2" "$1" \
	"$(stat -c %s "$dir/site/images/tiny/$1")" "$(sha256sum <"$dir/site/images/tiny/$1" | cut -c1-64)"; }
combined=$(cat "$dir/site/images/tiny/lxd.tar.xz" "$dir/site/images/tiny/rootfs.tar.xz" | sha256sum | cut -c1-64)
cat >"$dir/site/streams/v1/index.json" <<END
{ "format": "index:1.0", "index": { "images": { "datatype": "image-downloads",
	"path": "streams/v1/images.json", "format": "products:1.0" } } }
END
cat >"$dir/site/streams/v1/images.json" <<END
{ "format": "products:1.0", "products": { "tiny:1": { "aliases": "tiny/1", "arch": "$arch", "os": "Tiny", "release": "1",
	"versions": { "20260101_00:00": { "items": {
		"lxd.tar.xz": $(item lxd.tar.xz lxd.tar.xz), "combined_rootxz_sha256": "$combined" },
		"root.tar.xz": $(item rootfs.tar.xz root.tar.xz) } } } } } } }
END
chmod -R a+rX "$dir/site"
cat >"$dir/nginx/nginx.conf" <<END
daemon off; worker_processes 1; pid $dir/nginx/pid; error_log $dir/nginx/error.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $dir/nginx/b; proxy_temp_path $dir/nginx/p;
	fastcgi_temp_path $dir/nginx/f; uwsgi_temp_path $dir/nginx/u; scgi_temp_path $dir/nginx/s;
	server { listen 127.0.0.1:8081; root $dir/site; } }
END
nginx -c "$dir/nginx/nginx.conf" 2>"$dir/nginx/log" &
servers+=" $!"

printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5000"}\n' \
	"$dir/registry" >"$dir/registry.yml"
docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 &
servers+=" $!"
up http://127.0.0.1:8080/ping
up http://127.0.0.1:8081/streams/v1/index.json
up http://127.0.0.1:5000/v2/
# shellcheck source=tests/host/oci_layout.bash
. "$(dirname "$0")/oci_layout.bash"
again registry "$dir/layer.tar"
oci_layer "$dir/layout" "$dir/layer.tar"
skopeo --insecure-policy copy -q --preserve-digests --dest-tls-verify=false "oci:$dir/layout:latest" \
	docker://127.0.0.1:5000/tiny:1 || skip "skopeo cannot push"

# ---- what is typed ---------------------------------------------------------------

img() {
	"$bin/imgadm" "$@" --root "$root" >"$dir/out" 2>"$dir/err"
	status=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
}
img sources -d https://images.smartos.org

img sources -a http://127.0.0.1:8080
is "1. a source is added: an IMGAPI" "$status $out" '0 Added "imgapi" image source "http://127.0.0.1:8080"'
img sources -a http://127.0.0.1:8081 -t simplestreams
is "   one of simplestreams" "$status" 0
img sources -a http://127.0.0.1:5000 -t docker
is "   and a container registry" "$status" 0
img avail -H -o name,uuid name=~tiny
is "2. what there is, by name" "$status $(sort "$dir/out" | awk '{ print $1 }' | paste -sd,)" "0 tiny-web,tiny/1"
img import -q "$one"
is "3. an image is imported by its UUID" "$status $err" "0 "
img import -q -j tiny/1
is "4. one by its alias" "$status" 0
img import -q -j tiny:1
is "5. one from the registry, by its name" "$status" 0
from_registry=$(jq -r .uuid "$dir/out")
is "each is what its server has" "$(cat "$zones/images/$one/rootfs/etc/motd" "$zones/images/$from_registry/rootfs/etc/motd" | paste -sd,)" \
	"api,registry"

u=$(printf aaaaaaaa-0000-4000-8000-%012x $$)
own=$u
image=$one
payload '"uuid": "'"$u"'", "alias": "web", "nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/24"] }]' >"$dir/web.json"
vm create -f "$dir/web.json"
is "6. a zone is made of it" "$status $(head -1 "$dir/err")" "0 Successfully created VM $u"
eventually test ! -e "$zones/$u/root/var/svc/provisioning"
in_zone "$u" sh -c 'echo "hello from the zone" >/etc/greeting'
ok "7. and customised" $?
vm stop web
img create -q -c gzip -o "$dir" "$u" name=web version=1.0
is "8. an image is made of it" "$status $err" "0 "
img publish -q -m "$dir/web-1.0.imgmanifest" -f "$dir/web-1.0.tar.gz" docker://127.0.0.1:5000/web:1.0
is "9. and pushed" "$status $err" "0 "
is "others can read it there" "$(skopeo inspect --tls-verify=false docker://127.0.0.1:5000/web:1.0 | jq -r '.Os, (.Layers | length)' | paste -sd' ')" \
	"linux 1"
vm delete "$u"
img vacuum -f
is "10. what nobody needs is taken away" "$status $(ls "$zones/images" | grep -c .)" "0 0"

# What was pushed is an image like any other.
img import -q -j web:1.0
image=$(jq -r .uuid "$dir/out")
payload '"uuid": "'"$u"'", "alias": "web", "nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/24"] }]' >"$dir/web.json"
vm create -f "$dir/web.json"
is "the image comes back from the registry, and a zone of it starts" "$status" 0
is "with what was done to the first" "$(cat "$zones/$u/root/etc/greeting")" "hello from the zone"
vm delete "$u"
is "and nothing is left" "$(leftovers)" ""
finish
