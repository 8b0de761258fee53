#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recorded images of an IMGAPI that must not be imported, served and imported into a pool.

What is wrong with one is read from what it holds beside what is served: another size or hash
than its file has, an origin that nobody has or that leads back, a platform that is too old. One
that nothing is wrong with must be imported; after each, nothing may be left. See run for the contract.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

base = os.path.join(sys.argv[1], "imgadm/imgapi")
if not os.path.exists(os.path.join(base, "hostile-manifests.json")) or os.geteuid() != 0:
    sys.exit(77)
if not os.environ.get("IN_NAMESPACE"):
    os.environ["IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])
tools = os.environ["BIN"]
root = os.path.join(os.environ["WORK"], "root")


def load(name):
    with open(os.path.join(base, name), encoding="utf-8") as f:
        return json.load(f)


good = {m["uuid"]: m for m in load("list-images.json")}
hostile = load("hostile-manifests.json")
names = os.listdir(os.path.join(base, "files"))
files = {}
for uuid in good:
    for name in names:
        if name.startswith(uuid):
            with open(os.path.join(base, "files", name), "rb") as f:
                files[uuid] = f.read()
served = dict(good)
served.update({m["uuid"]: m for m in hostile.values()})


def likeness(m, other):
    a, b = m["files"][0], other["files"][0]
    return (4 * (a["sha1"] == b["sha1"]) + 2 * (a["size"] == b["size"]) +
            (m["name"] == other["name"] and m.get("origin") is None) + (a["compression"] == b["compression"]))


for m in hostile.values():  # its file is that of the good image that it was made from
    files[m["uuid"]] = files[max(good, key=lambda u: likeness(m, good[u]))]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        path = self.path.split("?")[0].strip("/").split("/")
        status, body = 404, b'{"code":"ResourceNotFound","message":"image not found"}'
        if path == ["ping"]:
            status, body = 200, b'{"ping":"pong","imgapi":true}'
        elif len(path) == 2 and path[1] in served:
            status, body = 200, json.dumps(served[path[1]]).encode()
        elif len(path) == 3 and path[1] in files:
            status, body = 200, files[path[1]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def run(tool, *args):
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return subprocess.run([os.path.join(tools, tool), *args, "--root", root], capture_output=True, text=True, env=env,
                          check=False)


def what_is_wrong(m):
    """The codes of which one must be told; none: it is to be imported."""
    seen = set()
    one = m
    while one.get("origin"):
        if one["uuid"] in seen or one["origin"] in seen | {one["uuid"]}:
            return ("InvalidManifest", "OriginLoop", "ManifestValidation", "InternalError")
        seen.add(one["uuid"])
        if one["origin"] not in served:
            return ("OriginNotFoundInSource",)
        one = served[one["origin"]]
    data, said = files[m["uuid"]], m["files"][0]
    if len(data) != said["size"] or hashlib.sha1(data).hexdigest() != said["sha1"]:
        return ("DownloadError", "InvalidChecksum", "UncompressionError")
    return ()


os.makedirs(os.path.join(root, "var/imgadm"))
r = run("mkpool", "-q", "--file", os.path.join(os.environ["WORK"], "pool.img"), "--size", "512M")
if r.returncode:
    sys.exit(77)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(root, "var/imgadm/imgadm.conf"), "w", encoding="utf-8") as f:
    json.dump({"sources": [{"type": "imgapi", "url": "http://127.0.0.1:%d" % server.server_address[1]}],
               "http": {"tries": 1}}, f)
for name, m in sorted(hostile.items()):
    wrong = what_is_wrong(m)
    r = run("imgadm", "import", "-q", m["uuid"])
    told = re.search(r"^imgadm import: error \((\w+)\): ", r.stderr, re.M)
    there = run("imgadm", "get", m["uuid"]).returncode == 0
    left = run("imgadm", "check")
    for uuid in run("imgadm", "list", "-H", "-o", "uuid").stdout.split()[::-1]:
        run("imgadm", "delete", uuid)
    if left.returncode:
        print("differ %s: left over: %s" % (name, left.stdout.replace("\n", " ")))
    elif wrong:
        good_so = r.returncode == 1 and not there and told and told.group(1) in wrong
        print("agree %s" % name if good_so else "differ %s: %s" % (name, r.stderr.replace("\n", " ")))
    elif r.returncode or not there:
        print("differ %s: %s" % (name, r.stderr.replace("\n", " ")))
    elif "max_platform" in m.get("requirements", {}) or "min_platform" in m.get("requirements", {}):
        print("listed image-platform %s" % name)
    else:
        print("agree %s" % name)
subprocess.run(["umount", os.path.join(root, "zones")], check=False)
