"""A server that says exactly what a test tells it to, byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from conformance.target.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Script = Callable[[bytes], "Iterator[bytes | float] | list[bytes | float]"]


def reply(status: str = "200 OK", *lines: str, body: bytes = b"{}", keep: bool = True) -> bytes:
    """A whole answer, with its length."""
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, *([] if keep else ["Connection: close"]), "", ""]).encode() + body


class RawServer:
    """Answers each request with what the script makes of it: bytes to send and seconds to wait.

    Attributes:
        received: every request, headers and body.
        connections: how many were opened.
    """

    def __init__(self, script: Script) -> None:
        """Listens on a free loopback port."""
        self.received: list[bytes] = []
        self.connections = 0
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._clients: list[HttpClient] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def client(self) -> HttpClient:
        """A client of the suite that speaks to this server, and is closed with it."""
        self._clients.append(HttpClient(self.url))
        return self._clients[-1]

    def close(self) -> None:
        """Stops listening and ends every connection."""
        for client in self._clients:
            client.close()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while request := self._read(connection):
                self.received.append(request)
                for step in self._script(request):
                    if isinstance(step, float):
                        time.sleep(step)
                    elif step:
                        connection.sendall(step)
                    else:
                        connection.shutdown(socket.SHUT_RDWR)
                        return

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        while len(body) < int(lengths[0] if lengths else 0):
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@contextmanager
def raw(script: Script) -> Iterator[RawServer]:
    """A server with this script, which is stopped afterwards. Empty bytes in a script close the connection."""
    server = RawServer(script)
    try:
        yield server
    finally:
        server.close()


def always(*steps: bytes | float) -> Script:
    """A script that says the same each time."""
    return lambda _request: list(steps)
