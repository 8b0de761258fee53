#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A debug build of the platform (configure -d): what it has more, what it is called,
# and that it leaves a release as it was.
. "$(dirname "$0")/build_tree.bash"
make_tree "$work/tree"
script tools/strap/make <<-'END'
	#!/bin/sh
	libraries=$BUILD/strap/root/usr/lib/x86_64-linux-gnu
	mkdir -p "$libraries"
	[ ! -x ./strap.more ] || ./strap.more "$libraries"
END
script tools/image/target <<-'END'
	#!/bin/sh
	echo target >> "$BUILD/ran"
	rm -rf "$PROTO/dais"
	mkdir -p "$PROTO/dais/usr/sbin"
	echo "vmadm for $TARGET_MODE" > "$PROTO/dais/usr/sbin/vmadm"
END

script ship.more <<-'END'
	#!/bin/sh
	printf 'd %s 0755 root root\n' etc/systemd etc/systemd/system.conf.d usr/lib usr/lib/x86_64-linux-gnu
END

listed() # listed: what the root archive has
{
	tar -tf build/image/root.tar | sed 's|^\./||; s|/$||' > "$work/out"
}

build live
is "a release is built" 0
cp build/image/root.tar "$work/release.tar"
release=$(basename "$(echo output/platform-*Z)")

build live MODE=dev
is "a debug build without the sanitizers' libraries fails" 2
says "and names what the build root lacks" err "no 'usr/lib/x86_64-linux-gnu/libasan.so'"
[ ! -e "output/$release-debug" ]
ok "without a platform" $?

script strap.more <<-'END'
	#!/bin/sh
	for name in libasan.so.8 libubsan.so.1; do
		echo "$name" > "$1/$name.0.0"
		ln -s "$name.0.0" "$1/$name"
	done
END
rm build/stamp/strap
build live MODE=dev
is "with them it is built" 0 "$(cat "$work/out")"
says "under a name that says so" out "output/$release-debug"
[ -d "output/$release-debug" ] && [ -d "output/$release" ]
ok "beside the release" $?
listed
for path in libasan.so.8 libasan.so.8.0.0 libubsan.so.1 libubsan.so.1.0.0; do
	says "$path ships" out "usr/lib/x86_64-linux-gnu/$path"
done
tar -xOf build/image/root.tar usr/sbin/vmadm etc/version/platform > "$work/out"
says "our programs are compiled for debugging" out "vmadm for debug"
says "the host knows what it is" out "-debug"
tar -xOf build/image/root.tar etc/systemd/system.conf.d/debug.conf > "$work/out"
says "daemons write at level debug" out '"DAIS_DEBUG=1"'
build live MODE=dev
ran ""
ok "again it is nothing to do" $?

build live
is "back to a release" 0
listed
! grep -q -e san.so -e debug.conf "$work/out"
ok "nothing of it ships" $?
cmp -s build/image/root.tar "$work/release.tar"
ok "not a byte is otherwise than before" $?
done_testing
