"""A listener of the suite's own, which notices when the target calls out.

It serves what a trusting server would want, the forger's public keys and a certificate, and nothing else.
"""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens import keys

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

ALGORITHMS: Final = {"RS256": "RS", "ES256": "ES", "EdDSA": "Ed"}
MOST_CONTACTS: Final = 50
LONGEST_PATH: Final = 200
PATIENCE_S: Final = 2.0
LOOPBACK: Final = "127.0.0.1"
TLS_HANDSHAKE: Final = 0x16
"""The first byte of a TLS client's greeting (RFC 8446 §5.1)."""


class Canary:
    """An HTTP server on a free port, which keeps what was asked of it.

    Attributes:
        contacts: what arrived, such as `GET /jwks.json`; a bounded number, each cut.
    """

    def __init__(self, host: str) -> None:
        """Listens.

        Args:
            host: the address at which the target reaches this machine.
        """
        self.contacts: list[str] = []
        # Who does not know it, a scanner for instance, says nothing of the target.
        self._name = secrets.token_hex(8)
        canary = self

        class Handler(_Handler):
            def told(self, contact: str) -> None:
                canary._note(contact)

            def found(self, path: str) -> tuple[str, bytes] | None:
                return canary._served(path)

        self._server = _Server((LOOPBACK if host in {LOOPBACK, "localhost"} else "", 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}/{self._name}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="canary", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)

    def _note(self, contact: str) -> None:
        known = f"/{self._name}" in contact
        if len(self.contacts) < MOST_CONTACTS and (known or not contact.startswith(("GET", "HEAD", "POST"))):
            self.contacts.append(contact.replace(f"/{self._name}", "")[:LONGEST_PATH])

    def _served(self, path: str) -> tuple[str, bytes] | None:
        base = f"/{self._name}"
        if not path.startswith(base):
            return None
        match path.removeprefix(base).partition("?")[0].partition("#")[0]:
            case "/jwks.json":
                return "application/jwk-set+json", _json({"keys": key_set()})
            case "/certificate.pem":
                return "application/pem-certificate-chain", "".join(map(_pem, ALGORITHMS.values())).encode()
            case "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server":
                return "application/json", _json({"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"})
        return None


@contextmanager
def canary(host: str) -> Iterator[Canary]:
    """A canary, which is stopped afterwards."""
    listener = Canary(host)
    try:
        yield listener
    finally:
        listener.close()


def key_set() -> list[dict[str, Any]]:
    """The forger's public keys, each named by its algorithm."""
    return [
        {**keys.own_public_jwk(family), "use": "sig", "alg": algorithm, "kid": algorithm}
        for algorithm, family in ALGORITHMS.items()
    ]


def _pem(family: str) -> str:
    text = keys.own_certificate(family)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with what there is, and says nothing about itself."""

    timeout = 5
    server_version, sys_version = "", ""

    def told(self, contact: str) -> None:
        raise NotImplementedError

    def found(self, path: str) -> tuple[str, bytes] | None:
        raise NotImplementedError

    def handle_one_request(self) -> None:
        connection: socket.socket = self.connection
        first = b""
        with suppress(OSError):
            first = connection.recv(1, 0x2)  # MSG_PEEK
        if first and first[0] == TLS_HANDSHAKE:
            self.told("a TLS handshake")
            self.close_connection = True
            return
        super().handle_one_request()

    def do_GET(self) -> None:
        self.told(f"{self.command} {self.path}")
        found = self.found(self.path)
        kind, body = found or ("text/plain", b"")
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET  # noqa: N815 - as above

    def log_message(self, *args: Any) -> None:
        """Says nothing."""
