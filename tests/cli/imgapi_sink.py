#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An IMGAPI server that takes images, below FOLDER: imgapi_sink.py FOLDER [damage|refuse|mute]

It prints its port, then a line for each request. "damage" loses a byte of the file,
"refuse" does not activate, "mute" answers 405 to all, as a server of files does.
"""
import hashlib
import http.server
import json
import os
import sys
import urllib.parse

folder, fault = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
images = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, value):
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        print(self.command, self.path, flush=True)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        uuid = parts[1]
        if fault == "mute":
            return self.say(405, None)
        if query.get("action") == "import":
            if uuid in images:
                return self.say(409, {"code": "ImageUuidAlreadyExists", "message": "it exists"})
            images[uuid] = dict(json.loads(body), state="unactivated")
            images[uuid].pop("files", None)
        elif parts[-1] == "file":
            if fault == "damage":
                body = body[:-1]
            with open(os.path.join(folder, uuid), "wb") as f:
                f.write(body)
            images[uuid]["files"] = [{"sha1": hashlib.sha1(body).hexdigest(), "size": len(body)}]
        elif query.get("action") == "activate":
            if fault == "refuse":
                return self.say(422, {"code": "ValidationFailed", "message": "bad\x1b[1m",
                                      "errors": [{"field": "os", "code": "Invalid", "message": "no"}]})
            images[uuid]["state"] = "active"
        elif self.command == "DELETE":
            images.pop(uuid, None)
            return self.say(204, None)
        return self.say(200, images[uuid])

    do_POST = do_PUT = do_DELETE = handle_any


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
