#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""upload_proxy.py PORT HOST:PORT FILE - before a registry, breaks uploads.

FILE.rules has a line for each fault: METHOD NTH KIND ARGUMENT; NTH counts the requests of this
method since the file was written, 0 is all of them.

    status 503         this answer, and the request goes no further
    reset 0            half of the body goes on, then the connection breaks
    corrupt OFFSET     one byte of the body is another
    slow RATE          bytes a second
    elsewhere HOST     Location leads there
    digest TEXT        Docker-Content-Digest is another where the path has TEXT

FILE.log lists what was asked: METHOD HOST PATH, and the word before the secret where it said who
it is. When there is a FILE.bearer, it asks for tokens at 127.0.0.1, and gives one to tester.
"""
import http.client
import os
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler

port, upstream, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
state = {"stamp": 0, "counts": {}}


def choose(method):
    try:
        stamp = os.stat(name + ".rules").st_mtime_ns
        with open(name + ".rules") as f:
            rules = [line.split() for line in f if line.strip()]
    except FileNotFoundError:
        return "", ""
    if stamp != state["stamp"]:
        state.update(stamp=stamp, counts={})
    count = state["counts"][method] = state["counts"].get(method, 0) + 1
    for rule in rules:
        if rule[0] == method and int(rule[1]) in (0, count):
            return rule[2], rule[3]
    return "", ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle_one(self):
        kind, arg = choose(self.command)
        with open(name + ".log", "a") as f:
            who = self.headers.get("Authorization", "").split(" ")[0]
            f.write("%s %s %s %s\n" % (self.command, self.headers["Host"], self.path, who))
        self.close_connection = True
        length = int(self.headers.get("Content-Length") or 0)
        if kind == "slow":
            time.sleep(length / int(arg))
        body = bytearray(self.rfile.read(length))
        if kind == "status":
            return self.answer(int(arg), [], b"")
        if kind == "corrupt" and len(body) > int(arg):
            body[int(arg)] ^= 1
        if os.path.exists(name + ".bearer") and self.headers["Host"].startswith("127."):
            if self.path.startswith("/token"):
                right = self.headers.get("Authorization") == "Basic dGVzdGVyOnNlY3JldA=="
                return self.answer(200 if right else 401, [], b'{"token":"a-token"}')
            if self.headers.get("Authorization") != "Bearer a-token":
                text = 'Bearer realm="http://%s/token",service="test",scope="registry:all:*"' % self.headers["Host"]
                return self.answer(401, [("WWW-Authenticate", text)], b"")
        conn = http.client.HTTPConnection(upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "expect", "authorization")}
        if kind == "reset":
            conn.putrequest(self.command, self.path, skip_host=True)
            for key, value in headers.items():
                conn.putheader(key, value)
            conn.endheaders()
            conn.send(bytes(body[: len(body) // 2]))
            conn.close()
            self.connection.close()
            return None
        conn.request(self.command, self.path, bytes(body) if length else None, headers)
        up = conn.getresponse()
        data = up.read()
        fields = [(k, v) for k, v in up.getheaders() if k.lower() not in ("connection", "content-length", "transfer-encoding")]
        if kind == "elsewhere":
            fields = [(k, v.replace(self.headers["Host"], arg) if k == "Location" else v) for k, v in fields]
        if kind == "digest" and arg in self.path:
            fields = [(k, "sha256:" + "0" * 64 if k == "Docker-Content-Digest" else v) for k, v in fields]
        return self.answer(up.status, fields, data)

    def answer(self, status, fields, data):
        self.send_response(status)
        for key, value in fields:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_one


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


Server(("127.0.0.1", port), Handler).serve_forever()
