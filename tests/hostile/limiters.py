"""Flask-Limiter in front of an application, as a gateway has it, and a server that locks accounts for good."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONFORM")


def limited(
    app: WSGIApplication, limit: str, *, path: str = "", retry_after: bool = True, status: int = 429
) -> tuple[Flask, list[str]]:
    """The application behind a limit such as "20 per second", on one path or on all of them together.

    Args:
        app: what is behind it.
        limit: as Flask-Limiter writes it.
        path: the only path that is limited.
        retry_after: whether a refusal says how long to wait.
        status: of a refusal.

    Returns:
        The gateway, and the requests that it has refused so far.
    """
    gate, refused = Flask("gate"), list[str]()
    limiter = Limiter(get_remote_address, app=gate, headers_enabled=retry_after, strategy="moving-window",
                      storage_uri="memory://")  # fmt: skip

    def through(rest: str) -> Response:  # noqa: ARG001 - any path
        return Response.from_app(app, request.environ)

    # The gateway has no opinion on paths and methods.
    gate.url_map.converters["any"] = _Any
    gate.url_map.merge_slashes = False
    chosen = limiter.limit(limit, exempt_when=lambda: path not in {"", request.path})(through)
    gate.add_url_rule("/<any:rest>", view_func=chosen, methods=METHODS, provide_automatic_options=False)

    @gate.errorhandler(RateLimitExceeded)
    def refuse(_error: RateLimitExceeded) -> tuple[Any, int]:
        refused.append(f"{request.method} {request.path}")
        return jsonify(msg="too many requests"), status

    return gate, refused


class _Any(BaseConverter):
    """Any path at all."""

    regex = ".*?"
    part_isolating = False


class Locking:
    """Locks an account for good after five wrong passwords in a row, whatever the answers to them were.

    Attributes:
        rows: the longest row of wrong passwords for each account.
        locked: the accounts that are locked.
    """

    def __init__(self, app: WSGIApplication, passwords: dict[str, str]) -> None:
        """Stands in front of an application that has these accounts."""
        self._app, self._passwords = app, passwords
        self._now: dict[str, int] = defaultdict(int)
        self.rows: dict[str, int] = defaultdict(int)
        self.locked: set[str] = set()
        self._counting = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application."""
        if environ["PATH_INFO"] != "/login":
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        if self._counted(body) in self.locked:
            start_response("423 Locked", [("Content-Type", "application/json")])
            return [b'{"msg": "locked"}']
        return self._app(environ, start_response)

    def _counted(self, body: bytes) -> str:
        """Counts a login, of whatever shape, by the name and the password in it; returns the name."""
        try:
            sent = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        # Somebody may take the first of several.
        for one in sent if isinstance(sent, list) else [sent]:
            name = one.get("username") if isinstance(one, dict) else None
            if not isinstance(name, str) or name not in self._passwords:
                continue
            with self._counting:
                self._now[name] = 0 if one.get("password") == self._passwords[name] else self._now[name] + 1
                self.rows[name] = max(self.rows[name], self._now[name])
                if self._now[name] > 4:
                    self.locked.add(name)
            return name
        return ""
