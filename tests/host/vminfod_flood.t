#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vminfod under more than it can take: more changes than the kernel keeps for it, more
# listeners than it has room for, none of whom reads, more connections than it serves,
# and bytes that are no HTTP. It stays small, says what is true afterwards, and
# "vmadm list" works all the time. No zones run: it reads records.
# shellcheck source=tests/lib.bash
. "$(dirname "$0")/../lib.bash"
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ "$(id -u)" -eq 0 ] || skip "needs root"
for tool in curl python3 jq; do command -v "$tool" >/dev/null || skip "'$tool' is not installed"; done
for tool in vminfod vmadm; do [ -x "$bin/$tool" ] || skip "'$bin/$tool' is not built"; done
set -u
dir=$(mktemp -d)
root=$dir/root
sock=$root/run/dais/vminfod.sock
daemon='' helpers=''
end() {
	for pid in $helpers $daemon; do
		kill -CONT "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap end EXIT
mkdir -p "$root/etc/zones" "$root/etc/dais" "$root/zones"

get() { curl -s -m 5 --unix-socket "$sock" "http://localhost$1"; }
uuid() { printf 'bbbbbbbb-0000-4000-8000-%012d' "$1"; }
record() { # N ALIAS
	printf '{ "v": 1, "uuid": "%s", "zonename": "%s", "brand": "lx", "alias": "%s", "autoboot": false,
		"max_physical_memory": 256, "nics": [], "tags": {} }' "$(uuid "$1")" "$(uuid "$1")" "$2" >"$root/etc/zones/.n$1"
	mv "$root/etc/zones/.n$1" "$root/etc/zones/$(uuid "$1").json"
}
alias_of() { get "/vms/$(uuid "$1")" | jq -r .alias 2>/dev/null; }
listed() { timeout 60 "$bin/vmadm" --root "$root" list -H -o alias "uuid=$(uuid "$1")"; }
listening() { [ "$(get /status | jq .eventsListeners)" = "$1" ]; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"; }

for n in 1 2 3; do record $n "first$n"; done
"$bin/vminfod" --root "$root" --listen 127.0.0.1:0 2>/dev/null
is "port 0 is none" $? 2
"$bin/vminfod" --root "$root" 2>"$dir/log" &
daemon=$!
eventually get /ping
is "it knows three VMs" "$(get /status | jq .numVms)" 3

# ---- connections that ask nothing ---------------------------------------------------------
python3 - "$sock" "$dir/idle" <<'P' &
import socket, sys, time
all = []
for n in range(150):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try: s.connect(sys.argv[1])
    except BlockingIOError: pass
    all.append(s)
# One who asks, for whom there is no room, and who gives up.
s = socket.socket(socket.AF_UNIX)
s.settimeout(0.2)
try:
    s.connect(sys.argv[1])
    s.sendall(b"GET /list HTTP/1.0\r\n\r\n")
    s.recv(1)
except OSError: pass
open(sys.argv[2], "w").write("up")
time.sleep(300)
P
idle=$!
helpers=$idle
eventually test -s "$dir/idle"
sleep 2
kill -9 "$idle"
wait "$idle" 2>/dev/null
is "150 connections that ask nothing: when they are gone it answers again" "$(get /ping)" '{"ping":"pong"}'

is "and list works" "$(listed 1)" first1

# ---- more changes than the kernel keeps --------------------------------------------------
"$bin/vmadm" --root "$root" events -j -r >"$dir/events" 2>/dev/null &
helpers="$helpers $!"
eventually grep -q ready "$dir/events"
most=$(cat /proc/sys/fs/inotify/max_queued_events)
if [ "$most" -le 200000 ]; then
	kill -STOP "$daemon"
	# Two names in turn: equal events in a row are one.
	python3 - "$root/etc/zones" "$most" <<'P'
import os, sys
for n in range(int(sys.argv[2]) + 100):
    os.close(os.open(f"{sys.argv[1]}/.flood{n % 2}", os.O_WRONLY | os.O_CREAT, 0o600))
P
	rm "$root"/etc/zones/.flood*
	record 1 changed
	record 4 new
	rm "$root/etc/zones/$(uuid 2).json"
	is "while it hangs, the files are read" "$(listed 1)" changed
	kill -CONT "$daemon"
	eventually grep -q 'too much changed at once' "$dir/log"
	ok "the kernel's queue has overflowed, and it says so" $?
	is "what changed in that time is known" "$(alias_of 1) $(alias_of 4)" "changed new"
	is "and what has gone" "$(get "/vms/$(uuid 2)" | cut -d: -f1) $(get /status | jq .numVms)" "VM Not Found 3"
	eventually sh -c "grep -q '\"delete\"' '$dir/events'"
	is "who listens is told, each once" "$(jq -r 'select(.type != "ready") | .type' "$dir/events" | sort | xargs)" \
		"create delete modify"
	record 3 later
	eventually grep -q later "$dir/events"
	ok "and it goes on watching" $?
else
	ok "the kernel's queue overflows # SKIP it keeps $most events here" 0
fi

# ---- more listeners than it has room for, and none reads ----------------------------------
before=$(resident)
python3 - "$sock" "$dir/many" <<'P' &
import socket, sys, time
all = []
for n in range(80):
    s = socket.socket(socket.AF_UNIX)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(sys.argv[1])
    s.sendall(b"GET /events HTTP/1.0\r\n\r\n")
    all.append(s)
refused = 0
for s in all:
    s.settimeout(10)
    refused += b" 503 " in s.recv(64)
open(sys.argv[2], "w").write(f"{refused}\n")
time.sleep(300)
P
helpers="$helpers $!"
eventually test -s "$dir/many"
is "80 want to listen and one does: 64 may" "$(get /status | jq .eventsListeners) $(cat "$dir/many")" "64 17"
record 1 pattern
python3 - "$root/etc/zones" "$(uuid 1)" <<'P'
import os, sys
import time
pattern = open(f"{sys.argv[1]}/{sys.argv[2]}.json").read()
for round in range(1, 4):
    time.sleep(1)
    for n in range(1, 401):
        uuid = sys.argv[2][:-12] + "%012d" % n
        with open(f"{sys.argv[1]}/.n", "w") as f:
            f.write(pattern.replace(sys.argv[2], uuid).replace("pattern", f"round{round}-{n}"))
        os.rename(f"{sys.argv[1]}/.n", f"{sys.argv[1]}/{uuid}.json")
P
eventually listening 1
ok "those who do not read are cut off" $?
eventually grep -q round3-400 "$dir/events"
ok "who reads is told everything" $?
is "it answers" "$(alias_of 400) $(listed 400)" "round3-400 round3-400"
grew=$(($(resident) - before))
[ "$grew" -lt 262144 ] # 64 queues of 8 MiB would be twice that
ok "and has not grown by what they have not read: $grew KiB" $?

# ---- what is no HTTP ----------------------------------------------------------------------
python3 - "$sock" <<'P'
import random, socket, sys
random.seed(7)
good = [b"GET /vms?members=uuid,alias HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /vms/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /vms HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123456789",
        b"GET /status?full HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n"]
for n in range(300):
    text = bytearray(random.choice(good))
    for _ in range(random.randrange(8)):
        at = random.randrange(len(text))
        what = random.randrange(3)
        if what == 0: text[at] = random.randrange(256)
        elif what == 1: del text[at:at + random.randrange(9)]
        else: text[at:at] = bytes(random.randrange(256) for _ in range(random.randrange(9)))
        if not text: text = bytearray(b"x")
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(0.02)
    s.connect(sys.argv[1])
    try:
        s.sendall(bytes(text))
        s.recv(100)
    except OSError: pass
    s.close()
P
kill -0 "$daemon"
ok "300 damaged requests: it lives" $?
is "and answers" "$(get /ping) $(alias_of 9)" '{"ping":"pong"} round3-9'
eventually listening 1
ok "nobody listens who has gone" $?
grep -E 'ERROR: (Addr|Leak|Undef)|runtime error' "$dir/log" | sed 's/^/# /'
kill "$daemon"
wait "$daemon"
is "it ends in peace" $? 0
daemon=
is "and the sanitizers have found nothing" "$(grep -cE 'Sanitizer|runtime error' "$dir/log")" 0
finish
