# SPDX-License-Identifier: MIT
"""frames.py PID IP4 IP6 LEASE OTHER [CASE...] - what of a zone's frames arrives.

Sends frames from eth0 in the network of process PID, some of them not the zone's to
send, and tells of each whether process OTHER's eth0 has received it: "CASE yes" or
"CASE no", a line each. After each a frame that is the zone's own follows; when that
one has arrived, what has not arrived never will.

"host yes" at the end: the bridge br-test0 itself has received something.
"""
import ctypes
import ipaddress
import os
import select
import socket
import struct
import sys

ETH_P_ALL = 3
libc = ctypes.CDLL(None, use_errno=True)


def enter(path):
    fd = os.open(path, os.O_RDONLY)
    if libc.setns(fd, 0x40000000) != 0:
        sys.exit(f"setns: {os.strerror(ctypes.get_errno())}")
    os.close(fd)


def packets(interface, pid=None):
    """A socket for the frames of an interface of the process PID."""
    if pid:
        enter(f"/proc/{pid}/ns/net")
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((interface, ETH_P_ALL))
    mac = s.getsockname()[4]
    enter(own)
    return s, mac


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(source, payload, protocol=17, target="10.91.0.8"):
    source, target = ipaddress.ip_address(source).packed, ipaddress.ip_address(target).packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    check = checksum(header + source + target)
    return header[:10] + struct.pack("!H", check) + source + target + payload


def ip6(source, payload, protocol=17, target="ff02::1"):
    return (struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255)
            + ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed + payload)


def udp(sport, dport, payload=b""):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def icmp6(kind, rest):
    return struct.pack("!BBHI", kind, 0, 0, 0) + rest


def nd(kind, target):
    return icmp6(kind, ipaddress.ip_address(target).packed)


def bootp(operation, client, address="0.0.0.0"):
    return (struct.pack("!BBBBIHH", operation, 1, 6, 0, 1, 0, 0x8000) + bytes(4)
            + ipaddress.ip_address(address).packed + bytes(8) + client + bytes(10 + 192)
            + b"\x63\x82\x53\x63" + b"\x35\x01\x05\xff")


def arp(operation, hardware, source, target):
    return (struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + hardware
            + ipaddress.ip_address(source).packed + bytes(6)
            + ipaddress.ip_address(target).packed)


def frame(source, ethertype, payload, target=b"\xff" * 6):
    return target + source + struct.pack("!H", ethertype) + payload


IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
own = "/proc/self/ns/net"
own = f"/proc/{os.getpid()}/fd/{os.open(own, os.O_RDONLY)}"
pid, mine4, mine6, lease, other = sys.argv[1:6]
sender, mac = packets("eth0", pid)
receiver, _ = packets("eth0", other)
host, _ = packets("br-test0")

wrong = bytes.fromhex("020000000666")
eui = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
local6 = str(ipaddress.ip_address(b"\xfe\x80" + bytes(6) + eui))
slaac6 = str(ipaddress.ip_address(bytes.fromhex("fd93000000000000") + eui))
hidden = struct.pack("!BBHI", 60, 0, 1, 7) + bytes([58, 14]) + bytes(14)
tagged = struct.pack("!HH", 5, IPV4)

