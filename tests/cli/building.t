#!/bin/bash
# SPDX-License-Identifier: MIT
#
# docs/building.md: what it tells a stranger to type is typed, in a small tree.
. "$(dirname "$0")/build_tree.bash"
. "$(dirname "$0")/kernel_tree.bash"
page=$top/docs/building.md
[ "$(id -u)" -eq 0 ] || grep -q "^$(id -un):" /etc/subuid ||
	{ echo "1..0 # SKIP no range of user ids in /etc/subuid"; exit 0; }
make_tree "$work/tree"
cp "$top"/{configure,default.configure-projects,sample.configure} .
cp "$top"/tools/core/{host-packages,apt.sh} tools/core/
cp -r "$top/tools/extra" tools/
cp "$top"/mk/extra.mk mk/
mkdir projects/extra
cp "$top/projects/extra/extra.mk" projects/extra/
rm -r projects/local tools/image/drivers
mkdir projects/local
cp "$top/tools/image/drivers" tools/image/
touch tools/strap/packages projects/core/packages.firmware
script tools/apt-sources < /dev/null

# A machine that has everything.
mkdir -p "$work/bin" "$work/home"
printf '#!/bin/sh\necho installed\n' > "$work/bin/dpkg-query"
chmod +x "$work/bin/dpkg-query"
export PATH=$work/bin:$PATH:/sbin:/usr/sbin HOME=$work/home BUILDER=$builder

# Each package of the lists is one program with its page; the lock names them.
script tools/core/resolve <<-'END'
	#!/bin/sh
	out=$2
	shift 2
	grep -hv '^#' "$@" | sed '/^$/d' > "$out"
END
m=usr/lib/modules/6.1-test
script ship.more <<-END
	#!/bin/sh
	printf 'd %s 0755 root root\n' usr usr/bin usr/share/man usr/share/man/man1 usr/lib
	mkdir -p "\$PROTO/core/usr/bin" "\$PROTO/core/usr/share/man/man1" "\$PROTO/core/$m"
	grep -v '^#' projects/core/lock.virtual | while read -r name; do
		echo "\$name" > "\$PROTO/core/usr/bin/\$name"
		echo "f usr/bin/\$name 0755 root root"
	done
	[ "\$KERNEL" != source ] || exit 0
	printf 'd %s 0755 root root\n' usr/lib/modules $m
	for f in dep alias builtin order builtin.modinfo; do
		: > "\$PROTO/core/$m/modules.\$f"
		echo "f $m/modules.\$f 0644 root root"
	done
	echo kernel/ata_generic.ko: > "\$PROTO/core/$m/modules.dep"
	mkdir -p "\$PROTO/core/$m/kernel"
	echo | gcc -c -x c -o "\$PROTO/core/$m/kernel/ata_generic.ko" -
	echo "d $m/kernel 0755 root root"
	echo "f $m/kernel/ata_generic.ko 0644 root root"
END
script tools/projects/kernel <<-'END'
	#!/bin/sh
	headers=$BUILD/kernel/root/usr/src/linux-headers-6.1-test
	mkdir -p "$headers"
	printf 'modules:\n\tcd $(M) && gcc -c -o mydrv.ko mydrv.c\n' > "$headers/Makefile"
	echo 6.1-test > "$BUILD/kernel/version"
END

block() # block HEADING N: the n-th block below that heading, without its tab
{
	awk -v heading="## $1" -v want="$2" '
	/^## / { here = $0 == heading; next }
	!here { next }
	/^\t/ { if (!inside) n++; inside = 1; if (n == want) print substr($0, 2); next }
	{ inside = 0 }' "$page"
}
type_in() # type_in HEADING N: run it, each line as it stands
{
	block "$1" "$2" > "$work/block"
	[ -s "$work/block" ] || echo false > "$work/block"
	[ "$(wc -l < "$work/block")" -lt 10 ] || echo false >> "$work/block"
	run bash -e "$work/block"
	is "$1: what the page says can be typed" 0
}
in_image()
{
	tar -tf build/image/root.tar 2> /dev/null | grep -qx "$1"
	ok "and $1 is in the image" $?
}

