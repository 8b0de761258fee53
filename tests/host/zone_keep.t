#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A supervisor that is killed is replaced by itself, where 'zoneadmd --keep' runs: the
# zone goes on, and its later life is supervised as before. One that dies again and again
# is replaced less and less often; who keeps them may be killed as well.
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf 4ee90000-0000-4000-8000-%012x $$)
own=$u
state_file=$root/run/dais/$u/state.json
keeper=

# What is started in place of a supervisor: $dir/dies is there, then it dies at once.
mkdir "$dir/libexec"
cat >"$dir/libexec/zoneadmd" <<S
#!/bin/bash
echo \$\$ >>"$dir/started"
[ ! -e "$dir/dies" ] || kill -KILL \$\$
exec "$bin/zoneadmd" "\$@"
S
chmod 755 "$dir/libexec/zoneadmd"
: >"$dir/started"
started() { wc -l <"$dir/started"; }

keep() {
	DAIS_LIBEXEC=$dir/libexec "$bin/zoneadmd" --keep --root "$root" 2>>"$dir/kept" &
	keeper=$!
}
end_keeper() {
	[ -z "$keeper" ] || kill -KILL "$keeper" 2>/dev/null
	wait "$keeper" 2>/dev/null
	keeper=
}
holder=
trap 'end_keeper; [ -z "$holder" ] || kill "$holder" 2>/dev/null; cleanup' EXIT

supervisor() { jq -r '.supervisor // 0' "$state_file"; }
init() { jq -r '.pid // 0' "$state_file"; }
state() { "$bin/vmadm" --root "$root" list -Ho state "uuid=$u" | xargs; }
lives() { [ "$1" -gt 0 ] && [ -e "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status"; }
is_another() { [ "$(supervisor)" != "$1" ] && lives "$(supervisor)"; }
answers() { [ -S "$root/run/dais/$u/zoneadmd.sock" ] && lives "$(supervisor)"; }
runs_anew() { [ "$(init)" != "$1" ] && lives "$(init)" && [ "$(state)" = running ]; }
kill_supervisor() { old=$(supervisor); kill -KILL "$old"; }

vm create <<<"$(payload '"uuid": "'"$u"'", "alias": "k", "autoboot": true,
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.9/24"] }]')"
is "a zone runs, and nobody keeps its supervisor" "$status $(state)" "0 running"
was=$(init)

# ---- killed before it begins, and while it watches ------------------------------------

kill_supervisor
keep
eventually is_another "$old"
ok "a supervisor that was killed before is replaced at the beginning" $?
for n in 1 2; do
	kill_supervisor
	eventually is_another "$old"
	ok "killed, it is replaced by itself ($n)" $?
done
is "the zone goes on" "$(state) $(init)" "running $was"
vm check
is "there is nothing to mend" "$status $out" "0 "
grep -q "VM $u had lost its supervisor: it has another" "$dir/kept"
ok "who keeps them says so" $?

# ---- the zone's later life ------------------------------------------------------------

in_zone "$u" kill -TERM 1
eventually runs_anew "$was"
ok "a reboot from inside starts it again" $?
was=$(init)
vm reboot -F "$u"
is "so does a reboot from outside" "$status $(state)" "0 running"
eventually runs_anew "$was"
ok "with another init" $?
kill_supervisor
eventually is_another "$old"
ok "its supervisor is replaced after that as well" $?
sleep 0.5
before=$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$keeper/status")
sleep 1.5
is "while nothing happens nothing wakes who keeps them" \
	"$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$keeper/status")" "$before"

# ---- with its zone --------------------------------------------------------------------

kill -KILL "$(supervisor)" "$(init)"
is_tidy() { [ "$(jq -r .state "$state_file")" = stopped ] && [ ! -S "$root/run/dais/$u/zoneadmd.sock" ]; }
eventually is_tidy
ok "killed with its zone: somebody tidies up" $?
is "it is stopped, and nothing is left" "$(state)$(ip -o link show | grep -o ' dz[0-9a-f]*n[0-9]*')" stopped
# Who tidied up says that it is done, and then goes.
eventually vm check
is "and nothing is to be mended" "$status $out$err" "0 "
vm start "$u"
is "it starts again" "$status $(state)" "0 running"
was=$(init)
vm stop -F "$u"
sleep 0.5
count_before=$(started)
sleep 0.5
is "a zone that is stopped needs no supervisor" "$(started) $(state)" "$count_before stopped"
vm start "$u"
is "it starts once more" "$status $(state)" "0 running"
was=$(init)

# ---- one that dies again and again ----------------------------------------------------

end_keeper
keep # it does not know of those that were killed above
touch "$dir/dies"
: >"$dir/started"
kill_supervisor
twice() { [ "$(started)" -ge 2 ]; }
eventually twice
ok "one that dies at once is replaced again" $?
sleep 2
[ "$(started)" -le 4 ]
ok "but less and less often" $?
is "the zone goes on" "$(state) $(init)" "running $was"
rm "$dir/dies"
eventually is_another "$old"
ok "once it can live it does" $?

# ---- who keeps them is killed ---------------------------------------------------------

end_keeper
kill_supervisor
sleep 0.3
is "nobody replaces it" "$(supervisor)" "$old"
keep
eventually is_another "$old"
ok "until somebody keeps them again" $?
timeout 20 "$bin/zoneadmd" --keep --root "$root" 2>"$dir/err"
is "a second one is refused" "$? $(grep -c "another 'zoneadmd --keep' runs" "$dir/err")" "1 1"

# While a command works on the VM it is that command's. This is one that takes its time.
python3 - "$root/run/dais/lock/$u" "$dir/held" <<'P' &
import fcntl, os, sys, time
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(lock, fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
time.sleep(600)
P
holder=$!
eventually test -e "$dir/held"
kill_supervisor
sleep 0.5
is "a VM on which a command works is left to it" "$(supervisor)" "$old"
kill "$holder"
wait "$holder" 2>/dev/null
eventually is_another "$old"
ok "and looked at again afterwards" $?
is "the zone goes on" "$(state) $(init)" "running $was"

vm delete "$u"
is "it can be deleted" "$status" 0
end_keeper
grep -E 'Sanitizer|runtime error' "$dir/kept"
is "who keeps them did not break" $? 1
is "nothing is left" "$(leftovers)" ""
finish
