#!/bin/bash
# SPDX-License-Identifier: MIT
#
# States of real zones: out of failed and of what was cut short, what a zone ended
# with, and zones that start with the host while one of them cannot.
. "$(dirname "$0")/vmadm_lib.bash"
[ -x "$bin/platform" ] || skip "'$bin/platform' is not built"
export PATH=$bin:$PATH

a=aaaaaaaa-0000-4000-8000-0000000000b1
b=bbbbbbbb-0000-4000-8000-0000000000b2
c=cccccccc-0000-4000-8000-0000000000b3
own="$a $b $c"

state() { "$bin/vmadm" --root "$root" list -H -o state uuid="$1"; }
value() { "$bin/vmadm" --root "$root" get "$1" | jq -r ".$2"; }
is_stopped() { [ "$(state "$1")" = stopped ]; }

# ---- failed, and out of it ----------------------------------------------------------

for uuid in $own; do
	payload "\"uuid\": \"$uuid\", \"autoboot\": false" | "$bin/vmadm" --root "$root" create 2>/dev/null
done
init=$zones/$b/root/sbin/init
# Absolute links of the image lead into the image.
mv "$init" "$init.away"
vm start "$b"
ok "a zone without init does not start" "$((status == 1 ? 0 : 1))"
is "a start by hand leaves it stopped" "$(state "$b")" stopped
vm clear "$b"
is "there is nothing to clear" "$status $err" "0 VM $b has nothing to clear"

# ---- with the host --------------------------------------------------------------------

for uuid in $own; do
	jq '.autoboot = true' "$root/etc/zones/$uuid.json" >"$dir/new" && mv "$dir/new" "$root/etc/zones/$uuid.json"
done
"$bin/platform" --root "$root" start-zones >"$dir/out" 2>"$dir/err"
is "that one does not start is told" "$? $(tail -1 "$dir/err")" "1 platform start-zones: 1 of 3 zones did not start"
is "it does not hold up the others" "$(state "$a") $(state "$b") $(state "$c")" "running failed running"
ok "the log names it" "$(grep -q "$b does not start" "$dir/err"; echo $?)"
ok "the record has the reason" "$(value "$b" failed | grep -q '^start with the host: '; echo $?)"
is "the zone itself is whole" "$(value "$b" zone_state)" installed
"$bin/platform" --root "$root" start-zones >"$dir/out" 2>"$dir/err"
is "the next time only that one is tried" "$? $(tail -1 "$dir/err")" "1 platform start-zones: 1 of 1 zones did not start"
vm clear "$b"
is "clear" "$status $err" "0 Successfully cleared VM $b"
is "then it is stopped" "$(state "$b") $(value "$b" failed)" "stopped null"
mv "$init.away" "$init"
"$bin/platform" --root "$root" start-zones 2>/dev/null
is "mended it starts with the host" "$? $(state "$b")" "0 running"
"$bin/platform" --root "$root" stop-zones 2>/dev/null
is "the host goes down: all stop, none forgets to start" \
	"$(state "$a") $(state "$b") $(value "$a" autoboot)" "stopped stopped true"

# ---- what a failed one has --------------------------------------------------------------

nic='"nics": [{ "nic_tag": "admin", "ip": "10.99.0.77", "netmask": "255.255.255.0" }]'
f=ffffffff-0000-4000-8000-0000000000b6
g=ffffffff-0000-4000-8000-0000000000b7
own="$own $f $g"
payload "\"uuid\": \"$f\", \"autoboot\": false, $nic" | "$bin/vmadm" --root "$root" create 2>/dev/null
payload "\"uuid\": \"$g\", \"autoboot\": false, $nic" >"$dir/payload"
vm create -f "$dir/payload"
is "an address is of one zone" "$status" 1
jq '.failed = "start: why"' "$root/etc/zones/$f.json" >"$dir/new" && mv "$dir/new" "$root/etc/zones/$f.json"
vm create -f "$dir/payload"
is "a failed one gives way" "$status ${err%%$'\n'*}" "0 Successfully created VM $g"
vm check
is "which is in order" "$status $out$err" "0 "
vm start "$f"
is "it cannot start beside the other" "$status $(grep -c "10.99.0.77.* belongs to VM $g" "$dir/err")" "1 1"
is "and stays failed" "$(state "$f")" failed
printf '{ "image_uuid": "%s" }' "$image" >"$dir/new_image"
vm reprovision "$f" -f "$dir/new_image"
is "nor is it made anew while the other has them" \
	"$status $(grep -c "10.99.0.77.* belongs to VM $g" "$dir/err") $(state "$f")" "1 1 failed"
