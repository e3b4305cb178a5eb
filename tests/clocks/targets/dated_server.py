"""A server that judges refresh tokens by its own clock and dates them by its database's: `python dated_server.py PORT`.

The database is another process, whose clock nobody moves.
"""

from __future__ import annotations

import sys
import time
from http.server import ThreadingHTTPServer

import python_server
import tokens

STARTED = time.time() - time.monotonic()
DATED: dict[str, float] = {}


def issue(subject: str, kind: str, lifetime_s: int, own: object = tokens.issue) -> str:
    """A token, dated where it is stored."""
    token = str(own(subject, kind, lifetime_s))  # type: ignore[operator]
    DATED[token] = STARTED + time.monotonic()
    return token


def owner(authorization: str, kind: str, own: object = tokens.owner) -> str:
    """Whose token this is.

    Raises:
        ValueError: it is no good.
    """
    subject = str(own(authorization, kind))  # type: ignore[operator]
    if kind == "refresh" and time.time() > DATED[authorization.removeprefix("Bearer ")] + tokens.ACCESS_S * 1.5:
        raise ValueError("Token has expired")
    return subject


if __name__ == "__main__":
    tokens.issue, tokens.owner = issue, owner
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), python_server.Handler).serve_forever()
