#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The build root: made once for its inputs, made again when it is not what was made.
# Its packages are two small ones of our own, and what fetches them is a stand-in.
. "$(dirname "$0")/build_lib.bash"
cd "$work" || exit 1
export CACHE=$work/cache
mkdir -p tools/core cache/debs
cp -r "$top/tools/strap" tools/
make=$work/tools/strap/make check=$work/tools/strap/check

# deb NAME FILE...: a package of these, into the cache under its digest
deb()
{
	local name=$1 file
	shift
	mkdir -p "$name/DEBIAN"
	for file in "$@"; do
		[ -e "$name/$file" ] || { mkdir -p "$name/${file%/*}"; cp "/$file" "$name/$file"; }
	done
	printf 'Package: %s\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@example.com>\nDescription: x\n' \
		"$name" > "$name/DEBIAN/control"
	dpkg-deb -Zgzip --root-owner-group -b "$name" "$name.deb" > out 2> err
	sha=$(sha256sum < "$name.deb" | cut -d' ' -f1)
	mv "$name.deb" "cache/debs/$sha.deb"
	echo "$name 1 amd64 $sha install" >> lock.all
}
script()
{
	mkdir -p "${1%/*}"
	printf '#!/usr/bin/sh\n%s\n' "$2" > "$1"
	chmod 755 "$1"
}
# A shell with its libraries is the whole system.
libs=$(ldd /bin/dash /bin/touch | grep -o '/[^ ]*' | grep '\.so' | sort -u)
mkdir -p base-files/usr/bin base-files/usr/share/base-passwd base-files/etc base-files/usr/lib64
ln -s usr/bin base-files/bin
ln -s usr/lib base-files/lib
ln -s usr/lib64 base-files/lib64
cp /bin/dash base-files/usr/bin/sh
cp /bin/touch base-files/usr/bin/touch
for lib in $libs; do
	to=base-files/usr/${lib#/}
	to=${to/usr\/usr/usr}
	mkdir -p "${to%/*}"
	cp -L "$lib" "$to"
done
for tool in ldconfig gcc make; do
	script "base-files/usr/bin/$tool" "echo $tool"
done
touch base-files/usr/share/base-passwd/{passwd,group}.master
deb base-files
script hello/usr/bin/hello 'echo hello'
deb hello
cat > tools/core/fetch <<'END'
#!/bin/sh
echo fetched >> "$CACHE/fetched"
while [ $# -gt 2 ]; do
	case $1 in -l) lock=$2; shift ;; -o) used=$2; shift ;; esac
	shift
done
cp "$lock" "$used"
END
chmod +x tools/core/fetch
cp lock.all tools/strap/lock

made()
{
	[ "$(wc -l < cache/fetched)" -eq "$1" ]
}

run "$make" -l link
is "it is made" 0 && made 1 && root=$(readlink link)
[ -x "$root/root/usr/bin/hello" ] && [ "$(cat out)" = "$root" ]
ok "of the packages of the lock, and linked to" $?
run "$make" -l link
made 1
ok "the second time it is there" $?
run "$make" -F
made 1
ok "and when all of it is read, too" $?

run "$check" link
is "check says so" 0 ""
echo x >> "$root/root/usr/bin/hello"
run "$check" link
is "a changed file" 1
says "is told by its name" err "strap: 'link' is not what was made: usr/bin/hello has changed"
run "$make" -l link
says "and the build root is made again" err "NOTE: '$root' is not what was made: usr/bin/hello has changed; it is made again"
made 2 && [ "$(tail -n 1 link/root/usr/bin/hello)" = 'echo hello' ] && [ ! -e "$root.damage" ]
ok "whole" $?
: > "$root/root/usr/bin/hello"
run "$make"
made 3
ok "so is one with a file cut short" $?
rm "$root/root/usr/bin/hello"
run "$make"
says "one with a file gone" err "usr/bin/hello is gone; it is made again"
echo > "$root/root/usr/bin/more"
run "$make"
says "one with a file more" err "usr/bin/more is new; it is made again"
rm "$root/seal"
run "$make"
says "one without its seal" err "it has no seal; it is made again"

