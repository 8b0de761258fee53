#!/bin/bash
# SPDX-License-Identifier: MIT
#
# builder's commands on real folders: texts, statuses, archives.
set -u
export LC_ALL=C
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/builder" ] || { echo "1..0 # SKIP '$bin/builder' is not built"; exit 0; }
PATH=$bin:$PATH

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top" || exit 1
unset SOURCE_DATE_EPOCH
count=0

ok() # ok NAME STATUS
{
	count=$((count + 1))
	[ "$2" -eq 0 ] && echo "ok $count - $1" || echo "not ok $count - $1"
}

# is NAME STATUS STDOUT STDERR COMMAND...: runs it, compares all three.
is()
{
	local name=$1 want=$2 out=$3 err=$4 got
	shift 4
	"$@" >out.txt 2>err.txt
	got=$?
	[ $got -eq "$want" ] && [ "$(cat out.txt)" = "$out" ] && [ "$(cat err.txt)" = "$err" ]
	ok "$name" $?
	if [ $got -ne "$want" ] || [ "$(cat out.txt)" != "$out" ] || [ "$(cat err.txt)" != "$err" ]; then
		sed 's/^/# /' out.txt err.txt
		echo "# status $got"
	fi
}

mkdir -p over/etc proto/etc proto/usr/bin proto/usr/lib
printf 'root:x:0:0::/root:/bin/sh\nbin:x:2:2::/:/bin/false\n' >proto/etc/passwd
printf 'root:x:0:\nbin:x:2:\nsys:x:3:\n' >proto/etc/group
echo over >over/etc/motd
echo proto >proto/etc/motd
echo tool >proto/usr/bin/tool
echo lib >proto/usr/lib/lib.so.1
ln -s /usr/lib/lib.so.1 proto/usr/lib/lib.so
chmod 0600 proto/usr/bin/tool

cat >a.manifest <<'EOF'
# first
d usr 0755 root sys
d usr/bin 0755 root bin
f usr/bin/tool 4555 root bin
s usr/bin/alias=tool
h usr/bin/alias2=usr/bin/alias
h usr/bin/second=usr/bin/tool
EOF
cat >b.manifest <<'EOF'
d usr/ 755 root sys
d etc 0755 root sys
f etc/motd 0644 root sys
f etc/passwd 0644 root sys
d usr/lib 0755 root bin
f usr/lib/lib.so 0555 root bin
d tmp 1777 root sys
EOF

is "merge prints the entries in byte order of the key" 0 \
	"d etc 0755 root sys
f etc/motd 0644 root sys
f etc/passwd 0644 root sys
d tmp 1777 root sys
d usr/ 755 root sys
d usr/bin 0755 root bin
h usr/bin/alias2=usr/bin/alias
s usr/bin/alias=tool
h usr/bin/second=usr/bin/tool
f usr/bin/tool 4555 root bin
d usr/lib 0755 root bin
f usr/lib/lib.so 0555 root bin" "" builder merge a.manifest b.manifest

is "check prints nothing" 0 "" "" builder check a.manifest b.manifest

printf 'f usr/bin/tool 0755 root bin\nd usr 0700 root sys\n' >c.manifest
is "a conflict is refused with both places" 1 "" \
	"c.manifest:2: 'usr' is listed again, as 'd 0700 root sys'; it is 'd 0755 root sys' at a.manifest:2; one of the lines must go
c.manifest:1: 'usr/bin/tool' is listed again, as 'f 0755 root bin'; it is 'f 4555 root bin' at a.manifest:4; one of the lines must go
builder merge: refused for 2 errors" builder merge a.manifest c.manifest

is "with --lenient the later line wins, with a warning" 0 "d usr 0700 root sys
f usr/bin/tool 0755 root bin" \
	"c.manifest:2: warning: 'usr' is listed again, as 'd 0700 root sys'; it is 'd 0755 root sys' at d.manifest:1; the later line is used" \
	sh -c 'echo "d usr 0755 root sys" >d.manifest; builder merge --lenient d.manifest c.manifest'

: >empty.manifest
is "empty, unreadable and bad manifests are all reported" 1 "" \
	"empty.manifest: the manifest has no entry; leave it out, or list what it is for
gone.manifest: cannot open the file: No such file or directory
bad.manifest:1:1: 'x' is not a kind of entry; the kinds are d, f, s and h
bad.manifest:2:5: 'rwx' is not a mode; it must be octal, 07777 at most
builder check: refused for 4 errors" \
	sh -c 'printf "x y\nf a rwx r s\n" >bad.manifest; builder check empty.manifest gone.manifest bad.manifest'

