#!/bin/bash
# SPDX-License-Identifier: MIT
#
# configure: what it takes, what it writes, what it refuses.
. "$(dirname "$0")/build_lib.bash"

# A copy, on a machine on which all packages are installed but those of $lacks.
src=$work/a.clone
mkdir -p "$src/tools/core" "$work/bin" "$work/apt"
cp "$top/configure" "$src/"
cp "$top/tools/apt-sources" "$src/tools/"
cp "$top/tools/core/host-packages" "$src/tools/core/"
mkdir -p "$src/tools/strap" "$src/build/stamp"
cp -r "$top/tools/projects" "$top/tools/image" "$src/tools/"
echo "gcc-14 14.2 amd64 0" > "$src/tools/strap/lock"
cat > "$work/bin/dpkg-query" <<-'END'
	#!/bin/sh
	for last; do :; done
	case " $lacks " in *" $last "*) exit 1 ;; esac
	echo installed
END
chmod +x "$work/bin/dpkg-query"
PATH=$work/bin:$PATH
export DAIS_APT_DIR=$work/apt lacks=''
echo "deb http://one.test/debian trixie main" > "$work/apt/sources.list"

if ! { [ "$(id -u)" -eq 0 ] || grep -q "^$(id -un):" /etc/subuid; }; then
	echo "1..0 # SKIP no range of user ids in /etc/subuid"
	exit 0
fi

cd /
run "$src/configure"
is "configure runs from any folder" 0
grep -qx 'FLAVOUR=virtual' "$src/config.mk" && grep -qx 'prefix=/usr/local' "$src/config.mk"
ok "and writes the defaults" $?
cmp -s <(grep -v '^#' "$src/config.mk") <(grep -v '^#' "$src/build.env")
ok "into both files alike" $?

touch -d 2001-01-01 "$src/config.mk"
run "$src/configure"
[ "$(date -r "$src/config.mk" +%Y)" = 2001 ]
ok "the same settings again leave the file alone" $?

echo 'FLAVOUR=metal; PROFILE=release' > "$src/configure.local"
FLAVOUR=bogus run "$src/configure" --profile dev
is "configure.local wins over the environment" 0
grep -qx 'FLAVOUR=metal' "$src/config.mk" && grep -qx 'PROFILE=dev' "$src/config.mk"
ok "and an option wins over configure.local" $?
printf '%s\n' 'DAIS_MIRROR=http://mine.test/debian' 'CACHE=/var/cache/dais' > "$src/configure.local"
run "$src/configure"
grep -qx 'DAIS_MIRROR=http://mine.test/debian' "$src/config.mk" && grep -qx 'CACHE=/var/cache/dais' "$src/config.mk"
ok "a mirror and a cache of one's own are for make, too" $?
echo 'DAIS_MIRROR="http://mine.test/a b"' > "$src/configure.local"
run "$src/configure"
is "what is no address is wrong use" 2 ""
rm "$src/configure.local"
echo 'exit 7' > "$src/configure.local~"
echo 'exit 7' > "$src/configure.smartos"
echo 'no list' > "$src/configure-projects.bak"
run "$src/configure"
is "what an editor leaves beside a configuration is none" 0
grep -v '^#' "$top/sample.configure" > "$src/configure.local"
run "$src/configure"
is "the sample may be copied as it is" 0
rm "$src/configure.local"

touch "$src/build/stamp/strap"
run "$src/configure" -drj3 --locked
is "letters may be joined" 0
grep -qx 'MODE=dev' "$src/config.mk" && grep -qx 'FORCE_STRAP_REBUILD=yes' "$src/config.mk" &&
	grep -qx 'JOBS=3' "$src/config.mk" && [ ! -e "$src/build/stamp/strap" ]
ok "and mean each what they mean alone" $?
run "$src/configure" -d -r --locked --firmware -j3 --prefix=/opt/dais
is "the original's letters are taken" 0
grep -qx 'MODE=dev' "$src/config.mk" && grep -qx 'LOCKED=yes' "$src/config.mk" &&
	grep -qx 'JOBS=3' "$src/config.mk" && grep -qx 'prefix=/opt/dais' "$src/config.mk"
