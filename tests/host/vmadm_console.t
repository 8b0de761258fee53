#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The console of a zone: typed at and looked at through real terminals, by several,
# across the death of the supervisor and a reboot of the guest.
# shellcheck source-path=SCRIPTDIR source=vmadm_lib.bash
for tool in python3 socat; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP '$tool' is not installed"; exit 0; }
done
. "$(dirname "$0")/vmadm_lib.bash"

# terminal ROWS COLUMNS FIFO LOG COMMAND...: runs it on a terminal of that size. Lines
# of FIFO are typed; "SIZE R C" resizes; "^X" is Ctrl-X. What is shown goes to LOG, at
# the end also the settings before and after, and the status.
cat >"$dir/terminal.py" <<'P'
import fcntl, os, pty, select, struct, sys, termios, tty
rows, columns, fifo, log = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
def size(fd, r, c): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", r, c, 0, 0))
def settings(fd): return repr(termios.tcgetattr(fd)[:4])
# Both ends stay open here, so that the settings can be read after the program has ended.
master, slave = pty.openpty()
size(slave, rows, columns)
before = settings(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for n in range(3): os.dup2(slave, n)
    os.execv(sys.argv[5], sys.argv[5:])
pidfd = os.pidfd_open(pid)
words = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
out = open(log, "wb", buffering=0)
raw_seen = False
while True:
    ready = select.select([master, words, pidfd], [], [])[0]
    raw_seen = raw_seen or settings(slave) != before
    if master in ready: out.write(os.read(master, 65536))
    if words in ready:
        for line in os.read(words, 4096).decode().splitlines():
            if line.startswith("SIZE "): size(master, *map(int, line.split()[1:]))
            elif line.startswith("^"): os.write(master, bytes([ord(line[1]) & 31]))
            else: os.write(master, line.encode() + b"\r")
    if pidfd in ready and master not in ready: break
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
out.write(f"\nEND status={status} raw={raw_seen} restored={settings(slave) == before}\n".encode())
P
# open_terminal NAME ROWS COLUMNS UUID
open_terminal() {
	mkfifo "$dir/$1.in"
	: >"$dir/$1.log"
	python3 "$dir/terminal.py" "$2" "$3" "$dir/$1.in" "$dir/$1.log" \
		"$bin/vmadm" console --root "$root" "$4" &
	terminals="$terminals $!"
	# Not "raw" yet means that it has not joined yet.
	eventually supervisor_has "$((++viewers))"
}
terminals='' viewers=0
supervisor() { jq -r .supervisor "$root/run/dais/$uuid/state.json"; }
supervisor_has() {
	[ "$(socat -t 5 - "unix:$root/run/dais/$uuid/zoneadmd.sock" <<<'{"request":"status"}' |
		jq .viewers)" = "$1" ]
}
type_at() { printf '%s\n' "$2" >"$dir/$1.in"; }
shows() { grep -q -- "$2" "$dir/$1.log"; }
console_size() { in_zone "$uuid" sh -c 'stty size </dev/console'; }
console_size_is() { [ "$(console_size)" = "$1" ]; }

vm console 00000000-0000-4000-8000-000000000000
is "a VM that is not there" "$status $err" \
	"1 zoneadm: 00000000-0000-4000-8000-000000000000: No such zone configured"
vm console nope
is "a word that names no VM" "$status $(head -1 <<<"$err")" "2 Invalid or missing UUID for console"

vm create <<<"$(payload '"alias": "con", "autoboot": false')"
uuid=$("$bin/vmadm" --root "$root" lookup)
own=$uuid
vm console con
is "a VM that is stopped" "$status $err" \
	'1 cannot connect to console when state is "stopped" must be "running".'
vm start con

# Typed lines are told from shown ones by what a shell makes of them.
eventually grep -q 'login:' "$zones/$uuid/logs/console.log"
ok "the console is logged while nobody looks" $?
open_terminal one 33 101 con
type_at one ''
eventually shows one 'login:'
ok "what the zone writes is shown" $?
eventually console_size_is '33 101'
ok "the console is as large as the terminal" $?
type_at one 'SIZE 44 120'
eventually console_size_is '44 120'
ok "and follows it" $?
open_terminal two 24 80 "$uuid"
in_zone "$uuid" sh -c 'echo for all >/dev/console'
eventually shows one 'for all' && eventually shows two 'for all'
ok "several see the same" $?
is "and the end of a line as the zone wrote it" "$(grep 'for all' "$dir/two.log")" $'for all\r'
in_zone "$uuid" sh -c 'systemctl stop console-getty; stty sane </dev/console; read -r line </dev/console; echo "read: $line" >/dev/console' &
reader=$!
sleep 0.5
type_at two 'typed by two'
eventually shows one 'read: typed by two'
ok "what one types reaches the zone, and the other sees it" $?
wait "$reader"

before=$(supervisor)
kill -9 "$before"
supervised_anew() { [ "$(supervisor)" != "$before" ] && supervisor_has 2; }
eventually supervised_anew
ok "the supervisor is killed: the terminals start another one and stay" $?
in_zone "$uuid" sh -c 'echo still there >/dev/console'
eventually shows one 'still there' && eventually shows two 'still there'
ok "and both go on" $?

type_at one '^]'
eventually shows one 'END status=0 raw=True restored=True'
ok "Ctrl-] leaves, and the terminal is as it was" $?
in_zone "$uuid" sh -c 'echo only two >/dev/console'
eventually shows two 'only two'
ok "the other one stays" $?

# The guest reboots by itself: who looks sees it come up again.
: >"$dir/two.log"
pid=$(jq .pid "$root/run/dais/$uuid/state.json")
in_zone "$uuid" systemctl reboot 2>/dev/null
up_again() { [ "$(jq .pid "$root/run/dais/$uuid/state.json")" -ne "$pid" ] && shows two 'login:'; }
eventually up_again
ok "a viewer stays over a reboot of the guest" $?

# A command reboots it: another supervisor, and the same viewer.
: >"$dir/two.log"
pid=$(jq .pid "$root/run/dais/$uuid/state.json")
before=$(supervisor)
vm reboot -F con
eventually up_again
ok "a viewer stays over 'vmadm reboot'" $?
[ "$(supervisor)" != "$before" ]
ok "though that brings another supervisor" $?
type_at two ''
eventually eval '[ "$(grep -c login: "$dir/two.log")" -ge 2 ]'
ok "and what it types is heard" $?

# A viewer that does not read holds nobody up.
mkfifo "$dir/stuck"
"$bin/vmadm" console --root "$root" con <"$dir/stuck" 2>/dev/null | sleep 60 &
stuck=$!
exec 9>"$dir/stuck"
in_zone "$uuid" sh -c 'seq 200000 >/dev/console'
# The other one may have missed a part of that.
hears_again() { in_zone "$uuid" sh -c 'echo all written >/dev/console' && sleep 0.2 && shows two 'all written'; }
eventually hears_again
ok "a viewer that does not read holds nobody up" $?
grep -q 'all written' "$zones/$uuid/logs/console.log"
ok "and the log has it" $?
exec 9>&-
kill "$stuck" 2>/dev/null

vm stop -F con
eventually shows two 'END status=0 raw=True restored=True'
ok "the end of the zone ends the console" $?
vm delete con
is "nothing is left" "$(leftovers)" ""
for pid in $terminals; do kill "$pid" 2>/dev/null; done
wait
finish
