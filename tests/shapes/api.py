"""A token API of few words, whose every habit is a method that a shape replaces.

Healthy as it stands: signed access tokens, refresh tokens that work once, refusals in JSON. `fault` makes it wrong in
one way.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

import jwt
from werkzeug.wrappers import Request, Response

ACCOUNTS: Final = {"alice": "looking-glass-1871", "bob": "tempest-and-teacup-7"}
Handler = Callable[[Request], Response]


class RefusedError(Exception):
    """A request that gets nothing, and the kind of its mistake: malformed, login, missing, bad."""


class Api:
    """Speaks the default contract."""

    PROFILE: ClassVar[str] = 'extends = "bare"\n[refresh]\npath = "/refresh"\n'
    FAULTS: ClassVar[tuple[str, ...]] = ("takes refresh tokens", "checks no signature")
    FOUND_BY: ClassVar[dict[str, tuple[str, ...]]] = {
        "takes refresh tokens": ("ACCESS-02",),
        "checks no signature": ("SIG-01", "SIG-02"),
        "takes expired tokens": ("EXPIRY-01",),
    }
    """The requirements that each fault breaks."""
    STATUSES: ClassVar[dict[str, int]] = {"malformed": 400, "login": 401, "missing": 401, "bad": 401}
    LIVES: ClassVar[dict[str, int]] = {"access": 900, "refresh": 3600}
    CHALLENGE: ClassVar[str] = "Bearer"
    OPTIONS: ClassVar[dict[str, str]] = {}

    def __init__(self, fault: str = "") -> None:
        """Starts without a session."""
        self.fault, self.key = fault, secrets.token_bytes(32)
        self.live: dict[str, dict[str, Any]] = {}

    def options(self) -> dict[str, str]:
        """What a run on it has to be given, beside the accounts."""
        return self.OPTIONS

    # -- What a shape replaces -----------------------------------------------------------------------------------------

    def routes(self) -> dict[str, tuple[str, Handler]]:
        """The method and the handler of each path."""
        return {
            "/login": ("POST", self.login),
            "/refresh": ("POST", self.refresh),
            "/logout": ("POST", self.logout),
            "/me": ("GET", self.me),
            "/news": ("GET", self.news),
        }

    def credentials(self, request: Request) -> tuple[Any, Any]:
        """The name and the password of a login."""
        body = members(request)
        return body.get("username"), body.get("password")

    def shown(self, request: Request, _kind: str) -> str | None:
        """The token of a request."""
        return after(request.headers.get("Authorization"), "Bearer")

    def given(self, access: str, refresh: str, _door: str) -> Response:
        """The answer that gives tokens."""
        body = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 900}
        return answer(body)

    def make(self, kind: str, owner: str) -> str:
        """A new token."""
        return self.signed(kind, owner)

    def shows(self, owner: str) -> Any:
        """What a protected route shows its owner."""
        return {"username": owner}

    def refusal(self, kind: str) -> Response:
        """The answer to a mistake."""
        response = answer({"msg": "Token has expired" if kind == "expired" else kind}, self.STATUSES[kind_of(kind)])
        if response.status_code == 401:
            code = ', error="invalid_token"' if kind in {"bad", "expired"} else ""
            response.headers["WWW-Authenticate"] = f'{self.CHALLENGE} realm="api"{code}'
        return response

    # -- What stays ------------------------------------------------------------------------------------------------

    @Request.application
    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        method, handler = self.routes().get(request.path, ("", self.nowhere))
        if method and request.method not in ({method, "HEAD"} if method == "GET" else {method}):
            return Response("", 405, {"Allow": f"{method}, HEAD" if method == "GET" else method})
        try:
            return handler(request)
        except RefusedError as refused:
            return self.refusal(str(refused))

    def nowhere(self, _request: Request) -> Response:
        """What is not there."""
        return answer({"msg": "not found"}, 404)

    def login(self, request: Request) -> Response:
        """The first door."""
        return self.admit(*self.credentials(request))

    def admit(self, name: Any, password: Any) -> Response:
        """Tokens for credentials."""
        if not (isinstance(name, str) and isinstance(password, str) and name and password):
            raise RefusedError("malformed")
        if not secrets.compare_digest(ACCOUNTS.get(name, "nobody's").encode(), password.encode("utf-8", "replace")):
            raise RefusedError("login")
        return self.given(*self.pair(name), "login")

    def pair(self, owner: str) -> tuple[str, str]:
        """Both tokens of a session."""
        session = secrets.token_hex(8)
        return self.issue("access", owner, session), self.issue("refresh", owner, session)

    def issue(self, kind: str, owner: str, session: str) -> str:
        """A token that is good from now on."""
        token = self.make(kind, owner)
        self.live[token] = {"kind": kind, "owner": owner, "session": session, "end": time.time() + self.LIVES[kind]}
        return token

    def check(self, token: str | None, kind: str) -> dict[str, Any]:
        """What is known of a token that has to be of that kind."""
        if not token:
            raise RefusedError("missing")
        found = self.live.get(token)
        if found is None and self.fault == "checks no signature":
            found = self.believed(token)
        if found is None:
            raise RefusedError("bad")
        if found["end"] <= time.time() and self.fault != "takes expired tokens":
            raise RefusedError("expired")
        if found["kind"] != kind and not (kind == "access" and self.fault == "takes refresh tokens"):
            raise RefusedError("bad")
        return found

    def believed(self, token: str) -> dict[str, Any] | None:
        """What a token says of itself, whoever wrote it."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
            return {"kind": claims["type"], "owner": claims["sub"], "session": "", "end": claims["exp"]}
        except (jwt.PyJWTError, KeyError, ValueError):
            return None

    def refresh(self, request: Request) -> Response:
        """The third door: a refresh token works once, and a second use ends its session."""
        token = self.shown(request, "refresh")
        found = self.check(token, "refresh")
        if found.get("used"):
            self.end(found["session"])
            raise RefusedError("bad")
        found["used"] = True
        pair = (self.issue(kind, found["owner"], found["session"]) for kind in ("access", "refresh"))
        return self.given(*pair, "refresh")

    def logout(self, request: Request) -> Response:
        """The way out."""
        self.end(self.check(self.shown(request, "access"), "access")["session"])
        return Response("", 204)

    def end(self, session: str) -> None:
        """Ends a session."""
        self.live = {token: found for token, found in self.live.items() if found["session"] != session}

    def me(self, request: Request) -> Response:
        """The second door."""
        return answer(self.shows(self.check(self.shown(request, "access"), "access")["owner"]))

    def news(self, request: Request) -> Response:
        """Another one, which does not say whose it is."""
        self.check(self.shown(request, "access"), "access")
        return answer({"headlines": ["the walrus and the carpenter"]})

    def signed(self, kind: str, owner: str) -> str:
        """A JWT."""
        now = int(time.time())
        claims = {"sub": owner, "type": kind, "iat": now, "exp": now + self.LIVES[kind], "jti": secrets.token_hex(8)}
        return jwt.encode(claims, self.key, "HS256")


def kind_of(mistake: str) -> str:
    """An expired token is a bad one."""
    return "bad" if mistake == "expired" else mistake


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    """An answer in JSON."""
    response = Response(json.dumps(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def members(request: Request) -> dict[str, Any]:
    """The JSON object of a request."""
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise RefusedError("malformed") from None
    if not isinstance(body, dict):
        raise RefusedError("malformed")
    return body


def after(value: str | None, scheme: str) -> str | None:
    """What follows a scheme in a header or a cookie."""
    first, _, rest = (value or "").partition(" ")
    return rest.strip() if first.lower() == scheme.lower() else None


def basic(value: str | None) -> tuple[str | None, str | None]:
    """The name and the password of HTTP Basic."""
    try:
        name, colon, password = base64.b64decode(after(value, "Basic") or "", validate=True).decode().partition(":")
    except ValueError:
        return None, None
    return (name, password) if colon else (None, None)
