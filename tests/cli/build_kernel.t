#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The kernel from its source (configure --kernel=source), with a small stand-in of one: how
# answers are merged and held against what came out, patches, what is done again, and that
# its modules ship in place of Debian's.
. "$(dirname "$0")/build_tree.bash"
. "$(dirname "$0")/kernel_tree.bash"
for tool in gcc patch xz dpkg-deb; do
	command -v $tool > /dev/null || { echo "1..0 # SKIP no $tool"; exit 0; }
done
command -v depmod > /dev/null || PATH=$PATH:/sbin:/usr/sbin
command -v depmod > /dev/null || { echo "1..0 # SKIP no depmod"; exit 0; }
make_tree "$work/tree"
cp "$top/tools/core/ship" tools/core/
rm tools/image/drivers
cp "$top/tools/image/drivers" tools/image/
make_kernel 6.1 site
dir=projects/kernel/linux src=$work/src/linux-source-6.1

# The core has Debian's kernel of that, which ships when ours does not.
script tools/core/make <<-'END'
	#!/bin/sh
	mkdir -p "$BUILD/core/tree/boot" "$BUILD/core/tree/usr/lib/modules/6.1-debian/kernel" "$BUILD/core/tree/etc"
	echo debian > "$BUILD/core/tree/boot/vmlinuz-6.1-debian"
	echo module > "$BUILD/core/tree/usr/lib/modules/6.1-debian/kernel/alpha.ko"
	for file in order builtin builtin.modinfo; do
		: > "$BUILD/core/tree/usr/lib/modules/6.1-debian/modules.$file"
	done
	echo root:x:0:0::/: > "$BUILD/core/tree/etc/passwd"
	echo root:x:0: > "$BUILD/core/tree/etc/group"
	echo "root:*:1::::::" > "$BUILD/core/tree/etc/shadow"
	tar -C "$BUILD/core/tree" --sort=name --mtime=@1 --owner=0 --group=0 --mode=go=rX -cf "$BUILD/core/root.tar" .
END
cp "$top/tools/core/select" tools/core/
printf '%s\n' '+ **' '- boot' > projects/core/rules
script tools/strap/make <<-'END'
	#!/bin/sh
	mkdir -p "$BUILD/strap/root/usr"
	echo 1 > "$BUILD/strap/complete"
END
kernel() # kernel GOAL...: build with the kernel from its source
{
	build KERNEL=source "$@"
}
compiled() # compiled NAMES: these were compiled since, and no others
{
	local was
	was=$(sort -u build/kernel.linux/obj.virtual/compiled 2> /dev/null | paste -sd' ')
	rm -f build/kernel.linux/obj.virtual/compiled
	[ "$was" = "$1" ] || { echo "compiled: $was" > "$work/out"; false; }
}
in_image()
{
	tar -tf build/image/root.tar | grep -qx "$1"
}

build live
is "without it Debian's kernel ships" 0
in_image usr/lib/modules/6.1-debian/kernel/alpha.ko && [ "$(cat build/image/kernel)" = debian ]
ok "with its modules" $?
kernel live
is "with kernel=source it is built" 0
says "under a name that says so" out "Z-kernel"
compiled "alpha olddefconfig"
ok "of Debian's modules only those that a fragment names" $?
in_image usr/lib/modules/6.1-site/kernel/alpha.ko && ! in_image usr/lib/modules/6.1-debian/kernel/alpha.ko
ok "its modules ship in place of Debian's" $?
grep -q '^kernel 6.1-site Dais 6.1-1 by dais$' build/image/kernel && [ "$(cat build/image/kernel.version)" = 6.1-site ]
ok "and the kernel itself" $?
tar -xOf build/image/root.tar usr/lib/modules/6.1-site/modules.alias | grep -q 'alpha$'
ok "they are found by their devices" $?
tar -xOf build/image/root.tar usr/lib/modules/6.1-site/config | grep -qx CONFIG_ALPHA=m
ok "its configuration is beside them" $?
grep -q '^d usr/lib/modules/6.1-site 0755 root root$' build/manifest/kernel.linux.manifest &&
	! grep -q /build build/manifest/kernel.linux.manifest
