#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make reproduce-quick finds what differs between two builds, and says whose it is.
. "$(dirname "$0")/build_tree.bash"
make_tree "$work/tree"
cp "$top/mk/reproduce.mk" mk/
cp -r "$top/tools/reproduce" tools/
# In the tree, so that whoever builds can read it; the clock is changed by a preloaded library.
cp "$builder" tools/builder.test
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0
mkdir -p projects/local/dated
printf 'world:\n\ninstall:\n\tinstall -d $(DESTDIR)/usr\n\tsh ./write > $(DESTDIR)/usr/dated\n' \
	> projects/local/dated/Makefile
echo 'f usr/dated 0644 root root' > projects/local/dated/manifest
echo 'echo the same each time' > projects/local/dated/write
git add -A
git commit -qm reproduce

twice() # twice [GOAL]: built, and built again
{
	run make BUILDER=tools/builder.test MAX_JOBS=2 "${1:-reproduce-quick}"
}

twice
is "two builds of what does not depend on the moment are the same" 0
says "every byte, and it says so" out "files, "
says "of what was varied" out "varied     umask"
[ ! -e build/reproduce/two ]
ok "nothing of the second build stays" $?
[ "$(id -u)" -ne 0 ] || grep -q 'varied     user       root, one without rights' "$work/out"
ok "root has somebody else build, too" $?
[ -s build/reproduce/report ]
ok "the report is kept" $?

# As make calls it: with its folders in the environment.
run env "BUILD=$PWD/build" "OUTPUT=$PWD/output" "CACHE=$PWD/cache" BUILDER=tools/builder.test \
	tools/reproduce/run -n live
is "two builds that begin with nothing are the same, too" 0
says "and each is in a place of its own" out "files, "

echo 'date +%s%N' > projects/local/dated/write
twice
is "a component that writes the date is found" 2
grep -qE '^    platform-[^ ]+/boot_archive differs from byte [0-9]+ on$' "$work/out"
ok "the output file is named" $?
grep -qE '^    local.dated +usr/dated +another content$' "$work/out"
ok "and the component, with its file" $?
says "what differs can be looked at" out "usr/dated"
[ -s build/reproduce/two/tree/build/proto/local.dated/usr/dated ]
ok "as the second build is still there" $?

echo 'echo "$HOME $LC_ALL $TZ $USER"; umask; pwd' > projects/local/dated/write
sed -i 's/exec env -i PATH="$PATH" LC_ALL=C/exec/' tools/strap/run
twice
is "one that writes where and by whom is found" 2
echo 'echo once' > projects/local/dated/write

# A step that is not of a component.
sed -i 's/^cp.*boot_archive.*/&\necho $$ >> "$BUILD\/image\/boot_archive"/' tools/image/boot
twice
is "a step that leaves something of the moment is found" 2
grep -qE "^    boot +image/boot_archive +the step 'boot'$" "$work/out"
ok "by its name" $?
sed -i '/echo \$\$/d' tools/image/boot

echo 'exit 1' > projects/local/dated/write
twice
[ "$status" -ne 0 ] && ! grep -q 'the second build' "$work/out"
ok "what cannot be built is not compared" $?
done_testing
