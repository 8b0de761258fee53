#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm publish to container registries: Debian's docker-registry, open, behind a password, and
# behind a proxy that breaks uploads; skopeo and imgadm itself read what came there.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
# shellcheck source=tests/host/registry_lib.bash
. "$(dirname "$0")/registry_lib.bash"
make_pool 1G
upload=127.0.0.1:8092
python3 "$(dirname "$0")/upload_proxy.py" 8092 $registry "$dir/upload" &
upload_pid=$!
push_cleanup() {
	kill $upload_pid 2>/dev/null
	wait $upload_pid 2>/dev/null
	registries_cleanup
}
trap push_cleanup EXIT
wait_for_port http://$upload/v2/
breaks() { printf '%s\n' "$@" >"$dir/upload.rules"; }
asked_upload() { grep -cE "$1" "$dir/upload.log"; }
look() { skopeo inspect --tls-verify=false "$@" 2>"$dir/skopeo.err"; }
tree() { (cd "$1" && find . -mindepth 1 \( -type d -printf '%p %y %m %U %G\n' -o -printf '%p %y %m %U %G %l %n\n' \) | sort && find . -type f -print0 | sort -z | xargs -0 sha1sum); }

# ---- an image of ours: more than one piece
t=$dir/tree
mkdir -p "$t/etc" "$t/usr/bin"
echo hello >"$t/etc/hello" && chmod 4755 "$t/etc/hello" && chown 33:44 "$t/etc/hello"
ln "$t/etc/hello" "$t/usr/bin/again"
ln -s ../etc/hello "$t/usr/link"
head -c 20000000 /dev/urandom >"$t/usr/big"
tar --format=posix --sort=name -C "$t" -cf "$dir/i.tar" .
gzip -1nk "$dir/i.tar"
zstd -q -1 "$dir/i.tar" -o "$dir/i.tar.zst"
xz -0k "$dir/i.tar"
uuid=$(printf abcdef01-0000-4000-8000-%012x $$)
manifest() { # FILE COMPRESSION [FILTER]: $dir/m
	jq -n --arg u "$uuid" --arg s "$(sha1sum <"$1" | cut -c1-40)" --argjson n "$(stat -c %s "$1")" --arg c "$2" '{
		v: 2, uuid: $u, owner: "00000000-0000-0000-0000-000000000000", name: "pushed", version: "1.2", state: "active",
		disabled: false, public: true, published_at: "2024-01-02T03:04:05Z", type: "zone-dataset", os: "linux",
		description: "a test", files: [{sha1: $s, size: $n, compression: $c}],
		tags: {"docker:config": {Cmd: ["/bin/sh"]}}}'" | ${3:-.}" >"$dir/m"
}
send() { imgadm publish -q -m "$dir/m" -f "$@"; }
# Its status says less: 1, or 2 from version 1.18 on.
nothing() {
	look "docker://$registry/$1" >/dev/null
	ok "$2" "$([ $? -ne 0 ] && grep -q 'manifest unknown' "$dir/skopeo.err"; echo $?)"
}

