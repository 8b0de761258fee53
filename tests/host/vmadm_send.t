#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A zone is sent to another host: another pool of another size, other ids. Whole and
# what has changed, cut off and gone on with, damaged, given up.
POOL_SIZE=2G
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf 6c6c6c6c-0000-4000-8000-%012x $$)
own=$u
root1=$root zones1=$zones root2=$dir/root2
mkdir -p "$root2/etc/dais"
cp "$root/etc/dais/nictags.json" "$root2/etc/dais/"
trap 'umount "$root2/zones" 2>/dev/null || umount -l "$root2/zones" 2>/dev/null; here; cleanup' EXIT
"$bin/mkpool" -q --file "$dir/pool2.img" --size 1G --root "$root2" || skip "no second pool"
here() { root=$root1 zones=$zones1; }
there() { root=$root2 zones=$root2/zones; }
names() { "$bin/vmadm" --root "$root" get "$u" 2>/dev/null | jq -r '[.snapshots[].name] | join(" ")'; }
state() { "$bin/vmadm" --root "$root" list -Ho state 2>/dev/null | xargs; }
# What a tree holds: names, kinds, modes, owners, times of files, contents, attributes.
tree() {
	(cd "$1" && find . -path ./dev -prune -o -printf '%P %y %m %U %G %l ' \( -type f -printf '%s %T@ ' \) -printf '\n' | sort
	find . -type f -print0 | sort -z | xargs -0 sha256sum
	getfattr -Rhd -m - . 2>/dev/null | sort) | sha256sum
}
send() { "$bin/vmadm" --root "$root1" send -q "$@" 2>"$dir/send.err"; }
receive() { # receive ARGS... <STREAM: keeps $status $err
	"$bin/vmadm" --root "$root2" receive -q "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	err=$(cat "$dir/err")
} 2>/dev/null
token() { grep -o -- '--resume-from [^ ]*' "$dir/err" | cut -d' ' -f2; }
# What is on the other host: nothing, a VM that is whole, or one that is receiving.
other() {
	there
	vm check
	local left
	left=$(leftovers | grep -v "^$u.json\$" | tr '\n' ' ')
	echo "${status}${left:+ $left}"
	here
}

payload '"uuid": "'$u'", "alias": "t", "autoboot": false, "delegate_dataset": true, "quota": 1,
	"nics": [{ "nic_tag": "stub0", "ips": ["10.99.0.9/24"] }], "tags": { "a": "b" }' >"$dir/vm.json"
vm create -f "$dir/vm.json"
[ "$status" -eq 0 ] || skip "no VM can be made: $err"
r=$zones/$u/root
rm -rf "$r/usr/share" "$r/usr/lib/x86_64-linux-gnu/perl"* "$r/var/lib/dpkg"
mkdir -p "$r/t/deep/er"
echo one >"$r/t/file"
ln "$r/t/file" "$r/t/deep/hard"
ln -s ../file "$r/t/deep/soft"
ln -s /etc/passwd "$r/t/out"
mkfifo "$r/t/fifo"
dd if=/dev/urandom of="$r/t/random" bs=64K count=160 2>/dev/null
cp --reflink=always "$r/t/random" "$r/t/shared"
truncate -s 8M "$r/t/sparse"
echo end >>"$r/t/sparse"
chown 1000:65535 "$r/t/file"
chmod 4751 "$r/t/random"
touch -d 2001-02-03T04:05:06.789 "$r/t/shared"
setfattr -n user.x -v y "$r/t/file" 2>/dev/null
echo data >"$zones/$u/data/d"
vm create-snapshot $u s1
rm "$r/t/shared"
mv "$r/t/deep" "$r/t/moved"
echo two >"$r/t/file"
vm create-snapshot $u s2
echo three >"$r/t/file"

# ---- words

script -qec "$bin/vmadm --root $root send $u" /dev/null </dev/null >"$dir/tty" 2>&1
grep -q '^Cannot send VM to a TTY' "$dir/tty"
ok "no stream is written to a terminal" $?
vm send $u --incremental-from none
is "what is incremental needs its snapshot" "$status $err" "1 No snapshot named \"none\" for $u"
receive <<<'not a stream at all, but long enough'
is "something else is refused" "$status $err" "1 this is not what 'vmadm send' writes"
receive -f "$dir/none" </dev/null
is "a file that is not there is named" "$status $err" "1 File: $dir/none does not exist."

