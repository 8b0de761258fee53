#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every medium boots, on BIOS and UEFI, with and without Secure Boot, until early
# userspace has accepted and mounted the root image; three of them to the login
# prompt. The menu's rescue entry, an older platform and other consoles are chosen
# by hand. And each medium has the same bytes when it is made twice.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/screen.bash"

ovmf=${OVMF:-/usr/share/OVMF}
[ -r "$ovmf/OVMF_CODE_4M.secboot.fd" ] || skip "no '$ovmf/OVMF_CODE_4M.secboot.fd' (package ovmf)"
for program in mcopy openssl perl python3 sbverify; do
	command -v $program > /dev/null || skip "no $program"
done
[ -x "$BUILD/strap/root/usr/bin/xorriso" ] || skip "no build root in '$BUILD/strap/root': make strap"
STRAP=$(realpath "$BUILD/strap/root")
export STRAP

# A clock that an emulated processor has, and the kernel's word when the root is mounted.
words='tsc=unstable no_timer_check mitigations=off loglevel=7'
mounted='mounted with root inode'
stamp=$(cat "$platform/etc/version/platform")
old=platform-20200101T000000Z
older=$dir/$old
server=''
trap '[ -z "$server" ] || kill "$server"; cleanup' EXIT
cp -rL "$platform" "$older"

# make_medium TOOL OPTION... - into $dir/media
make_medium() {
	local tool=$1
	shift
	out=$(OUTPUT=$dir/media "tools/media/$tool" "$@" "$platform" 2>&1)
	status=$?
	ok "$tool is made" "$status" || bail "$out"
}

end_machine() {
	kill "$machine"
	wait "$machine" 2> /dev/null
	machine=''
}

# boots NAME OPTION... - until the root is mounted
boots() {
	local what=$1 began=$SECONDS
	shift
	start_machine -d none "$@"
	wait_log 240 "$mounted"
	ok "$what" $? || bail "$(cat "$dir/qemu.out")"
	note "after $((SECONDS - began)) s"
	end_machine
}

# ---- the same bytes ----------------------------------------------------------

# stand_in DIR - two small platforms
stand_in() {
	local p
	for p in platform-20260101T000000Z platform-20260201T000000Z; do
		mkdir -p "$1/$p/etc/version" "$1/$p/images"
		echo "${p#platform-}" > "$1/$p/etc/version/platform"
		head -c 70000 "$platform/kernel" > "$1/$p/kernel"
		mkdir "$dir/files"
		echo "$p" > "$dir/files/root.img"
		(cd "$dir/files" && sha256sum root.img > root.img.sha256)
		tools/strap/run -r "$dir/files=/obj" "$STRAP" bsdtar --format=newc -C /obj \
			-cf - root.img root.img.sha256 > "$1/$p/boot_archive"
		rm -r "$dir/files"
		sha256sum "$1/$p/boot_archive" | cut -d' ' -f1 > "$1/$p/boot_archive.hash"
		echo '{}' > "$1/$p/images/base.json"
	done
}

openssl req -new -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test -keyout "$dir/key.pem" \
	-addext extendedKeyUsage=codeSigning -out "$dir/cert.pem" 2> /dev/null
stand_in "$dir/one"
cp -r "$dir/one" "$dir/two"
find "$dir/two" -type f -exec chmod 600 {} + -exec touch -d 2001-02-03 {} +
export SOURCE_DATE_EPOCH=1769904000
for each in one two; do
	p=$dir/$each
	[ $each = one ] || { umask 077; export TZ=Asia/Tokyo LC_ALL=C; sleep 2; }
	for tool in iso usb "netboot -K $dir/key.pem -C $dir/cert.pem"; do
		# shellcheck disable=SC2086 # words
		OUTPUT=$p/out tools/media/$tool -p "$p/platform-20260101T000000Z" "$p/platform-20260201T000000Z" \
			> "$dir/made" 2>&1 || { sed 's/^/# /' "$dir/made"; bail "tools/media/$tool"; }
	done
	OUTPUT=$p/out tools/media/uki -K "$dir/key.pem" -C "$dir/cert.pem" "$p/platform-20260201T000000Z" \
		> "$dir/made" 2>&1 || { sed 's/^/# /' "$dir/made"; bail "tools/media/uki"; }
