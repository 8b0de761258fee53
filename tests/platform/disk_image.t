#!/bin/bash
# SPDX-License-Identifier: MIT
#
# images/debian-disk/assemble: a disk of a small tree, without packages: what is on it, and that it
# is the same by whomever it is made. That the real one boots, make image-test looks at. It is
# here because it needs the build root that make live leaves.
# shellcheck source=tests/lib.bash
. "$(dirname "$0")/../lib.bash"

set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
strap=$(realpath "${BUILD:-build}")/strap/root
[ -x "$strap/usr/sbin/mke2fs" ] || skip "no build root with mke2fs in '$strap': make strap"
command -v jq >/dev/null || skip "'jq' is not installed"
dir=$(mktemp -d /tmp/dais-assemble.XXXXXX)
trap 'rm -rf "$dir"' EXIT
in_strap() { tools/strap/run -w "$dir/a=/obj" "$strap" "$@" 2>&1; }
assemble() { # FOLDER: disk.raw of its tree.tar
	SOURCE_DATE_EPOCH=1735689600 tools/strap/run -r images/debian-disk=/image -r tools/media=/media -w "$1=/obj" "$strap" \
		env "SIZE_MIB=${2:-64}" sh /image/assemble /obj/tree.tar /obj/disk.raw /media >"$1/log" 2>&1
}

mkdir -p "$dir/tree/boot" "$dir/tree/etc" "$dir/tree/usr/bin" "$dir/tree/tmp" "$dir/a" "$dir/b/other"
seq 400000 >"$dir/tree/boot/vmlinuz-1"
ln -s boot/vmlinuz-1 "$dir/tree/vmlinuz"
echo program >"$dir/tree/usr/bin/x"
ln "$dir/tree/usr/bin/x" "$dir/tree/usr/bin/y"
echo ü >"$dir/tree/usr/bin/ü"
chmod 1777 "$dir/tree/tmp"
chmod 4755 "$dir/tree/usr/bin/x"
tar -C "$dir/tree" --sort=name --owner=33 --group=44 --numeric-owner --mtime=@1700000000 --format=posix \
	--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime -cf "$dir/a/tree.tar" .
cp "$dir/a/tree.tar" "$dir/b/other/"
assemble "$dir/a"
is "a disk is made" "$? $(cat "$dir/a/log")" "0 "
(umask 077 && TZ=Asia/Tokyo assemble "$dir/b/other")
is "by another umask, elsewhere, it is the same" "$(sha256sum <"$dir/b/other/disk.raw")" "$(sha256sum <"$dir/a/disk.raw")"
is "its partitions" "$(in_strap sfdisk -J /obj/disk.raw | jq -c '[.partitiontable.partitions[] | [.name, .start, .size]]')" \
	'[["bios",2048,2048],["esp",4096,65536],["root",69632,59392]]'
is "the boot code knows where GRUB is" "$(od -An -t u8 -j 92 -N 8 "$dir/a/disk.raw" | xargs) $(od -An -t u8 -j $((2048 * 512 + 500)) -N 8 "$dir/a/disk.raw" | xargs) $(od -An -t x1 -j 510 -N 2 "$dir/a/disk.raw" | xargs)" \
	"2048 2049 55 aa"
dd if="$dir/a/disk.raw" of="$dir/a/root" bs=1M skip=34 count=29 status=none
dd if="$dir/a/disk.raw" of="$dir/a/esp" bs=1M skip=2 count=32 status=none
is "the file system is sound" "$(in_strap e2fsck -fn /obj/root >"$dir/fsck"; echo $?)" 0
stat_of() { in_strap debugfs -R "stat $1" /obj/root | sed -n 's/.*Mode: *\([0-7]*\).*/\1/p; s/^User: *\([0-9]*\) *Group: *\([0-9]*\).*/\1:\2/p; s/.*Links: \([0-9]*\) .*/links \1/p' | xargs; }
is "files have owners, modes and links" "$(stat_of usr/bin/x)" "04755 33:44 links 2"
is "so have folders" "$(stat_of tmp)" "01777 33:44 links 2"
is "there is a folder for devices" "$(stat_of dev)" "0755 0:0 links 2"
is "and what the loader reads" "$(in_strap debugfs -R 'cat boot/vmlinuz-1' /obj/root | grep -av ^debugfs | sha1sum)" "$(sha1sum <"$dir/tree/boot/vmlinuz-1")"
uuid=$(in_strap blkid -s UUID -o value /obj/root)
is "root is found by its own name" "$(in_strap debugfs -R 'cat boot/grub/grub.cfg' /obj/root | grep -c "root=UUID=$uuid ro") $(in_strap debugfs -R 'cat etc/fstab' /obj/root | grep -c "^UUID=$uuid / ext4")" "2 1"
is "by UEFI as well" "$(in_strap mtype -i /obj/esp ::EFI/debian/grub.cfg | head -n 1)" "search.fs_uuid $uuid root"
is "whose loader is shim" "$(in_strap mtype -i /obj/esp ::EFI/BOOT/BOOTX64.EFI | sha1sum)" "$(sha1sum <"$strap/usr/lib/shim/shimx64.efi.signed")"

echo more >>"$dir/tree/usr/bin/x"
tar -C "$dir/tree" --sort=name -cf "$dir/b/other/tree.tar" .
assemble "$dir/b/other"
is "another tree has other names" "$(blkid -p -s PTUUID -o value "$dir/b/other/disk.raw" 2>/dev/null | grep -cx "$(blkid -p -s PTUUID -o value "$dir/a/disk.raw")")" 0
assemble "$dir/b/other" 37
is "a disk that is too small for it is refused" "$(($? != 0))" 1
finish