# ---- whole

vm start $u
is "it runs before" "$status" 0
send $u >"$dir/full"
is "send says what it did" "$? $(cat "$dir/send.err")" "0 Successfully sent VM $u"
is "and the VM is stopped" "$(state)" stopped
receive <"$dir/full"
is "receive says what it did" "$status $err" "0 Successfully received VM $u"
there
is "the VM is stopped there" "$(state)" stopped
is "its snapshots came along" "$(names)" "s2 s1"
is "with their times" "$("$bin/vmadm" --root "$root2" get $u | jq -c '[.snapshots[].created_at]')" \
	"$("$bin/vmadm" --root "$root1" get $u | jq -c '[.snapshots[].created_at]')"
# Two of the same second would change places, and a rollback take the wrong one along.
is "to the last digit" "$(stat -c %.Y "$root2/zones/$u/snapinfo"/s? | xargs)" \
	"$(stat -c %.Y "$zones1/$u/snapinfo"/s? | xargs)"
for part in root snap/s1 snap/s2 data snapinfo/s1/data; do
	is "$part is the same" "$(tree "$root2/zones/$u/$part")" "$(tree "$zones1/$u/$part")"
done
is "and so is its record, but for what is this host's" \
	"$(jq -S 'del(.idmap_base, .autoboot)' "$root2/etc/zones/$u.json")" \
	"$(jq -S 'del(.idmap_base, .autoboot)' "$root1/etc/zones/$u.json")"
vm start $u
is "it starts there" "$status $(state)" "0 running"
vm stop -F $u
receive <"$dir/full"
grep -q "^VM $u is there already" <<<"$err"
ok "a second time is refused: $status" $?
here

# ---- what has changed

vm start $u
[ ! -e "$zones/$u/sending" ]
ok "a start forgets what was sent" $?
vm stop -F $u
echo four >"$r/t/file"
rm -r "$r/t/moved"
vm create-snapshot $u s3
echo five >"$r/t/file"
send $u --incremental-from s2 >"$dir/more"
[ "$(stat -c %s "$dir/more")" -lt $(($(stat -c %s "$dir/full") / 4)) ]
ok "what has changed since a snapshot is little" $?
receive <"$dir/more"
is "it is received" "$status $err" "0 Successfully received VM $u"
there
is "the snapshots of both are there" "$(names)" "s3 s2 s1"
is "the root is as it is" "$(tree "$root2/zones/$u/root")" "$(tree "$zones1/$u/root")"
receive <"$dir/more"
is "again is refused" "$status $err" "1 Snapshot \"s3\" already exists for $u"
# What has changed since another snapshot of that name was taken for what it was not.
here
vm delete-snapshot $u s3
vm create-snapshot $u s3
send $u --incremental-from s3 >"$dir/other"
receive -f "$dir/other" </dev/null
[[ $status = 1 && $err == "snapshot \"s3\" of $u is not the one that was sent from"* ]]
ok "a change of another snapshot of that name is refused: $err" $?
there
vm delete $u
is "nothing is left there" "$(other)" "0"
here
receive <"$dir/more"
grep -q "^VM $u is not here" <<<"$err"
ok "a change needs what it is of" $?

# ---- a small one, for what is done often

vm delete $u
payload '"uuid": "'$u'", "autoboot": false, "delegate_dataset": true' >"$dir/vm.json"
vm create -f "$dir/vm.json"
find "$zones/$u/root" -mindepth 1 -maxdepth 1 ! -name etc -exec rm -rf {} +
dd if=/dev/urandom of="$r/random" bs=64K count=40 2>/dev/null
vm create-snapshot $u s1
dd if=/dev/urandom of="$r/random" bs=64K count=10 seek=20 conv=notrunc 2>/dev/null

# ---- cut off anywhere, and gone on with

