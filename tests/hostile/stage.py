"""What tests of the command share: servers that misbehave, runs of the command, and what a run said."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import sys
import threading
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler
from xml.etree import ElementTree as ET

from reference_server import Settings, create_app
from tests.packaging.processes import environment, run

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from wsgiref.types import WSGIApplication

    Behaviour = Callable[[socket.socket], None]

USERNAME, PASSWORD = "alice", "a-walrus-and-9-oysters"
SECOND_USERNAME, SECOND_PASSWORD = "bob", "the-carpenter-wept-42"
CREDENTIALS = {
    "CONFORMANCE_USERNAME": USERNAME,
    "CONFORMANCE_PASSWORD": PASSWORD,
    "CONFORMANCE_SECOND_USERNAME": SECOND_USERNAME,
    "CONFORMANCE_SECOND_PASSWORD": SECOND_PASSWORD,
}
# What a developer's machine or a CI job may have set, and what would send requests elsewhere or trust more.
_OTHERS = re.compile(r"(?i).*_proxy$|ssl_cert_\w+$|(requests|curl)_ca_bundle$|(database|redis)_url$|columns$|coverage_")
_VERDICT = re.compile(r"^(passed|failed|warned|noted) +[A-Z]+-\d+ ", re.MULTILINE)

# -- Running the command ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    code: int
    out: str
    err: str
    seconds: float
    folder: Path

    @property
    def said(self) -> str:
        """Everything that the user sees."""
        return self.out + self.err

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        data: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return data

    @property
    def verdicts(self) -> dict[str, str]:
        """The JSON report's verdicts, by requirement."""
        return {row["id"]: row["verdict"] for row in self.report["requirements"]}

    @property
    def in_order(self) -> list[tuple[str, str]]:
        """The JUnit report's requirements and verdicts, in the order in which they were judged."""
        cases = ET.parse(self.folder / "junit.xml").iter("testcase")  # noqa: S314 - our own file
        found = [{item.get("name"): item.get("value") for item in case.iter("property")} for case in cases]
        return [(str(item["requirement"]), str(item["verdict"])) for item in found if item]

    def judged_nothing(self) -> bool:
        """Whether no requirement has a verdict, in whatever was printed or written."""
        rows = self.report["requirements"] if (self.folder / "report.json").exists() else []
        junit = self.in_order if (self.folder / "junit.xml").exists() else []
        return not (rows or junit or _VERDICT.search(self.said))


def clean(**settings: str) -> dict[str, str]:
    """An environment without anybody's configuration, and with `settings`."""
    return {name: value for name, value in environment().items() if not _OTHERS.match(name)} | settings


def start(module: str, *arguments: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """Runs a module of this Python in `folder` to its end, which comes within `bound` seconds."""
    started = time.monotonic()
    command = [sys.executable, "-m", module, *arguments]
    ended = run(command, cwd=folder, env=clean(**CREDENTIALS) if env is None else env, timeout=bound)
    return Ended(ended.returncode, ended.stdout, ended.stderr, time.monotonic() - started, folder)


def jwt_conformance(*arguments: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """Runs the command."""
    return start("conformance.cli", *arguments, folder=folder, env=env, bound=bound)


def plain_pytest(*arguments: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """Runs the scenarios with plain pytest, as an installation does."""
    options = ("-p", "no:cacheprovider", "--pyargs", "conformance.scenarios")
    return start("pytest", *options, *arguments, folder=folder, env=env, bound=bound)


def plugin(folder: Path, name: str, source: str) -> dict[str, str]:
    """An environment in which `-p name` loads `source` into the run: what a test changes in the suite."""
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return clean(PYTHONPATH=str(folder), **CREDENTIALS)


# -- Servers ---------------------------------------------------------------------------------------------------------


def reference_app(**settings: str) -> WSGIApplication:
    """The reference server with the two accounts of these tests."""
    accounts = f"{USERNAME}:{PASSWORD}\n{SECOND_USERNAME}:{SECOND_PASSWORD}"
    given = {"ACCOUNTS": accounts, **settings}
    return create_app(Settings.from_env({f"REFERENCE_{name}": value for name, value in given.items()}))


class Server:
    """A listening server in a thread; what a connection meets is chosen by its number, from 1 on.

    Where nothing is chosen, the application answers one request.
    """

    def __init__(
        self,
        choose: Callable[[int], Behaviour | None],
        app: WSGIApplication | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listens at once."""
        self.connections = 0
        self._choose, self._app = choose, app
        self._listener = _Listener(self._meet, tls)
        self.host = f"127.0.0.1:{self._listener.server_address[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _meet(self, connection: _Connection) -> None:
        self.connections += 1
        behaviour = self._choose(self.connections)
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
        # In the connection's own thread, since a handshake may take forever.
        super().finish_request(
            self._tls.wrap_socket(request, server_side=True) if self._tls else request, client_address
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of these servers go away as they please."""


class _Connection(WSGIRequestHandler):
    server: _Listener  # type: ignore[assignment] # wsgiref wants its own, for no more than base_environ

    def handle(self) -> None:
        self.server.meet(self)

    def answer(self, app: WSGIApplication) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        # Closing a socket with unread data in it would cut the answer off.
        body = BytesIO(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        SimpleHandler(body, self.wfile, sys.stderr, self.get_environ(), multithread=True).run(app)


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
    reply = "\r\n".join([*lines, "", body]).encode()

    def behaviour(connection: socket.socket) -> None:
        request = b""
        while not _is_complete(request):
            request += connection.recv(65536)
        connection.sendall(reply)

    return behaviour


def _is_complete(request: bytes) -> bool:
    head, found, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(found) and len(body) >= int(length[1] if length else 0)


def closes(_connection: socket.socket) -> None:
    """The connection is closed without an answer."""


def hangs(connection: socket.socket) -> None:
    """The request is read and never answered."""
    while connection.recv(65536):
        pass


def speaks_no_http(connection: socket.socket) -> None:
    """A banner of another protocol comes instead of an answer."""
    connection.sendall(b"220 mail.example ESMTP ready\r\n")
    hangs(connection)


def trickles(connection: socket.socket) -> None:
    """The headers of the answer never end: a byte comes now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)


def continues(connection: socket.socket) -> None:
    """An informational answer comes again and again, and never the final one."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.1)
