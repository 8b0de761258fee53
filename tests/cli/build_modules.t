#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A driver of a site: compiled against the platform's kernel, found by its aliases.
. "$(dirname "$0")/build_tree.bash"
command -v depmod > /dev/null || PATH=$PATH:/sbin:/usr/sbin
command -v depmod > /dev/null || { echo "1..0 # SKIP no depmod"; exit 0; }
make_tree "$work/tree"
rm tools/image/drivers
cp "$top/tools/image/drivers" tools/image/

m=usr/lib/modules/6.1-test
module() # module FILE INFO...: an object that has what depmod reads of a module
{
	local file=$1 info
	shift
	for info; do
		printf '.section .modinfo,"a"\n.asciz "%s"\n' "$info"
	done | gcc -c -x assembler -o "$file" -
}
# The kernel of the core has one module.
mkdir -p "$work/kernel/$m/kernel"
module "$work/kernel/$m/kernel/first.ko" "alias=pci:v00001111d00002222sv*sd*bc*sc*i*" license=GPL
echo kernel/first.ko > "$work/kernel/$m/modules.order"
: > "$work/kernel/$m/modules.builtin"
: > "$work/kernel/$m/modules.builtin.modinfo"
depmod -b "$work/kernel" -m "/$m/.." 6.1-test 2> /dev/null || depmod -b "$work/kernel/usr" 6.1-test
[ -s "$work/kernel/$m/modules.alias" ] || { echo "Bail out! depmod wrote nothing"; exit 1; }
script ship.more <<-END
	#!/bin/sh
	cp -r "$work/kernel/." "\$PROTO/core"
	printf 'd %s 0755 root root\n' usr usr/lib usr/lib/modules
	cd "$work/kernel"
	find $m -type d -printf 'd %p 0755 root root\n'
	find $m -type f -printf 'f %p 0644 root root\n'
END
script tools/projects/kernel <<-'END'
	#!/bin/sh
	mkdir -p "$BUILD/kernel/root/usr/src/linux-headers-6.1-test"
	cp fake.mk "$BUILD/kernel/root/usr/src/linux-headers-6.1-test/Makefile"
	echo 6.1-test > "$BUILD/kernel/version"
END
cat > fake.mk <<-'END'
	.RECIPEPREFIX := >
	modules:
	> cd $(M) && sed 's/.*"\(.*\)"/.section .modinfo,"a"\n.asciz "\1"/' mine.c | gcc -c -x assembler -o mine.ko -
END

mkdir projects/local/mine
echo 'obj-m := mine.o' > projects/local/mine/Kbuild
printf '"%s"\n' 'alias=pci:v00003333d00004444sv*sd*bc*sc*i*' 'vermagic=6.1-test SMP' > projects/local/mine/mine.c
build live
is "a folder with a Kbuild is built" 0
tar -tf build/image/root.tar | grep -qx "$m/updates/mine.ko"
ok "its module is in the image" $?
tar -xOf build/image/root.tar $m/modules.dep | grep -q '^updates/mine.ko:' &&
	tar -xOf build/image/root.tar $m/modules.alias | grep -q 'd00004444.* mine$'
ok "and is found by its device" $?
tar -xOf build/image/root.tar $m/modules.alias | grep -q 'd00002222.* first$' &&
	! grep -q mine "build/proto/core/$m/modules.alias"
ok "beside the kernel's, whose tree is as it was" $?
echo 'bind mine pci:3333:4444' > projects/local/mine/drivers
build live
is "its table may bind it" 0
tar -xOf build/image/root.tar usr/lib/modprobe.d/dais-drivers.conf | grep -q ' mine$'
ok "as that of any other" $?
echo 'bind mine pci:3333:5555' > projects/local/mine/drivers
build live
is "but only to what a module knows" 2
says "with file and line" err "projects/local/mine/drivers:1:"
rm projects/local/mine/drivers
sed -i 's/6\.1-test/6.2-test/' tools/projects/kernel
build live
is "a module for another kernel is refused" 2
says "by both names" err "modules/6.2-test': the platform's kernel is 6.1-test"
sed -i 's/6\.2-test/6.1-test/' tools/projects/kernel
printf '"%s"\n' alias=x:y 'vermagic=6.1-other SMP' > projects/local/mine/mine.c
build live
is "so is one that was compiled for another and lies with this one's" 2
says "by its path" err "$m/updates/mine.ko': compiled for kernel '6.1-other', the platform's is 6.1-test"
rm -r projects/local/mine
mkdir -p projects/local/lost/opt
cp "$work/kernel/$m/kernel/first.ko" projects/local/lost/opt/
printf '%s\n' "d opt 0755 root root" "f opt/first.ko 0644 root root" > projects/local/lost/manifest
build live
says "and one where modprobe does not look" err "opt/first.ko': modprobe looks in '$m' only"
rm -r projects/local/lost
build live
is "without the driver it is built again" 0
! tar -xOf build/image/root.tar $m/modules.dep | grep -q mine
ok "and nothing of it is left" $?
done_testing