builder merge >out.txt 2>&1
ok "wrong use is status 2: no operand" $(($? != 2))
builder archive -m a.manifest -s proto >out.txt 2>&1
ok "wrong use is status 2: no output" $(($? != 2))
builder archive -m a.manifest -s proto -o x.tar --mtime soon >out.txt 2>&1
ok "wrong use is status 2: a time that is no number" $(($? != 2))
builder nothing >out.txt 2>&1
ok "wrong use is status 2: no such command" $(($? != 2))
builder merge a.manifest >/dev/full 2>/dev/null
ok "a full standard output is not success" $(($? != 1))

# ---- archive ----------------------------------------------------------------

builder merge a.manifest b.manifest >all.manifest
is "archive writes without a word" 0 "" "" \
	builder archive -m all.manifest -s over -s proto -o one.tar
tar --numeric-owner -tvf one.tar | awk '{ print $1, $2, $3, $6, $7, $8, $9 }' | sed 's/ *$//' >list
cat >want <<'EOF'
drwxr-xr-x 0/3 0 etc/
-rw-r--r-- 0/3 5 etc/motd
-rw-r--r-- 0/3 55 etc/passwd
drwxrwxrwt 0/3 0 tmp/
drwxr-xr-x 0/3 0 usr/
drwxr-xr-x 0/2 0 usr/bin/
lrwxrwxrwx 0/0 0 usr/bin/alias -> tool
-r-sr-xr-x 0/2 5 usr/bin/tool
drwxr-xr-x 0/2 0 usr/lib/
-r-xr-xr-x 0/2 4 usr/lib/lib.so
hrwxrwxrwx 0/0 0 usr/bin/alias2 link to usr/bin/alias
hr-sr-xr-x 0/2 0 usr/bin/second link to usr/bin/tool
EOF
sed -i "s|3 55 etc/passwd|3 $(stat -c %s proto/etc/passwd) etc/passwd|" want
diff want list >diff.txt
ok "owners, modes and order are the manifest's, hard links last" $?
sed 's/^/# /' diff.txt

[ "$(tar -xOf one.tar etc/motd)" = over ] && [ "$(tar -xOf one.tar usr/lib/lib.so)" = lib ]
ok "the first folder wins, and links within it are followed" $?

mkdir x && tar -C x -xf one.tar 2>/dev/null && [ "$(readlink x/usr/bin/alias2)" = tool ] &&
	[ x/usr/bin/alias2 -ef x/usr/bin/tool ] && [ x/usr/bin/second -ef x/usr/bin/tool ]
ok "tar unpacks it, with a hard link onto a symbolic link" $?

touch -d '2001-01-01' proto/usr/bin/tool
chmod 0755 proto/usr/bin/tool
mkdir other
(umask 077 && cd other && TZ=Asia/Tokyo LC_ALL=C.UTF-8 \
	builder archive -m ../a.manifest -m ../b.manifest -s ../over -s ../proto -o two.tar)
cmp one.tar other/two.tar >diff.txt
ok "the same bytes whatever the place, clock, modes, zone, locale, umask and manifests' number" $?

SOURCE_DATE_EPOCH=86400 builder archive -m all.manifest -s proto -o t.tar
tar --utc -tvf t.tar | grep -qv '1970-01-02 00:00'
ok "SOURCE_DATE_EPOCH is every entry's time" $(($? == 0))
SOURCE_DATE_EPOCH=86400 builder archive -m all.manifest -s proto -o t.tar --mtime 0
tar --utc -tvf t.tar | grep -qv '1970-01-01 00:00'
ok "--mtime goes first" $(($? == 0))
is "a SOURCE_DATE_EPOCH that is no number is refused" 1 "" \
	"builder archive: SOURCE_DATE_EPOCH is 'now', not a number of seconds" \
	env SOURCE_DATE_EPOCH=now builder archive -m all.manifest -s proto -o t.tar

# ---- what an archive may not be -----------------------------------------------

cat >wrong.manifest <<'EOF'
d usr 0755 root sys
d usr/bin 0755 root bit
f usr/bin/gone 0555 root bin
f usr/lib 0555 root bin
f opt/x 0555 nobody bin
h usr/none=usr/nothing
f usr/bin/gone2 0555 root bin
EOF
cp one.tar keep.tar
is "every fault is reported at once" 1 "" \
	"wrong.manifest:5: 'opt/x' lies in 'opt', which is not listed; add 'd opt MODE USER GROUP'
