#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm import oci:DIR[:TAG]: images in folders, made here and copied by skopeo.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in jq skopeo zstd; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
# shellcheck source=tests/host/oci_layout.bash
. "$(dirname "$0")/oci_layout.bash"
make_pool 1G
imgadm() { run "$bin/imgadm" "$@" --root "$root"; }
count_images() { find "$zones/images" -mindepth 1 -maxdepth 1 -not -name '.*' | wc -l; }

mkdir -p "$dir/l1/etc" "$dir/l2/etc" "$dir/l3/etc"
for n in 1 2 3; do
	echo $n >"$dir/l$n/etc/layer$n"
	head -c 100000 /dev/urandom >"$dir/l$n/data$n"
done
echo gone >"$dir/l1/etc/gone"
: >"$dir/l2/etc/.wh.gone"
for n in 1 2 3; do tar --format=posix -C "$dir/l$n" -cf "$dir/$n.tar" .; done
gzip -n "$dir/1.tar"
zstd -q --rm "$dir/2.tar"
export OCI_CONFIG='{"Cmd":["/bin/sh"]}'
oci_layer "$dir/two" "$dir/1.tar.gz" "$dir/2.tar.zst"
oci_layer "$dir/three" "$dir/1.tar.gz" "$dir/2.tar.zst" "$dir/3.tar"
for name in two three; do
	skopeo --insecure-policy copy -q "oci:$dir/$name:latest" "oci:$dir/both:$name-1.0" 2>"$dir/skopeo" || skip "skopeo: $(cat "$dir/skopeo")"
done

# ---- images
imgadm import -q --json "oci:$dir/two"
two=$(jq -r .uuid <<<"$out")
is "the only image of a layout" "$status $(jq -r .outcome <<<"$out") $(count_images)" "0 installed 2"
rootfs=$zones/images/$two/rootfs
is "its layers are one tree" "$(cat "$rootfs"/etc/layer? | xargs) $(cmp "$dir/l2/data2" "$rootfs/data2")" "1 2 "
[ ! -e "$rootfs/etc/gone" ] && [ ! -e "$rootfs/etc/.wh.gone" ]
ok "what is marked is gone" $?
imgadm import -q --json "oci:$dir/both:three-1.0"
three=$(jq -r .uuid <<<"$out")
is "one of two that skopeo copied; the layers that are here are shared" "$status $(count_images)" "0 3"
imgadm get "$three"
is "its name, and what it runs" "$(jq -c '[.manifest.origin, .manifest.tags["docker:repo"], .manifest.tags["docker:tag:three-1.0"],
	.manifest.tags["docker:config"].Cmd]' <<<"$out")" "[\"$two\",\"both\",true,[\"/bin/sh\"]]"
imgadm import -q "oci:$dir/both:three-1.0"
[ "$status" -eq 0 ] && [[ $out == *"Image $three ("*") is already installed, skipping" ]]
ok "again" $?
(cd "$dir" && "$bin/imgadm" import -q --root "$root" "oci:./two:latest" >"$dir/out" 2>"$dir/err")
is "by a relative path" "$? $(tail -n 1 "$dir/out" | cut -c1-44)" "0 Image $two ("

# ---- a disk
truncate -s 3M "$dir/disk"
printf '\125\252' | dd of="$dir/disk" bs=1 seek=510 conv=notrunc status=none
zstd -q "$dir/disk"
uuid=abcdef01-0000-4000-8000-000000000001
manifest "$dir/disk.zst" $uuid | jq '.type = "zvol" | .image_size = 3 | .nic_driver = "virtio" | .disk_driver = "virtio" | .cpu_type = "host"
	| .files[0].compression = "zstd"' >"$dir/disk.json"
cp -r "$dir/two" "$dir/layout"
layer=$(put_blob "$dir/layout" "$dir/disk.zst") config=$(put_blob "$dir/layout" "$dir/disk.json")
jq -n --arg l "$layer" --arg c "$config" --argjson ls "$(stat -c %s "$dir/disk.zst")" --argjson cs "$(stat -c %s "$dir/disk.json")" '{
	schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", artifactType: "application/vnd.dais.image.disk.v1",
	config: {mediaType: "application/vnd.dais.image.manifest.v1+json", digest: $c, size: $cs},
	layers: [{mediaType: "application/vnd.dais.image.disk.v1+zstd", digest: $l, size: $ls}]}' >"$dir/disk.manifest"
jq --arg d "$(put_blob "$dir/layout" "$dir/disk.manifest")" --argjson s "$(stat -c %s "$dir/disk.manifest")" '.manifests += [{
	mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s,
	annotations: {"org.opencontainers.image.ref.name": "disk"}}]' "$dir/two/index.json" >"$dir/layout/index.json"
imgadm import -q --json "oci:$dir/layout:disk"
is "a disk" "$status $(jq -r .uuid <<<"$out") $(cmp "$dir/disk" "$zones/images/$uuid/rootfs/disk0.raw")" "0 $uuid "

# ---- what is wrong
refuses() { # NAME OPERAND PATTERN
	imgadm import -q "$2"
	[ "$status" -eq 1 ] && [[ $err == "imgadm import: error ("*"$3"* ]]
	ok "refused: $1" $?
	[[ $err == *"$3"* ]] || echo "# $status $err"
}
refuses "several, and no tag" "oci:$dir/both" "has 2 images; say which: oci:$dir/both:TAG (there is: two-1.0, three-1.0)"
refuses "another tag" "oci:$dir/both:no" "has no tag 'no' (there is: two-1.0, three-1.0)"
refuses "no layout" "oci:$dir/l1" "is no OCI layout: it has no file 'oci-layout'"
refuses "no folder" "oci:/absent" "is no OCI layout"
imgadm delete "$three"
cp -r "$dir/three" "$dir/bad"
blob=$dir/bad/blobs/sha256/$(sha256sum <"$dir/3.tar" | cut -c1-64)
printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
refuses "a layer that is damaged" "oci:$dir/bad" "has the SHA-256"
is "of which nothing stays" "$(count_images) $(find "$zones/images/.partial" -mindepth 1 2>/dev/null | wc -l)" "3 0"
rm "$blob"
refuses "a layer that is not there" "oci:$dir/bad" "No such file"
manifest=$dir/bad/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$dir/bad/index.json")
printf ' ' >>"$manifest"
refuses "a manifest that is damaged" "oci:$dir/bad" "manifest"
echo '{"imageLayoutVersion":"2.0.0"}' >"$dir/bad/oci-layout"
refuses "another version" "oci:$dir/bad" "is a layout of version '2.0.0'"
echo '[' >"$dir/bad/oci-layout"
refuses "what is no JSON" "oci:$dir/bad" "oci-layout"
refuses "no tag behind the colon" "oci:/a:" "is not oci:DIR[:TAG]"
finish
