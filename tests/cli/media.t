#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The writers of media say what is wrong before they write anything, and leave
# nothing behind. What they write is held to account in tests/platform/media.t.
. "$(dirname "$0")/build_lib.bash"

mkdir -p "$work/output" "$work/strap/usr/bin"
: > "$work/strap/usr/bin/env"
chmod +x "$work/strap/usr/bin/env"
export OUTPUT=$work/output STRAP=$work/strap BUILD=$work/build

# platform NAME - a whole one, as far as can be seen
platform() {
	mkdir -p "$OUTPUT/$1/etc/version"
	touch "$OUTPUT/$1/kernel" "$OUTPUT/$1/boot_archive" "$OUTPUT/$1/boot_archive.hash"
	echo "${1#platform-}" > "$OUTPUT/$1/etc/version/platform"
}

for tool in iso usb netboot uki; do
	run "$top/tools/media/$tool" -h
	is "$tool -h" 0
	says "is its usage" out "usage: tools/media/$tool "
	run "$top/tools/media/$tool"
	is "$tool without a platform fails" 1
	says "and says what makes one" err "/platform-latest': no such folder; 'make live' makes a platform"
	run "$top/tools/media/$tool" -c com1
	is "$tool -c with an unknown console is wrong use" 2
	says "which names the known ones" err "-c 'com1': it must be one of text ttya ttyb ttyc ttyd"
	run "$top/tools/media/$tool" -x
	is "an unknown option of $tool is wrong use" 2
	run "$top/tools/media/$tool" -o "a='b c'"
	is "$tool -o with quotes is wrong use" 2
	says "and says so" err 'quotes, backslashes and control characters cannot be in boot options'
	run "$top/tools/media/$tool" -o
	is "$tool -o without options is wrong use" 2
	says "and says what is missing" err 'option -o needs a value'
done

platform platform-20260101T000000Z
good=$OUTPUT/platform-20260101T000000Z
run "$top/tools/media/usb" -t soon "$good"
is "seconds that are none" 2
says "are named" err "-t 'soon': seconds from 0 to 9999"
run "$top/tools/media/usb" -r -1 "$good"
is "room that is none" 2
run "$top/tools/media/iso" "$good" "$good"
is "two platforms without -p" 2
for tool in uki netboot; do
	run "$top/tools/media/$tool" -K "$work/key" "$good"
	is "$tool: a key without its certificate" 2
	run "$top/tools/media/$tool" -K "$work/key" -C "$work/key" "$good"
	is "$tool: a key that is not there" 1
	says "is named" err "cannot read the key '$work/key'"
done

run "$top/tools/media/netboot" -l "$work" "$good"
is "a folder without loaders" 1
says "is told by what is missing" err "'$work' has no 'undionly.kpxe'; 'make extra.ipxe' makes it"

platform 'platform-a b'
run "$top/tools/media/iso" "$OUTPUT/platform-a b"
is "a name that a menu cannot have" 1
says "is refused with what can be in one" err "letters, digits and . _ + - only can be in a platform's name"
mkdir "$OUTPUT/other"
run "$top/tools/media/iso" "$OUTPUT/other"
is "a folder that is not called as platforms are" 1
says "is refused" err "the folder of a platform is called 'platform-STAMP'"
platform platform-20260102T000000Z
rm "$OUTPUT/platform-20260102T000000Z/boot_archive"
run "$top/tools/media/iso" -p "$OUTPUT/platform-20260102T000000Z" "$good"
is "one that lacks its archive" 1
says "is refused by the file's name" err "platform-20260102T000000Z/boot_archive' is missing: this is no whole platform"
STRAP=$work/none run "$top/tools/media/iso" "$good"
is "no build root" 1
says "says what makes it" err "no build root in '$work/none': 'make strap' makes it"

# What a debug build has the kernel watch is the same whoever boots it.
platform platform-20260103T000000Z-debug
debug=$OUTPUT/platform-20260103T000000Z-debug
run "$top/tools/boot/words" "$good"
is "a release brings no boot options" 0 ""
ln -s "${debug##*/}" "$work/latest"
run "$top/tools/boot/words" "$work/latest"
is "a debug build does, by its name" 0 " slub_debug=FZP oops=panic"
grep -qF "set debug_words='$(sed 's/^ //' "$work/out")'" "$top/tools/media/grub.cfg"
ok "the menu of media has the same" $?
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' > "$work/qemu"
chmod +x "$work/qemu"
QEMU=$work/qemu run "$top/tools/boot/run" -n -t -d none -a more=1 "$debug"
grep -q '^console=ttyS0,115200 quiet slub_debug=FZP oops=panic .*more=1' "$work/out"
ok "so has the machine of 'make boot'" $?
QEMU=$work/qemu run "$top/tools/boot/run" -n -t -d none "$good"
grep -q '^console=ttyS0' "$work/out" && ! grep -q slub_debug "$work/out"
ok "which a release does not" $?
rm -r "$debug"

# The size of a medium comes from files alone: whether du counts folders depends on its version.
mkdir -p "$work/files/folder"
head -c 1025 /dev/zero > "$work/files/folder/one"
ln -s folder/one "$work/files/link"
(cd "$work/files/folder" && seq -f "$(printf 'a%.0s' {1..200})-%04.0f" 500 | tee "$work/names" | xargs touch &&
	xargs rm < "$work/names")
run bash -c '. "$1" && kib_of "$2"' "$top/tools/media/usb" "$top/tools/media/lib.bash" "$work/files"
is "what files need is told without their folders" 0 4

run ls -A "$OUTPUT"
is "nothing is left behind but what was there" 0 'other
platform-20260101T000000Z
platform-20260102T000000Z
platform-a b'
done_testing
