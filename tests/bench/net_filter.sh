#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the filter of a port costs: TCP and small UDP packets between two zones with its
# rules and without them. By turns it would be fairer, but rules that were taken away
# come back by a reload only: look at the ratio on a quiet machine.
#
# environment: DAIS_BIN, the programs; ROUNDS (3)
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/../host/zone_lib.bash"
[ $# -eq 0 ] || bin=$(cd "$1" && pwd)
for tool in python3 nft; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
zone_namespaces "$0" "$@"
set -u
rounds=${ROUNDS:-3}
zone_host

cat >"$dir/flow.py" <<'P'
import ctypes, os, socket, sys, threading, time
libc = ctypes.CDLL(None)
def inside(pid):
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    libc.setns(fd, 0x40000000)
    os.close(fd)
kind, a, b, seconds = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
what = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
inside(b)
server = socket.socket(socket.AF_INET, what)
server.bind(("10.91.0.8", 5000))
if kind == "tcp":
    server.listen()
inside(a)
client = socket.socket(socket.AF_INET, what)
got = 0
def drain():
    global got
    s = server.accept()[0] if kind == "tcp" else server
    s.settimeout(1)
    try:
        while data := s.recv(1 << 20):
            got += len(data)
    except TimeoutError:
        pass
t = threading.Thread(target=drain)
t.start()
client.connect(("10.91.0.8", 5000))
data = bytes(1 << 18) if kind == "tcp" else bytes(64)
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        client.send(data)
    except OSError:
        pass
client.close()
t.join()
print(int(got / seconds))
P
flow() { python3 "$dir/flow.py" "$1" "$(init_of "$one")" "$(init_of "$two")" 1; }
best() { # best KIND: the most of all rounds
	local _
	for _ in $(seq "$rounds"); do flow "$1"; done | sort -n | tail -1
}

zone_create one
one=$uuid
zone_create two '{ "nics": [{ "nic_tag": "test0", "ips": ["10.91.0.8/24"] }] }'
two=$uuid
tcp=$(best tcp) udp=$(best udp)
nft delete table bridge dais
free_tcp=$(best tcp) free_udp=$(best udp)
awk -v a="$tcp" -v b="$free_tcp" -v c="$udp" -v d="$free_udp" 'BEGIN {
	printf "TCP with rules: %.2f of %.1f Gbit/s without\n", a / b, b * 8 / 1e9
	printf "UDP, 64 bytes:  %.2f of %.0f thousand packets a second without\n", c / d, d / 64e3 }'
