#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recorded container images, served from here as a registry does: layout, chains, layers.

The layout's image must unpack to the tree that was recorded, with the ids and digests that were;
the uuid of each list of layers must be the one of the original; and no hostile layer
may change a thing outside of its image.
"""
import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

base = os.path.join(sys.argv[1], "imgadm/oci")
if not os.path.exists(os.path.join(base, "expected.json")) or os.geteuid() != 0:
    sys.exit(77)
if "IN_NAMESPACE" not in os.environ:
    os.environ["IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-mn", "--propagation", "private", sys.executable] + sys.argv)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
BIN = os.environ["BIN"]
work = os.environ["WORK"]
root = os.path.join(work, "root")
images = os.path.join(root, "zones/images")
expected = json.load(open(os.path.join(base, "expected.json"), encoding="utf-8"))
manifests, blobs = {}, {}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        kind, ref = self.path.rsplit("/", 2)[-2:]
        body, mime = None, "application/octet-stream"
        if self.path == "/v2/":
            body = b"{}"
        elif kind == "manifests":
            body, mime = manifests.get(ref), "application/json"
            mime = json.loads(body).get("mediaType", mime) if body else mime
        elif kind == "blobs":
            body = blobs.get(ref)
        self.send_response(200 if body is not None else 404)
        body = body if body is not None else b"{}"
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def imgadm(*args):
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return subprocess.run([os.path.join(BIN, "imgadm"), *args, "--root", root], capture_output=True, text=True, env=env)


def verdict(name, good, why=""):
    print("agree %s" % name if good else "differ %s: %s" % (name, str(why).replace("\n", " ")))


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


os.makedirs(os.path.join(root, "var/imgadm"))
made = subprocess.run([os.path.join(BIN, "mkpool"), "-q", "--file", work + "/pool", "--size", "300M", "--root", root])
if made.returncode:
    sys.exit(77)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(root, "var/imgadm/imgadm.conf"), "w", encoding="utf-8") as f:
    url = "http://127.0.0.1:%d" % server.server_address[1]
    json.dump({"sources": [{"type": "docker", "url": url, "arch": "amd64"}], "http": {"tries": 1}}, f)

# ---- the layout
folder = os.path.join(base, "layout/blobs/sha256")
for name in os.listdir(folder):
    data = open(os.path.join(folder, name), "rb").read()
    blobs["sha256:" + name] = data
    if data[:1] == b"{":
        manifests["sha256:" + name] = data
manifests["index"] = open(os.path.join(base, "layout/index.json"), "rb").read().replace(
    b'{', b'{"mediaType":"application/vnd.oci.image.index.v1+json",', 1)
manifests["latest"] = manifests[expected["index"]]
for ref in ("latest", "index"):
    r = imgadm("show", "fixture:" + ref)
    got = json.loads(r.stdout or "{}")
    verdict("layout-" + ref, got.get("uuid") == expected["imgadm_layer_uuids"][-1] and
            got["tags"]["docker:id"] == expected["image_id"] and got["tags"]["docker:digest"] == expected["manifest"] and
            got["tags"]["docker:chain_id"] == expected["chain_ids"][-1], r.stderr + r.stdout)
r = imgadm("import", "-q", "fixture")
verdict("layout-import", r.returncode == 0, r.stderr)
r = imgadm("ancestry", "-j", expected["imgadm_layer_uuids"][-1])
chain = [i["manifest"] for i in json.loads(r.stdout or "[]")][::-1]
verdict("layout-uuids", [m["uuid"] for m in chain] == expected["imgadm_layer_uuids"], r.stderr)
verdict("layout-chain-ids", [m["tags"]["docker:chain_id"] for m in chain] == expected["chain_ids"])
verdict("layout-diff-ids", [m["files"][0]["uncompressedDigest"] for m in chain] == expected["diff_ids"])

tree = os.path.join(images, expected["imgadm_layer_uuids"][-1], "rootfs")
for path, words in expected["final_tree"].items():
    full = tree + path
    try:
        st = os.lstat(full)
        if words.startswith("hard link to "):
            good = os.path.samefile(full, tree + words[len("hard link to "):])
        elif words.startswith("symlink -> "):
            good = os.readlink(full) == words[len("symlink -> "):]
        elif words.startswith("dir"):
            good = stat.S_ISDIR(st.st_mode)
        else:
            text = words.split('"')[1].encode().decode("unicode_escape")
            good = open(full, encoding="utf-8").read() == text
        for word in words.split():
            if len(word) == 4 and word.isdigit() and word[0] == "0":
                good = good and stat.S_IMODE(st.st_mode) == int(word, 8)
        if "nlink" in words:
            good = good and st.st_nlink == int(words.split("nlink ")[1].split()[0])
    except OSError:
        good = False
    verdict("tree" + path, good, words)
for path in expected["absent"]:
    if path.startswith("/"):
        verdict("absent" + path, not os.path.lexists(tree + path), "is there")
marks = [n for _, d, f in os.walk(tree) for n in d + f if n.startswith(".wh.")]
verdict("absent-markers", not marks, marks)
docker = json.load(open(os.path.join(base, "docker-manifest-v2.json"), encoding="utf-8"))
manifests["docker"] = json.dumps(docker).encode()
r = imgadm("show", "fixture:docker")
verdict("docker-manifest", "1 layers, its configuration 3" in r.stderr, r.stderr)

# ---- the rule of uuids
cases = os.path.join(sys.argv[1], "imgadm/manifest/docker-uuid-cases.json")
for i, case in enumerate(json.load(open(cases, encoding="utf-8"))):
    config = json.dumps({"architecture": "amd64", "os": "linux",
                         "rootfs": {"diff_ids": case["digests_base_first"]}}).encode()
    blobs[digest(config)] = config
    manifests["case%d" % i] = json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": d, "size": 1}
                   for d in case["digests_base_first"]]}).encode()
    r = imgadm("show", "fixture:case%d" % i)
    verdict("uuid-%d" % i, json.loads(r.stdout or "{}").get("uuid") == case["uuid"], r.stderr)

# ---- layers that want out
REFUSED = ("whiteout-dotdot", "whiteout-empty", "dotdot", "hardlink-escape")
with open("/etc/passwd", "rb") as f:
    passwd = f.read()
victim = "/tmp/victim"
planted = not os.path.lexists(victim)
if planted:
    open(victim, "w", encoding="utf-8").close()
for i, name in enumerate(sorted(os.listdir(os.path.join(base, "hostile")))):
    if not name.endswith(".tar"):
        continue
    path = os.path.join(base, "hostile", name)
    data = open(path, "rb").read()
    uuid = "%08x-0000-4000-8000-000000000000" % i
    with open(work + "/m.json", "w", encoding="utf-8") as f:
        json.dump({"v": 2, "uuid": uuid, "name": "x", "version": "1", "type": "docker", "os": "linux", "files": [
            {"size": len(data), "digest": digest(data), "compression": "none"}]}, f)
    r = imgadm("install", "-q", "-m", work + "/m.json", "-f", path)
    outside = any(os.path.lexists(p) for p in ("/evil-abs", "/evil", "/etc/evil", root + "/evil", images + "/evil",
                                               images + "/" + uuid + "/evil"))
    same = open("/etc/passwd", "rb").read() == passwd and os.path.lexists(victim)
    good = not outside and same
    if name[:-4] in REFUSED:
        good = good and r.returncode == 1
    if name == "absolute.tar":
        good = good and r.returncode == 0 and os.path.exists(images + "/" + uuid + "/rootfs/evil-abs")
    verdict("hostile-" + name[:-4], good, "%d %s" % (r.returncode, r.stderr))
if planted:
    os.unlink(victim)
subprocess.run(["umount", os.path.join(root, "zones")], check=False)
