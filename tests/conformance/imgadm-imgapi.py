#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A recorded IMGAPI, served from here: ping, list, each image, each kind of error.

Every image of the list must come out of `avail -j` and `show` as it went in, and an error's
code, message and field lines must reach the user as the original prints them.
"""
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

base = os.path.join(sys.argv[1], "imgadm/imgapi")
if not os.path.exists(os.path.join(base, "list-images.json")) or os.geteuid() != 0:
    sys.exit(77)
tool = os.path.join(os.environ["BIN"], "imgadm")
root = os.path.join(os.environ["WORK"], "root")
images = json.load(open(os.path.join(base, "list-images.json"), encoding="utf-8"))
responses = json.load(open(os.path.join(base, "responses.json"), encoding="utf-8"))
failing = None  # (status, body) that every request gets


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        status, body = 404, responses["errors"]["404"]
        if failing:
            status, body = failing
        elif path == "/ping":
            status, body = 200, responses["ping"]["GET /ping"]
        elif path == "/images":
            status, body = 200, images
        else:
            for m in images:
                if path == "/images/" + m["uuid"]:
                    status, body = 200, m
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def imgadm(*args):
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return subprocess.run([tool, *args, "--root", root], capture_output=True, text=True, env=env)


def verdict(name, good, why):
    print("agree %s" % name if good else "differ %s: %s" % (name, why))


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d" % server.server_address[1]
os.makedirs(os.path.join(root, "var/imgadm"))
with open(os.path.join(root, "var/imgadm/imgadm.conf"), "w", encoding="utf-8") as f:
    json.dump({"sources": [], "http": {"tries": 1}}, f)

r = imgadm("sources", "-a", url)
verdict("ping", r.returncode == 0 and r.stdout == 'Added "imgapi" image source "%s"\n' % url, r.stderr + r.stdout)
r = imgadm("avail", "-j")
got = json.loads(r.stdout or "null")
want = [{"manifest": m, "source": url} for m in sorted(images, key=lambda m: (m["published_at"], m["name"]))]
verdict("list", got == want, "want %s, got %s" % (want, got))
for m in images:
    r = imgadm("show", m["uuid"])
    verdict("get-" + m["uuid"][:8], r.returncode == 0 and json.loads(r.stdout) == m, r.stderr)
r = imgadm("show", "00000000-0000-4000-8000-00000000dead")
verdict("get-404", r.returncode == 1 and "(ImageNotFound)" in r.stderr, r.stderr)
for status, body in responses["errors"].items():
    failing = (int(status), body)
    r = imgadm("avail")
    lines = "".join("\n    %s: %s: %s" % (e["field"], e["code"], e["message"]) for e in body.get("errors", []))
    want = "imgadm avail: error (%s): %s%s\n" % (body["code"], body["message"], lines)
    verdict("error-" + status, r.returncode == 1 and r.stderr == want and r.stdout == "",
            "want '%s', got '%s'" % (want, r.stderr))