ok "the manifest is written by the build" $?
kernel live EXPLAIN=1
says "again it is nothing to do" out "kernel.linux nothing to do"
compiled ""
ok "so nothing is compiled" $?

# ---- fragments ----------------------------------------------------------------------

printf '%s\n' CONFIG_BETA=m CONFIG_GAMMA=m > "$dir/config.d/20-more.config"
kernel kernel.linux
is "a fragment of the site is taken" 0
compiled "beta gamma olddefconfig"
ok "and what it adds is compiled, no more" $?
printf '%s\n' CONFIG_GAMMA=m > "$dir/config.d/20-more.config"
kernel kernel.linux
is "an answer that does not hold ends the build" 2
says "with file and line, and why" err "$dir/config.d/20-more.config:1: CONFIG_GAMMA=m: it is off, as something that it depends on is"
kernel kernel.linux
is "each time" 2
printf '%s\n' '# none' '' CONFIG_NONE=y > "$dir/config.d/20-more.config"
kernel kernel.linux
says "so does one that this kernel does not know" err "20-more.config:3: CONFIG_NONE=y: this kernel does not know it"
printf '%s\n' CONFIG_BETA=maybe > "$dir/config.d/20-more.config"
kernel kernel.linux
says "and what is no answer" err "20-more.config:1: not CONFIG_NAME=y, m, n, NUMBER or \"TEXT\": CONFIG_BETA=maybe"
printf '%s\n' CONFIG_BETA=m '# CONFIG_BETA is not set' > "$dir/config.d/20-more.config"
kernel kernel.linux
says "and two in one file" err "20-more.config:2: CONFIG_BETA is answered in line 1 before"
printf '%s\n' 'CONFIG_ALPHA=n' 'CONFIG_BETA=m' > "$dir/config.d/virtual/20-more.config"
rm "$dir/config.d/20-more.config"
kernel live
is "of two files the later one wins" 0
! in_image usr/lib/modules/6.1-site/kernel/alpha.ko && in_image usr/lib/modules/6.1-site/kernel/beta.ko
ok "and the module is gone from the image" $?
rm "$dir/config.d/virtual/20-more.config"
sed -i 's/^modules.*/modules some/' "$dir/base.virtual"
kernel kernel.linux
says "the base is read with file and line too" err "$dir/base.virtual:3: not \"config FILE\" or \"modules all|named\": modules some"
sed -i 's/^modules.*/modules all/; s/small/large/' "$dir/base.virtual"
kernel kernel.linux
says "one that the package does not have is told, with those that it has" err "has no 'config.large.xz', but: config.small.xz"
sed -i 's/large/small/' "$dir/base.virtual"
kernel kernel.linux
is "with all modules" 0
[ -e build/proto/kernel.linux/usr/lib/modules/6.1-site/kernel/beta.ko ]
ok "those of Debian that no fragment names come too" $?
sed -i 's/^modules.*/modules named/' "$dir/base.virtual"
kernel kernel.linux
compiled "olddefconfig" || :

# ---- patches ------------------------------------------------------------------------

