#!/bin/bash
# SPDX-License-Identifier: MIT
#
# build.sh - what the platform costs to build, beside Debian 13's mkosi that makes an
# image of the same packages, in turns in one run:
#
#	clean       strap, core, our programs, zone images, platform and all four media
#	image       the same with the build root, the programs and the zone images at hand,
#	            as mkosi has its tools at hand; one medium, the UKI, as from mkosi
#	change      that again after one file of the overlay is another
#	nothing     and after nothing is
#
# Both sides take their packages from one folder on this machine, which is filled
# before (those of the base zone image by a build that used CACHE); mkosi runs in a
# root of its own, with Incremental=yes, and packs by zstd -1 as the dev profile packs
# by lz4. The numbers are seconds by the clock and of processor time (user and system):
# on a busy machine only the latter say much.
#
# environment: ROUNDS (1) of image, change, nothing; CACHE (cache) of packages; PROFILE (dev);
# SKIP_CLEAN=1 leaves `clean` out, which compiles everything
set -eu -o pipefail
cd "$(dirname "$(realpath "$0")")/../.."
rounds=${ROUNDS:-1}
shared=$(realpath -m "${CACHE:-cache}")
export PROFILE=${PROFILE:-dev} SUITE=trixie CCACHE_DISABLE=1 LC_ALL=C TIMEFORMAT='%R %U %S'
epoch=1754697600

