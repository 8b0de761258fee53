#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Components of projects/extra, with small ones of our own in place of the real.
. "$(dirname "$0")/build_tree.bash"
for tool in gcc patch; do
	command -v $tool > /dev/null || { echo "1..0 # SKIP no $tool"; exit 0; }
done
make_tree "$work/tree"
cp -r "$top/tools/extra" tools/
cp "$top/tools/core/apt.sh" tools/core/
mkdir -p projects/extra sources
cp "$top/projects/extra/extra.mk" projects/extra/
cp "$top/mk/extra.mk" mk/
export SOURCES=$PWD/sources

# The stand-in of `run` gives paths, not a root: what extra.mk has fixed is set here.
script tools/strap/run <<-'END'
	#!/bin/bash
	declare -A at
	while getopts w:r: opt; do
		at[${OPTARG#*=}]=$(realpath "${OPTARG%%=*}")
	done
	shift "$OPTIND"
	echo "${@: -1}" >> "$BUILD/ran.inside"
	sed -e "s|/src/|${at[/src]}/|g; s|/obj/|${at[/obj]}/|g; s|/dest|${at[/dest]}|g; s|/stage|${at[/stage]}|g" \
		-e "s|/tools/|${at[/tools]}/|g" "${at[/src]}/extra.mk" > "${at[/obj]}/extra.mk"
	sed "s|/sources/|${at[/sources]}/|g; s|bsdtar|tar|g" "${at[/tools]}/unpack" > "${at[/obj]}/unpack"
	cp "${at[/tools]}/patches.sh" "${at[/obj]}/"
	chmod +x "${at[/obj]}/unpack"
	sed -i "s|${at[/tools]}/unpack|${at[/obj]}/unpack|" "${at[/obj]}/extra.mk"
	dir=${at[/src]}${3#/src}
	sed "s|\.\./extra.mk|${at[/obj]}/extra.mk|; s|/src/|${at[/src]}/|g; s|/proto/|$PWD/$PROTO/|g; s|/opt/extra/|$PWD/$BUILD/strap.extra/|g" \
		"$dir/Makefile" > "${at[/obj]}/Makefile"
	shift 3
	exec env -i PATH="$PATH" LC_ALL=C SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" make -C "$dir" -f "${at[/obj]}/Makefile" "$@"
END
script tools/strap/make <<-'END'
	#!/bin/sh
	mkdir -p "$BUILD/strap/root/usr"
	echo 1 > "$BUILD/strap/complete"
	echo a compiler > "$BUILD/strap/lock"
	echo strap >> "$BUILD/ran"
END

# component NAME VERSION TEXT: a program that says TEXT, and its tarball
component()
{
	local dir=$work/src/$1-$2
	mkdir -p "$dir" "projects/extra/$1"
	printf '#include <stdio.h>\nint main(void)\n{\n\tputs("%s");\n\treturn 0;\n}\n' "$3" > "$dir/main.c"
	printf 'all: %s\n%s: main.c\n\t$(CC) $(CFLAGS) -o $@ main.c\ninstall:\n\tinstall -D %s $(DESTDIR)$(PREFIX)/sbin/%s\n' \
		"$1" "$1" "$1" "$1" > "$dir/Makefile"
	tar -C "$work/src" --mtime=@1 -czf "sources/$1-$2.tar.gz" "$1-$2"
	echo "$(sha256sum < "sources/$1-$2.tar.gz" | cut -d' ' -f1) $1-$2.tar.gz" > "projects/extra/$1/source"
	printf 'VER = %s-%s\nSYSTEM = make\ninclude ../extra.mk\n' "$1" "$2" > "projects/extra/$1/Makefile"
	printf 'd usr 0755 root root\nd usr/sbin 0755 root root\nf usr/sbin/%s 0755 root root\n' "$1" \
		> "projects/extra/$1/manifest"
}
told() # told NAME TEXT: what the program of PROTO/extra.NAME says
{
	[ "$("build/proto/extra.$1/usr/sbin/$1")" = "$2" ]
}
component hello 1.0 hello
# ---- nine lines, and it ships -------------------------------------------------------

build live
is "a component is found, built and shipped" 0
told hello hello && grep -q '^f usr/sbin/hello ' build/image/manifest
ok "into a tree of its own, and the image" $?
[ -s build/log/extra.hello.log ]
ok "with a log of its own" $?
ls cache/sources/"$(cut -d' ' -f1 projects/extra/hello/source)" > "$work/out"
ok "its source is kept under its digest" $?
: > build/ran.inside
build live EXPLAIN=1
grep -q '^  extra.hello *nothing to do' "$work/out" && [ ! -s build/ran.inside ]
ok "again it is nothing to do" $?

# ---- patches ------------------------------------------------------------------------

component other 2.0 other
build extra
mkdir projects/extra/hello/Patches
patch_of() # patch_of FROM TO
{
	printf 'Why.\n\n--- a/main.c\n+++ b/main.c\n@@ -1,6 +1,6 @@\n #include <stdio.h>\n int main(void)\n {\n-\tputs("%s");\n+\tputs("%s");\n \treturn 0;\n }\n' "$1" "$2"
}
patch_of hello "good day" > projects/extra/hello/Patches/0001-politer.patch
: > build/ran.inside
build live
told hello "good day"
ok "a patch is applied" $?
[ "$(wc -l < build/ran.inside)" -eq 1 ] && grep -q boot build/ran
ok "to this component alone, and the image follows" $?
patch_of "good day" "good night" > projects/extra/hello/Patches/0002-later.patch
build extra.hello
told hello "good night"
ok "patches go in the order of their names" $?
printf '0001-politer.patch\n# 0002-later.patch\n' > projects/extra/hello/Patches/series
build extra.hello
is "a patch that the series does not name" 2
says "is told" err "Patches/0002-later.patch: is not in Patches/series"
rm projects/extra/hello/Patches/series
patch_of "good morning" "good night" > projects/extra/hello/Patches/0002-later.patch
build extra.hello
is "a patch that does not fit ends the build" 2
says "with its name, file, hunk and line" err "unpack: Patches/0002-later.patch: hunk #1 of main.c does not fit, at line 1"
[ -z "$(find build/extra/hello -name .unpacked)" ]
ok "and leaves nothing that looks whole" $?
printf '%s\n' '--- a/main.c' '+++ b/main.c' '@@ -1,3 +1,4 @@' ' #include <stdio.h>' ' int main(int argc)' '+/* x */' ' {' \
	> projects/extra/hello/Patches/0002-later.patch
build extra.hello
is "nor does one that would need fuzz" 2
printf '%s\n' '--- a/none.c' '+++ b/none.c' '@@ -1 +1 @@' '-a' '+b' > projects/extra/hello/Patches/0002-later.patch
build extra.hello
says "nor one for a file that is not there" err "0002-later.patch: names a file that the source does not have"
rm projects/extra/hello/Patches/0002-later.patch
build extra.hello
is "without it all is well again" 0

# ---- sources ------------------------------------------------------------------------

sha=$(cut -d' ' -f1 projects/extra/hello/source)
echo x >> "cache/sources/$sha"
rm -rf cache/extra build/stamp/extra.hello
build extra.hello
is "a damaged source in the cache" 0
grep -q "is damaged, and taken for absent" build/log/extra.hello.log
ok "is noticed and had again" $?
cp sources/hello-1.0.tar.gz "$work/kept"
echo x >> sources/hello-1.0.tar.gz
rm -rf cache/sources cache/extra build/stamp/extra.hello
build extra.hello
is "a source with another digest" 2
says "is not taken" err "'hello-1.0.tar.gz' from '$SOURCES' has another SHA-256"
cp "$work/kept" sources/hello-1.0.tar.gz
echo "not a line" >> projects/extra/hello/source
build extra.hello
says "a line that is none is told by its place" err 'projects/extra/hello/source:2: not "SHA256 FILE"'
sed -i 2d projects/extra/hello/source
sed -i 's/hello-1.0$/hello-1.1/' projects/extra/hello/Makefile
build extra.hello
says "so is another folder in the tarball than VER" err "holds 'hello-1.0/', and the Makefile says that all of it is in 'hello-1.1/'"
sed -i 's/hello-1.1$/hello-1.0/' projects/extra/hello/Makefile
build extra.hello
is "mended it builds" 0

# ---- what was built once ------------------------------------------------------------

: > build/ran.inside
rm -rf build/proto/extra.hello build/extra
build extra.hello
[ "$status" -eq 0 ] && told hello "good day" && [ ! -s build/ran.inside ]
ok "what was built before comes from the cache" $?
archive=$(ls cache/extra/hello-*.tar)
echo x >> "$archive"
rm build/stamp/extra.hello
build extra.hello
says "unless that is damaged" out "is damaged, 'hello' is built again"
told hello "good day" && [ -s build/ran.inside ]
ok "and then it is built" $?
: > build/ran.inside
build extra.hello FORCE_STRAP_REBUILD=yes
[ -s build/ran.inside ]
ok "who wants no cache gets none" $?

# ---- variants and needs -------------------------------------------------------------

component tool 3.0 tool
printf 'VER = tool-3.0\nSYSTEM = make\nVARIANTS = strap\nNEEDS = hello # first\ninclude ../extra.mk\n' > projects/extra/tool/Makefile
echo '# nothing ships' > projects/extra/tool/manifest
build extra live
[ "$status" -eq 0 ] && [ -x build/strap.extra/tool/sbin/tool ] && [ -z "$(ls build/proto/extra.tool)" ]
ok "the strap variant is for the build root" $?
! grep -q tool build/image/manifest
ok "and does not ship" $?
grep -q hello build/stamp/extra.tool.inputs
ok "what it needs is built before it, and it follows that" $?
sed -i 's/hello # first/gone/' projects/extra/tool/Makefile
build extra.tool
is "what needs a component that is not there" 2
says "is told" err "there is no 'projects/extra/gone/Makefile'; it is named in: projects/extra/tool/Makefile"
sed -i 's/gone/tool/' projects/extra/tool/Makefile
run tools/extra/needs tool
says "so is one that needs itself" err "needs itself"
rm -r projects/extra/tool
printf 'd usr 0755 root root\n' > projects/extra/hello/manifest
build live
is "what is installed and in no manifest ends the build" 2
says "by component and path" err "extra.hello: 'usr/sbin/hello' is installed and not in"

# ---- what Debian compiled ----------------------------------------------------------

mkdir -p "$work/deb/DEBIAN" "$work/deb/usr/lib/boot" projects/extra/boot
printf 'Package: boot\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n' > "$work/deb/DEBIAN/control"
echo loader > "$work/deb/usr/lib/boot/loader"
dpkg-deb -Zgzip --root-owner-group -b "$work/deb" sources/boot_1_all.deb > "$work/out"
printf 'deb boot 1\n%s boot_1_all.deb\n' "$(sha256sum < sources/boot_1_all.deb | cut -d' ' -f1)" > projects/extra/boot/source
printf '%s\n' 'VER = boot-1' 'VARIANTS = strap' 'SYSTEM = make' 'COMPILE = :' \
	'INSTALL = install -D -m 644 usr/lib/boot/loader $(DEST)$(PREFIX)/loader' 'include ../extra.mk' > projects/extra/boot/Makefile
build extra.boot
[ "$status" -eq 0 ] && [ "$(cat build/strap.extra/boot/loader)" = loader ]
ok "a package is unpacked like a source" $?
echo 'deb boot' >> projects/extra/boot/source
build extra.boot
says "a line of it that is none is told" err 'projects/extra/boot/source:3: not "deb NAME VERSION"'
rm -r projects/extra/boot

# ---- in place of Debian's -----------------------------------------------------------

printf '%s\n' 'd usr 0755 root root' 'd usr/sbin 0755 root root' 'f usr/sbin/hello 0755 root root' > projects/extra/hello/manifest
script ship.more <<-'END'
	#!/bin/sh
	mkdir -p "$PROTO/core/usr/sbin"
	echo theirs > "$PROTO/core/usr/sbin/hello"
	[ -e projects/extra/hello/core-rules ] || echo 'f usr/sbin/hello 0755 root root'
END
rm -f build/stamp/select
build live
is "a file that Debian has as well" 2
says "is told by both places" err "'usr/sbin/hello' is listed again"
echo '- usr/sbin/hello' > projects/extra/hello/core-rules
sed -i 's|^echo select|& "$@"|' tools/core/ship
build live
[ "$status" -eq 0 ] && grep -qx 'select projects/core/rules projects/extra/hello/core-rules' build/ran
ok "unless a component's rules leave theirs out" $?
tar -xOf build/image/root.tar usr/sbin/hello | cmp -s - build/proto/extra.hello/usr/sbin/hello
ok "and then the component's ships" $?
echo '- usr/sbin/more' >> projects/extra/hello/core-rules
build live
grep -q '^select' build/ran
ok "new rules choose anew" $?

# ---- alone --------------------------------------------------------------------------

run make -C projects/extra/hello clean all install DESTDIR="$work/dest" BUILD="$PWD/build"
is "make clean all install works in its folder" 0
[ "$("$work/dest/usr/sbin/hello")" = "good day" ]
ok "and installs where it is told to" $?
! grep -qa "$work" "$work/dest/usr/sbin/hello"
ok "no path of the build is in what was built" $?
run make -s -C projects/extra/hello about
is "about tells what it is" 0 $'version 1.0\nlicence NOASSERTION\nvariants 64'
done_testing
