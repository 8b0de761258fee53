#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What ships, checked: man pages by rules, time zones, microcode, the order of sections.
. "$(dirname "$0")/build_tree.bash"
export BUILDER=$builder
checks=$top/tools/checks
cd "$work" || exit 1

mkdir -p proto/usr/share/man/man{1,3,8} man/man
touch proto/usr/share/man/man1/a.1 proto/usr/share/man/man8/b.8.gz proto/usr/share/man/man3/{x,y}.3
manifest() # manifest LINE...
{
	printf '%s 0755 root root\n' "${@/#/f }" > manifest
}
manifest usr/bin/a usr/sbin/b usr/share/man/man1/a.1 usr/share/man/man8/b.8.gz
run "$checks/mancheck" -f manifest
is "commands whose pages ship are in order" 0 ""
manifest usr/bin/a usr/sbin/b usr/sbin/c
run "$checks/mancheck" -f manifest
is "others are not" 60
says "a page that stays behind is told" out "binary /usr/sbin/b has unshipped manual page: man8/b.8.gz"
says "and one that is missing" out "missing manual page for /usr/sbin/c"
printf '+section "[2-4]";\n-page "y*";\n' > rules
run "$checks/mancheck" -f manifest -s -c rules
says "rules make a section ship whole" out "section 3 page not shipped: proto/usr/share/man/man3/x.3"
! grep -q 'y\.3' out
ok "but for the pages that they leave out" $?
echo '-section "3";' > never
run "$checks/mancheck" -f manifest -s -c rules -c never
! grep -q 'section 3' out
ok "what one file leaves out no other brings back" $?
for rule in '+page "x";' '+section "x"' 'section "x";' '+zzz "x";' '+section x;' '/* never ends'; do
	printf '\n%s' "$rule" > rules
	run "$checks/mancheck" -f manifest -c rules
	[ "$status" -eq 1 ] && grep -q '^mancheck: rules:2: ' err
	ok "no rule: $rule" $?
done
echo 'f usr/bin/a 0999 root root' > manifest
run "$checks/mancheck" -f manifest
is "a manifest that is none is refused" 50
says "with its line" err "manifest:1:"
run "$checks/mancheck" -f none
is "and one that is not there" 50
rm -r man
manifest usr/bin/a
run "$checks/mancheck" -f manifest
is "and a tree without pages" 50

z=usr/share/zoneinfo
mkdir -p "proto/$z/Etc"
echo 1 > "proto/$z/UTC"
ln -s ../UTC "proto/$z/Etc/GMT"
ln "proto/$z/UTC" "proto/$z/Zulu"
zones() # zones LINE...
{
	printf '%s\n' "d $z/Etc 0755 root root" "$@" > manifest
	run "$checks/tzcheck" -f manifest -p proto -d $z
}
zones "f $z/UTC 0644 root root" "s $z/Etc/GMT=../UTC" "h $z/Zulu=$z/UTC"
is "time zones that ship as they are, are in order" 0 ""
zones "f $z/UTC 0644 root root" "s $z/Etc/GMT=UTC" "f $z/Zulu 0644 root root"
says "another target is told" out "symlink target mismatch: Etc/GMT"
rm "proto/$z/Zulu" && echo 1 > "proto/$z/Zulu"
zones "s $z/Etc/GMT=../UTC" "h $z/Zulu=$z/UTC"
is "what is missing is an error" 60
says "by name" out "missing from manifest: UTC"
says "and a hard link that is none" out "hardlink mismatch: Zulu"

u=usr/lib/firmware/amd-ucode
mkdir -p "proto/$u"
run "$checks/ucodecheck" -f manifest -p proto -d $u
is "an empty folder of microcode is an error, not a crash" 1
says "that says so" err "'proto/$u' is empty: suspicious build"
touch "proto/$u/fam17.bin"
run "$checks/ucodecheck" -f manifest -p proto -d $u
says "microcode that stays behind is told" err "missing from manifest: $u/fam17.bin"
manifest $u/fam17.bin
run "$checks/ucodecheck" -v -f manifest -p proto -d $u
is "and is in order when it ships" 0
run "$checks/ucodecheck" -f manifest -p proto -d nowhere
is "a folder that is not there is an error" 1

printf 'd usr/share/man/man%s 0755 root root\n' 3x 3c 3 1b 1 8 1m 3socket > manifest
run "$checks/mancf" -f manifest
says "sections are put into their order" out "MANSECTS=1,1m,1b,3,3c,3socket,3x,8"
run "$checks/mancf" -l -f manifest
is "or as man-db wants them" 0 "$(printf 'SECTION\t\t1 1m 1b 3 3c 3socket 3x 8')"

# The same in a build, by component.
make_tree "$work/tree"
mkdir -p projects/local/doc/usr/share/man/man3 projects/local/doc/$z
touch projects/local/doc/usr/share/man/man3/{x,y}.3 projects/local/doc/$z/UTC
printf '%s\n' 'd usr/share/man 0755 root root' 'd usr/share/man/man3 0755 root root' \
	'f usr/share/man/man3/x.3 0644 root root' "d $z 0755 root root" \
	"f $z/UTC 0644 root root" > projects/local/doc/manifest
printf 'usr/share/man/man3/y.3\n' > projects/local/doc/unshipped
build live
is "a project may leave a page behind" 0
echo '+section "3";' > projects/local/doc/mancheck.conf
build live
is "but not against its own rules" 2
says "which are read" err "section 3 page not shipped: build/proto/local.doc/usr/share/man/man3/y.3"
says "by component" err "local.doc: these pages do not ship"
rm projects/local/doc/mancheck.conf
echo "f $z/None 0644 root root" >> projects/local/doc/manifest
sed -i "/UTC/d" projects/local/doc/manifest
echo "$z/UTC" >> projects/local/doc/unshipped
sed -i "/None/d" projects/local/doc/manifest
build live
is "time zones are held against the manifests" 2
says "by component" err "local.doc: its time zones and the manifests do not agree"
done_testing