patch_of() # patch_of FILE FROM TO: one that adds to the modinfo of a module
{
	printf -- '--- a/%s.s\n+++ b/%s.s\n@@ -1,2 +1,3 @@\n .section .modinfo,"a"\n+.asciz "%s"\n .asciz "%s"\n' "$1" "$1" "$3" "$2"
}
mkdir "$dir/Patches"
patch_of alpha license=GPL author=one > "$dir/Patches/0001-author.patch"
kernel kernel.linux
is "a patch is applied" 0
compiled "alpha olddefconfig" && grep -q author=one build/kernel.linux/src/alpha.s
ok "and only what it touches is compiled" $?
patch_of beta license=GPL author=two > "$dir/Patches/0002-other.patch"
kernel kernel.linux
compiled "olddefconfig"
ok "a second one leaves the first one's file alone" $?
rm "$dir/Patches/0002-other.patch"
patch_of alpha license=MIT author=two > "$dir/Patches/0002-unfit.patch"
kernel kernel.linux
is "one that does not fit ends the build" 2
says "with its name, file, hunk and line" err "source: $dir/Patches/0002-unfit.patch: hunk #1 of alpha.s does not fit, at line 1"
grep -q author=one build/kernel.linux/src/alpha.s
ok "and leaves the source as it was" $?
printf -- '--- a/../../x\n+++ b/../../x\n@@ -0,0 +1 @@\n+x\n' > "$dir/Patches/0002-unfit.patch"
kernel kernel.linux
says "one that leaves the source is refused" err "a patch names '../../x', which is outside of the source"
printf -- '--- /dev/null\n+++ b/new/file\n@@ -0,0 +1 @@\n+x\n' > "$dir/Patches/0002-unfit.patch"
kernel kernel.linux
[ "$(cat build/kernel.linux/src/new/file)" = x ]
ok "one may bring a file" $?
rm -r "$dir/Patches"
kernel kernel.linux
[ ! -e build/kernel.linux/src/new/file ] && ! grep -q author build/kernel.linux/src/alpha.s &&
	diff -r "$src" build/kernel.linux/src > "$work/out"
ok "without patches the source is as it came" $?

# ---- a module of the site -----------------------------------------------------------

mkdir projects/local/mine
echo 'obj-m := mine.o' > projects/local/mine/Kbuild
printf '"%s"\n' 'alias=pci:v00003333d00004444sv*sd*bc*sc*i*' 'vermagic=6.1-site SMP' > projects/local/mine/mine.c
kernel live
is "a module of the site is compiled against it" 0
in_image usr/lib/modules/6.1-site/updates/mine.ko &&
	tar -xOf build/image/root.tar usr/lib/modules/6.1-site/modules.alias | grep -q 'd00004444.* mine$'
ok "and found by its device" $?
rm -r projects/local/mine
kernel live
is "without it the image is whole" 0

# ---- source, flavours, debug --------------------------------------------------------

build kernel.linux KERNEL=source MODE=dev
is "a debug build is another kernel" 0
[ "$(cat build/kernel.linux/release)" = 6.1-site-debug ] && [ -e build/kernel.linux/obj.virtual/alpha.ko ]
ok "by name, and its objects are beside the others" $?
build kernel.linux KERNEL=source FLAVOUR=metal
[ -e build/proto/kernel.linux/usr/lib/modules/6.1-site/kernel/beta.ko ]
ok "so is that of another flavour" $?
kernel live
is "and back" 0
run tools/kernel/about
grep -q "^source $(sha256sum < sources/linux-source-6.1_6.1-1_all.deb | cut -d' ' -f1) linux-source-6.1_6.1-1_all.deb$" "$work/out"
ok "for the list of what it is made of: the source by its digest" $?
build live
in_image usr/lib/modules/6.1-debian/kernel/alpha.ko && ! in_image usr/lib/modules/6.1-site/kernel/alpha.ko &&
	[ "$(cat build/image/kernel)" = debian ]
ok "without kernel=source nothing of it is left in the image" $?
sed -i 's/^[0-9a-f]\{8\}/00000000/' "$dir/source"
script tools/apt-sources < /dev/null
kernel kernel.linux
is "a source of another digest is not taken" 2
says "and told" err "'linux-source-6.1_6.1-1_all.deb' from '$SOURCES' has another SHA-256 than '$dir/source' says"
kernel KERNEL=mine live
says "there are two kinds" err "KERNEL is 'mine', it must be debian or source"
done_testing
