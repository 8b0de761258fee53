#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Bad days: a pool that has become read-only, no room or no inodes for the host's own
# files, a guest that has filled its quota or reboots for ever, and many commands on one
# VM at once. Each fails in words or works, and nothing is left.
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf badda115-0000-4000-8000-%012x $$)
own=$u
stopped() {
	payload '"uuid": "'"$u"'", "autoboot": '"${1:-false}"', "quota": 1, "resolvers": ["10.99.0.1"],
		"nics": [{ "nic_tag": "stub0", "ips": ["10.99.0.9/24"] }]' >"$dir/vm.json"
	vm create -f "$dir/vm.json"
}
state() { "$bin/vmadm" --root "$root" list -Ho state "uuid=$u" | xargs; }
# fails_in_words NAME WORDS ARGS...
fails_in_words() {
	local name=$1 words=$2
	shift 2
	vm "$@" </dev/null
	[ "$status" -eq 1 ] && [[ $err == *"$words"* ]]
	ok "$name: fails in words" $?
	[ "$status" -eq 1 ] && [[ $err == *"$words"* ]] || printf '# status %s: %s\n' "$status" "$err"
}
is_mended() {
	vm check --repair
	vm check
	is "$1: check finds nothing afterwards" "$status $out" "0 "
}

# ---- a pool that is read-only: the kernel does that when its disk fails -----------------

stopped
mount -o remount,ro "$zones"
sed "s/badda115/badda116/; s/10.99.0.9/10.99.0.10/" "$dir/vm.json" >"$dir/other.json"
fails_in_words "read-only pool, create" "Read-only file system" create -f "$dir/other.json"
[[ $err == *"parts of VM badda116"*"'vmadm check --repair' removes them"* ]]
ok "read-only pool, create: says what mends" $?
fails_in_words "read-only pool, snapshot" "Read-only file system" create-snapshot "$u" s
fails_in_words "read-only pool, start" "Read-only file system" start "$u"
fails_in_words "read-only pool, reprovision" "Read-only file system" \
	reprovision "$u" -f <(echo '{ "image_uuid": "'"$image"'" }')
fails_in_words "read-only pool, delete" "Read-only file system" delete "$u"
vm list -Ho state
ok "read-only pool: list works" "$status"
mount -o remount,rw "$zones"
is_mended "read-only pool"
vm delete "$u"
is "read-only pool: nothing is left" "$(leftovers)" ""

# ---- no inodes, no room --------------------------------------------------------------------

mount -t tmpfs -o nr_inodes=5 none "$root/etc/zones"
stopped
is "no inodes for the records: create fails in words" \
	"$status $(grep -c 'No space left on device' "$dir/err")" "1 1"
is "no inodes for the records: nothing is left" "$(leftovers)" ""
umount "$root/etc/zones"

stopped
mkdir -p "$root/run"
mount -t tmpfs -o size=64k none "$root/run"
cat /dev/zero >"$root/run/full" 2>/dev/null
fails_in_words "no room in /run, start" "No space left on device" start "$u"
rm "$root/run/full"
vm start "$u"
is "no room in /run: with some the VM starts" "$status $(state)" "0 running"
cat /dev/zero >"$root/run/full" 2>/dev/null
vm stop -F "$u"
is "no room in /run: stop works" "$(state)" stopped
rm "$root/run/full"
is_mended "no room in /run"
vm delete "$u"
is "no room in /run: nothing is left" "$(leftovers)" ""
umount -l "$root/run"

# ---- a guest that has filled its quota -------------------------------------------------------

stopped true
if [[ $err == *"does not bound"* ]]; then
	ok "a full guest # SKIP the pool does not bound what a VM stores" 0
else
	echo '{ "quota": 2 }' >"$dir/more.json"
	in_zone "$u" sh -c 'dd if=/dev/zero of=/fill bs=1M count=1100; sync' 2>/dev/null
	in_zone "$u" sh -c 'dd if=/dev/urandom of=/more bs=1M count=4 && sync' 2>/dev/null
	is "a full guest can write no more" $? 1
	vm update "$u" -f "$dir/more.json"
	is "a full guest gets a larger quota" "$status $err" "0 Successfully updated VM $u
changed: quota: 1 -> 2"
	in_zone "$u" sh -c 'dd if=/dev/urandom of=/more bs=1M count=4 && sync' 2>/dev/null
	ok "and writes on" $?
