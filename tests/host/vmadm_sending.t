#!/bin/bash
# SPDX-License-Identifier: MIT
#
# While a zone is being sent, as slowly as its receiver likes, it is started, changed,
# looked at and stopped; what is on its way out stays until it is out, and arrives whole.
# shellcheck source-path=SCRIPTDIR source=vmadm_lib.bash
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf 6d6d6d6d-0000-4000-8000-%012x $$)
own=$u
payload '"uuid": "'"$u"'", "alias": "s", "autoboot": false, "quota": 1' >"$dir/vm.json"
vm create -f "$dir/vm.json"
r=$zones/$u/root
vm create-snapshot "$u" old
dd if=/dev/urandom of="$r/random" bs=64K count=64 2>/dev/null
vm create-snapshot "$u" s1
echo at the time >"$r/mark"

# A receiver that has not begun to read: more is on its way than a pipe holds.
mkfifo "$dir/pipe"
slow() { # slow ARGS...
	"$bin/vmadm" --root "$root" send -q "$@" >"$dir/pipe" 2>"$dir/send.err" &
	sender=$!
	exec 8<"$dir/pipe"
	eventually [ -e "$zones/$u/sending/head.json" ]
	# It says that all is kept by letting go of the VM.
	eventually timeout 5 "$bin/vmadm" --root "$root" update "$u" <<<"{ \"tags\": { \"n\": $RANDOM } }"
}
try() { timeout 20 "$bin/vmadm" --root "$root" "$@" >"$dir/out" 2>"$dir/err"; status=$?; err=$(cat "$dir/err"); }

slow "$u" --incremental-from old
try update "$u" <<<'{ "alias": "t" }'
is "it is changed while it is sent" "$status $(jq -r .alias "$root/etc/zones/$u.json")" "0 t"
try get "$u"
is "looked at" "$status" 0
try start "$u"
is "started" "$status" 0
in_zone "$u" sh -c 'echo later >/mark'
try create-snapshot "$u" s2
is "a snapshot is made" "$status" 0
try stop -F "$u"
is "and it is stopped" "$status" 0
try start "$u"
try stop -F "$u"
[ -e "$zones/$u/sending/head.json" ]
ok "none of that took away what is being sent" $?
for name in s1 old; do
	try delete-snapshot "$u" $name
	is "snapshot $name, which is needed, stays" "$status $err" \
		"1 snapshot \"$name\" of VM $u is being sent: wait for the end of that, or end it"
done
try delete-snapshot "$u" s2
is "one that is not may go" "$status" 0
try rollback-snapshot "$u" s1
is "a rollback is refused" "$status $err" "1 VM $u is being sent: wait for the end of that, or end it"
try delete "$u"
is "a delete as well" "$status $err" \
	"1 Failed to delete VM $u: VM $u is being sent: wait for the end of that, or end it"
try reprovision "$u" <<<"{ \"image_uuid\": \"$image\" }"
is "and so is reprovision" "$status $(grep -c 'is being sent: wait' <<<"$err")" "1 1"
"$bin/vmadm" --root "$root" send -q "$u" >"$dir/second" 2>"$dir/err"
is "a second send is refused" "$? $(cat "$dir/err")" "1 VM $u is being sent already"
cat <&8 >"$dir/stream"
exec 8<&-
wait "$sender"
is "the send ends well" "$? $(cat "$dir/send.err")" "0 Successfully sent VM $u"
try delete-snapshot "$u" s1
is "then the snapshot can go" "$status" 0
try start "$u"
[ ! -e "$zones/$u/sending" ]
ok "and a start forgets what was sent" $?
try stop -F "$u"

# What arrives is what there was when it was sent.
slow "$u"
try start "$u"
in_zone "$u" sh -c 'echo still later >/mark; rm /random'
cat <&8 >"$dir/stream"
exec 8<&-
wait "$sender"
try delete "$u"
is "sent whole, and deleted" "$status" 0
try receive -q <"$dir/stream"
is "it is received" "$status $err" "0 Successfully received VM $u"
is "as it was when it was sent" "$(cat "$r/mark") $(stat -c %s "$r/random")" "later 4194304"

# A sender that is killed holds nothing.
slow "$u"
kill -9 "$sender"
wait "$sender" 2>/dev/null
exec 8<&-
try delete "$u"
is "the sender is killed: the VM can be deleted" "$status" 0
is "nothing is left" "$(leftovers)" ""
finish
