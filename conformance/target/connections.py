"""Connections on which an answer begins in time or not at all."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse


class PunctualAdapter(HTTPAdapter):
    """Sends each request once, and bounds the time that the head of an answer takes as a whole.

    The timeouts of requests bound each single read. A server that sends a byte of a header now and then, or
    `100 Continue` again and again, would never meet them.
    """

    def __init__(self, head_timeout_s: float) -> None:
        """Every answer's head is complete `head_timeout_s` seconds after its request, or counts as late."""
        self._head_timeout_s = head_timeout_s
        # Nothing is ever sent twice by itself: a refresh token may be spent by the first attempt.
        super().__init__(pool_connections=2, pool_maxsize=16, max_retries=Retry(total=0))

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The connections to the request's host, direct or through a proxy."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        # A SOCKS proxy's connections are of another class, and stay as they are.
        punctual = _PUNCTUAL.get(pool.ConnectionCls)
        if punctual:
            pool.ConnectionCls = punctual
            pool.conn_kw["head_timeout_s"] = self._head_timeout_s
        return pool


class _Punctual(HTTPConnection):
    def __init__(self, *args: Any, head_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timeout_s = head_timeout_s

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3's own
        late = threading.Event()

        def give_up() -> None:
            late.set()
            with suppress(OSError, AttributeError):
                self.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._head_timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()
        except Exception:
            if late.is_set():
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()
        # A head that was cut off looks like a shorter one.
        if late.is_set():
            response.close()
            raise TimeoutError
        return response


class _PunctualTls(_Punctual, HTTPSConnection):
    pass


_PUNCTUAL: Final[dict[Any, Any]] = {HTTPConnection: _Punctual, HTTPSConnection: _PunctualTls}
