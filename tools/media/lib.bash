# SPDX-License-Identifier: MIT
#
# lib.bash - what the writers of media share: sourced by iso, usb, netboot, uki.
#
#	take_options LETTERS "$@"  parse those of -c -o -t -p -r -l -K -C -V -h; sets $console, $options,
#	                           $timeout, $others, $room, $loaders, $key, $certificate, $verity, $platform
#	make_work                  $work, a folder for what is in between; gone with the script
#	build_root [RUN-OPTION]... COMMAND...
#	                           a command in the build root, with $work as /obj
#	kernel_consoles NAME       the kernel's words for the console NAME
#	tree DIR                   lay out what a medium with a menu holds
#	kib_of DIR                 KiB of its files, the same on any file system
#	guid WORD                  the same GUID for the same medium and WORD each time
#	finish FILE                move FILE to $output, and point the link to it
#
# Bytes are written by the programs of the build root, and nothing of the moment
# gets into them: times are SOURCE_DATE_EPOCH, ids are derived from the platforms.
#
# environment: BUILD OUTPUT SOURCE_DATE_EPOCH, STRAP (the build root's folder)
set -eu -o pipefail
export LC_ALL=C TZ=UTC
umask 022
MEDIA=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
TOOLS=$(dirname "$MEDIA")
tool=$(basename "$0")
BUILD=${BUILD:-build} OUTPUT=${OUTPUT:-output}
STRAP=${STRAP:-$BUILD/strap/root}
console=ttya options='' timeout=10 others=() room='' loaders='' key='' certificate='' verity='' platform='' name=''
output=''

die() {
	echo "$tool: $*" >&2
	exit 1
}

wrong() {
	echo "$tool: $*" >&2
	usage >&2
	exit 2
}

# A platform is a folder of which the menu shows the name.
check_platform() {
	local name file
	[ -d "$1" ] || die "'$1': no such folder; 'make live' makes a platform"
	name=$(basename "$(realpath "$1")")
	case $name in
	platform-*[!A-Za-z0-9._+-]*) die "'$name': letters, digits and . _ + - only can be in a platform's name" ;;
	platform-?*) ;;
	*) die "'$name': the folder of a platform is called 'platform-STAMP'" ;;
	esac
	for file in kernel boot_archive boot_archive.hash etc/version/platform; do
		[ -r "$1/$file" ] || die "'$1/$file' is missing: this is no whole platform"
	done
}

# They stand in a file that a loader reads, where quotes would mean something.
check_options() {
	case $1 in
	*[\'\"\\]* | *[![:print:]]*) wrong "-o: quotes, backslashes and control characters cannot be in boot options" ;;
	esac
}

take_options() {
	local letters=$1 opt
	shift
	while getopts "$letters" opt; do
		case $opt in
		c) console=$OPTARG ;;
		o) options=$OPTARG ;;
		t) timeout=$OPTARG ;;
		p) others+=("$OPTARG") ;;
		r) room=$OPTARG ;;
		l) loaders=$OPTARG ;;
		K) key=$OPTARG ;;
		C) certificate=$OPTARG ;;
		V) verity=yes ;;
		h) usage; exit 0 ;;
		:) wrong "option -$OPTARG needs a value" ;;
		*) wrong "unknown option '-$OPTARG'" ;;
		esac
	done
	shift $((OPTIND - 1))
	[ $# -le 1 ] || wrong "one platform only; -p adds others to its medium"
	kernel_consoles "$console" > /dev/null
	check_options "$options"
	case $timeout in
	'' | *[!0-9]* | ?????*) wrong "-t '$timeout': seconds from 0 to 9999" ;;
	esac
	case $room in
	*[!0-9]* | ???????*) wrong "-r '$room': MiB from 0 to 999999" ;;
	esac
	platform=${1:-$OUTPUT/platform-latest}
	local each
	for each in "$platform" "${others[@]}"; do
		check_platform "$each"
	done
	platform=$(realpath "$platform")
	name=$(basename "$platform")
	[ -x "$STRAP/usr/bin/env" ] || die "no build root in '$STRAP': 'make strap' makes it"
	STRAP=$(realpath "$STRAP")
	if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
		SOURCE_DATE_EPOCH=$(stat -c %Y "$platform/etc/version/platform")
	fi
	export SOURCE_DATE_EPOCH
	mkdir -p "$OUTPUT"
}

kernel_consoles() {
	case $1 in
	text) echo console=tty0 ;;
	ttya) echo console=tty0 console=ttyS0,115200n8 ;;
	ttyb) echo console=tty0 console=ttyS1,115200n8 ;;
	ttyc) echo console=tty0 console=ttyS2,115200n8 ;;
	ttyd) echo console=tty0 console=ttyS3,115200n8 ;;
	*) wrong "-c '$1': it must be one of text ttya ttyb ttyc ttyd" ;;
	esac
}

