"""Where tokens are shown, and what they are."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, ClassVar

import jwt

from conformance.tokens.reading import b64url_encode
from tests.shapes.api import Api, RefusedError, after, answer, members
from tests.shapes.logins import BARE, REFRESH

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from tests.shapes.api import Handler


class SchemeToken(Api):
    """The tokens stand in the Authorization header, under a scheme of the API's own."""

    PROFILE = f"""{BARE}[access]
sent_in = "header:Authorization Token"
[refresh]
path = "/refresh"
sent_in = "header:Authorization Token"
"""
    CHALLENGE = "Token"

    def shown(self, request: Request, _kind: str) -> str | None:
        return after(request.headers.get("Authorization"), "Token")


class SchemeJwt(Api):
    """The access token stands under the scheme JWT, and the refresh token in another header, without one."""

    PROFILE = f"""{BARE}[access]
sent_in = "header:Authorization JWT"
[refresh]
path = "/refresh"
sent_in = "header:X-Refresh"
"""
    CHALLENGE = "JWT"

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "refresh":
            return request.headers.get("X-Refresh")
        return after(request.headers.get("Authorization"), "JWT")


class NoScheme(Api):
    """The Authorization header holds the token and nothing else."""

    PROFILE = f"""{BARE}[access]
sent_in = "header:Authorization"
[refresh]
path = "/refresh"
sent_in = "header:Authorization"
"""
    CHALLENGE = "Raw"

    def shown(self, request: Request, _kind: str) -> str | None:
        return request.headers.get("Authorization")


class InTheBody(Api):
    """A protected route is asked by POST, with the token as a member of the body; the logout by DELETE."""

    PROFILE = f"""{BARE}[access]
sent_in = "body:auth.token"
[refresh]
path = "/refresh"
sent_in = "body:refresh.token"
[logout]
path = "/session"
method = "DELETE"
takes = "access"
[[protected]]
path = "/me"
method = "POST"
identity = "username"
json = {{ fields = ["username"] }}
"""

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/me": ("POST", self.me), "/session": ("DELETE", self.logout)}

    def shown(self, request: Request, kind: str) -> str | None:
        part = members(request).get({"access": "auth"}.get(kind, kind)) if request.data else None
        token = part.get("token") if isinstance(part, dict) else None
        return token if isinstance(token, str) else None


class InTheQuery(Api):
    """The tokens stand in the URL, and the refresh is a GET."""

    PROFILE = f"""{BARE}[access]
sent_in = "query:auth_token"
[refresh]
path = "/refresh"
method = "GET"
sent_in = "query:renew"
"""

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/refresh": ("GET", self.refresh)}

    def shown(self, request: Request, kind: str) -> str | None:
        return request.args.get("auth_token" if kind == "access" else "renew")


class CookieWithScheme(Api):
    """Both tokens travel in cookies, the access token behind an escaped `Bearer `."""

    PROFILE = f"""{BARE}transport = "cookie"
[cookies]
access = "token Bearer%20"
refresh = "renew"
csrf_header = ""
access_csrf = ""
refresh_csrf = ""
{REFRESH}"""
    FOUND_BY: ClassVar[dict[str, tuple[str, ...]]] = Api.FOUND_BY | {"takes refresh tokens": ("COOKIE-09",)}

    def given(self, access: str, refresh: str, _door: str) -> Response:
        response = answer({"ok": True})
        flags = "HttpOnly; SameSite=Strict"
        response.headers.add("Set-Cookie", f"token=Bearer%20{access}; {flags}; Path=/; Max-Age=900")
        response.headers.add("Set-Cookie", f"renew={refresh}; {flags}; Path=/refresh; Max-Age=3600")
        return response

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "refresh":
            return request.cookies.get("renew")
        return after(request.cookies.get("token", "").replace("%20", " "), "Bearer")


