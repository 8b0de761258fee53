#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: imgapi_login.py PORT SITE - an IMGAPI with users and channels, for tests.

SITE/manifests/UUID.json and SITE/files/UUID are its images, SITE/users/LOGIN.pem the public
keys of its users. Signatures are verified by openssl(1), and the key's name is worked out here.
Who does not sign sees what is public; who signs wrong sees nothing. An image is seen in the
channels that its manifest names; "release" is the default one. A file named "SITE/refuse" makes
the server break the next transfer in its middle, and refuse the request after that one.
"""
import base64
import calendar
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

port, site = int(sys.argv[1]), sys.argv[2]
CHANNELS = ("release", "dev")
refusals = 0


def openssl(*args):
    return subprocess.run(["openssl", *args], capture_output=True, check=False)


def fingerprint(pem):
    """As ssh-keygen -l -E md5 has it."""
    def text(b):
        return struct.pack(">I", len(b)) + b

    der = openssl("pkey", "-pubin", "-in", pem, "-outform", "DER").stdout
    if len(der) == 44:
        blob = text(b"ssh-ed25519") + text(der[-32:])
    else:
        n = openssl("rsa", "-pubin", "-in", pem, "-modulus", "-noout").stdout.decode().split("=")[1].strip()
        blob = text(b"ssh-rsa") + text(b"\1\0\1") + text(b"\0" + bytes.fromhex(n))
    h = hashlib.md5(blob).hexdigest()
    return ":".join(h[i:i + 2] for i in range(0, 32, 2))


def verify(header, date):
    """The login, or None."""
    got = dict(re.findall(r'(\w+)="([^"]*)"', header[len("Signature "):]))
    m = re.fullmatch(r"/(\w+)/keys/([0-9a-f:]+)", got.get("keyId", ""))
    if not header.startswith("Signature ") or not m or got.get("headers") != "date":
        return None
    pem = os.path.join(site, "users", m.group(1) + ".pem")
    if not os.path.exists(pem) or fingerprint(pem) != m.group(2):
        return None
    when = calendar.timegm(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT"))
    if abs(time.time() - when) > 300:
        return None
    with tempfile.NamedTemporaryFile() as sig, tempfile.NamedTemporaryFile() as data:
        sig.write(base64.b64decode(got["signature"]))
        data.write(("date: " + date).encode())
        sig.flush()
        data.flush()
        if got["algorithm"] == "rsa-sha256":
            r = openssl("dgst", "-sha256", "-verify", pem, "-signature", sig.name, data.name)
        elif got["algorithm"] == "ed25519":
            r = openssl("pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", data.name,
                        "-sigfile", sig.name)
        else:
            return None
    return m.group(1) if r.returncode == 0 else None


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status, code, message):
        self.answer(status, {"code": code, "message": message})

    def send_file(self, path):
        global refusals
        with open(path, "rb") as f:
            data = f.read()
        first = 0
        m = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.send_response(206 if m else 200)
        if m:
            first = int(m.group(1))
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(data) - 1, len(data)))
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        if os.path.exists(site + "/refuse"):
            os.unlink(site + "/refuse")
            refusals = 1
            self.wfile.write(data[first:len(data) // 2])
            self.wfile.flush()
            self.connection.close()
            return
        self.wfile.write(data[first:])

    def do_GET(self):
        global refusals
        url = urlparse(self.path)
        who = None
        if "Authorization" in self.headers:
            who = verify(self.headers["Authorization"], self.headers.get("Date", ""))
            if not who or refusals:
                refusals = 0
                self.refuse(401, "UnauthorizedError", "the signature is not good")
                return
        if url.path == "/ping":
            self.answer(200, {"ping": "pong", "version": "4", "imgapi": True})
            return
        channel = parse_qs(url.query).get("channel", ["release"])[0]
        if channel not in CHANNELS + ("*",):
            self.refuse(422, "ValidationFailed", 'unknown channel "%s"' % channel)
            return
        seen = {}
        for name in os.listdir(site + "/manifests"):
            with open(site + "/manifests/" + name, encoding="utf-8") as f:
                m = json.load(f)
            if (who or m["public"]) and (channel == "*" or channel in m.get("channels", ["release"])):
                seen[m["uuid"]] = m
        part = url.path.split("/")
        if url.path == "/images":
            self.answer(200, list(seen.values()))
        elif len(part) in (3, 4) and part[2] in seen:
            if len(part) == 3:
                self.answer(200, seen[part[2]])
            else:
                self.send_file(site + "/files/" + part[2])
        else:
            self.refuse(404, "ResourceNotFound", "image not found")


ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
