#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""token_registry.py PORT BLOBS-PORT UPSTREAM NAME:PASSWORD LOG - a registry that wants tokens.

Requests with the token go on to UPSTREAM ("http://127.0.0.1:5000"); blobs are redirected to
BLOBS-PORT, which is this program as well, and where a token is an error. The token server is
at /token, and gives one for the name and password alone. LOG gets a line for each header
"Authorization" that came: PORT PATH KIND.
"""
import base64
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, blobs_port, upstream, login, log = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
TOKEN = "Bearer abc.def-ghi"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        here = self.server.server_address[1]
        auth = self.headers.get("Authorization", "")
        if auth:
            with open(log, "a", encoding="utf-8") as f:
                f.write("%d %s %s\n" % (here, self.path, auth.split()[0]))
        if self.path.startswith("/token"):
            good = auth == "Basic " + base64.b64encode(login.encode()).decode()
            self.answer(200 if good else 401, b'{"token":"abc.def-ghi"}' if good else b"{}")
        elif here == port and auth != TOKEN:
            self.answer(401, b"{}", [("WWW-Authenticate", 'Bearer realm="http://127.0.0.1:%d/token",'
                                      'service="test registry",scope="repository:x:pull,push"' % port)])
        elif here == port and "/blobs/" in self.path:
            self.answer(307, b"", [("Location", "http://127.0.0.1:%d%s" % (blobs_port, self.path))])
        elif here == blobs_port and auth:
            self.answer(400)
        else:
            request = urllib.request.Request(upstream + self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
            with urllib.request.urlopen(request) as up:
                self.answer(200, up.read(), [("Content-Type", up.headers["Content-Type"])])


threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", blobs_port), Handler).serve_forever, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
