#!/bin/bash
# SPDX-License-Identifier: MIT
#
# select: which entries of an assembled core ship, as a manifest and a tree.
. "$(dirname "$0")/build_lib.bash"
select=$top/tools/core/select

core=$work/core
mkdir -p "$core/etc" "$core/usr/bin" "$core/usr/share/doc/base" "$core/usr/lib/a.b" "$core/var/tmp"
printf 'root:x:0:0::/:\nmail:x:8:8::/:\n' > "$core/etc/passwd"
printf 'root:x:0:\nshadow:x:42:\nmail:x:8:\n' > "$core/etc/group"
for f in etc/shadow usr/bin/su usr/bin/tool usr/share/doc/base/copyright usr/share/doc/README \
	usr/lib/a.b/x usr/lib/a.b/y usr/lib/aXb 'usr/share/a=b' 'usr/share/caf'$'\303\251'; do
	echo "$f" > "$core/$f"
done
ln -s tool "$core/usr/bin/alias"
ln "$core/usr/bin/tool" "$core/usr/bin/same"
chmod 4755 "$core/usr/bin/su"
chmod 1777 "$core/var/tmp"
chmod 640 "$core/etc/shadow"
tar -C "$core" --sort=name --numeric-owner --owner=0 --group=0 -cf "$work/core.tar" .

ship() # ship RULES-LINES...: select by these rules
{
	printf '%s\n' "$@" > "$work/rules"
	run "$select" -t "$work/core.tar" -m "$work/manifest" -p "$work/proto" "$work/rules"
}

ship '+ **'
is "everything ships" 0
grep -qx 'f usr/bin/su 4755 root root' "$work/manifest" &&
	grep -qx 'd var/tmp 1777 root root' "$work/manifest" &&
	grep -qx 's usr/bin/alias=tool' "$work/manifest" &&
	grep -qx 'f etc/shadow 0640 root root' "$work/manifest"
ok "with kinds, modes and owners by name" $?
grep -qx 'h usr/bin/tool=usr/bin/same' "$work/manifest" && [ -s "$work/proto/usr/bin/same" ]
ok "and hard links by full path" $?
[ "$(cat "$work/proto/usr/share/a=b")" = 'usr/share/a=b' ] && [ -e "$work/proto/usr/share/caf"$'\303\251' ]
ok "whatever is in the names of files" $?
sort -c -k2,2 "$work/manifest"
ok "sorted by path" $?

ship '+ **' '- usr/share/doc  # docs' '+ usr/share/doc/base/copyright'
is "the last rule that matches decides" 0
grep -q 'usr/share/doc/base/copyright' "$work/manifest" &&
	grep -qx 'd usr/share/doc/base 0755 root root' "$work/manifest" &&
	! grep -q README "$work/manifest" && [ ! -e "$work/proto/usr/share/doc/README" ]
ok "what it brings back comes with its folders, and nothing else" $?

# A component's own rules, of another file.
printf '%s\n' '+ **' > "$work/rules"
printf '%s\n' '# ours is another' '- usr/bin/su' '- usr/bin/none' > "$work/more"
run "$select" -t "$work/core.tar" -m "$work/manifest" -p "$work/proto" "$work/rules" "$work/more"
[ "$status" -eq 0 ] && ! grep -q usr/bin/su "$work/manifest" && [ ! -e "$work/proto/usr/bin/su" ]
ok "rules of a second file come after those of the first" $?
says "and are told by their place when they match nothing" err "more:3: - usr/bin/none: matches nothing"

ship '+ usr/lib/a.b'
grep -q 'f usr/lib/a.b/x ' "$work/manifest" && ! grep -q aXb "$work/manifest" &&
	! grep -q 'usr/bin' "$work/manifest"
ok "a dot is a dot, a folder covers what is below it" $?
ship '+ usr/*/x' '+ usr/**/y'
! grep -q 'a.b/x' "$work/manifest" && grep -q 'a.b/y' "$work/manifest"
ok "one star stops at a slash, two do not" $?
ship '+ usr/lib/a.b/[xz]' '+ etc/passw?'
grep -q 'a.b/x' "$work/manifest" && ! grep -q 'a.b/y' "$work/manifest" && grep -q passwd "$work/manifest"
ok "sets and question marks" $?
ship '+ usr/bin/tool'
grep -qx 'f usr/bin/tool 0755 root root' "$work/manifest" || grep -q '^f usr/bin/tool ' "$work/manifest"
ok "a hard link whose other name stays out is a file" $?
[ -s "$work/proto/usr/bin/tool" ]
ok "with its content" $?

ship '+ etc' '- usr/games/*'
is "a rule that matches nothing is no error" 0
says "but is reported with its place" err "$work/rules:2: - usr/games/*: matches nothing"

cp "$work/manifest" "$work/before"
ship '+ etc' '* nonsense'
is "a line that is no rule is refused" 1
says "with file and line" err "$work/rules:2: not \"+ GLOB\" or \"- GLOB\""
ship '+ /etc'
says "so is a leading slash" err "$work/rules:1: a glob has no slash at its ends: /etc"
ship '+ etc/[ab'
says "and an open bracket" err "$work/rules:1: a \"[\" without its \"]\""
cmp -s "$work/manifest" "$work/before"
ok "and the old manifest stays" $?

# The platform's own rules: nothing of the machine that built it ships.
host="etc/resolv.conf etc/.resolv.conf.systemd-resolved.bak etc/hostname etc/machine-id
	etc/.pwd.lock etc/passwd- etc/apt/sources.list etc/apt/apt.conf.d/99mmdebstrap
	etc/ssh/ssh_host_ed25519_key var/log/apt/history.log var/cache/apt/pkgcache.bin"
for f in $host usr/bin/tool; do
	mkdir -p "$core/${f%/*}"
	echo "$f" > "$core/$f"
done
tar -C "$core" --sort=name --numeric-owner --owner=0 --group=0 -cf "$work/core.tar" .
run "$select" -t "$work/core.tar" -m "$work/manifest" -p "$work/proto" "$top/projects/core/rules"
is "the platform's rules choose" 0
grep -q '^[fh] usr/bin/tool' "$work/manifest"
ok "what belongs to it" $?
for f in $host; do
	grep -q " $f[ =]" "$work/manifest" && echo "$f"
done > "$work/out"
[ ! -s "$work/out" ]
ok "and nothing that tells of the machine that built it" $?

ship '- etc'
is "rules that choose nothing are refused" 1
run "$select" -t "$work/core.tar" -m "$work/manifest" -p "$work/proto" "$work/absent"
is "rules that are not there are refused" 1
says "by name" err "cannot read the rules '$work/absent'"
done_testing