wrong.manifest:6: hard link 'usr/none' leads to 'usr/nothing', which is not listed
wrong.manifest:5: user 'nobody' of 'opt/x' is not in 'proto/etc/passwd'
wrong.manifest:2: group 'bit' of 'usr/bin' is not in 'proto/etc/group'
wrong.manifest:5: 'opt/x' is in no folder of the search path
wrong.manifest:3: 'usr/bin/gone' is in no folder of the search path
wrong.manifest:7: 'usr/bin/gone2' is in no folder of the search path
wrong.manifest:4: 'usr/lib' in 'proto' is a folder, not a regular file
builder archive: refused for 8 errors" \
	builder archive -m wrong.manifest -s over -s proto -o keep.tar
cmp one.tar keep.tar && [ ! -e .keep.tar.new ]
ok "a refused archive leaves the old one, and nothing else" $?

printf 'd etc 0755 root root\nf etc/leak 0644 root root\n' >leak.manifest
ln -s ../../../etc/hostname over/etc/leak
is "a link does not lead out of the search path" 1 "" \
	"leak.manifest:2: 'etc/leak' is in no folder of the search path
builder archive: refused for 1 error" builder archive -m leak.manifest -s over -o leak.tar

dd if=/dev/zero of=proto/big bs=1024 count=2048 2>/dev/null
printf 'f big 0644 root root\n' >big.manifest
(ulimit -f 1024 && builder archive -m big.manifest -s proto -o big.tar) 2>err.txt
[ $? -eq 1 ] && grep -q "'big': cannot .* the archive: File too large" err.txt &&
	[ ! -e big.tar ] && [ ! -e .big.tar.new ]
ok "a file that cannot grow is an error that leaves nothing" $?

is "a folder that is not there is named" 1 "" \
	"builder archive: cannot open the folder 'gone': No such file or directory" \
	builder archive -m a.manifest -s gone -o x.tar
is "an output in a folder that is not there is refused" 1 "" \
	"builder archive: cannot open the folder of 'gone/x.tar': No such file or directory" \
	builder archive -m all.manifest -s proto -o gone/x.tar
is "an output that is a folder is refused" 1 "" \
	"builder archive: 'x' exists and is not a regular file" \
	builder archive -m all.manifest -s proto -o x

echo 'half' >.late.tar.new
builder archive -m all.manifest -s over -s proto -o late.tar && cmp one.tar late.tar && [ ! -e .late.tar.new ]
ok "what a killed run left is taken over" $?

printf 'd x 0755 root sys\nd y 0755 7 8\n' >ids.manifest
printf 'root:x:5:5\n' >users
printf 'sys:x:6:\n' >groups
builder archive -m ids.manifest -s over -o ids.tar --passwd users --group groups
[ "$(tar --numeric-owner -tvf ids.tar | awk '{ print $2 }' | xargs)" = "5/6 7/8" ]
ok "--passwd and --group name the accounts; digits are ids" $?

# ---- unlisted, sums -----------------------------------------------------------

is "unlisted prints what no manifest lists" 0 "big
etc/group
etc/leak
usr/lib/lib.so.1" "" builder unlisted -m all.manifest -s over -s proto
is "unlisted without a finding is silent" 0 "" "" \
	sh -c 'mkdir e; builder unlisted -m all.manifest -s e'

builder sums -m all.manifest -s over -s proto >sums && (cd x && sha256sum -c --quiet ../sums)
ok "sums are what sha256sum checks" $?
[ "$(awk '{ print $2 }' sums | xargs)" = \
	"./etc/motd ./etc/passwd ./usr/bin/second ./usr/bin/tool ./usr/lib/lib.so" ]
ok "sums come in byte order, hard links included" $?
printf 'd etc 0755 root root\nf etc/a\\x2db 0644 root root\n' >esc.manifest
echo esc >'proto/etc/a\x2db'
builder sums -m esc.manifest -s proto >sums && (cd proto && sha256sum -c --quiet ../sums)
ok "a backslash in a name is written as sha256sum reads it" $?
is "sums of a missing file are refused" 1 "" \
	"esc.manifest:2: 'etc/a\\x2db' is in no folder of the search path
builder sums: refused for 1 error" builder sums -m esc.manifest -s over

echo "1..$count"
