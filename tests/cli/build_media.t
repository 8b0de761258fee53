#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the writers of media refuse, each with its reason and nothing left behind, and
# the size of a FAT, which follows from what goes into it. That the media boot is
# for tests/platform/media.t.
. "$(dirname "$0")/build_lib.bash"
unset OUTPUT STRAP SOURCE_DATE_EPOCH

o=$work/output p=$work/output/platform-20260401T093000Z
mkdir -p "$p/etc/version" "$work/other" "$work/platform-a b"
echo 20260401T093000Z > "$p/etc/version/platform"
for file in kernel boot_archive boot_archive.hash; do
	echo "$file" > "$p/$file"
done
echo key > "$work/key.pem"

medium() # medium TOOL OPTION...
{
	local tool=$1
	shift
	(cd "$work" && BUILD=build OUTPUT=output run "$top/tools/media/$tool" "$@"; exit "$status")
	status=$?
}

# refused NAME STATUS TEXT TOOL OPTION...
refused() {
	local name=$1 want=$2 text=$3
	shift 3
	medium "$@"
	[ "$status" -eq "$want" ] && grep -qF -- "$text" "$work/err"
	ok "$name" $?
}

for tool in iso usb netboot uki; do
	medium $tool -h
	[ "$status" -eq 0 ] && grep -q "^usage: tools/media/$tool " "$work/out"
	ok "$tool: -h is its manual" $?
	refused "$tool: a console that there is not" 2 \
		"$tool: -c 'ttyz': it must be one of text ttya ttyb ttyc ttyd" $tool -c ttyz "$p"
	refused "$tool: an option that there is not" 2 "$tool: unknown option '-x'" $tool -x "$p"
	refused "$tool: boot options that a loader would read otherwise" 2 \
		"$tool: -o: quotes, backslashes and control characters" $tool -o "a='b'" "$p"
	refused "$tool: two platforms" 2 "one platform only" $tool "$p" "$p"
	refused "$tool: no such platform" 1 "'$work/none': no such folder" $tool "$work/none"
	refused "$tool: a folder that is none" 1 "'other': the folder of a platform is called" $tool "$work/other"
	refused "$tool: a name that a menu could not show" 1 "letters, digits" $tool "$work/platform-a b"
	refused "$tool: no build root" 1 "no build root in 'build/strap/root': 'make strap' makes it" $tool "$p"
done
for tool in iso usb netboot; do
	refused "$tool: seconds that are none" 2 "$tool: -t '1m': seconds from 0 to 9999" $tool -t 1m "$p"
done
refused "usb: room that is none" 2 "usb: -r '1G': MiB from 0 to 999999" usb -r 1G "$p"
refused "usb: an option without its value" 2 "usb: option -r needs a value" usb -r
mkdir -p "$work/build/strap/root/usr/bin"
ln -s /usr/bin/env "$work/build/strap/root/usr/bin/env"
for tool in netboot uki; do
	refused "$tool: a key without its certificate" 2 "$tool: -K and -C go together" $tool -K "$work/key.pem" "$p"
	refused "$tool: a key that is not there" 1 "$tool: cannot read the key '$work/none.pem'" \
		$tool -K "$work/none.pem" -C "$work/key.pem" "$p"
	refused "$tool: nor a certificate" 1 "$tool: cannot read the certificate '$work/none.pem'" \
		$tool -K "$work/key.pem" -C "$work/none.pem" "$p"
done
refused "netboot: one platform twice" 1 "netboot: '$p' is named twice" netboot -p "$p" "$p"
rm "$p/boot_archive"
refused "iso: a platform that was cut off" 1 "'$p/boot_archive' is missing: this is no whole platform" iso "$p"
[ "$(ls -A "$o")" = "${p##*/}" ]
ok "nothing was written, and nothing left" $?

# size NAME LEAST MOST: the MiB of a FAT with what is in $work/tree, and its cluster
size() {
	local name=$1 sectors
	run "$top/tools/media/fat" size "${@:4}" "$work/tree"
	read -r sectors cluster < "$work/out"
	[ "$status" -eq 0 ] && [ $((sectors / 2048)) -ge "$2" ] && [ $((sectors / 2048)) -le "$3" ]
	ok "$name: $((${sectors:-0} / 2048)) MiB" $?
}

mkdir "$work/tree"
size "the least that FAT32 can be" 32 34
[ "$cluster" -eq 1 ]
ok "of the smallest clusters" $?
size "room for 100 MiB more" 100 104 -r $((100 * 1048576))
truncate -s 400M "$work/tree/large"
size "a file of 400 MiB" 400 404
[ "$cluster" -eq 8 ]
ok "of clusters as other systems make them" $?
for ((i = 0; i < 300; i++)); do
	echo > "$work/tree/a file with a name that takes several entries of its folder, number $i"
done
size "each small file takes a cluster, each long name its entries" 401 405
size "one that is larger than its clusters can be counted" 200400 201400 -r $((200000 * 1048576))
[ "$cluster" -gt 8 ]
ok "has larger ones" $?
mkfifo "$work/tree/pipe"
run "$top/tools/media/fat" size "$work/tree"
[ "$status" -ne 0 ] && grep -qF 'fat: neither file nor folder: pipe' "$work/err"
ok "what no FAT can hold is named" $?
done_testing
