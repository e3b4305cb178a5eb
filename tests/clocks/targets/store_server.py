"""A server whose tokens are names in a store that counts real seconds, as Redis does: `python store_server.py PORT`."""

from __future__ import annotations

import secrets
import sys
import time
from http.server import ThreadingHTTPServer

import python_server
import tokens

STORE: dict[str, tuple[str, str, float]] = {}


def issue(subject: str, kind: str, lifetime_s: int) -> str:
    """A token."""
    token = secrets.token_urlsafe(32)
    STORE[token] = subject, kind, time.monotonic() + lifetime_s
    return token


def owner(authorization: str, kind: str) -> str:
    """Whose token this is.

    Raises:
        ValueError: it is no good.
    """
    subject, of_kind, end = STORE.get(authorization.removeprefix("Bearer "), ("", "", 0.0))
    if of_kind != kind or time.monotonic() >= end:
        raise ValueError("Token has expired")
    return subject


def login(body: bytes, own: object = tokens._login) -> tuple[int, dict[str, object]]:
    """The answer to a login, which tells the lifetimes."""
    status, data = own(body)  # type: ignore[operator]
    if status == 200:
        data |= {"expires_in": tokens.ACCESS_S, "refresh_expires_in": tokens.REFRESH_S}
    return status, data


if __name__ == "__main__":
    tokens.issue, tokens.owner, tokens._login = issue, owner, login
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), python_server.Handler).serve_forever()
