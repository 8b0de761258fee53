#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A recorded simplestreams server, served from here: its images in `avail` and `show`.

The images of the newest version have the recorded fingerprints as their uuids, are found by alias and by
uuid, and the disk is, once written, the recorded one. See run for the contract.
"""
import functools
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

base = os.path.join(sys.argv[1], "imgadm/simplestreams")
if not os.path.exists(os.path.join(base, "expected.json")) or os.geteuid() != 0:
    sys.exit(77)
tool = os.path.join(os.environ["BIN"], "imgadm")
root = os.path.join(os.environ["WORK"], "root")
with open(os.path.join(base, "expected.json"), encoding="utf-8") as f:
    expected = json.load(f)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def imgadm(*args):
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return subprocess.run([tool, *args, "--root", root], capture_output=True, text=True, env=env, check=False)


def verdict(name, good, why):
    print("agree %s" % name if good else "differ %s: %s" % (name, why))


def uuid_of(print_):
    return "-".join((print_[:8], print_[8:12], print_[12:16], print_[16:20], print_[20:32]))


server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=base))
threading.Thread(target=server.serve_forever, daemon=True).start()
os.makedirs(os.path.join(root, "var/imgadm"))
with open(os.path.join(root, "var/imgadm/imgadm.conf"), "w", encoding="utf-8") as f:
    json.dump({"sources": [{"type": "simplestreams", "url": "http://127.0.0.1:%d" % server.server_address[1]}]}, f)

p = imgadm("avail", "-j")
rows = {x["manifest"]["uuid"]: x["manifest"] for x in json.loads(p.stdout or "[]")}
with open(os.path.join(base, "streams/v1/images.json"), encoding="utf-8") as f:
    product = next(iter(json.load(f)["products"].values()))
items = product["versions"][expected["latest"]]["items"].values()
for what, key, suffix, ftypes in (("container", "fingerprint_container", "", ("squashfs", "root.tar.xz")),
                                  ("vm", "fingerprint_vm", "/vm", ("disk-kvm.img",))):
    uuid = uuid_of(expected[key])
    m = rows.get(uuid, {})
    verdict("avail has the " + what, m.get("type") == ("zvol" if suffix else "lx-dataset"), str(rows)[:400] + p.stderr)
    hashes = [x["sha256"] for x in items if x["ftype"] in ftypes]
    verdict("the %s's file" % what, m.get("files", [{}])[0].get("sha256") in hashes, str(m.get("files")))
    for name in [uuid] + [a + suffix for a in product["aliases"].split(",")]:
        p = imgadm("show", name)
        verdict("show " + name, p.returncode == 0 and json.loads(p.stdout)["uuid"] == uuid, p.stderr)
p = imgadm("show", "nothing/at/all")
verdict("what is not there", p.returncode == 1 and "ImageNotFound" in p.stderr, p.stderr)

disk = os.path.join(os.environ["WORK"], "disk")
os.mkdir(disk)
path = next(x["path"] for x in items if x["ftype"] == "disk-kvm.img")
with open(os.path.join(base, path), "rb") as f:
    p = subprocess.run([os.path.join(os.environ["BIN"], "../judge/image-writer"), disk, disk + ".state"], stdin=f,
                       capture_output=True, check=False)
with open(os.path.join(disk, "disk0.raw"), "rb") as f:
    verdict("the disk", hashlib.sha256(f.read()).hexdigest() == expected["vm_raw_sha256"], p.stderr.decode())