vm delete "$g"
vm clear "$f"
is "until the other is gone" "$status $(state "$f")" "0 stopped"
vm delete "$f"

# ---- what it ended with -----------------------------------------------------------------

vm start "$a"
eventually in_zone "$a" true
vm stop -F "$a"
is "stopped by force" "$(value "$a" exit_status)" 137
vm start "$a"
vm kill -s KILL "$a"
eventually is_stopped "$a"
is "its init was killed" "$(value "$a" exit_status)" 137
ok "and when is known" "$(value "$a" exit_timestamp | grep -q '^20[0-9-]*T[0-9:.]*Z$'; echo $?)"
vm start "$a"
vm stop "$a"
is "stopped in peace" "$(value "$a" exit_status)" 0

# ---- without its supervisor -------------------------------------------------------------

vm start "$a"
pid=$(value "$a" pid)
kill -9 "$(jq .supervisor "$root/run/dais/$a/state.json")"
is "a zone outlives its supervisor" "$(state "$a") $(value "$a" pid)" "running $pid"
vm reboot "$a"
is "the next command finds it" "$status $(state "$a")" "0 running"

# ---- a pool in use ------------------------------------------------------------------------

vm stop -F "$a"
mkdir -p "$root/run/dais/dddddddd-0000-4000-8000-0000000000b4"
printf '{ "state": "starting", "supervisor": %d, "supervisor_start": %d }\n' $$ \
	"$(awk '{ print $22 }' "/proc/$$/stat")" >"$root/run/dais/dddddddd-0000-4000-8000-0000000000b4/state.json"
"$bin/mkpool" --unmount --root "$root" >"$dir/out" 2>"$dir/err"
is "a zone that just starts keeps its pool" "$? $(grep -c "VM 'dddddddd.* runs; stop it first" "$dir/err")" "1 1"
rm -r "$root/run/dais/dddddddd-0000-4000-8000-0000000000b4"

# ---- without its storage --------------------------------------------------------------------

mv "$zones/$c" "$zones/away"
is "a record without anything in the pool" "$(state "$c")" configured
vm start "$c"
is "does not start" "$status $(grep -c 'has nothing in the pool' "$dir/err")" "1 1"
vm reboot "$c"
is "nor reboot" "$err" "Cannot reboot vm from state \"configured\", must be \"running\""
mv "$zones/away" "$zones/$c"
is "until that is back" "$(state "$c")" stopped

# ---- cut short ----------------------------------------------------------------------------

u=eeeeeeee-0000-4000-8000-0000000000b5
own="$own $u"
n=0
while :; do
	n=$((n + 1))
	payload "\"uuid\": \"$u\", \"autoboot\": true" >"$dir/payload"
	DAIS_CRASH_AT=$n vm create -f "$dir/payload"
	[ "$status" -ne 0 ] || break
	[ -z "$(state "$u")" ] || break
done
if [ "$status" -ne 0 ] && [ -n "$(state "$u")" ]; then
	is "cut short after its record was written it is provisioning" "$(state "$u")" provisioning
	is "and says where it would go" "$(value "$u" transition_to)" running
	ok "and until when" "$([ "$(value "$u" transition_expire)" -gt "$(date +%s)000" ]; echo $?)"
	vm clear "$u"
	is "clear completes it" "$status $err $(state "$u")" "0 Successfully cleared VM $u stopped"
	is "and no transition is left" "$(value "$u" transition_to)" null
fi
finish
