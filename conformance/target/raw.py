"""Requests as bytes, for what no HTTP library would send, and all the answers that come back to one of them."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance.errors import TargetError
from conformance.target.http import CONNECT_TIMEOUT_S, Exchange, Response
from conformance.target.tls import trusting

if TYPE_CHECKING:
    from conformance.target.http import Headers, HttpClient, Request

QUIET_S: Final = 1.5
"""Where nothing has come for so long, nothing more is expected on a connection that stays open."""
LONGEST_S: Final = 10.0
MOST_BYTES: Final = 1 << 18
_WITHOUT_CONTENT: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
NO_ANSWER: Final = 0
"""Stands for the status where the connection was closed without any."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came back on one connection.

    Attributes:
        exchange: what was sent and the first answer; its status is `NO_ANSWER` where there is none.
        later: answers after the first one, to whatever the target took for further requests.
        surplus: bytes at the end that are no answer.
        closed: whether the target closed the connection.
    """

    exchange: Exchange
    later: tuple[Response, ...]
    surplus: bytes
    closed: bool

    @property
    def answered(self) -> bool:
        """Whether there was an answer in HTTP at all."""
        return self.exchange.response.status != NO_ANSWER


def converse(client: HttpClient, request: Request, *, then: bytes = b"", plain_port: int | None = None) -> Conversation:
    """Sends a request as it stands, on a connection of its own, and reads until the target is done.

    Only `Host` is added. Neither a proxy nor a redirect is followed.

    Args:
        client: knows the target's address, and what it trusts.
        request: its headers say by themselves how long its body is.
        then: further bytes on the same connection.
        plain_port: another port of the target's host, which is spoken to without TLS.

    Raises:
        TargetError: there is no connection, or no trust.
    """
    return client.patiently(
        request,
        lambda: _converse(client, request, then, plain_port),
        lambda conversation: conversation.exchange.response,
    )


def _converse(client: HttpClient, request: Request, then: bytes, plain_port: int | None) -> Conversation:
    client.take_turn(request)
    client.traffic.requests += 1
    request = client.completed(request)
    sent_at, started = time.time(), time.monotonic()
    received, closed = b"", False
    try:
        with _connection(client, plain_port) as connection:
            connection.sendall(written(client.base_url, request, plain_port) + then)
            received, closed = _read(connection, started + LONGEST_S)
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        closed = True
    except OSError as error:
        raise TargetError(f"no conversation with {client.base_url}: {type(error).__name__}") from None
    answers, surplus = take_apart(received, heads_only=request.method == "HEAD", elapsed_s=time.monotonic() - started)
    first = answers[0] if answers else Response(NO_ANSWER, (), b"", time.monotonic() - started)
    return Conversation(Exchange(request, first, sent_at), tuple(answers[1:]), surplus, closed)


def written(base_url: str, request: Request, port: int | None = None) -> bytes:
    """The request as it goes over the wire."""
    parts = urlsplit(base_url)
    host = parts.netloc if port is None else f"{_bracketed(parts.hostname or '')}:{port}"
    lines = [f"{request.method} {parts.path + request.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + request.body


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _connection(client: HttpClient, plain_port: int | None) -> socket.socket:
    parts = urlsplit(client.base_url)
    host, is_tls = parts.hostname or "", parts.scheme == "https" and plain_port is None
    port = plain_port or parts.port or (443 if is_tls else 80)
    connection = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
    if not is_tls:
        return connection
    try:
        context = trusting(client)
        context.set_alpn_protocols(["http/1.1"])
        return context.wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


def _read(connection: socket.socket, deadline: float) -> tuple[bytes, bool]:
    """What comes until the target closes the connection or falls silent, and whether it has closed it."""
    received = b""
    while len(received) < MOST_BYTES and (left := deadline - time.monotonic()) > 0:
        # Until something has come, the target may be thinking.
        connection.settimeout(min(left, QUIET_S) if received else left)
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            return received, False
        except OSError:
            return received, True
        if not piece:
            return received, True
        received += piece
    return received, False


def take_apart(received: bytes, *, heads_only: bool = False, elapsed_s: float = 0.0) -> tuple[list[Response], bytes]:
    """The answers in what was received on one connection, and what follows them and is none (RFC 9112 §6.3).

    Args:
        received: every byte.
        heads_only: whether no answer may have a body, since HEAD was asked.
        elapsed_s: how long it all took.
    """
    answers: list[Response] = []
    while received.startswith(b"HTTP/"):
        head, found, rest = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        words = line.split(" ", 2)
        if not found or len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004 - version and status
            break
        headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
        status = int(words[1])
        body, received = (b"", rest) if heads_only or _is_bare(status) else _body(headers, rest)
        if status >= HTTPStatus.OK:
            answers.append(Response(status, headers, body, elapsed_s))
    return answers, received


def _is_bare(status: int) -> bool:
    return status < HTTPStatus.OK or status in _WITHOUT_CONTENT


def _body(headers: Headers, rest: bytes) -> tuple[bytes, bytes]:
    """An answer's body, and what comes after it."""
    named = {name.lower(): value for name, value in headers}
    if named.get("transfer-encoding", "").lower().endswith("chunked"):
        return _unchunked(rest)
    length = named.get("content-length", "")
    return (rest[: int(length)], rest[int(length) :]) if length.isdigit() else (rest, b"")


def _unchunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        line, found, after = rest.partition(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return body, b""
        if not found or len(after) < size:
            return body + after, b""
        if size == 0:
            # No trailer is expected, but where there is one it belongs to the answer.
            return body, (b"\r\n" + after).partition(b"\r\n\r\n")[2]
        body, rest = body + after[:size], after[size + 2 :]