for kind in gzip:i.tar.gz none:i.tar zstd:i.tar.zst; do
	c=${kind%%:*} f=$dir/${kind#*:}
	manifest "$f" "$c"
	send "$f" "docker://$registry/team/$c:1.0"
	is "$c: is pushed" "$status $err" "0 "
	digest=$(sed -n 's/^Pushed .*(\(.*\))$/\1/p' <<<"$out")
	is "... by the digest that the registry has" "$digest" "$(look "docker://$registry/team/$c:1.0" | jq -r .Digest)"
	rm -rf "$dir/copy"
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$registry/team/$c:1.0" "dir:$dir/copy" 2>"$dir/skopeo.err"
	is "... and skopeo copies it" "$? $(sha256sum <"$dir/copy/$(jq -r '.layers[0].digest[7:]' "$dir/copy/manifest.json")")" "0 $(sha256sum <"$f")"
	is "its configuration" "$(jq -c '[.os, .architecture, .config.Cmd, .rootfs.diff_ids[0], .created]' \
		"$dir/copy/$(jq -r '.config.digest[7:]' "$dir/copy/manifest.json")")" \
		"[\"linux\",\"$(machine)\",[\"/bin/sh\"],\"sha256:$(sha256sum <"$dir/i.tar" | cut -c1-64)\",\"2024-01-02T03:04:05Z\"]"
	is "the manifest has ours" "$(jq -r '.annotations["org.dais.image.manifest"]' "$dir/copy/manifest.json" | jq -c .)" "$(jq -c . "$dir/m")"
	sources "$(registry_at $registry)"
	imgadm import -q --json "team/$c:1.0"
	is "imgadm imports it" "$status" 0
	got=$(jq -r .uuid <<<"$out")
	diff <(tree "$t") <(tree "$zones/images/$got/rootfs") >"$dir/diff"
	ok "... as the same tree" $?
	head -5 "$dir/diff" | sed 's/^/# /'
	imgadm delete "$got"
done
f=$dir/i.tar.gz
manifest "$f" gzip
imgadm publish -m "$dir/m" -f "$f" "docker://$registry/team/gzip:2.0"
[[ $out == *"The layer is in the registry already, skipping"* && $out == *"Successfully published image $uuid to docker://$registry/team/gzip:2.0"* ]]
ok "a second tag sends no layer again" $?

# ---- what is refused before anything is sent
refuses() { # NAME PATTERN FILE COMPRESSION [FILTER]
	manifest "$3" "$4" "${5:-.}"
	send "$3" "docker://$registry/team/never"
	[ "$status" -eq 1 ] && [[ $err == *"error (NotSupported): "* && $err == *$2* ]]
	ok "$1" $?
	[[ $err == *$2* ]] || echo "# $status $err"
}
refuses "xz, which registries do not know" "packed with xz" "$dir/i.tar.xz" xz
refuses "a part of an image" "from its origin" "$f" gzip '.origin = .uuid'
mkdir -p "$dir/marked/a/.wh.b"
tar --format=posix -C "$dir/marked" -cf "$dir/marked.tar" .
refuses "a name that is a marker there" "'./a/.wh.b/'" "$dir/marked.tar" none
head -c 5000 /dev/urandom >"$dir/noise"
refuses "what is no tar" "no tar" "$dir/noise" none
for wrong in docker://nohost docker://h.x/UPPER "docker://$registry/a@sha256:12"; do
	send "$f" "$wrong"
	[ "$status" -ne 0 ] && [[ $err == *"'$wrong' is not docker://HOST"* ]]
	ok "the name $wrong" $?
done
nothing team/never "nothing of that is there"

# ---- a disk
head -c 3145728 /dev/urandom >"$dir/disk"
printf '\125\252' | dd of="$dir/disk" bs=1 seek=510 conv=notrunc status=none # the boot signature
gzip -1n "$dir/disk"
manifest "$dir/disk.gz" gzip '.type = "zvol" | .image_size = 3 | .nic_driver = "virtio" | .disk_driver = "virtio" | .cpu_type = "host"
	| .requirements = {}'
send "$dir/disk.gz" "docker://$registry/team/disk:1"
is "a disk is pushed" "$status $err" "0 "
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/team/disk/manifests/1" >"$dir/got"
is "... as an artifact" "$(jq -c '[.artifactType, .config.mediaType, .layers[0].mediaType, .layers[0].digest]' "$dir/got")" \
	"[\"application/vnd.dais.image.disk.v1\",\"application/vnd.dais.image.manifest.v1+json\",\"application/vnd.dais.image.disk.v1+gzip\",\"sha256:$(sha256sum <"$dir/disk.gz" | cut -c1-64)\"]"
is "... with our manifest" "$(curl -s "http://$registry/v2/team/disk/blobs/$(jq -r .config.digest "$dir/got")" | jq -c .)" "$(jq -c . "$dir/m")"

# ---- and imported: the import that goes on where it broke, and looks at what comes
disk_sha256=$(sha256sum <"$dir/disk.gz" | cut -c1-64)
sources "$(registry_at $broken)"
forget_requests
rules "1 reset 1000000 blobs/sha256:$disk_sha256"
imgadm import -q --json team/disk:1
is "the disk is imported, though the connection breaks" "$status $(jq -c '[.uuid, .outcome, .installed]' <<<"$out")" \
	"0 [\"$uuid\",\"installed\",1]"
requests "sha256:$disk_sha256" | grep -q "bytes=[1-9]"
ok "... and gone on with" $?
imgadm get "$uuid"
is "... with its own uuid, name and kind, and both hashes" \
	"$(jq -c '.manifest | [.uuid, .name, .version, .type, .nic_driver, .files[0].sha1, .files[0].sha256]' <<<"$out")" \
	"[\"$uuid\",\"pushed\",\"1.2\",\"zvol\",\"virtio\",\"$(sha1sum <"$dir/disk.gz" | cut -c1-40)\",\"$disk_sha256\"]"
is "... the same bytes" "$(sha1sum <"$zones/images/$uuid/rootfs/disk0.raw")" "$(gzip -dc "$dir/disk.gz" | sha1sum)"
imgadm import -q team/disk:1
[ "$status" -eq 0 ] && [[ $out == "Image $uuid ("*") is already installed, skipping" ]]
ok "... once" $?
imgadm delete "$uuid"
rules "0 corrupt 2000000 blobs/sha256:$disk_sha256"
imgadm import -q team/disk:1
[ "$status" -eq 1 ] && [ ! -e "$zones/images/$uuid" ] && [[ $err == *"error (DownloadError): "* ]]
ok "a disk that is damaged on its way is refused" $?
# What the registry says of itself is held against our manifest.
lies() { # NAME FILTER PATTERN: the manifest, changed
	jq -c "$2" "$dir/got" >"$dir/lie"
	rules "0 body $dir/lie manifests/1"
	imgadm import -q team/disk:1
	[ "$status" -eq 1 ] && [[ $err == *"$3"* ]] && [ ! -e "$zones/images/$uuid" ]
	ok "refused: $1" $?
}
lies "another size" '.layers[0].size += 1' "(InvalidDockerInfo): the manifest says that the file has "
lies "another layer" '.layers[0].mediaType = "application/octet-stream"' "(NotSupported): the artifact is not one disk"
lies "two layers" '.layers += .layers' "(NotSupported): the artifact is not one disk"
printf '{"v":2}' >"$dir/config"
rules "0 body $dir/lie manifests/1" "0 body $dir/config blobs/sha256:$(sha256sum <"$dir/config" | cut -c1-64)"
jq -c --arg d "sha256:$(sha256sum <"$dir/config" | cut -c1-64)" '.config.digest = $d | .config.size = 7' "$dir/got" >"$dir/lie"
imgadm import -q team/disk:1
[ "$status" -eq 1 ] && [[ $err == *"(InvalidDockerInfo): the configuration is no manifest of a disk: invalid manifest: "* ]]
ok "refused: a configuration that is no manifest" $?
rules ""

# ---- who may
manifest "$f" gzip
auth() { jq -n --arg h "$1" --arg a "$(printf %s "$2" | base64)" '{auths: {($h): {auth: $a}}}' >"$dir/auth.json"; }
export REGISTRY_AUTH_FILE=$dir/auth.json
sources
auth other.example tester:secret
send "$f" "docker://$locked/team/locked:1"
is "without a password" "$status ${err:0:38}" "1 imgadm publish: error (Unauthorized): "
auth $locked tester:wrong
send "$f" "docker://$locked/team/locked:1"
is "with a wrong one" "$status ${err:0:38}" "1 imgadm publish: error (Unauthorized): "
nothing team/locked:1 "nothing is there"
auth $locked tester:secret
send "$f" "docker://$locked/team/locked:1"
is "with the right one" "$status $err" "0 "
look "docker://$registry/team/locked:1" >/dev/null
ok "it is there" $?

# ---- what servers and networks do wrong; each time other bytes
fresh() {
	head -c 17000000 /dev/urandom >"$t/usr/big"
	tar --format=posix --sort=name -C "$t" -cf "$dir/i.tar" .
	f=$dir/i.tar
	manifest "$f" none
	: >"$dir/upload.log"
}
auth $upload tester:secret
fresh
breaks "PATCH 2 status 503"
send "$f" "docker://$upload/team/broken:1"
# One upload is the layer's, one the configuration's.
is "a piece that fails is sent again" "$status $err $(asked_upload ^PATCH) $(asked_upload '^POST')" "0  4 2"
fresh
breaks "PATCH 2 reset 0"
send "$f" "docker://$upload/team/broken:2"
is "so is one whose connection breaks" "$status $err $(asked_upload '^POST')" "0  3"
fresh
breaks "PATCH 0 corrupt 100"
send "$f" "docker://$upload/team/broken:3"
[ "$status" -eq 1 ] && [[ $err == *"error (UploadError): "*digest* ]]
ok "damaged on its way" $?
nothing team/broken:3 "nothing is there"
fresh
breaks "PATCH 0 slow 8000000"
"$bin/imgadm" publish -q --root "$root" -m "$dir/m" -f "$f" "docker://$upload/team/broken:4" >"$dir/out" 2>&1 &
pid=$!
for _ in $(seq 100); do [ "$(asked_upload ^PATCH)" -gt 0 ] && break; sleep 0.1; done
kill -9 $pid
wait $pid 2>/dev/null
nothing team/broken:4 "killed: nothing is there"
breaks
send "$f" "docker://$upload/team/broken:4"
is "and again" "$status $err" "0 "
is "it is whole" "$(curl -s "http://$registry/v2/team/broken/blobs/sha256:$(sha256sum <"$f" | cut -c1-64)" | sha1sum)" "$(sha1sum <"$f")"
fresh
breaks "POST 0 elsewhere $registry"
send "$f" "docker://$upload/team/broken:5"
is "an upload to another server" "$status $err" "0 "

# ---- tokens, and who gets them
fresh
: >"$dir/upload.bearer"
breaks "POST 0 elsewhere localhost:8092"
send "$f" "docker://$upload/team/token:1"
is "with a token, and an upload that goes elsewhere" "$status $err" "0 "
is "the token is for writing, whatever is proposed" "$(grep Basic "$dir/upload.log")" \
	"GET $upload /token?service=test&scope=repository:team/token:pull,push Basic"
is "it goes to the registry alone" "$(grep -cE '^(PATCH|PUT) localhost:8092 .* $' "$dir/upload.log") $(grep -cE '^[A-Z]+ localhost.* (Basic|Bearer)$' "$dir/upload.log")" "5 0"
[ "$(asked_upload '^PUT 127.*manifests/1 Bearer')" -eq 1 ]
ok "with which the tag is put" $?
auth $upload tester:wrong
fresh
send "$f" "docker://$upload/team/token:2"
is "no token for a wrong password" "$status ${err:0:38}" "1 imgadm publish: error (Unauthorized): "
rm "$dir/upload.bearer"
fresh
breaks "PUT 0 digest manifests"
send "$f" "docker://$upload/team/broken:6"
is "a registry that has something else" "$status ${err:0:37}" "1 imgadm publish: error (UploadError): "
finish
