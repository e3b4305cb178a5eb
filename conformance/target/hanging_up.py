"""A client that goes away in the middle of its request."""

from __future__ import annotations

import ssl
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from conformance.target.http import HttpClient, Request

TIMEOUT_S: Final = 5.0


def hang_up(client: HttpClient, request: Request, *, promised: int) -> None:
    """Sends a request whose head promises so many bytes of body, of which only those of `request` come, and hangs up.

    The connection goes to the target itself, whatever proxy there may be; where there is no way to it, nothing happens.

    Args:
        client: knows where the target is, and which certificates to trust.
        request: what is begun.
        promised: the Content-Length.
    """
    parts = urlsplit(client.base_url)
    host = parts.hostname or ""
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=client.trusted_ca or None)
        connection = HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=context)
    else:
        connection = HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    client.take_turn(request)
    client.traffic.requests += 1
    with closing(connection), suppress(OSError, HTTPException):
        connection.putrequest(request.method, parts.path + request.path, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(promised))
        connection.endheaders()
        connection.send(request.body)
