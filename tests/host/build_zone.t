#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tools/build-zone: a small tree is built in a real zone, the bytes are those of the build
# outside, and nothing of the zone is left, however the build ends.
IMAGE=base
# shellcheck source=tests/host/vmadm_lib.bash
. "$(dirname "$0")/vmadm_lib.bash"
top=$(cd "$(dirname "$0")/../.." && pwd)
for tool in git make dpkg-deb ldd getopt; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done

# ---- the small tree, and make for a zone that has no network -----------------------

tree=$dir/tree
mkdir -p "$tree/src" "$dir/cache/debs"
echo "held" >"$dir/cache/debs/0123.deb"
head -c 300000 /dev/urandom >"$tree/src/data"
echo "a small thing" >"$tree/src/text"
ln -s text "$tree/src/link"
printf '%s\n' 'P := $(OUTPUT)/platform-20260401T093000Z' 'live:' \
	'	@echo "  live         begins"' '	@sh ./pack $(P)' '	@echo $(WORD) $$(cat $(CACHE)/debs/0123.deb)' \
	'fail:' '	@echo "what went wrong"; exit 7' 'hang:' '	@echo waiting; sleep 600' \
	'dated:' '	@sh ./pack $(P); date +%s%N >>$(P)/boot_archive' >"$tree/Makefile"
cat >"$tree/pack" <<'SH'
mkdir -p "$1/etc/version"
tar --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --mode=go=rX -C src -cf "$1/boot_archive" .
sha256sum <"$1/boot_archive" >"$1/boot_archive.hash"
echo 20260401T093000Z >"$1/etc/version/platform"
ln -s platform-20260401T093000Z "$1/../platform-latest"
SH
git -C "$tree" init -q -b master
git -C "$tree" -c user.name=t -c user.email=t@dais.test -c commit.gpgsign=false \
	commit -q --allow-empty -m start
git -C "$tree" add -A
git -C "$tree" -c user.name=t -c user.email=t@dais.test -c commit.gpgsign=false commit -q -m small
echo "not committed" >"$tree/src/text" # a tree is built as it is

# This host's make with all that it is linked to.
pack=$dir/make
mkdir -p "$pack/DEBIAN" "$pack/opt/make" "$pack/usr/bin" "$dir/packages"
ldd "$(command -v make)" | grep -o '/[^ ]*' | xargs -I{} cp -L {} "$pack/opt/make/"
cp -L "$(command -v make)" "$pack/opt/make/make"
printf '#!/bin/sh\nexec /opt/make/%s --library-path /opt/make /opt/make/make "$@"\n' \
	"$(basename "$(ls "$pack"/opt/make/ld-*)")" >"$pack/usr/bin/make"
chmod 755 "$pack/usr/bin/make"
printf '%s\n' 'Package: make' 'Version: 99' 'Architecture: all' 'Maintainer: t <t@dais.test>' \
	'Description: make of the host' >"$pack/DEBIAN/control"
dpkg-deb -b "$pack" "$dir/packages/make.deb" >/dev/null || skip "no package can be made"

# in_a_zone ARGS...: keeps $dir/out, $dir/err, $status
in_a_zone() {
	BUILD=$dir/build CACHE=$dir/cache "$top/tools/build-zone" --root "$root" --bin "$bin" --tree "$tree" \
		--image "$image" --packages "$dir/packages" --memory 512 --quota 2 --wait 2 "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}
said() { grep -qF -- "$1" "$dir/out" "$dir/err"; }
shown() { [ "$1" -eq 0 ] || sed 's/^/# /' "$dir/out" "$dir/err"; }
nothing() {
	local what
	what=$(leftovers; ls "$root/opt")
	[ -z "$what" ] || { sed 's/^/# left: /' <<<"$what"; return 1; }
}

# ---- the bytes ---------------------------------------------------------------------

in_a_zone live WORD='two words'
ok "a tree is built in a zone" "$status"
shown "$status"
said "  live         begins"
ok "what it says is shown" $?
said "two words held"
ok "the cache came in, and settings of make" $?
nothing
ok "the zone is gone, and what was shared" $?
(cd "$tree" && make -s OUTPUT="$dir/outside" CACHE="$dir/cache" live >/dev/null)
compare() { "$top/tools/reproduce/compare" "$dir/none" "$dir/outside" "$dir/none" "$dir/build/zone/output"; }
is "the bytes are those of the build outside" "$(compare | sed 's/,.*//')" "  3 files"
is "links come out as links" "$(readlink "$dir/build/zone/output/platform-latest")" platform-20260401T093000Z
is "the cache is as it was" "$(cat "$dir/cache/debs/0123.deb")" held

in_a_zone dated
is "one that writes the date is built, too" "$status" 0
compare | grep -q '^ *platform-.*/boot_archive is longer in one of the two$'
ok "and its bytes are others" $?

# ---- ends --------------------------------------------------------------------------

in_a_zone --output "$dir/build/zone/second" fail
is "a build that fails has make's status" "$status" 2
said "what went wrong"
ok "with its words" $?
[ ! -e "$dir/build/zone/second" ] && nothing
ok "and leaves nothing" $?

hanging() { grep -q waiting "$dir/out"; }
in_a_zone hang 2>/dev/null &
runner=$!
eventually hanging
ok "a build that goes on" $?
kill_tool() { # kill_tool SIGNAL: the program, not the function around it
	kill "-$1" "$(pgrep -P $runner)"
	wait $runner
}
kill_tool KILL
[ -n "$("$bin/vmadm" --root "$root" lookup)" ]
ok "killed hard it leaves its zone" $?
in_a_zone fail
shown $((status != 2))
[ "$status" -eq 2 ] && nothing
ok "which the next run takes away" $?
in_a_zone hang 2>/dev/null &
runner=$!
eventually hanging
kill_tool TERM
nothing
ok "ended by a signal it takes its zone away" $?

# ---- wrong use ---------------------------------------------------------------------

in_a_zone --memory lots
is "a wrong number" "$status $(head -n 1 "$dir/err")" \
	"2 build-zone: --memory: 'lots' is not a number from 256 to 1048576"
in_a_zone --image 00000000-0000-0000-0000-000000000001
[ "$status" -eq 1 ] && said "the zone cannot be created" && nothing
ok "an image that is not there" $?
"$top/tools/build-zone" --help >"$dir/out" 2>"$dir/err"
is "help" "$? $(head -c 5 "$dir/out") $(wc -c <"$dir/err")" "0 usage 0"
finish
