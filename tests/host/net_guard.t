#!/bin/bash
# SPDX-License-Identifier: MIT
#
# firewall_enabled: what a zone sends gets out and is answered; nothing else reaches it but
# ICMP. Tried by real connections, over IPv4 and IPv6; on and off while the zone runs.
# shellcheck source-path=SCRIPTDIR source=vmadm_lib.bash
IMAGE=tiny
for tool in nft python3; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP '$tool' is not installed"; exit 0; }
done
. "$(dirname "$0")/vmadm_lib.bash"

# try.py SERVER-PID CLIENT-PID KIND ADDRESS: does it get there, and does the answer come back?
cat >"$dir/try.py" <<'P'
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def enter(pid):
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if libc.setns(fd, 0) != 0: raise OSError(ctypes.get_errno(), "setns")
server, client, kind, address = sys.argv[1:5]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
def make(pid, type):
    enter(pid)
    s = socket.socket(family, type)
    s.settimeout(1)
    return s
def udp(size=3):
    a, b = make(server, socket.SOCK_DGRAM), make(client, socket.SOCK_DGRAM)
    a.bind((address, 0))
    b.connect(a.getsockname())
    b.send(b"ask")
    try: text, peer = a.recvfrom(99)
    except TimeoutError: return "not heard"
    a.sendto(b"x" * size, peer)
    try: return "answered" if len(b.recv(65535)) == size else "cut"
    except TimeoutError: return "no answer"
def tcp(close=True):
    a, b = make(server, socket.SOCK_STREAM), make(client, socket.SOCK_STREAM)
    a.bind((address, 0))
    a.listen()
    try: b.connect(a.getsockname())
    except TimeoutError: return "not heard"
    c, _ = a.accept()
    c.settimeout(1)
    try:
        b.sendall(b"ask"); c.recv(99)
        c.send(b"answer")
        b.recv(99)
        # The other end closes first, and still hears what comes after that.
        c.shutdown(socket.SHUT_WR)
        assert b.recv(99) == b""
        b.sendall(b"more"); assert c.recv(99) == b"more"
        b.close(); assert c.recv(99) == b""
    except TimeoutError: return "no answer"
    return "answered"
def other():
    # The client has asked one port of the server; another one of it is not what it asked.
    a, b, x = make(server, socket.SOCK_DGRAM), make(client, socket.SOCK_DGRAM), make(server, socket.SOCK_DGRAM)
    for s in a, x: s.bind((address, 0))
    b.bind(("::" if ":" in address else "0.0.0.0", 0))
    b.sendto(b"ask", a.getsockname())
    _, peer = a.recvfrom(99)
    x.sendto(b"from elsewhere", peer)
    try: return b.recv(99).decode()
    except TimeoutError: return "nothing"
print({"udp": udp, "tcp": tcp, "other": other, "big": lambda: udp(20000)}[kind]())
P
try() { python3 "$dir/try.py" "$@" 2>&1 | tail -1; }
init_of() { jq -r '.pid // 0' "$root/run/dais/$1/state.json"; }

make() { # make ALIAS N MORE
	vm create <<<"$(payload '"alias": "'"$1"'", "autoboot": true, "nowait": true, "nics": [{ "interface": "net0", "nic_tag": "admin",
		"ips": ["10.99.0.'"$2"'/24", "fd99::'"$2"'/64"] }]'"$3")"
	[ "$status" -eq 0 ] || { sed 's/^/# /' "$dir/err"; return 1; }
	uuid=$("$bin/vmadm" --root "$root" lookup alias="$1")
	own="${own:-} $uuid"
}
make guarded 9 ', "firewall_enabled": true'
ok "a zone with firewall_enabled is created" $?
[[ $err != *firewall* ]]
ok "and nobody is warned" $?
g=$uuid
make peer 8 ''
p=$uuid
gi=$(init_of "$g") pi=$(init_of "$p")
eventually nsenter -t "$gi" -n ping -c1 -W1 10.99.0.8
eventually nsenter -t "$gi" -n ping -c1 -W1 fd99::8
# Its links are named by the hash of its UUID: the one that the filter knows with a guard.
port=$(nft list map bridge dais guards | grep -o 'dz[0-9a-f]*n[0-9]*' | head -1)
[ -n "$port" ]
ok "its port has a guard" $?

for a in 10.99.0.8 fd99::8; do
	is "it asks $a over UDP, and is answered" "$(try "$pi" "$gi" udp $a)" answered
	is "over TCP" "$(try "$pi" "$gi" tcp $a)" answered
	is "with an answer in several fragments" "$(try "$pi" "$gi" big $a)" answered
	is "but not from another port of it" "$(try "$pi" "$gi" other $a)" nothing
done
for a in 10.99.0.9 fd99::9; do
	is "nobody gets to it at $a over UDP" "$(try "$gi" "$pi" udp $a)" "not heard"
	is "nor over TCP" "$(try "$gi" "$pi" tcp $a)" "not heard"
	nsenter -t "$pi" -n ping -c1 -W2 $a >/dev/null
	ok "but by ping" $?
done
is "the host does not either" "$(try "$gi" $$ tcp 10.99.0.9)" "not heard"
is "though it answers it" "$(try $$ "$gi" tcp 10.99.0.1)" answered
is "between others nothing is in the way" "$(try "$pi" $$ tcp 10.99.0.8)" answered

# What is over is forgotten soon.
nft list set bridge dais "$port-end4" | grep -q '10\.99\.0\.9 \. 10\.99\.0\.8 \. tcp'
ok "a connection that has ended is about to be forgotten" $?
nft list set bridge dais "$port-flow4" | grep 'tcp' | sed 's/^/# /'
is "and is no flow any more" "$(nft list set bridge dais "$port-flow4" | grep -c ' tcp ')" 0

# ---- while it runs -------------------------------------------------------------------
vm update "$g" <<<'{ "firewall_enabled": false }'
is "off: anybody gets to it" "$status $(try "$gi" "$pi" tcp 10.99.0.9) $(try "$gi" "$pi" udp fd99::9)" \
	"0 answered answered"
is "and nothing is left of it" "$(nft list table bridge dais | grep -c "$port-\(guard\|track\|flow\|end\)")" 0
vm update "$g" <<<'{ "firewall_enabled": true }'
is "on: nobody" "$status $(try "$gi" "$pi" tcp 10.99.0.9)" "0 not heard"
nft flush map bridge dais guards
vm check
[[ $out == *"has no filter"* ]]
ok "check finds that somebody has taken it away" $?
vm check --repair
is "and --repair brings it back" "$status $(try "$gi" "$pi" tcp 10.99.0.9)" "0 not heard"
vm reboot -F "$g"
gi=$(init_of "$g")
eventually nsenter -t "$gi" -n ping -c1 -W1 10.99.0.8
is "after a reboot it holds" "$(try "$gi" "$pi" tcp 10.99.0.9) $(try "$pi" "$gi" tcp 10.99.0.8)" \
	"not heard answered"

vm delete "$g"
vm delete "$p"
is "nothing is left" "$(leftovers)$(nft list table bridge dais | grep -c 'dz[0-9a-f]')" 0
finish
