# SPDX-License-Identifier: MIT
#
# A small tree of components for tests: the real Makefile, fragments and tools, and in
# place of what needs packages (strap, core, target, boot) scripts that take no time.
# shellcheck source=build_lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/build_lib.bash"

builder=${DAIS_BIN:-$top/build/dev/bin}/builder
[ -x "$builder" ] || { echo "1..0 # SKIP no builder in DAIS_BIN"; exit 0; }

script() # script PATH: an executable of the lines on standard input
{
	mkdir -p "$(dirname "$tree/$1")"
	rm -f "$tree/$1"
	cat > "$tree/$1"
	chmod +x "$tree/$1"
}

make_tree() # make_tree DIR: and stay in it
{
	tree=$1
	mkdir -p "$tree/projects/core" "$tree/projects/dais" "$tree/projects/local" "$tree/mk"
	cp "$top/Makefile" "$tree/"
	cp "$top"/mk/{build,flags,world,install}.mk "$tree/mk/"
	mkdir "$tree/tools"
	cp -r "$top"/tools/{image,projects,checks} "$tree/tools/"
	[ ! -e "$top/tools/optimize-jobs" ] || cp "$top/tools/optimize-jobs" "$tree/tools/"
	cp "$top/.gitignore" "$tree/"
	touch "$tree"/projects/core/{packages.common,packages.virtual,packages.metal,rules,drivers,early} \
		"$tree"/projects/core/lock.{virtual,metal}
	printf '%s\n' 'd usr 0755 root root' 'd usr/sbin 0755 root root' \
		'd usr/share 0755 root root' 'f usr/sbin/vmadm 0755 root root' > "$tree/projects/dais/manifest"
	# Paths inside of the build root become those outside.
	script tools/strap/run <<-'END'
		#!/bin/bash
		from=() to=()
		while getopts w:r: opt; do
			from+=("${OPTARG#*=}") to+=("$(realpath "${OPTARG%%=*}")")
		done
		shift "$OPTIND"
		words=()
		for word; do
			for i in "${!from[@]}"; do
				case $word in
				"${from[i]}" | "${from[i]}"/*) word=${to[i]}${word#"${from[i]}"} ;;
				*="${from[i]}") word=${word%"${from[i]}"}${to[i]} ;;
				*="${from[i]}"/*) word=${word%%=*}=${to[i]}${word#*="${from[i]}"} ;;
				esac
			done
			words+=("$word")
		done
		exec env -i PATH="$PATH" LC_ALL=C "${words[@]}"
	END
	script tools/strap/make <<-'END'
		#!/bin/sh
		mkdir -p "$BUILD/strap/root/usr"
		echo strap >> "$BUILD/ran"
	END
	script tools/strap/check < /dev/null
	script tools/core/make <<-'END'
		#!/bin/sh
		echo core >> "$BUILD/ran"
		mkdir -p "$BUILD/core/tree/etc" "$BUILD/core/tree/usr/bin"
		echo root:x:0:0::/: > "$BUILD/core/tree/etc/passwd"
		echo root:x:0: > "$BUILD/core/tree/etc/group"
		echo "root:*:1::::::" > "$BUILD/core/tree/etc/shadow"
		tar -C "$BUILD/core/tree" --sort=name --mtime=@1 --owner=0 --group=0 --mode=go=rX -cf "$BUILD/core/root.tar" .
	END
	script tools/core/ship <<-'END'
		#!/bin/sh
		echo select >> "$BUILD/ran"
		rm -rf "$PROTO/core"
		mkdir -p "$PROTO/core" "$BUILD/manifest"
		cp -r "$BUILD/core/tree/." "$PROTO/core"
		printf '%s\n' 'd etc 0755 root root' 'f etc/passwd 0644 root root' \
			'f etc/group 0644 root root' 'f etc/shadow 0600 root root' > "$BUILD/manifest/core.manifest"
		[ ! -x ./ship.more ] || ./ship.more >> "$BUILD/manifest/core.manifest"
	END
	script tools/image/target <<-'END'
		#!/bin/sh
		echo target >> "$BUILD/ran"
		rm -rf "$PROTO/dais"
		mkdir -p "$PROTO/dais/usr/sbin"
		echo vmadm > "$PROTO/dais/usr/sbin/vmadm"
	END
	script tools/image/mancheck < /dev/null
	script tools/image/drivers <<-'END'
		#!/bin/sh
		mkdir -p "$4"
	END
	script tools/image/boot <<-'END'
		#!/bin/sh
		echo boot >> "$BUILD/ran"
		cp "$BUILD/image/root.tar" "$BUILD/image/boot_archive"
	END
	script tools/image/platform <<-'END'
		#!/bin/sh
		echo platform >> "$BUILD/ran"
		rm -rf "$OUTPUT/platform-$BUILDSTAMP"
		mkdir -p "$OUTPUT/platform-$BUILDSTAMP"
		cp "$BUILD/image/boot_archive" "$OUTPUT/platform-$BUILDSTAMP/"
		echo tgz > "$OUTPUT/platform-$BUILDSTAMP.tgz"
	END
	script tools/sbom/make <<-'END'
		#!/bin/sh
		echo sbom >> "$BUILD/ran"
		echo spdx > "$1/sbom.spdx.json"
		echo cdx > "$1/sbom.cdx.json"
	END
	cd "$tree" || exit 1
	# An ordinary commit, so that the stamp is a known one.
	git init -q -b master .
	git config user.email test@dais.test
	git config user.name test
	git config commit.gpgsign false
	git add -A
	git commit -qm start
	mkdir build
}

build() # build GOAL...: with what is not made in the small tree
{
	: > build/ran
	run make BUILDER="$builder" "$@"
}

ran() # ran NAMES: these steps were made, and no others
{
	[ "$(sort -u build/ran | paste -sd' ')" = "$1" ]
}
