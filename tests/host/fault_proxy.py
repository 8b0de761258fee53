#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault_proxy.py PORT UPSTREAM - an HTTP server that does what servers do wrong.

Requests go on to UPSTREAM ("http://127.0.0.1:8080"), answers come back, faults are
put in between. Rules are set by "POST /__faults", one a line:

    COUNT KIND ARGUMENT REGEX

The first rule whose REGEX is found in the request's path, and which was used less than
COUNT times (0: no bound), applies:

    status 503          an empty answer with this status
    retry 429:2         status 429 with "Retry-After: 2"
    truncate BYTES      close after BYTES of the body, well-mannered
    reset BYTES         close after BYTES with a reset
    stall BYTES         send BYTES, then nothing more, until the client goes
    corrupt OFFSET      one byte of the whole file at OFFSET is another
    noranges 0          as a server that knows no ranges
    etag TEXT           with this ETag
    badrange 0          206 for another part than was asked for
    long BYTES          more bytes than there are, without a Content-Length
    slow RATE           RATE bytes a second
    redirect URL        302 to URL ("loop" is the request's own path)
    garbage 0           what is no HTTP
    body FILE           the content of FILE with status 200

"GET /__log" lists what was asked: METHOD PATH RANGE STATUS. "POST /__reset" forgets it.
"""
import http.client
import re
import socket
import socketserver
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

rules, log, lock = [], [], threading.Lock()


def choose(path):
    with lock:
        for rule in rules:
            if re.search(rule["regex"], path) and (not rule["count"] or rule["used"] < rule["count"]):
                rule["used"] += 1
                return rule["kind"], rule["arg"]
    return "", ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = None

    def log_message(self, *args):
        pass

    def note(self, status):
        with lock:
            log.append("%s %s %s %s" % (self.command, self.path, self.headers.get("Range", "-"), status))

    def answer(self, status, body=b"", headers=()):
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with lock:
            if self.path == "/__faults":
                rules.clear()
                for line in text.splitlines():
                    count, kind, arg, regex = line.split(None, 3)
                    rules.append({"count": int(count), "kind": kind, "arg": arg, "regex": regex, "used": 0})
            else:
                log.clear()
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        if self.path == "/__log":
            with lock:
                body = "".join(line + "\n" for line in log).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        kind, arg = choose(self.path)
        if kind == "status":
            self.answer(int(arg))
        elif kind == "retry":
            status, after = arg.split(":")
            self.answer(int(status), b"", [("Retry-After", after)])
        elif kind == "redirect":
            self.answer(302, b"", [("Location", self.path if arg == "loop" else arg)])
        elif kind == "garbage":
            self.note("garbage")
            self.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")
            self.close_connection = True
        elif kind == "body":
            with open(arg, "rb") as f:
                self.answer(200, f.read(), [("Content-Type", "application/json")])
        else:
            self.forward(kind, arg)

    def forward(self, kind, arg):
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        if kind in ("noranges", "badrange"):
            headers.pop("Range", None)
            headers.pop("If-Range", None)
        conn = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        conn.request("GET", self.path, headers=headers)
        up = conn.getresponse()
        status = up.status
        fields = [(k, v) for k, v in up.getheaders() if k.lower() not in ("connection", "transfer-encoding", "date", "server")]
        if kind == "etag":
            fields = [(k, v) for k, v in fields if k.lower() != "etag"] + [("ETag", '"%s"' % arg)]
        if kind == "noranges":
            fields = [(k, v) for k, v in fields if k.lower() not in ("accept-ranges",)]
        if kind == "badrange" and "Range" in self.headers:
            status = 206
            fields.append(("Content-Range", "bytes 0-9/10"))
        if kind == "long":
            fields = [(k, v) for k, v in fields if k.lower() != "content-length"]
        self.note(status)
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.copy(up, kind, arg)
        except (BrokenPipeError, ConnectionResetError):
            pass
        conn.close()

    def copy(self, up, kind, arg):
        start = 0
        match = re.match(r"bytes (\d+)-", up.getheader("Content-Range") or "")
        if match:
            start = int(match.group(1))
        sent, stop = 0, int(arg) if kind in ("truncate", "reset", "stall") else None
        while True:
            block = up.read(16384)
            if not block:
                break
            if kind == "corrupt":
                at = int(arg) - start - sent
                if 0 <= at < len(block):
                    block = block[:at] + bytes([block[at] ^ 0x55]) + block[at + 1:]
            if stop is not None and sent + len(block) >= stop:
                self.wfile.write(block[:stop - sent])
                self.wfile.flush()
                self.cut(kind)
                return
            self.wfile.write(block)
            sent += len(block)
            if kind == "slow":
                self.wfile.flush()
                time.sleep(len(block) / float(arg))
        if kind == "long":
            self.wfile.write(b"x" * int(arg))

    def cut(self, kind):
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif kind == "stall":
            # A client that gives up closes its end.
            self.connection.settimeout(60)
            try:
                self.connection.recv(1)
            except OSError:
                pass
        self.connection.shutdown(socket.SHUT_RDWR) if kind == "truncate" else None
        self.connection.close()


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


if __name__ == "__main__":
    Handler.upstream = urllib.parse.urlsplit(sys.argv[2])
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