# Beside the output, so that what is large can be linked there and renamed to it.
make_work() {
	work=$(mktemp -d "$OUTPUT/.$tool.XXXXXX")
	work=$(realpath "$work")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 129' HUP INT TERM
}

build_root() {
	local mounts=()
	while [ "$1" = -r ] || [ "$1" = -w ]; do
		mounts+=("$1" "$2")
		shift 2
	done
	"$TOOLS/strap/run" "${mounts[@]}" -w "$work=/obj" "$STRAP" "$@"
}

# What tells this medium from others: its platforms, and how it boots them.
medium_id() {
	local each
	{
		for each in "$platform" "${others[@]}"; do
			basename "$(realpath "$each")"
			cat "$each/boot_archive.hash"
		done
		echo "$console $timeout $options"
	} | sha256sum | cut -c1-32
}

guid() {
	local h
	h=$(echo "$tool $(medium_id) $1" | sha256sum)
	echo "${h:0:8}-${h:8:4}-4${h:13:3}-8${h:17:3}-${h:20:12}"
}

# Files keep their bytes, and get the one time and mode that all files of a medium have.
# A link is as good as a copy where they have them anyway.
place() {
	if [ "$(stat -Lc '%Y %a' "$1")" = "$SOURCE_DATE_EPOCH 644" ] &&
	   ln "$(realpath "$1")" "$2" 2> /dev/null; then
		return
	fi
	cp --reflink=auto "$1" "$2"
	chmod 644 "$2"
}

# What the files of a folder need. Not by du: Debian 12's counts folders as well, Debian 13's
# does not, and what is computed from this ships.
kib_of() {
	find -L "$1" -type f -printf '%s\n' | awk '{ kib += int(($1 + 1023) / 1024) } END { print kib + 0 }'
}

place_platform() {
	local from=$1 to=$2 file
	mkdir "$to"
	(cd "$from" && find . -mindepth 1 -type d ! -path './images*') | while read -r file; do
		mkdir "$to/$file"
	done
	(cd "$from" && find . -type f ! -path './images/*') | while read -r file; do
		place "$from/$file" "$to/$file"
	done
}

settings() {
	cat <<-END
	# Read by grub.cfg. What can be here: the console (text, ttya, ttyb, ttyc, ttyd), the
	# seconds before the first entry boots, more boot options, and, as
	# 'set dais_platform=platform-STAMP', which platform is the first entry (else the newest).
	set dais_console=$console
	set dais_timeout=$timeout
	set dais_options='$options'
	END
}

loaders() {
	local signed=$STRAP/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed
	mkdir -p "$1/EFI/BOOT"
	cp "$STRAP/usr/lib/shim/shimx64.efi.signed" "$1/EFI/BOOT/BOOTX64.EFI"
	cp "$STRAP/usr/lib/shim/mmx64.efi.signed" "$1/EFI/BOOT/mmx64.efi"
	cp "$signed" "$1/EFI/BOOT/grubx64.efi"
}

# All times in DIR as the medium has them; links have that time already.
settle() {
	find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

tree() {
	local each dir
	mkdir -p "$1/boot/grub" "$1/.disk"
	cp "$MEDIA/grub.cfg" "$1/boot/grub/grub.cfg"
	settings > "$1/boot/grub/settings.cfg"
	# The name that GRUB, as Debian signed it, looks for, and the one that is ours alone.
	echo "Dais $(cat "$platform/etc/version/platform")" > "$1/.disk/info"
	echo "$name" > "$1/.disk/dais-$(medium_id)"
	loaders "$1"
	for each in "$platform" "${others[@]}"; do
		dir=$1/$(basename "$(realpath "$each")")
		[ ! -e "$dir" ] || die "'$each' is named twice"
		place_platform "$each" "$dir"
	done
	if [ -d "$platform/images" ]; then
		mkdir "$1/images"
		for each in "$platform"/images/*; do
			[ ! -f "$each" ] || place "$each" "$1/images/$(basename "$each")"
		done
	fi
	settle "$1"
}

# Modules of GRUB for BIOS: all that grub.cfg and a person at the prompt use, since no
# more can be loaded from a medium.
bios_modules='biosdisk part_gpt part_msdos fat iso9660 normal configfile linux serial terminal
	regexp test echo search search_fs_file reboot halt sleep minicmd ls cat help read'

finish() {
	local suffix=${1##*.}
	sync "$1"
	chmod 644 "$1"
	touch -d "@$SOURCE_DATE_EPOCH" "$1"
	mv "$1" "$OUTPUT/$name.$suffix"
	ln -sfn "$name.$suffix" "$OUTPUT/platform-latest.$suffix"
	echo "$OUTPUT/$name.$suffix"
}