fi
vm delete "$u"
is "a full guest is deleted" "$(leftovers)" ""

# ---- a guest that reboots for ever ------------------------------------------------------------

stopped
vm create-snapshot "$u" s
printf '::sysinit:/bin/busybox reboot -f\n' >"$zones/$u/root/etc/inittab"
vm start "$u"
is "a guest that reboots at once: start works" "$status" 0
[ "$status" -eq 0 ] || printf '# %s\n' "$err"
sleep 2
vm rollback-snapshot "$u" s
ok "a guest that reboots at once: rollback is told how it went" $((status > 1))
[ "$status" -eq 0 ] || [ -n "$err" ]
ok "a guest that reboots at once: in words" $?
vm stop -F "$u"
is "a guest that reboots at once: stop works" "$(state)" stopped
is_mended "a guest that reboots at once"

# The same when it is gone before the supervisor can look at it: after liblxc's start (which
# waits for a child), before its limits, before its network.
mkdir "$dir/libexec"
ln -s "$bin/mdata-agent" "$dir/libexec/"
cat >"$dir/libexec/zoneadmd" <<S
#!/bin/bash
case " \$* " in *" --ended "*) exec "$bin/zoneadmd" "\$@" ;; esac
exec strace -D -qq -o "$dir/trace" -e "inject=\$(cat "$dir/delay"):delay_enter=300000" "$bin/zoneadmd" "\$@"
S
chmod 755 "$dir/libexec/zoneadmd"
printf '::sysinit:/bin/busybox reboot -f\n' >"$zones/$u/root/etc/inittab" # rolled back above
for call in wait4 setns:when=1 setns:when=2; do
	echo "$call" >"$dir/delay"
	rm -f "$zones/$u/logs/"*
	ASAN_OPTIONS=detect_leaks=0 DAIS_LIBEXEC=$dir/libexec vm start "$u"
	is "its supervisor late by $call: start works" \
		"$status $(grep -c '^warning: \(snapshots\|nics\|metadata\)' "$dir/err")" "0 0"
	[ "$status" -eq 0 ] || printf '# %s\n' "$err"
	eventually grep -rq 'the machine reboots' "$zones/$u/logs"
	ok "its supervisor late by $call: the end is heard of" $?
	vm stop -F "$u"
	is "its supervisor late by $call: stop works" "$status $(state)" "0 stopped"
done
is_mended "a late supervisor"

# ---- many commands on one VM at once ------------------------------------------------------------

vm delete "$u"
stopped true
for n in 1 2 3 4 5 6 7 8 9 10; do
	case $((n % 5)) in
	0) set -- stop -F "$u" ;;
	1) set -- start "$u" ;;
	2) set -- create-snapshot "$u" "s$n" ;;
	3) set -- reboot -F "$u" ;;
	4) set -- kill "$u" ;;
	esac
	"$bin/vmadm" --root "$root" "$@" >"$dir/many.$n" 2>&1 &
	echo '{ "alias": "m'"$n"'", "max_physical_memory": '$((64 + n))' }' |
		"$bin/vmadm" --root "$root" update "$u" >"$dir/update.$n" 2>&1 &
done
wait
is "ten updates among ten others: each is done" \
	"$(cat "$dir"/update.* | grep -c '^Successfully')" 10
is "ten updates among ten others: no program broke" \
	"$(cat "$dir"/many.* "$dir"/update.* | grep -c 'Sanitizer\|Assertion')" 0
vm check
is "ten updates among ten others: nothing to mend" "$status $out" "0 "
vm get "$u"
is "ten updates among ten others: the last is whole" \
	"$(jq -r '.alias' <<<"$out" | tr -d m)" "$(($(jq .max_physical_memory <<<"$out") - 64))"

# A send whose reader is slow, and a delete meanwhile.
mkfifo "$dir/pipe"
"$bin/vmadm" --root "$root" send -q "$u" >"$dir/pipe" 2>"$dir/send.err" &
sender=$!
exec 9<"$dir/pipe"
dd bs=8 count=1 <&9 >"$dir/stream" 2>/dev/null # it has begun
fails_in_words "a delete during a send" "is being sent" delete "$u"
cat <&9 >>"$dir/stream"
exec 9<&-
wait $sender
is "a send during a delete" "$?" 0
vm delete "$u"
is "a delete after the send" "$status $(leftovers)" "0 "
finish
