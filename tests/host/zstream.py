#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""zstream.py KIND FILE [SIZE] - write a ZFS send stream, whose content the name of KIND tells.

    volume FILE SIZE       a volume of SIZE bytes, a block of 'A' in each MiB of the first 16
    volume-next FILE SIZE  on top of it: the second MiB's block is 'B', the third's is freed
    volume-dense FILE SIZE a volume with SIZE bytes of data, a multiple of 128 KiB
    tree FILE              a zone's file system
    tree-next FILE         on top of it: a file moved, one changed, one gone, one new
    loop, dotdot, slash, twice, orphan FILE   trees that must be refused
    deep FILE              5,000 folders in folders
"""
import struct
import sys

GUID, NEXT = 0x1122334455667788, 0x2233445566778899
T0 = 1700000000


class Stream:
    def __init__(self, path, kind, guid, base=0):
        self.known = {}
        self.out, self.sum, self.guid = open(path, "wb"), [0] * 4, guid
        head = struct.pack("<QQQIIQQ", 0x2F5bacbac, 1 | (1 << 19) << 2, T0, kind, 4, guid, base) + b"pool/x@final"
        rec = (struct.pack("<II", 0, 0) + head).ljust(312, b"\0")
        self.add(rec)
        self.out.write(rec)

    def add(self, data):
        if len(data) == 131072:
            self.add_again(data)
            return
        a, b, c, d = self.sum
        for (w,) in struct.iter_unpack("<I", data):
            a += w
            b += a
            c += b
            d += c
        self.sum = [x & 0xffffffffffffffff for x in (a, b, c, d)]

    def add_again(self, data):
        """The sums of a block from zero on are computed once; what was before it adds to each."""
        n = len(data) // 4
        if data not in self.known:
            a = b = c = d = 0
            for (w,) in struct.iter_unpack("<I", data):
                a += w
                b += a
                c += b
                d += c
            self.known[data] = (a, b, c, d)
        a, b, c, d = self.sum
        x = self.known[data]
        two, three = n * (n + 1) // 2, n * (n + 1) * (n + 2) // 6
        self.sum = [v & 0xffffffffffffffff for v in (
            a + x[0], b + n * a + x[1], c + n * b + two * a + x[2], d + n * c + two * b + three * a + x[3])]

    def rec(self, kind, body, payload=b""):
        head = (struct.pack("<II", kind, 0) + body).ljust(280, b"\0")
        self.add(head)
        tail = struct.pack("<4Q", *self.sum)
        self.add(tail)
        self.add(payload)
        self.out.write(head + tail + payload)

    def object(self, n, kind, size, bonus=b"", bonus_type=44):
        pad = bonus.ljust((len(bonus) + 7) // 8 * 8, b"\0")
        self.rec(1, struct.pack("<QIIIIBBBBIQ", n, kind, bonus_type if bonus else 0, size, len(bonus), 7, 2, 1, 0, 0,
                                self.guid), pad)

    def write(self, n, kind, at, data):
        self.rec(3, struct.pack("<QIIQQQBBB", n, kind, 0, at, len(data), self.guid, 7, 0, 0), data)

    def free(self, n, at, length):
        self.rec(4, struct.pack("<QQQQ", n, at, length, self.guid))

    def end(self):
        self.rec(5, struct.pack("<4QQ", *self.sum, self.guid))
        self.out.close()


def zap(entries, size=4096):
    out = struct.pack("<QQQ40x", (1 << 63) + 3, 1, 0)
    for name, value in entries:
        out += struct.pack("<QIH", value, 0, 0) + name.encode().ljust(50, b"\0")
    return out.ljust(size, b"\0")


def fat(entries, size=16384):
    """One leaf behind the header, hashes left out."""
    chunks = []
    for name, numbers in entries:
        text = name.encode() + b"\0"
        raw, width = (b"".join(struct.pack(">H", x) for x in numbers), 2) if isinstance(numbers, list) else (
            struct.pack(">Q", numbers), 8)
        at = len(chunks)
        parts = [[text[i:i + 21] for i in range(0, len(text), 21)], [raw[i:i + 21] for i in range(0, len(raw), 21)]]
        first = [at + 1, at + 1 + len(parts[0])]
        chunks.append(struct.pack("<BBHHHHHIQ", 252, width, 0xffff, first[0], len(text), first[1],
                                  len(raw) // width, 0, 0))
        for k, part in enumerate(parts):
            for i, p in enumerate(part):
                follow = first[k] + i + 1 if i + 1 < len(part) else 0xffff
                chunks.append(b"\xfb" + p.ljust(21, b"\0") + struct.pack("<H", follow))
    leaf = struct.pack("<QQQI", 1 << 63, 0, 0, 0x2AB1EAF).ljust(48 + size // 16, b"\0") + b"".join(chunks)
    head = struct.pack("<QQ", (1 << 63) + 1, 0x2F52AB2AB).ljust(size, b"\0")
    return head + leaf.ljust(size, b"\xfd")


ATTRS = ["MODE", "SIZE", "UID", "GID", "MTIME", "SYMLINK"]


def bonus(mode, size, uid=0, gid=0, mtime=T0, link=b""):
    layout = 3 if link else 2
    out = struct.pack("<IHH", 0x2F505A, layout | 1 << 10, len(link))
    out += struct.pack("<QQQQQQ", mode, size, uid, gid, mtime, 123456789)
    return out + link.ljust((len(link) + 7) // 8 * 8, b"\0")


def tables(s):
    for n, kind, size, data in (
            (1, 21, 4096, zap([("ROOT", 34), ("SA_ATTRS", 32), ("VERSION", 5)])),
            (32, 45, 4096, zap([("REGISTRY", 35), ("LAYOUTS", 36)])),
            (35, 46, 16384, fat([("ZPL_" + n, (16 if n == "MTIME" else 0 if n == "SYMLINK" else 8) << 24 | i)
                                 for i, n in enumerate(ATTRS)])),
            (36, 47, 16384, fat([("2", [0, 1, 2, 3, 4]), ("3", [0, 1, 2, 3, 4, 5])]))):
        s.object(n, kind, size)
        for at in range(0, len(data), size):
            s.write(n, kind, at, data[at:at + size])


def folder(s, n, entries, mode=0o755):
    s.object(n, 20, 4096, bonus(0o040000 | mode, 2 + len(entries)))
    s.write(n, 20, 0, zap([(name, o | (4 if o >= 128 else 8) << 60) for name, o in entries]))


def file(s, n, data, mode=0o644, uid=0):
    s.object(n, 19, 4096, bonus(0o100000 | mode, len(data), uid, uid))
    for at in range(0, len(data), 4096):
        s.write(n, 19, at, data[at:at + 4096].ljust(4096, b"\0"))


def tree(path, kind):
    s = Stream(path, 2, GUID)
    tables(s)
    file(s, 2, b"welcome\n", uid=7)
    file(s, 3, b"x" * 10000, mode=0o4755)
    file(s, 4, b"old\n")
    s.object(5, 19, 4096, bonus(0o120777, 9, link=b"etc/hello"))
    names = [("hello", 2), ("again", 2), ("old", 4)]
    extra = {"loop": [("up", 128)], "dotdot": [("..", 2)], "slash": [("a/b", 2)], "twice": [("sub", 129)],
             "orphan": [("gone", 99)]}.get(kind, [])
    folder(s, 34, [("root", 128), ("config", 140)])
    folder(s, 128, [("etc", 129), ("su", 3), ("link", 5)] + ([("bin", 130)] if kind == "twice" else []))
    folder(s, 129, names + (extra if kind != "twice" else []))
    if kind == "twice":
        folder(s, 130, extra + [("sub2", 129)])
    folder(s, 140, [])
    s.end()


def tree_next(path):
    s = Stream(path, 2, NEXT, GUID)
    s.write(3, 19, 4096, b"y" * 4096)
    s.rec(2, struct.pack("<QQQ", 4, 1, s.guid))
    file(s, 6, b"new\n")
    folder(s, 128, [("etc", 129), ("su", 3), ("link", 5), ("hello", 2), ("sub", 131)])
    folder(s, 129, [("new", 6), ("su", 3)])
    folder(s, 131, [], mode=0o700)
    s.end()


def deep(path):
    s = Stream(path, 2, GUID)
    tables(s)
    folder(s, 34, [("root", 128)])
    for n in range(128, 128 + 5000):
        folder(s, n, [("d", n + 1)])
    folder(s, 5128, [])
    s.end()


def volume(path, size, dense=False):
    s = Stream(path, 3, GUID)
    s.object(1, 23, 131072)
    s.object(2, 24, 512)
    s.write(2, 24, 0, zap([("size", size)], 512))
    block = bytes(range(1, 256)) * 514 + b"\1\2"
    for at in range(0, size if dense else 0, 131072):
        s.write(1, 23, at, block)
    for mib in range(0 if dense else 16):
        s.write(1, 23, mib << 20, b"A" * 8192)
    s.end()


def volume_next(path, size):
    s = Stream(path, 3, NEXT, GUID)
    s.object(1, 23, 131072)
    s.write(1, 23, 1 << 20, b"B" * 8192)
    s.free(1, 2 << 20, 8192)
    s.write(2, 24, 0, zap([("size", size)], 512))
    s.end()


what, name = sys.argv[1:3]
bytes_ = int(sys.argv[3]) if len(sys.argv) > 3 else 0
if what == "volume":
    volume(name, bytes_)
elif what == "volume-dense":
    volume(name, bytes_, True)
elif what == "volume-next":
    volume_next(name, bytes_)
elif what == "tree-next":
    tree_next(name)
elif what == "deep":
    deep(name)
else:
    tree(name, what)
