#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The disk image of Debian: what is in it, that it boots by BIOS and by UEFI with Secure Boot
# in QEMU, that cloud-init does what a seed says, and that a second build gives the
# same bytes. Takes minutes without KVM.
#
# environment: BUILD (the image in BUILD/images, the build root in BUILD/strap), CACHE, OVMF (a
# folder of firmware), ACCEL (kvm, where that works), REPRODUCE= (empty) leaves out the second build
# shellcheck source=tests/lib.bash
. "$(dirname "$0")/../lib.bash"

set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath -m "${BUILD:-build}")
images=$BUILD/images strap=$BUILD/strap/root
qemu=${QEMU:-qemu-system-x86_64}
ovmf=${OVMF:-/usr/share/OVMF}
for tool in "$qemu" jq zstd mcopy e2fsck ssh ssh-keygen; do
	command -v "$tool" >/dev/null || skip "'$tool' is not installed"
done
[ -f "$images/debian-disk.json" ] || skip "no disk image in '$images': make image-debian-disk"
[ -f "$ovmf/OVMF_CODE_4M.secboot.fd" ] || skip "no firmware in '$ovmf': the package ovmf"

dir=$(mktemp -d /tmp/dais-disk.XXXXXX)
machine=''
cleanup() {
	[ -z "$machine" ] || kill "$machine" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# ---- the files ----------------------------------------------------------------

json=$images/debian-disk.json
is "the manifest has the file's size and sha1" "$(jq -c '.files[0] | [.size, .sha1]' "$json")" \
	"[$(stat -c %s "$images/debian-disk.raw.zst"),\"$(sha1sum <"$images/debian-disk.raw.zst" | cut -c1-40)\"]"
is "and says what it is" "$(jq -c '[.type, .os, .nic_driver, .disk_driver, .image_size]' "$json")" \
	'["zvol","linux","virtio","virtio",2048]'
disk=$dir/disk.raw
zstd -q -d "$images/debian-disk.raw.zst" -o "$disk"
is "the disk has that size" "$(stat -c %s "$disk")" $((2048 << 20))
table=$(tools/strap/run -r "$dir=/obj" "$strap" sfdisk -J /obj/disk.raw)
is "three partitions" "$(jq -c '[.partitiontable | .label, (.partitions[] | [.name, .start])]' <<<"$table")" \
	'["gpt",["bios",2048],["esp",4096],["root",69632]]'
dd if="$disk" of="$dir/root" bs=1M skip=34 count=2013 conv=sparse status=none
e2fsck -fn "$dir/root" >"$dir/fsck" 2>&1
ok "the file system is sound" $?
rm "$dir/root"

# ---- boots --------------------------------------------------------------------

ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
seed() { # NAME: a FAT disk CIDATA
	printf 'instance-id: %s\nlocal-hostname: %s\n' "$1" "$1" >"$dir/meta-data"
	cat >"$dir/user-data" <<-END
	#cloud-config
	ssh_authorized_keys: [ "$(cat "$dir/key.pub")" ]
	runcmd:
	  - [ sh, -c, 'echo "seed of \$(uname -n): \$(blockdev --getsize64 /dev/vda) \$(df --output=size -BM / | tail -1)" >/dev/ttyS0' ]
	END
	rm -f "$dir/seed"
	truncate -s 1M "$dir/seed"
	mformat -i "$dir/seed" -T 2048 -h 16 -s 32 -v CIDATA ::
	mcopy -i "$dir/seed" "$dir/meta-data" "$dir/user-data" ::
}

# boot NAME OPTION...: until the seed's command has spoken; $log
boot() {
	local name=$1 end=$((SECONDS + 600))
	shift
	mkdir -p "$BUILD/log"
	log=$BUILD/log/debian-disk-$name.log
	: >"$log"
	port=$((20000 + RANDOM % 20000))
	"$qemu" -accel "${ACCEL:-tcg}" -cpu max -smp 2 -m 1024 -display none -monitor none -no-reboot \
		-serial "file:$log" -drive "if=virtio,format=raw,file=$disk" \
		-drive "if=virtio,format=raw,readonly=on,file=$dir/seed" -netdev \
		"user,id=n0,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n0 "$@" &
	machine=$!
	until grep -aq 'seed of ' "$log"; do
		kill -0 "$machine" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 1
		sleep 1
	done
}

inside() {
	ssh -q -i "$dir/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o IdentitiesOnly=yes -o ConnectTimeout=30 debian@127.0.0.1 "$@"
}

# The machine ends itself.
off() {
	local end=$((SECONDS + 300))
	inside sudo poweroff
	while kill -0 "$machine" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
		sleep 1
	done
	! kill -0 "$machine" 2>/dev/null
	ok "it powers itself off" $?
	kill "$machine" 2>/dev/null
	wait "$machine" 2>/dev/null
	machine=''
}

said() { tr -d '\r' <"$log" | sed -n 's/.*\(seed of .*\)/\1/p' | xargs; }

seed first
boot bios -machine pc
ok "it boots by BIOS" $? || tail -n 20 "$log" | sed 's/^/# /'
is "and does what the seed says, under the seed's name" "$(said | sed 's/[0-9]*M$/M/')" "seed of first: 2147483648 M"
is "the seed's key logs in, and may be root" "$(inside sudo -n id -un)" root
is "nothing failed" "$(inside 'systemctl is-system-running --wait; systemctl --failed --no-legend --plain')" running
is "it has an address and a resolver" "$(inside 'ip -4 -o addr show scope global | grep -c 10.0.2.; grep -c ^nameserver /etc/resolv.conf' | xargs)" "1 1"
is "it has host keys of its own" "$(inside 'ls /etc/ssh/ssh_host_*_key' | xargs)" "/etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key"
machine_id=$(inside cat /etc/machine-id)
is "and an id" "${#machine_id}" 32
off

# The same disk, which is larger now, with another seed.
truncate -s 3G "$disk"
seed second
cp "$ovmf/OVMF_VARS_4M.ms.fd" "$dir/vars"
boot uefi -machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on \
	-drive "if=pflash,format=raw,unit=0,readonly=on,file=$ovmf/OVMF_CODE_4M.secboot.fd" \
	-drive "if=pflash,format=raw,unit=1,file=$dir/vars"
ok "it boots by UEFI" $? || tail -n 20 "$log" | sed 's/^/# /'
is "with Secure Boot in force" "$(inside 'tail -c 1 /sys/firmware/efi/efivars/SecureBoot-* | od -An -tu1' | xargs)" 1
is "another seed is another machine, on a larger disk" "$(said | sed 's/[0-9]*M$/M/')" "seed of second: 3221225472 M"
size=$(said | sed 's/.* \([0-9]*\)M$/\1/')
[ "${size:-0}" -gt 2500 ]
ok "the file system has grown with it" $?
is "nothing failed" "$(inside 'systemctl is-system-running --wait; systemctl --failed --no-legend --plain')" running
off

# ---- once more ------------------------------------------------------------------

if [ -n "${REPRODUCE-yes}" ]; then
	(umask 077 && cd / && env TZ=Asia/Tokyo STRAP_ROOT="$strap" ZSTD="$OLDPWD/tools/strap/run $strap zstd" \
		BSDTAR="$OLDPWD/tools/strap/run $strap env LC_ALL=C.UTF-8 bsdtar" \
		"$OLDPWD/images/debian-disk/build" -f -o "$dir/again" -c "$(realpath -m "${CACHE:-$OLDPWD/cache}")/images/debian-disk" \
		-z "${LEVEL:-9}" >"$dir/build.log" 2>&1)
	ok "it is built again, in another folder, by another umask and zone" $? || sed 's/^/# /' "$dir/build.log" | tail -n 20
	is "the same packages" "$(diff "$images/debian-disk.packages" "$dir/again/debian-disk.packages")" ""
	is "the same bytes" "$(sha256sum <"$dir/again/debian-disk.raw.zst")" "$(sha256sum <"$images/debian-disk.raw.zst")"
	is "the same manifest" "$(cat "$dir/again/debian-disk.json")" "$(cat "$json")"
fi

finish
