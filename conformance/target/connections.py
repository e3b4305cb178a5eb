"""Connections on which an answer is complete in time or not at all."""

from __future__ import annotations

import io
import ssl
import time
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from _typeshed import WriteableBuffer


class PunctualAdapter(HTTPAdapter):
    """Sends each request once, and bounds the time that an answer takes as a whole.

    The timeouts of requests bound each single read. A server that sends a byte of a header now and then, or
    `100 Continue` again and again, would never meet them.
    """

    def __init__(self, answer_timeout_s: float) -> None:
        """Every answer is complete `answer_timeout_s` seconds after its request, or counts as late."""
        self._answer_timeout_s = answer_timeout_s
        self.connections_opened = 0
        """How many connections were opened so far."""
        # Nothing is ever sent twice by itself: a refresh token may be spent by the first attempt.
        super().__init__(pool_connections=2, pool_maxsize=16, max_retries=Retry(total=0))

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The connections to the request's host, direct or through a proxy."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        # A SOCKS proxy's connections are of another class, and stay as they are.
        punctual = _PUNCTUAL.get(pool.ConnectionCls)
        if punctual:
            pool.ConnectionCls = punctual
            pool.conn_kw["answer_timeout_s"] = self._answer_timeout_s
            pool.conn_kw["count"] = self._count
        return pool

    def _count(self) -> None:
        self.connections_opened += 1


class _PunctualReader(io.RawIOBase):
    """Reads from a socket until a moment has come; each read may take what is left until then."""

    def __init__(self, raw: Any, sock: socket.socket, deadline: float) -> None:
        """Reads what `raw` reads, which is `sock` made a file, until `deadline` on the monotonic clock."""
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Fills the buffer with what comes, if it comes in time."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        with _broken_off(ConnectionResetError):
            count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        """Lets the socket go."""
        self._raw.close()
        super().close()


class _Punctual(HTTPConnection):
    def __init__(self, *args: Any, answer_timeout_s: float, count: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answer_timeout_s = answer_timeout_s
        self._count = count

    def connect(self) -> None:
        """Called for a new connection, and again where the server has closed the last one."""
        super().connect()
        self._count()

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:  # type: ignore[override]
        """Called by http.client where it would make a response."""
        response = HTTPResponse(sock, *args, **kwargs)
        reader = _PunctualReader(response.fp.detach(), sock, time.monotonic() + self._answer_timeout_s)
        response.fp = io.BufferedReader(reader)
        return response


class _PunctualTls(_Punctual, HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        """Called when the handshake is over. A pipe that breaks leaves an answer to read, as it does without TLS."""
        with _broken_off(BrokenPipeError):
            super().request(*args, **kwargs)


@contextmanager
def _broken_off(kind: type[OSError]) -> Iterator[None]:
    """Takes an error of TLS after its handshake for what it is: the server has left in the middle."""
    try:
        yield
    except ssl.SSLError as error:
        # Without its words, which sound as if there had been no handshake.
        raise kind from error


_PUNCTUAL: Final[dict[Any, Any]] = {HTTPConnection: _Punctual, HTTPSConnection: _PunctualTls}
