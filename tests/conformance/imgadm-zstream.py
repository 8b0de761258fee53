#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recorded ZFS send streams, written by the image's writer, and looked at.

A volume's disk must have the recorded SHA-256; every file of a file system its mode, owner, time, links,
size, data, target and attributes; and what must be refused is refused. See run for the contract.
"""
import bz2
import glob
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys

base = os.path.join(sys.argv[1], "imgadm/zstream")
writer = os.path.join(os.environ["BIN"], "../judge/image-writer")
work = os.environ["WORK"]
if not os.path.isdir(base) or os.geteuid() != 0:
    sys.exit(77)


def verdict(name, why):
    if why == "cut":
        print("listed zfs-attribute-values %s" % name)
        return
    print("differ %s: %s" % (name, why.replace("\n", " ")) if why else "agree %s" % name)


def unpack(stream, onto=None):
    """The folder, its state file, and the error or ''."""
    n = len(os.listdir(work))
    root, state = os.path.join(work, "r%d" % n), os.path.join(work, "s%d" % n)
    if onto:
        subprocess.run(["cp", "-a", onto[0], root], check=True)
    else:
        os.mkdir(root)
    with open(stream, "rb") as f:
        data = f.read()
    if stream.endswith(".bz2"):
        data = bz2.decompress(data)
    p = subprocess.run([writer, root, state] + ([onto[1]] if onto else []), input=data,
                       capture_output=True, check=False)
    if p.returncode not in (0, 1):
        return root, state, "ended with %d: %s" % (p.returncode, p.stderr.decode()[-600:])
    return root, state, p.stderr.decode().strip() if p.returncode else ""


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def listing(root):
    out = {}
    for folder, folders, files in os.walk(root):
        for path in [folder] + [os.path.join(folder, x) for x in files + folders]:
            st = os.lstat(path)
            name = "/" + os.path.relpath(path, root) if path != root else "/"
            e = {"mode": "%06o" % st.st_mode, "uid": st.st_uid, "gid": st.st_gid, "mtime": int(st.st_mtime)}
            if not stat.S_ISDIR(st.st_mode):
                e["nlink"] = st.st_nlink
            if stat.S_ISREG(st.st_mode):
                e["size"], e["sha256"] = st.st_size, sha256(path)
            if stat.S_ISLNK(st.st_mode):
                e["target"] = os.readlink(path)
            else:
                xa = {n: os.getxattr(path, n, follow_symlinks=False).hex()
                      for n in os.listxattr(path, follow_symlinks=False)}
                if xa:
                    e["xattrs"] = xa
            out[name] = e
    return out


def expected(path):
    """As the listing shows it: the folder "root" is the top, devices are left out."""
    with open(path, encoding="utf-8") as f:
        rows = json.load(f)
    zone = any(x["path"] == "/root" and x["mode"].startswith("04") for x in rows)
    out = {}
    for x in rows:
        p = x["path"]
        if zone:
            if p != "/root" and not p.startswith("/root/"):
                continue
            p = p[len("/root"):] or "/"
        mode = int(x["mode"], 8)
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            continue
        e = {k: v for k, v in x.items() if k not in ("path", "obj", "rdev")}
        if stat.S_ISDIR(mode):
            e.pop("nlink", None)
        if "xattrs" in e:
            e["xattrs"] = {k: v for k, v in e["xattrs"].items() if k.startswith("user.") or k == "security.capability"}
            if not e["xattrs"]:
                del e["xattrs"]
        out[p] = e
    return out


def cut(got, want):
    """Is each recorded value what follows the first four bytes of ours, and then zeros?"""
    good = set(got) == set(want)
    for k in got:
        good = good and want[k].startswith(got[k][8:])
    return good


def compare(root, path):
    got, want = listing(root), expected(path)
    result = ""
    for p in sorted(set(got) | set(want)):
        g, w = dict(got.get(p, {})), dict(want.get(p, {}))
        if g != w and "xattrs" in g and "xattrs" in w and cut(g.pop("xattrs"), w.pop("xattrs")):
            result = "cut"
        if g != w:
            return "%s is %s, and not %s" % (p, str(got.get(p))[:300], str(want.get(p))[:300])
    return result


with open(os.path.join(base, "expected-synthetic.json"), encoding="utf-8") as f:
    synthetic = json.load(f)
for name, want in synthetic.items():
    onto = unpack(os.path.join(base, want["base"]))[:2] if "base" in want else None
    root, _, error = unpack(os.path.join(base, name), onto)
    disk = os.path.join(root, "disk0.raw")
    if "must_fail" in want:
        verdict(name, "" if error and "ended with" not in error else "taken, or crashed: " + error)
    elif error:
        verdict(name, error)
    else:
        same = os.path.getsize(disk) == want["raw_size"] and sha256(disk) == want["raw_sha256"]
        verdict(name, "" if same else "another disk")
for order in "le", "be":
    full = unpack(os.path.join(base, "fs-full-%s.zsend" % order))
    verdict("fs-full-" + order, full[2] or compare(full[0], os.path.join(base, "fs-full.expected.json")))
    incr = unpack(os.path.join(base, "fs-incr-%s.zsend" % order), full[:2])
    verdict("fs-incr-" + order, incr[2] or compare(incr[0], os.path.join(base, "fs-incr.expected.json")))
    alone = unpack(os.path.join(base, "fs-incr-%s.zsend" % order))
    verdict("fs-incr-%s without its base" % order, "" if "names no origin" in alone[2] else alone[2] or "taken")
for path in sorted(glob.glob(os.path.join(base, "openzfs/*.zsend.bz2"))):
    name = os.path.basename(path)
    root, _, error = unpack(path)
    listed = path.replace(".zsend.bz2", ".expected.json")
    if os.path.exists(listed):
        verdict(name, error or compare(root, listed))
    elif name.startswith("undersized"):
        verdict(name, "" if error and "ended with" not in error else "taken, or crashed: " + error)
    elif name.startswith("dedup"):
        verdict(name, "" if "more than one snapshot" in error else error or "taken")
    else:
        verdict(name, error)
shutil.rmtree(work, ignore_errors=True)
os.makedirs(work, exist_ok=True)