cases = {
    "own-ip4": frame(mac, IPV4, ip4(mine4, udp(1, 2))),
    "own-ip6": frame(mac, IPV6, ip6(mine6, udp(1, 2))),
    "own-ip6-local": frame(mac, IPV6, ip6(local6, udp(1, 2))),
    "own-arp": frame(mac, ARP, arp(1, mac, mine4, "10.91.0.8")),
    "own-arp-probe": frame(mac, ARP, arp(1, mac, "0.0.0.0", mine4)),
    "own-advert": frame(mac, IPV6, ip6(mine6, nd(136, mine6), 58)),
    "own-solicit": frame(mac, IPV6, ip6(mine6, nd(135, "fd91::77"), 58)),
    "own-dad": frame(mac, IPV6, ip6("::", nd(135, mine6), 58)),
    "own-mld": frame(mac, IPV6, ip6("::", icmp6(143, b""), 58)),
    "own-ping-fragment": frame(mac, IPV6, ip6(mine6, struct.pack("!BBHI", 58, 0, 8, 9)
                                              + bytes(16), 44)),
    "mac": frame(wrong, IPV4, ip4(mine4, udp(1, 2))),
    "ip4": frame(mac, IPV4, ip4("10.91.0.66", udp(1, 2))),
    "ip4-nobody": frame(mac, IPV4, ip4("0.0.0.0", udp(1, 2))),
    "ip4-allowed": frame(mac, IPV4, ip4("10.92.3.4", udp(1, 2))),
    "ip4-leased": frame(mac, IPV4, ip4(lease, udp(1, 2))),
    "ip4-short": frame(mac, IPV4, b"\x45\0\0"),
    "ip6": frame(mac, IPV6, ip6("fd91::66", udp(1, 2))),
    "ip6-local": frame(mac, IPV6, ip6("fe80::66", udp(1, 2))),
    "ip6-slaac": frame(mac, IPV6, ip6(slaac6, udp(1, 2))),
    "ip6-hidden": frame(mac, IPV6, ip6(mine6, hidden, 44)),
    "arp-mac": frame(mac, ARP, arp(2, wrong, mine4, "10.91.0.8")),
    "arp-ip": frame(mac, ARP, arp(2, mac, "10.91.0.66", "10.91.0.8")),
    "arp-probe": frame(mac, ARP, arp(1, mac, "0.0.0.0", "10.91.0.66")),
    "arp-form": frame(mac, ARP, struct.pack("!HHBBH", 1, 0x0800, 8, 4, 1) + mac + b"\0\0"
                      + ipaddress.ip_address(mine4).packed + bytes(12)),
    "advert": frame(mac, IPV6, ip6(mine6, nd(136, "fd91::66"), 58)),
    "dad": frame(mac, IPV6, ip6("::", nd(135, "fd91::66"), 58)),
    "router": frame(mac, IPV6, ip6(local6, icmp6(134, bytes(8)), 58)),
    "redirect": frame(mac, IPV6, ip6(local6, nd(137, "fd91::66") + bytes(16), 58)),
    "dhcp-discover": frame(mac, IPV4, ip4("0.0.0.0", udp(68, 67, bootp(1, mac)), 17,
                                          "255.255.255.255")),
    "dhcp-for-other": frame(mac, IPV4, ip4(mine4, udp(68, 67, bootp(1, wrong)))),
    "dhcp-server": frame(mac, IPV4, ip4(mine4, udp(67, 68, bootp(2, wrong, "10.91.0.50")))),
    "dhcp6-server": frame(mac, IPV6, ip6(local6, udp(547, 546))),
    "smtp": frame(mac, IPV4, ip4(mine4, struct.pack("!HHIIBBHHH", 999, 25, 1, 0, 80, 2, 9, 0, 0),
                                 6)),
    "vrrp": frame(mac, IPV4, ip4("10.91.0.7", b"\x21" + bytes(7), 112, "224.0.0.18")),
    "ethertype": frame(mac, 0x88B5, b"anything"),
    "vlan": frame(mac, 0x8100, tagged + ip4(mine4, udp(1, 2))),
    "vlan-ip4": frame(mac, 0x8100, tagged + ip4("10.91.0.66", udp(1, 2))),
    "vlan-twice": frame(mac, 0x88A8, struct.pack("!HHHH", 5, 0x8100, 6, IPV4)
                        + ip4(mine4, udp(1, 2))),
    "stp": frame(mac, 38, b"\x42\x42\x03" + bytes(35), bytes.fromhex("0180c2000000")),
    # A bridge keeps it to itself, and may learn from it.
    "lldp-mac": frame(wrong, 0x88CC, b"\x02\x07", bytes.fromhex("0180c200000e")),
    # Sent the other way: a server gives the zone the address LEASE.
    "offer": None,
}


def marked(data, number):
    return data + b"\0" * max(0, 60 - len(data)) + struct.pack("!4sI", b"DAIS", number)


def seen(sock, number, last):
    """Has the frame NUMBER come before the frame LAST? None: not even that one has."""
    found = False
    end = struct.pack("!4sI", b"DAIS", last)
    mark = struct.pack("!4sI", b"DAIS", number)
    while select.select([sock], [], [], 1)[0]:
        data = sock.recv(2048)
        found |= data.endswith(mark)
        if data.endswith(end):
            return found
    return None


def offer():
    enter(f"/proc/{other}/ns/net")
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    enter(own)
    theirs = s.getsockname()[4]
    s.send(frame(theirs, IPV4, ip4("10.91.0.8", udp(67, 68, bootp(2, mac, lease)), 17, lease), mac))
    s.close()


for number, name in enumerate(sys.argv[6:] or cases):
    if name == "offer":
        offer()
        continue
    sender.send(marked(cases[name], 2 * number))
    sender.send(marked(cases["own-ip6-local"], 2 * number + 1))
    result = seen(receiver, 2 * number, 2 * number + 1)
    print(name, {True: "yes", False: "no", None: "nothing-arrives"}[result])

host.setblocking(False)
heard = False
try:
    while True:
        heard |= b"DAIS" in host.recv(2048)
except BlockingIOError:
    pass
print("host", "yes" if heard else "no")
