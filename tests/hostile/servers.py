"""Servers that misbehave: a behaviour is a function of a connection, and a server says who meets it when."""

from __future__ import annotations

import contextlib
import re
import socketserver
import sys
import threading
import time
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, Self
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler

from reference_server import Settings, create_app
from reference_server.app import close
from reference_server.faults import load as load_faults
from tests.hostile.command import PASSWORD, SECOND_PASSWORD, SECOND_USERNAME, USERNAME

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

    from flask import Flask

    Behaviour = Callable[[socket.socket], None]


@contextmanager
def reference_app(fault: str = "", **settings: str) -> Iterator[Flask]:
    """The reference server with the two accounts of these tests, patient with the logins of many runs; or a fault."""
    accounts = f"{USERNAME}:{PASSWORD}\n{SECOND_USERNAME}:{SECOND_PASSWORD}"
    given = {"ACCOUNTS": accounts, "ACCOUNT_ATTEMPTS": "1000000", "ADDRESS_ATTEMPTS": "1000000", **settings}
    configured = Settings.from_env({f"REFERENCE_{name}": value for name, value in given.items()})
    app = create_app(*load_faults()[fault].apply(configured)) if fault else create_app(configured)
    try:
        yield app
    finally:
        close(app)


class Server:
    """A listening server in a thread; what a connection meets is chosen by its number, from 1 on.

    Where nothing is chosen, the application answers one request.
    """

    def __init__(
        self,
        choose: Callable[[int], Behaviour | None] = lambda _number: None,
        app: WSGIApplication | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listens at once."""
        self.connections = 0
        self.choose, self._app = choose, app
        self._listener = _Listener(self._meet, tls)
        self.host = f"127.0.0.1:{self._listener.server_address[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _meet(self, connection: _Connection) -> None:
        self.connections += 1
        behaviour = self.choose(self.connections)
        if behaviour is not None:
            behaviour(connection.request)
        elif self._app is not None:
            connection.answer(self._app)

    def __enter__(self) -> Self:
        """The running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # What wsgiref asks of its server.
    base_environ: ClassVar[dict[str, str]] = {"SERVER_NAME": "localhost", "SERVER_PORT": "0", "SCRIPT_NAME": ""}

    def __init__(self, meet: Callable[[_Connection], None], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.meet, self._tls = meet, tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        # In the connection's own thread, since a handshake may take forever.
        with self._tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of these servers go away as they please."""


class _Connection(WSGIRequestHandler):
    # wsgiref wants a server of its own, for no more than base_environ.
    server: _Listener

    def handle(self) -> None:
        self.server.meet(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's signature
        """A server of a test keeps silent."""

    def answer(self, app: WSGIApplication) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        # Closing a socket with unread data in it would cut the answer off.
        body = BytesIO(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        out: Any = self.wfile
        SimpleHandler(body, out, sys.stderr, self.get_environ(), multithread=True).run(app)


# -- Behaviours ------------------------------------------------------------------------------------------------------


def always(behaviour: Behaviour) -> Callable[[int], Behaviour | None]:
    """Every connection meets the behaviour."""
    return lambda _number: behaviour


def after(good: int, behaviour: Behaviour) -> Callable[[int], Behaviour | None]:
    """The application answers so many connections; all later ones meet the behaviour."""
    return lambda number: behaviour if number > good else None


def first(behaviour: Behaviour) -> Callable[[int], Behaviour | None]:
    """The first connection meets the behaviour, and the application answers all later ones."""
    return lambda number: behaviour if number == 1 else None


def answers(status: str, body: str = "", **headers: str) -> Behaviour:
    """One answer to whatever is asked; an underscore in a header's name stands for its hyphen."""
    fields = {"Content_Type": "application/json", **headers, "Content_Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return says("\r\n".join([*lines, "", body]).encode())


def says(reply: bytes) -> Behaviour:
    """These bytes come for every request; then the connection is closed."""

    def behaviour(connection: socket.socket) -> None:
        # Closing a socket with unread data in it would cut the reply off.
        read_request(connection)
        connection.sendall(reply)

    return behaviour


def read_request(connection: socket.socket) -> bytes:
    """One request, to its end; or what came of it before the client left."""
    request = b""
    while not _is_complete(request) and (piece := connection.recv(65536)):
        request += piece
    return request


def _is_complete(request: bytes) -> bool:
    head, found, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(found) and len(body) >= int(length[1] if length else 0)


def repeats(opening: bytes, again: bytes) -> Behaviour:
    """After an opening the same bytes come ten times a second, for as long as anybody listens."""

    def behaviour(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(opening)
            while True:
                connection.sendall(again)
                time.sleep(0.1)

    return behaviour


def closes(_connection: socket.socket) -> None:
    """The connection is closed without an answer."""


def hangs(connection: socket.socket) -> None:
    """The request is read and never answered."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


breaks_off = says(b'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{"msg"')
speaks_no_http = says(b"220 mail.example ESMTP ready\r\n")
trickles_headers = repeats(b"HTTP/1.1 200 OK\r\nX-Padding: ", b"x")
trickles_a_body = repeats(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")
puts_off = repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