type_in "From a clone to a platform" 1
in_image usr/sbin/vmadm
type_in "A package of Debian in the core" 1
in_image usr/bin/htop
# Somebody's tarball with its ./configure, and a patch to it.
mkdir "$work/hello-2.12"
printf 'echo configured > config.status\n' > "$work/hello-2.12/configure"
printf 'hello, you\n' > "$work/hello-2.12/hello"
printf '.Dd 2026\n.Dt HELLO 1\n' > "$work/hello-2.12/hello.1"
printf '%s\n' 'all: config.status' 'install:' > "$work/hello-2.12/Makefile"
for to in bin/hello share/man/man1/hello.1 share/info/hello.info; do
	printf '\tinstall -D hello%s $(DESTDIR)/usr/%s\n' "${to##*/hello}" "$to"
done >> "$work/hello-2.12/Makefile"
echo "about hello" > "$work/hello-2.12/hello.info"
chmod +x "$work/hello-2.12/configure"
tar -C "$work" -czf "$HOME/hello-2.12.tar.gz" hello-2.12
printf '%s\n' '--- a/hello' '+++ b/hello' '@@ -1 +1 @@' '-hello, you' '+hello, dear' > "$HOME/0001-politer.patch"
# What would be done in the build root, here: unpack and patch, then the usual three.
mv tools/strap/run tools/strap/run.plain
script tools/strap/run <<-'END'
	#!/bin/bash
	set -eu
	case " $* " in
	*" /tools/kernel/"*) exec "$0.plain" "$@" ;;
	*=/sources\ *) ;;
	*) exec "$0.plain" "$@" ;;
	esac
	declare -A at
	while getopts w:r: opt; do at[${OPTARG#*=}]=$(realpath "${OPTARG%%=*}"); done
	shift "$OPTIND"
	dir=${at[/src]}/${3#/src/}
	version=$(sed -n 's/^VER *= *//p' "$dir/Makefile")
	sed "s|/sources/|${at[/sources]}/|g; s|bsdtar|tar|g" "${at[/tools]}/unpack" > "${at[/obj]}/unpack"
	cp "${at[/tools]}/patches.sh" "${at[/obj]}/"
	sh "${at[/obj]}/unpack" -n "$version" -o "${at[/obj]}/work" "$dir"
	cd "${at[/obj]}/work"
	./configure
	unset MAKEFLAGS MAKEOVERRIDES
	make all
	make DESTDIR="${at[/dest]}" install
END
type_in "A patched tarball in extra" 1
in_image usr/bin/hello
[ "$(tar -xOf build/image/root.tar usr/bin/hello)" = "hello, dear" ]
ok "with the patch" $?
type_in "A local project" 1
in_image usr/bin/greet
in_image usr/share/man/man1/greet.1

git init -q "$work/motd.git"
mkdir "$work/motd.git/etc"
echo hello > "$work/motd.git/etc/motd"
echo 'f etc/motd 0644 root root' > "$work/motd.git/manifest"
git -C "$work/motd.git" add -A
git -C "$work/motd.git" -c user.name=t -c user.email=t@dais.test commit -qm motd
git -C "$work/motd.git" branch -qM master
git config --global "url.file://$work/motd.git.insteadOf" https://git.example.org/motd.git
type_in "A project from a repository" 1
in_image etc/motd

if command -v depmod > /dev/null; then
	echo 'static const char v[] __attribute__((section(".modinfo"), used)) = "vermagic=6.1-test";' > "$HOME/mydrv.c"
	type_in "A driver" 1
	in_image $m/updates/mydrv.ko
	type_in "A driver" 2
	in_image usr/lib/modprobe.d/dais-drivers.conf
	make_kernel 6.1 test
	echo CONFIG_ATA_GENERIC=m > projects/kernel/linux/config.d/virtual/20-ata.config
	printf '%s\n' '--- a/wireguard.s' '+++ b/wireguard.s' '@@ -1,2 +1,3 @@' ' .section .modinfo,"a"' '+.asciz "author=me"' \
		' .asciz "license=GPL"' > "$HOME/0001-louder.patch"
	type_in "A kernel of your own" 1
	in_image $m/kernel/wireguard.ko
	tar -xOf build/image/root.tar $m/kernel/wireguard.ko | grep -aq author=me
	ok "with the patch" $?
	in_image $m/updates/mydrv.ko
fi

# No block of the page is left out above.
awk '/^## / { h = substr($0, 4) } /^\t/ && !inside { print h; inside = 1 } !/^\t/ { inside = 0 }' "$page" > "$work/out"
printf '%s\n' "From a clone to a platform" "A package of Debian in the core" "A patched tarball in extra" "A local project" \
	"A project from a repository" "A driver" "A driver" "A kernel of your own" | diff - "$work/out" > "$work/err"
ok "every block of the page was typed" $?
done_testing