[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 0; }
command -v mmdebstrap > /dev/null || { echo "skipped: no mmdebstrap"; exit 0; }
mkdir -p "$shared/debs" "$shared/sources"
dir=$(mktemp -d "$shared/bench.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
trap 'exit 129' HUP INT TERM

fail() {
	echo "build.sh: $*" >&2
	tail -n 20 "$dir/log" >&2
	exit 1
}

# measure NAME COMMAND...
measure() {
	local name=$1
	shift
	{ time "$@" > "$dir/log" 2>&1 < /dev/null; } 2> "$dir/time" || fail "$name: $*"
	tail -n 1 "$dir/time" >> "$dir/$name"
}

# ---- ours: a clone, with the packages of the cache and nothing else of it -----------

git clone -q . "$dir/tree"
mkdir "$dir/cache"
ln -s "$shared/debs" "$dir/cache/debs"
ln -s "$shared/sources" "$dir/cache/sources"
for part in apt images; do
	[ ! -d "$shared/$part" ] || cp -r "$shared/$part" "$dir/cache/$part"
done

ours() {
	make -C "$dir/tree" --no-print-directory CACHE="$dir/cache" BUILD="$dir/build" OUTPUT="$dir/output" "$@"
}

clean_image() {
	rm -rf "$dir/cache/core" "$dir/output" "$dir/build/core" "$dir/build/image" "$dir/build/proto/core" \
		"$dir/build/stamp"/{core,select,root,boot,sbom,platform,uki}
}

# ---- theirs ------------------------------------------------------------------------

# The packages of lock $1 as a repository in $2; what we only unpack is in it, and not listed.
mirror() {
	local bin=$2/dists/trixie/main/binary-amd64 name arch sha how file
	mkdir -p "$2/pool" "$bin"
	grep -v '^#' "$1" | while read -r name _ arch sha how; do
		file=pool/${name}_$arch.deb
		ln "$dir/cache/debs/$sha.deb" "$2/$file" 2> /dev/null || cp "$dir/cache/debs/$sha.deb" "$2/$file"
		[ "$how" = install ] || continue
		dpkg-deb -f "$2/$file"
		printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$2/$file")" "$sha"
	done > "$bin/Packages"
	printf 'Suite: trixie\nCodename: trixie\nComponents: main\nArchitectures: amd64\nDate: %s\nSHA256:\n %s %s %s\n' \
		"$(date -uR -d @$epoch)" "$(sha256sum < "$bin/Packages" | cut -d' ' -f1)" \
		"$(stat -c %s "$bin/Packages")" main/binary-amd64/Packages > "$2/dists/trixie/Release"
}

# A root with mkosi and what it calls, kept beside the packages.
mkosi_root() {
	local key
	printf '%s\n' mkosi apt bash coreutils cpio debian-archive-keyring dpkg kmod mount python3 systemd \
		systemd-boot-efi systemd-repart systemd-ukify udev util-linux zstd > "$dir/tools"
	key=$(cat "$dir/tools" tools/core/assemble | sha256sum | cut -c1-20)
	tools=$shared/bench-mkosi/$key
	[ ! -d "$tools" ] || return 0
	CACHE=$shared tools/core/resolve -o "$dir/tools.lock" "$dir/tools"
	CACHE=$shared tools/core/fetch -l "$dir/tools.lock" -o "$dir/tools.used" "$dir/tools"
	CACHE=$shared tools/core/assemble -l "$dir/tools.used" -o "$dir/tools.tar"
	mkdir -p "$tools.new"
	tar -C "$tools.new" -xf "$dir/tools.tar"
	mv "$tools.new" "$tools"
}

configuration() {
	mkdir -p "$dir/mkosi"/{cache,packages,tmp,mkosi.extra/etc}
	cp overlay/etc/motd "$dir/mkosi/mkosi.extra/etc/motd"
	cat > "$dir/mkosi/mkosi.conf" <<-END
	[Distribution]
	Distribution=debian
	Release=trixie
	Architecture=x86-64
	LocalMirror=file:///mirror
	[Output]
	Format=uki
	Output=image
	CompressOutput=zstd
	CompressLevel=1
	[Build]
	Incremental=yes
	CacheDirectory=/obj/cache
	PackageCacheDirectory=/obj/packages
	WorkspaceDirectory=/obj/tmp
	BuildSources=
	ToolsTree=
	WithNetwork=no
	[Content]
	Bootable=yes
	Bootloader=none
	Packages=
	$(awk '!/^#/ && $5 == "install" { print "  " $1 }' "$1")
	END
	# The kernel as we take it, and the stub, which belongs to the tools.
	cat > "$dir/mkosi/mkosi.prepare" <<-'END'
	#!/bin/sh
	set -e
	[ "$1" = final ] || exit 0
	dpkg-deb -x /mirror/pool/linux-image-*.deb "$BUILDROOT"
	v=$(ls "$BUILDROOT/usr/lib/modules")
	cp "$BUILDROOT/boot/vmlinuz-$v" "$BUILDROOT/usr/lib/modules/$v/vmlinuz"
	mkdir -p "$BUILDROOT/usr/lib/systemd/boot/efi"
	cp /usr/lib/systemd/boot/efi/linuxx64.efi.stub "$BUILDROOT/usr/lib/systemd/boot/efi/"
	END
	chmod +x "$dir/mkosi/mkosi.prepare"
}

theirs() {
	SOURCE_DATE_EPOCH=$epoch tools/strap/run -W -w "$dir/mkosi=/obj" -r "$dir/mirror=/mirror" "$tools" \
		sh -c 'cd /obj && exec mkosi "$@"' - "$@"
}

clean_theirs() {
	rm -rf "$dir/mkosi/cache" "$dir/mkosi/tmp" "$dir/mkosi"/image*
	mkdir "$dir/mkosi/cache" "$dir/mkosi/tmp"
}

# ---- in turns ----------------------------------------------------------------------

mkosi_root > "$dir/log" 2>&1 || fail "no root with mkosi"
# What is absent of the packages comes now.
CACHE=$dir/cache tools/core/fetch -l tools/strap/lock -o "$dir/strap.lock" tools/strap/packages > "$dir/log" 2>&1 ||
	fail "the packages of the build root"
CACHE=$dir/cache tools/core/fetch -l projects/core/lock.virtual -o "$dir/core.lock" \
	projects/core/packages.common projects/core/packages.virtual > "$dir/log" 2>&1 ||
	fail "the packages of the core"
if [ -n "${SKIP_CLEAN:-}" ]; then
	ours live uki > "$dir/log" 2>&1 || fail "the first build"
else
	measure ours.clean ours live iso usb netboot uki
	grep -E '^  [a-z][a-z.-]* +[0-9]+\.[0-9] s' "$dir/log" > "$dir/steps"
fi
mirror "$dir/core.lock" "$dir/mirror"
configuration "$dir/core.lock"

for ((i = 1; i <= rounds; i++)); do
	clean_theirs
	measure theirs.image theirs -f build
	clean_image
	measure ours.image ours uki
	echo "round $i" >> "$dir/mkosi/mkosi.extra/etc/motd"
	measure theirs.change theirs -f build
	echo "round $i" >> "$dir/tree/overlay/etc/motd"
	measure ours.change ours uki
	measure ours.nothing ours uki
done

# pick FILE COLUMN: the median
pick() {
	awk -v c="$2" '{ print c == 2 ? $2 + $3 : $1 }' "$dir/$1" | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] }'
}
compare() {
	awk -v what="$1" -v a="$(pick "ours.$1" 1)" -v b="$(pick "ours.$1" 2)" -v c="$(pick "theirs.$1" 1)" \
		-v d="$(pick "theirs.$1" 2)" 'BEGIN {
		printf "%-8s ours %.1f s, %.1f s of processor; mkosi %.1f s, %.1f s: %.1f times as long, %.1f times the processor\n",
			what, a, b, c, d, c / a, d / b }'
}
[ -n "${SKIP_CLEAN:-}" ] || {
	cat "$dir/steps"
	echo "clean    ours $(pick ours.clean 1) s, $(pick ours.clean 2) s of processor, $PROFILE"
}
compare image
compare change
echo "nothing  ours $(pick ours.nothing 1) s, $(pick ours.nothing 2) s of processor"