done
umask 022
export LC_ALL=C.UTF-8
unset TZ SOURCE_DATE_EPOCH
for file in platform-20260201T000000Z.{iso,usb,efi} netboot-20260201T000000Z; do
	diff -rq "$dir/one/out/$file" "$dir/two/out/$file" > "$dir/diff" 2>&1
	ok "$file: made twice, equal bytes" $? || note "$(cat "$dir/diff")"
done
small=$(stat -c %s "$dir/one/out/platform-20260201T000000Z.usb")
[ "$small" -lt 41000000 ]
ok "what is small makes a small stick: $small bytes" $?
sbverify --cert "$dir/cert.pem" "$dir/one/out/platform-latest.efi" > "$dir/diff" 2>&1
ok "the signature of the UKI is good" $? || note "$(cat "$dir/diff")"
net=$dir/one/out/netboot-latest
openssl cms -verify -binary -content "$net/platform-20260201T000000Z/kernel" -inform DER -purpose any \
	-in "$net/platform-20260201T000000Z/kernel.sig" -CAfile "$dir/cert.pem" -out /dev/null 2> "$dir/diff"
ok "so is that of the kernel which iPXE loads" $? || note "$(cat "$dir/diff")"
(cd "$net" && sha256sum --quiet -c sha256sums)
ok "and the sums of the folder" $?
rm -rf "$dir/one" "$dir/two"

# ---- ISO ---------------------------------------------------------------------

make_medium iso -t 1 -o "$words"
iso=$dir/media/platform-latest.iso
boot_machine -d none -b "$iso"
note "ISO on BIOS: login prompt after $boot_s s"
login "$(shown_password)" || bail "cannot log in: $out"
ok "ISO, as a CD, BIOS: to the login prompt" 0
g 'cat /etc/version/platform; cat /sys/class/tty/console/active'
is "it is the platform, and the serial line is its console" "$out" "$stamp"$'\ntty0 ttyS0'
until_g 60 'ls /system/media/images'
like "the images are at hand" "$out" 'base\.json'
end_machine
boots "ISO, as a CD, UEFI" -n -u -b "$iso"
# As a disk it is never as large as what it is copied to.
cp "$(realpath "$iso")" "$dir/media/copied.img"
truncate -s +1G "$dir/media/copied.img"
boots "ISO, copied to a disk, UEFI with Secure Boot" -n -U "$ovmf/OVMF_VARS_4M.ms.fd" -b "$dir/media/copied.img"
like "Secure Boot was on" "$(tr -d '\r' < "$log")" '[Ss]ecure ?boot enabled|Secure boot enabled'
boots "ISO, copied to a disk, BIOS" -n -b "$dir/media/copied.img"
rm -f "$dir/media/copied.img" "$iso" "$(realpath "$iso")"

# ---- USB, and the menu -------------------------------------------------------

make_medium usb -t 60 -o "$words" -p "$older"
usb=$dir/media/platform-latest.usb
truncate -s +1G "$usb"
more_consoles -device VGA
start_machine -d none -n -b "$usb"
wait_log 90 'rescue: no pool' || bail "no menu: $(cat "$dir/qemu.out")"
choose Console: && choose ttyb || bail "the menu does not answer"
log=$second
wait_log 60 'rescue: no pool' && wait_log 30 'Console: ttyb'
ok "USB, BIOS: another serial line, chosen in the menu, takes the menu along" $? || bail "$(cat "$dir/qemu.out")"
choose Console: "$dir/second" && choose text "$dir/second" || bail "the menu does not answer"
wait_screen 60 'Console: text'
ok "and so does the screen" $? || bail "$(screen)"
press down
wait_screen 30 "*Dais $stamp, rescue" && press ret
wait_screen 120 'noimport=true'
ok "rescue, chosen there, looks for no pool" $? || bail "$(screen)"
wait_screen 240 "$mounted"
ok "and boots" $? || bail "$(screen)"
wait_screen 300 'login:'
ok "to a login prompt on the screen" $? || bail "$(screen)"
like "above which is what to log in with" "$(screen)" 'password of root for this boot: [a-z0-9-]{19}.*login:'
end_machine

more_consoles
start_machine -d none -n -u -b "$usb"
wait_log 120 'Other platforms' || bail "no menu: $(cat "$dir/qemu.out")"
choose Console: && choose ttyb && wait_log 60 'Console: ttyb'
ok "USB, UEFI: another serial line is chosen; the menu is where the firmware is" $? || bail "$(cat "$dir/qemu.out")"
choose 'Other platforms' && choose "Dais ${old#platform-}"
ok "the older platform is in the menu" $?
log=$second
wait_log 240 "$mounted"
ok "it boots, and speaks on that line" $? || bail "$(cat "$dir/qemu.out")"
like "it is the older one" "$(tr -d '\r' < "$log")" \
	"Command line: [^"$'\n'"]*/$old/kernel [^"$'\n'"]*console=ttyS1,115200n8"