# The same size and time: what a bad disk does.
before=$(stat -c %Y "$root/root/usr/bin/hello")
sed -i s/hello/jello/ "$root/root/usr/bin/hello"
touch -d "@$before" "$root/root/usr/bin/hello"
run "$check" link
is "other bytes of the same size and time pass the quick look" 0
run "$check" -f link
says "and not the full one" err "usr/bin/hello has other bytes"
fetched=$(wc -l < cache/fetched)
run "$make" -F
made $((fetched + 1)) && run "$check" -f link
is "make -F mends that" 0

# A killed make leaves a folder without `complete`.
rm "$root/complete"
run "$make" -l link
run "$check" -f link
is "one that was cut off is made again" 0
mkdir own.link
run "$make" -b own -l own.link
[ "$status" -ne 0 ] && [ -z "$(ls own.link)" ]
ok "no link is made within a folder" $?
rmdir own.link
fetched=$(wc -l < cache/fetched)
run "$make" -b own -l own.link
made $((fetched + 1)) && [ "$(readlink own.link)" = "$work/own" ] && run "$check" own.link
is "without the cache it is made beside" 0
echo '# new' >> tools/strap/packages
run "$make" -l link
[ "$(readlink link)" != "$root" ]
ok "another list is another build root" $?

# What runs in there cannot change it.
run tools/strap/run link/root /bin/sh -c 'touch /usr/bin/x'
[ "$status" -ne 0 ] && [ ! -e link/root/usr/bin/x ]
ok "the build root is read-only for what runs in it" $?
mkdir w r
echo 1 > r/a
run tools/strap/run -w w=/obj/deep -r r=/src link/root /bin/sh -c 'read x < /src/a; echo $x > /obj/deep/b'
is "folders are lent to it" 0
[ "$(cat w/b)" = 1 ]
ok "to write to" $?
run tools/strap/run -r r=/src link/root /bin/sh -c 'echo 2 > /src/a'
[ "$status" -ne 0 ] && [ "$(cat r/a)" = 1 ]
ok "or only to read" $?
# As make does it: what is half made is removed, then the signal ends it.
setsid tools/strap/run -w w=/obj link/root /bin/sh -c \
	'trap "trap - TERM; kill -TERM \$\$" TERM; : > /obj/begun; while [ ! -e /obj/end ]; do :; done; : > /obj/went-on' &
builder=$!
until [ -e w/begun ]; do sleep 0.1; done
kill -TERM -- "-$builder"
(sleep 20; : > w/end) 2>/dev/null &
limit=$!
wait "$builder" 2>/dev/null
kill "$limit" 2>/dev/null
[ ! -e w/went-on ]
ok "a signal ends what runs in it" $?
run "$check" -f link
is "and it still is what was made" 0

# The same as a goal of make, which configure -r tells to leave the cache alone.
cp "$top/Makefile" .
mkdir -p mk projects/core build
cp "$top"/mk/{build,flags,world,install}.mk mk/
cp -r "$top"/tools/{image,projects} tools/
cp "$top/tools/optimize-jobs" tools/
cache() # cache: all that is in it, with times
{
	find cache/strap -printf '%p %s %T@\n' | sort
}
run make strap
root=$(readlink build/strap)
[ "$status" -eq 0 ] && [ "${root%/*}" = "$work/cache/strap" ]
ok "make strap takes it from the cache" $?
: > "$root/root/usr/bin/hello"
run make strap
[ "$status" -eq 0 ] && [ "$(tail -n 1 build/strap/root/usr/bin/hello)" = 'echo hello' ]
ok "looks whether it is whole, and mends it" $?
grep -q 'usr/bin/hello has changed; it is made again' build/log/strap.log
ok "and the log has why" $?
echo FORCE_STRAP_REBUILD=yes > config.mk
cache > before
fetched=$(wc -l < cache/fetched)
run make strap
made $((fetched + 1)) && [ "$(readlink build/strap)" = "$work/build/strap.own" ]
ok "with configure -r it is made beside the cache" $?
cache | diff before - > out
is "which is as it was" 0
run make strap
made $((fetched + 1))
ok "once" $?
: > build/strap.own/root/usr/bin/hello
run make strap
made $((fetched + 2)) && run "$check" -f build/strap
is "and again when that is damaged" 0
rm config.mk
run make strap
made $((fetched + 2)) && [ "$(readlink build/strap)" = "$root" ]
ok "without it the cache's is back" $?
done_testing
