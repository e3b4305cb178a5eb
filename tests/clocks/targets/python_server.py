"""A server of CPython's standard library: `python python_server.py PORT`."""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tokens import answer


class Handler(BaseHTTPRequestHandler):
    """Answers in JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers, after a moment in which CPython sleeps."""
        time.sleep(0.001)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, data = answer(self.command, self.path, self.headers.get("Authorization", ""), body)
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET  # noqa: N815 - the base class asks for this name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's signature
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