ok "and written down" $?

disk() # disk MB: so much is free
{
	printf '#!/bin/sh\necho\necho / 1 1 %s\n' "$1" > "$work/bin/df"
	chmod +x "$work/bin/df"
}
disk 9000
run "$src/configure" --kernel=source
is "the kernel may be one from its source" 0
grep -qx 'KERNEL=source' "$src/config.mk" && grep -qx 'KERNEL=source' "$src/build.env"
ok "which is written down" $?
run "$src/configure" -d --kernel=source
is "with symbols for a debugger it takes a large disk" 1
says "which is told" err "9000 MB are free below '$src', a build needs 25000"
rm "$work/bin/df"
run "$src/configure"
! grep -q 'KERNEL=source' "$src/config.mk"
ok "without the option it is Debian's again" $?

printf '#!/bin/sh\n' > "$work/bin/clang-99"
chmod +x "$work/bin/clang-99"
cp "$work/bin/clang-99" "$work/bin/gcc-14"
run "$src/configure" -p gcc14 -s clang99,clang-99 -l
is "compilers are taken, by the original's names as well" 0
grep -qx 'PRIMARY_COMPILER=gcc-14' "$src/build.env" && grep -qx 'SHADOW_COMPILERS=clang-99' "$src/build.env" &&
	grep -qx 'STATIC_ANALYSIS=yes' "$src/build.env"
ok "and written down once" $?
echo STATIC_ANALYSIS=yes > "$src/configure.local"
run "$src/configure" -S
! grep -q STATIC "$src/config.mk"
ok "static analysis of configure.local is turned off by -S" $?
rm "$src/configure.local"
run "$src/configure" -p clang-99
is "a compiler that the build root has not is refused" 1
says "with what to do" err "the build root has no 'clang-99'"
run "$src/configure" -p clang-99 --tools-only
is "the programs alone may have it" 0
run "$src/configure" -s clang-98
says "a compiler that is missing is a missing package" err "apt-get install clang-98"
touch "$src/build/left"
run "$src/configure" -c
is "-c takes away what was built" 0
[ ! -e "$src/build" ]
ok "really" $?

run "$src/configure" -P 'so se%cret'
is "a password is taken" 0
! grep -q 'cret' "$src/config.mk" && grep -q '^PASSWORD_HASH=\$\$6\$\$' "$src/config.mk"
ok "and only its hash is kept" $?
says "which is not shown" out "PASSWORD_HASH=(not shown)"
[ "$(stat -c %a "$src/config.mk")" = 600 ]
ok "where nobody else reads it" $?

cp "$src/config.mk" "$work/before"
for wrong in --flavour=pink --kernel=mine --profile=fast --jobs=0 --jobs=x --prefix=here '--prefix=/a b' \
	--suite=Trixie --locked=yes --nonsense -p=tcc -sgcc-x --primary-compiler=gcc4.4 -dx -x --flavour; do
	run "$src/configure" $wrong
	is "configure $wrong is wrong use" 2 ""
done
[ "$(tail -n 1 "$work/err")" = "configure: '--flavour' needs a value" ]
ok "and the message names the option, where it is seen: below the usage" $?
cmp -s "$src/config.mk" "$work/before"
ok "and nothing is written" $?

cp -r "$src" "$work/a clone"
run "$work/a clone/configure"
is "a folder with a blank in its name is refused" 1
says "by name" err "the build cannot be in '$work/a clone'"

lacks='mmdebstrap gcc' run "$src/configure"
is "missing packages are an error" 1 ""
says "with the command that installs them all" err "apt-get install gcc mmdebstrap"
lacks='mmdebstrap' run "$src/configure" --tools-only
is "the programs alone need less" 0

: > "$work/apt/sources.list"
run "$src/configure"
is "a machine without a Debian mirror is refused" 1
says "with what to do" err "set DAIS_MIRROR"
done_testing
