#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Images by alias from a simplestreams server: nginx, and files as such a server has them.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
for tool in xz qemu-img; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) skip "no name for this machine here" ;;
esac
make_pool 2G

# version KEY TEXT: a version's files, whose root file system has TEXT in it.
version() {
	local at=$site/images/tiny/$1
	mkdir -p "$at" "$dir/tree/etc"
	echo "$2" >"$dir/tree/etc/motd"
	tar -C "$dir/tree" -cJf "$at/rootfs.tar.xz" .
	echo "meta $1" | xz >"$at/lxd.tar.xz"
	{ echo "$2"; head -c 300000 /dev/urandom; } >"$dir/raw"
	truncate -s 4M "$dir/raw"
	qemu-img convert -c -O qcow2 "$dir/raw" "$at/disk.qcow2"
}
version 20250101_01:00 old
version 20250202_02:00 new
cp "$dir/raw" "$dir/raw.new"
mkdir -p "$site/images/tiny/20250303_03:00" "$site/streams/v1"
cat >"$dir/index.py" <<'END'
import hashlib, json, os, sys
site, arch = sys.argv[1:]
def data(p):
    with open(os.path.join(site, p), "rb") as f:
        return f.read()
def sha(b):
    return hashlib.sha256(b).hexdigest()
versions = {}
for key in sorted(os.listdir(site + "/images/tiny")):
    at, items = "images/tiny/" + key, {}
    for name, ftype in (("rootfs.tar.xz", "root.tar.xz"), ("disk.qcow2", "disk-kvm.img"),
                        ("rootfs.squashfs", "squashfs")):
        if os.path.exists(os.path.join(site, at, name)):
            b = data(at + "/" + name)
            items[name] = {"ftype": ftype, "path": at + "/" + name, "sha256": sha(b), "size": len(b)}
    if items:
        m = data(at + "/lxd.tar.xz")
        items["lxd.tar.xz"] = {"ftype": "lxd.tar.xz", "path": at + "/lxd.tar.xz", "sha256": sha(m), "size": len(m),
                               "combined_rootxz_sha256": sha(m + b"xz" + key.encode()),
                               "combined_squashfs_sha256": sha(m + b"squashfs" + key.encode()),
                               "combined_disk-kvm-img_sha256": sha(m + b"disk" + key.encode())}
    versions[key] = {"items": items}
product = {"aliases": "tiny/1/default,tiny/1", "arch": arch, "os": "Tiny", "release": "1", "versions": versions}
other = {"aliases": "tiny/other", "arch": "none", "versions": versions}
with open(site + "/streams/v1/index.json", "w") as f:
    json.dump({"format": "index:1.0", "index": {"images": {
        "datatype": "image-downloads", "path": "streams/v1/images.json", "format": "products:1.0"}}}, f)
with open(site + "/streams/v1/images.json", "w") as f:
    json.dump({"format": "products:1.0", "products": {"tiny:1": product, "tiny:2": other}}, f)
END
python3 "$dir/index.py" "$site" "$arch"
chmod -R a+rX "$site"
wait_for_port "$api/streams/v1/index.json"

imgadm sources -a $api -t simplestreams
is "adds the source, which answers" "$status $out" "0 Added \"simplestreams\" image source \"$api\""
imgadm sources -d https://images.smartos.org
imgadm avail -H -o name,version,type,pub
is "avail has the newest version's two images, of this machine" "$out" \
	"tiny/1     20250202_02.00  lx-dataset  2025-02-02
tiny/1/vm  20250202_02.00  zvol        2025-02-02"

imgadm import -q tiny/1
is "imports by alias" "$status $err" "0 "
imgadm list -H -o uuid name=tiny/1
uuid=$out
is "the newest" "$(cat "$zones/images/$uuid/rootfs/etc/motd")" new
imgadm import -q tiny/1
is "again: nothing to do" "$status $err" "0 "
imgadm import -q tiny/1/vm
is "imports the disk" "$status $err" "0 "
imgadm list -H -o uuid type=zvol
cmp -s "$zones/images/$out/rootfs/disk0.raw" "$dir/raw.new"
ok "which is the one that was packed" $?
imgadm import -q tiny/nothing
[ "$status" -eq 1 ] && [[ $err == *"ActiveImageNotFound"* || $err == *"ImageNotFound"* ]]
ok "an alias that is not there is an error" $?

# A file that is not what the list says.
imgadm delete "$uuid"
printf x >>"$site/images/tiny/20250202_02:00/rootfs.tar.xz"
imgadm import -q tiny/1
is "a file of another size is refused" "$status" 1
truncate -s -1 "$site/images/tiny/20250202_02:00/rootfs.tar.xz"
printf 'changed' | dd of="$site/images/tiny/20250202_02:00/rootfs.tar.xz" bs=1 seek=30 conv=notrunc status=none
imgadm import -q tiny/1
[ "$status" -eq 1 ] && [[ $err == *DownloadError*SHA-256* ]]
ok "a changed file is refused: $err" $?
is "and nothing of it is left" "$(find "$zones/images" -name "$uuid*" | wc -l)" 0

# A version that has no archive.
if command -v mksquashfs >/dev/null; then
	last=$site/images/tiny/20250404_04:00
	mkdir "$last"
	echo squashed >"$dir/tree/etc/motd"
	mksquashfs "$dir/tree" "$last/rootfs.squashfs" -quiet -no-progress >/dev/null
	echo meta | xz >"$last/lxd.tar.xz"
	python3 "$dir/index.py" "$site" "$arch"
	imgadm import -q tiny/1
	is "imports a version that has a squashfs only" "$status $err" "0 "
	imgadm list -H -o uuid version=20250404_04.00
	is "which is its tree" "$(cat "$zones/images/$out/rootfs/etc/motd")" squashed
else
	ok "a version that has squashfs only # SKIP 'mksquashfs' is not installed" 0
fi
finish
