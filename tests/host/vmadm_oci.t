#!/bin/bash
# SPDX-License-Identifier: MIT
#
# From a container registry to a zone that runs: the tiny image in two layers, the upper of which
# takes a file away, imported by its name.
IMAGE=tiny
POOL_SIZE=1G
. "$(dirname "$0")/vmadm_lib.bash"
# shellcheck source=tests/host/oci_layout.bash
. "$(dirname "$0")/oci_layout.bash"
for tool in docker-registry skopeo zstd curl; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

a=$(printf aaaaaaaa-0000-4000-8000-%012x $$)
own=$a
printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5000"}\n' \
	"$dir/registry" >"$dir/registry.yml"
docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 &
registry=$!
trap 'kill $registry 2>/dev/null; wait $registry 2>/dev/null; cleanup' EXIT
for _ in $(seq 100); do
	curl -sf -o /dev/null http://127.0.0.1:5000/v2/ && break
	sleep 0.1
done
cp "$images/tiny.tar.zst" "$dir/1.tar.zst"
mkdir -p "$dir/l/etc"
echo "from a layer" >"$dir/l/etc/motd.layer"
: >"$dir/l/etc/.wh.os-release"
tar -C "$dir/l" --owner=0 --group=0 -cf - ./etc/motd.layer ./etc/.wh.os-release | gzip >"$dir/2.tar.gz"
oci_layer "$dir/layout" "$dir/1.tar.zst" "$dir/2.tar.gz"
skopeo --insecure-policy copy -q --preserve-digests --dest-tls-verify=false "oci:$dir/layout:latest" \
	docker://127.0.0.1:5000/tiny:1 || skip "skopeo cannot push"

"$bin/imgadm" sources --root "$root" -a http://127.0.0.1:5000 -t docker >"$dir/out"
is "the registry is a source" "$(cat "$dir/out")" 'Added "docker" image source "http://127.0.0.1:5000"'
"$bin/imgadm" import -q -j --root "$root" tiny:1 >"$dir/out" 2>"$dir/err"
is "the image is imported by its name" "$?" 0
image=$(jq -r .uuid "$dir/out")
payload '"uuid": "'$a'", "hostname": "layered", "nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/24"] }]' >"$dir/a.json"
vm create -f "$dir/a.json"
is "a zone of it is made and started" "$status $(head -1 "$dir/err")" "0 Successfully created VM $a"
eventually test ! -e "$zones/$a/root/var/svc/provisioning"
ok "it says that it is up" $?
is "it runs what both layers brought" "$(in_zone $a hostname) $(in_zone $a cat /etc/motd.layer)" "layered from a layer"
in_zone $a test ! -e /etc/os-release
ok "and not what the upper took away" $?
"$bin/imgadm" delete --root "$root" "$image" >/dev/null 2>"$dir/err"
is "while it is there, so are its layers" "$? $(cut -d'(' -f2 "$dir/err" | cut -d')' -f1 | head -1)" "1 ImageHasDependentClones"
vm delete $a
is "it is deleted" "$status" 0
is "and nothing is left" "$(leftovers)" ""
finish