end_machine
QEMU=$bare
rm -rf "$older" "$usb" "$(realpath "$usb")"

# ---- network -----------------------------------------------------------------

loaders=$BUILD/strap.extra/ipxe
make_medium netboot -t 1 -o "$words"
: > "$dir/http"
(cd "$dir/media/netboot-latest" && exec python3 -u -m http.server --bind 127.0.0.1 0) > "$dir/http" 2>&1 &
server=$!
until grep -q 'http://' "$dir/http"; do
	kill -0 $server 2> /dev/null || bail "no web server: $(cat "$dir/http")"
	sleep 0.2
done
port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$dir/http")
uplink=' '
boots "over HTTP, by the iPXE of a network card, BIOS" -b "http://10.0.2.2:$port/boot.ipxe"
like "the root image was pinned by the script" "$(tr -d '\r' < "$log")" 'dais\.hash=[0-9a-f]{64}'
# Here the screen of iPXE's menu is seen by nobody: another default picks the other entry.
sed -i "s/ --default platform-$stamp / --default platform-$stamp-rescue /" "$dir/media/netboot-latest/boot.ipxe"
if [ -s "$loaders/snponly.efi" ]; then
	mkdir "$dir/tftp"
	cp "$loaders/snponly.efi" "$dir/tftp/"
	printf '%s\n' '#!ipxe' dhcp "chain http://10.0.2.2:$port/boot.ipxe" > "$dir/tftp/autoexec.ipxe"
	boots "over TFTP and HTTP, by our iPXE, UEFI" -u -b "$dir/tftp"
else
	note "no '$loaders/snponly.efi' (make netboot): the card's iPXE is taken"
	boots "over HTTP, by the iPXE of a network card, UEFI" -u -b "http://10.0.2.2:$port/boot.ipxe"
fi
uplink=''
like "its rescue entry, which looks for no pool" "$(tr -d '\r' < "$log")" \
	'Command line: [^'$'\n'']*noimport=true [^'$'\n'']*dais\.hash=[0-9a-f]{64}'
kill $server
server=''

# ---- one file for UEFI -------------------------------------------------------

# Debian's test key, which the variables of OVMF_VARS_4M.snakeoil.fd trust.
openssl rsa -in /usr/share/ovmf/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$dir/snakeoil.key" 2> /dev/null
make_medium uki -o "$words" -K "$dir/snakeoil.key" -C /usr/share/ovmf/PkKek-1-snakeoil.pem
boots "UKI, signed, UEFI with Secure Boot" -n -U "$ovmf/OVMF_VARS_4M.snakeoil.fd" -b "$dir/media/platform-latest.efi"
make_medium uki -V -o "$words"
boot_machine -d none -n -u -b "$dir/media/platform-latest.efi"
note "UKI with verity: login prompt after $boot_s s"
login "$(shown_password)" || bail "cannot log in: $out"
g 'cat /run/dais/boot.json; cat /sys/block/dm-0/dm/name'
like "UKI with dm-verity: the root is verified block by block" "$out" '"image_verity": "[0-9a-f]{64}".*'$'\n''dais-root$'
g 'systemctl is-system-running --wait'
is "and every unit is up" "$out" running
end_machine
# One digit of the hash is another: no block of the image fits.
perl -0pe 's/(dais\.verity=)([0-9a-f])/$1 . ($2 eq "1" ? "2" : "1")/e' "$dir/media/platform-latest.efi" > "$dir/other.efi"
start_machine -d none -n -u -b "$dir/other.efi"
wait_log 120 'THE PLATFORM DID NOT START'
ok "with another hash it does not start" $?
like "and the kernel says why" "$(tr -d '\r' < "$log")" 'verity: .* is corrupted'
end_machine
rm "$dir/other.efi"
make_medium uki -o "$words" -K "$dir/key.pem" -C "$dir/cert.pem"
start_machine -d none -n -U "$ovmf/OVMF_VARS_4M.snakeoil.fd" -b "$dir/media/platform-latest.efi"
wait_log 60 'Access Denied'
ok "UKI, signed by a key that the firmware does not trust: refused" $?
end_machine
finish