send $u >"$dir/full"
size=$(stat -c %s "$dir/full")
# Where a stream has come whole, and its end has not been told: going on took it for broken.
at_ends=$(grep -abo ENDS "$dir/full" | cut -d: -f1)
at_tail=$(grep -abo TAIL "$dir/full" | cut -d: -f1 | tail -n 1)
[ "$(wc -w <<<"$at_ends")" -gt 3 ]
ok "the stream has several streams in it" $?
for cut in $at_ends $((${at_ends##*$'\n'} + 3)) $at_tail 0 100 $((RANDOM * 40)) $((size / 2 + RANDOM * 20)) $((size - 1)); do
	there; vm delete $u; here
	"$bin/vmadm" --root "$root1" send -q $u 2>/dev/null | head -c "$cut" >"$dir/part"
	receive <"$dir/part"
	[ "$status" -eq 1 ] || ok "cut off after $cut bytes is a failure" 1
	t=$(token)
	if [ -z "$t" ]; then
		is "cut off after $cut bytes: nothing is there" "$(other)" "0"
		continue
	fi
	there
	is "cut off after $cut bytes: receiving" "$(state)" receiving
	vm start $u
	is "it cannot be started" "$status" 1
	here
	send $u --resume-from "$t" >"$dir/rest"
	receive --resume <"$dir/rest"
	is "and the rest is received" "$status $err" "0 Successfully received VM $u"
	is "all of it" "$(tree "$root2/zones/$u/root")" "$(tree "$zones1/$u/root")"
done

# ---- damaged, given up

there; vm delete $u; here
send $u >"$dir/full"
size=$(stat -c %s "$dir/full")
for at in 3 40 $((size / 2)) $((size - 30)); do
	cp "$dir/full" "$dir/bad"
	old=$(od -An -tu1 -j "$at" -N1 "$dir/bad" | tr -d ' ')
	printf "\\$(printf %03o $((old ^ 32)))" | dd of="$dir/bad" bs=1 seek="$at" conv=notrunc 2>/dev/null
	receive <"$dir/bad"
	[ "$status" -eq 1 ] && [ -n "$err" ]
	ok "a wrong byte at $at is refused: $(head -1 "$dir/err")" $?
	"$bin/vmadm" --root "$root2" receive --abandon $u >/dev/null 2>&1
	is "given up, nothing is there" "$(other)" "0"
done

"$bin/vmadm" --root "$root1" send -q $u 2>/dev/null | head -c $((size / 2)) >"$dir/part"
receive <"$dir/part"
there
is "half of it" "$(state)" receiving
vm clear $u
is "is cleared" "$status $(grep -cE 'had not arrived whole|Successfully cleared' "$dir/err")" "0 2"
here
is "which gives it up as well" "$(other)" "0"

# ---- killed

payload '"uuid": "'$u'", "autoboot": false' >"$dir/vm.json"
vm delete $u
vm create -f "$dir/vm.json"
find "$r" -mindepth 1 -maxdepth 1 ! -name etc -exec rm -rf {} +
send $u >"$dir/full"
n=0
while :; do
	n=$((n + 1))
	[ $n -lt 60 ] || break
	export DAIS_CRASH_AT=$n
	receive <"$dir/full"
	unset DAIS_CRASH_AT
	[ "$status" -ne 0 ] || break
	there
	vm check --repair
	vm check
	is "killed at step $n: $(state)" "$status" 0
	here
	if [ -e "$root2/etc/zones/$u.json" ] && [ "$(there; state)" = receiving ]; then
		t=$("$bin/vmadm" --root "$root2" receive --token $u)
		"$bin/vmadm" --root "$root2" install $u >/dev/null 2>&1
		[ "$(there; state)" != receiving ] || "$bin/vmadm" --root "$root2" receive --abandon $u 2>/dev/null
		[ -n "$t" ]
		ok "with a token" $?
	fi
	there; vm delete $u; here
	is "and nothing is left" "$(other)" "0"
done
[ "$n" -gt 5 ] && [ "$n" -lt 60 ]
ok "that were $((n - 1)) steps" $?
there; vm delete $u; here
vm delete $u
is "nothing is left in the end" "$(leftovers)" ""
finish