class CookieWithCsrf(Api):
    """Tokens in cookies, whose proof comes in the body and goes back in a header and in a member."""

    PROFILE = f"""{BARE}transport = "cookie"
[cookies]
access = "at"
refresh = "rt"
csrf_header = "X-Proof"
csrf_field = "proof"
access_csrf = "body:proofs.access"
refresh_csrf = "body:proofs.refresh"
{REFRESH}
[[protected]]
path = "/me"
method = "POST"
identity = "username"
"""
    FOUND_BY: ClassVar[dict[str, tuple[str, ...]]] = Api.FOUND_BY | {"takes refresh tokens": ("COOKIE-09",)}

    def __init__(self, fault: str = "") -> None:
        """Has given no proof yet."""
        super().__init__(fault)
        self.proofs: dict[str, str] = {}

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/me": ("POST", self.me)}

    def given(self, access: str, refresh: str, _door: str) -> Response:
        self.proofs |= {access: secrets.token_hex(8), refresh: secrets.token_hex(8)}
        response = answer({"proofs": {"access": self.proofs[access], "refresh": self.proofs[refresh]}})
        for name, token in (("at", access), ("rt", refresh)):
            response.headers.add("Set-Cookie", f"{name}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600")
        return response

    def shown(self, request: Request, kind: str) -> str | None:
        token = request.cookies.get("at" if kind == "access" else "rt")
        proof = self.proofs.get(token or "")
        sent = members(request).get("proof") if request.data else None
        if token and self.live.get(token) and not request.headers.get("X-Proof") == sent == proof:
            raise RefusedError("bad")
        return token


class Itsdangerous(Api):
    """Opaque tokens that have two dots, and one kind of token that lives for some seconds by the answer's word."""

    PROFILE = f"""{BARE}[login]
expires_in = "life_ms"
expiry = "milliseconds"
[lifetimes]
leeway = 0
[refresh]
path = "/refresh"
expires_in = "life_ms"
expiry = "milliseconds"
headers = {{ X-Why = "renewal at {{base_url}}" }}
"""
    FAULTS = ("takes refresh tokens", "takes expired tokens")
    LIVES: ClassVar[dict[str, int]] = {"access": 4, "refresh": 3600}

    def make(self, kind: str, owner: str) -> str:
        payload = b64url_encode(json.dumps({"o": owner, "k": kind}).encode())
        return f"{payload}.{b64url_encode(int(time.time()).to_bytes(4, 'big'))}.{secrets.token_urlsafe(20)}"

    def given(self, access: str, refresh: str, _door: str) -> Response:
        return answer({"access_token": access, "refresh_token": refresh, "life_ms": 4000})

    def refresh(self, request: Request) -> Response:
        if request.headers.get("X-Why") != f"renewal at {request.host_url.rstrip('/')}":
            raise RefusedError("malformed")
        return super().refresh(request)


class CalledOpaque(Api):
    """JWTs that are called opaque: they are looked up in a register, and nothing in them is to be judged."""

    PROFILE = f"""{BARE}[login]
expires_in = "ends"
expiry = "date"
refresh_expires_in = "refresh_ends"
[lifetimes]
leeway = 0
[access]
format = "opaque"
[refresh]
path = "/refresh"
format = "opaque"
expires_in = "ends"
expiry = "date"
"""
    FAULTS = ("takes refresh tokens", "takes expired tokens")
    LIVES: ClassVar[dict[str, int]] = {"access": 4, "refresh": 7200}

    def make(self, kind: str, owner: str) -> str:
        """A JWT without an end, which would be a finding if it were judged."""
        return jwt.encode({"sub": owner, "type": kind, "jti": secrets.token_hex(16)}, self.key, "HS256")

    def given(self, access: str, refresh: str, _door: str) -> Response:
        body: dict[str, Any] = {"access_token": access, "refresh_token": refresh}
        for name, kind in (("ends", "access"), ("refresh_ends", "refresh")):
            body[name] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.LIVES[kind]))
        return answer(body)


class OpaqueUntil(CalledOpaque):
    """Opaque strings whose end is told as a moment."""

    PROFILE = f"""{BARE}[login]
expires_in = "ends"
expiry = "timestamp"
refresh_expires_in = "refresh_ends"
[lifetimes]
leeway = 0
[refresh]
path = "/refresh"
expires_in = "ends"
expiry = "timestamp"
"""

    def make(self, kind: str, owner: str) -> str:  # noqa: ARG002 - as every shape
        return secrets.token_urlsafe(32)

    def given(self, access: str, refresh: str, _door: str) -> Response:
        ends = {"ends": time.time() + self.LIVES["access"], "refresh_ends": time.time() + self.LIVES["refresh"]}
        return answer({"access_token": access, "refresh_token": refresh} | ends)


SHAPES = (
    SchemeToken, SchemeJwt, NoScheme, InTheBody, InTheQuery, CookieWithScheme, CookieWithCsrf, Itsdangerous,
    CalledOpaque, OpaqueUntil,
)  # fmt: skip
