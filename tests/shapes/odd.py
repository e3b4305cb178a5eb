"""A server that has a name of its own for everything, and wants every one of them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.wrappers import Request, Response

from tests.shapes.api import Api, RefusedError, answer, members
from tests.shapes.renewals import CLIENT

if TYPE_CHECKING:
    from tests.shapes.api import Handler


class Odd(Api):
    """A CSRF page, then credentials in a form for a ticket, then the ticket for tokens; cookies with a proof."""

    PROFILE = """extends = "bare"
transport = "cookie"
headers = { X-App = "teapot" }
trusted_origins = ["https://app.example"]

[login]
path = "/enter"
method = "PUT"
encoding = "form"
username = "who"
password = "word"
extra = { kind = "local", csrf = "{csrf}" }
headers = { X-Login = "yes" }
client = "post"
expires_in = "life.access"
refresh_expires_in = "life.refresh"
expiry = "milliseconds"
access = "cookie:pass"
refresh = "body:renewal"
capture = { ticket = "body:given.ticket" }

[[login.before]]
path = "/visit"
method = "POST"
encoding = "form"
extra = { visitor = "suite" }
headers = { X-Visit = "first" }
capture = { csrf = "header:X-Csrf" }

[[login.after]]
path = "/exchange/{ticket}"
method = "POST"
encoding = "json"
extra = { ticket = "{ticket}" }
headers = { X-Exchange = "now" }

[access]
format = "opaque"

[refresh]
path = "/renew"
method = "PATCH"
sent_in = "body:old.renewal"
encoding = "form"
extra = { purpose = "renewal" }
headers = { X-Renew = "yes" }
client = "basic"
with_access = true
token = "refresh"
format = "jwt"
access = "cookie:pass"
refresh = "body:new.renewal"
expires_in = "life.access"
refresh_expires_in = "life.refresh"
expiry = "milliseconds"
rotation = "each"
reuse = "session"
grace = 0

[logout]
path = "/leave"
method = "DELETE"
takes = "both"
sent_in = "body:leaving"
encoding = "form"
extra = { everywhere = "no" }
headers = { X-Leave = "yes" }

[[protected]]
path = "/mine"
method = "POST"
identity = "owner.id"
identity_is = "any"
json = { wanted = ["owner"] }
headers = { X-Mine = "yes" }

[cookies]
access = "pass"
csrf_header = "X-Proof"
csrf_field = "proof"
access_csrf = "header:X-Pass-Proof"
cross_site = false

[oauth]
token = "/oauth/t"
revocation = "/oauth/r"
introspection = "/oauth/i"
client_authentication = "post"

[lifetimes]
access = 900
refresh = 3600
leeway = 0
session = 3600

[sessions]
access = "revocable"
logout = "one"
password_change = "ends"

[refusals]
no_credentials = [401]
bad_token = [401]
login = [401]
malformed = [400]

[tls]
plain_port = 0
"""
    OPTIONS: ClassVar[dict[str, str]] = CLIENT

    def __init__(self, fault: str = "") -> None:
        """Has seen nobody yet."""
        super().__init__(fault)
        self.visits: dict[str, str] = {}
        self.proofs: dict[str, str] = {}

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return {
            "/visit": ("POST", self.visit),
            "/enter": ("PUT", self.enter),
            "/renew": ("PATCH", self.refresh),
            "/leave": ("DELETE", self.logout),
            "/mine": ("POST", self.me),
            "/oauth/t": ("POST", self.no_client),
            "/oauth/r": ("POST", self.no_client),
            "/oauth/i": ("POST", self.no_client),
        }

    def nowhere(self, request: Request) -> Response:
        if request.path.startswith("/exchange/"):
            return self.exchange(request) if request.method == "POST" else Response("", 405, {"Allow": "POST"})
        return super().nowhere(request)

    def no_client(self, _request: Request) -> Response:
        """OAuth's endpoints are there, and no client of a test's is known to them."""
        return answer({"error": "invalid_client"}, 401, WWW_Authenticate='Basic realm="clients"')

    def wants(self, request: Request, name: str, value: str = "yes") -> None:
        """Every request has the API's header, and one of its own."""
        if request.headers.get(name) != value or request.headers.get("X-App") != "teapot":
            raise RefusedError("malformed")

    def visit(self, request: Request) -> Response:
        """What begins a login."""
        self.wants(request, "X-Visit", "first")
        if request.form.get("visitor") != "suite":
            raise RefusedError("malformed")
        visit = secrets.token_hex(8)
        self.visits[visit] = secrets.token_hex(8)
        return Response("", 200, {"X-Csrf": self.visits[visit], "Set-Cookie": f"visit={visit}; Path=/"})

    def enter(self, request: Request) -> Response:
        """A ticket for credentials."""
        self.wants(request, "X-Login")
        form = request.form
        known = self.visits.get(request.cookies.get("visit", ""))
        client = {name: form.get(name) for name in CLIENT}
        if not known or form.get("csrf") != known or form.get("kind") != "local" or client != CLIENT:
            raise RefusedError("malformed")
        return self.admit(form.get("who"), form.get("word"))

    def given(self, access: str, refresh: str, door: str) -> Response:
        if door == "login":
            ticket = secrets.token_hex(8)
            self.visits[ticket] = f"{access} {refresh}"
            return answer({"given": {"ticket": ticket}})
        self.proofs[access] = secrets.token_hex(8)
        life = {"access": 900_000, "refresh": 3_600_000}
        response = answer({"renewal": refresh, "new": {"renewal": refresh}, "life": life})
        response.headers["X-Pass-Proof"] = self.proofs[access]
        response.headers.add("Set-Cookie", f"pass={access}; HttpOnly; SameSite=Strict; Path=/; Max-Age=900")
        return response

    def exchange(self, request: Request) -> Response:
        """Tokens for a ticket."""
        self.wants(request, "X-Exchange", "now")
        ticket = request.path.removeprefix("/exchange/")
        if members(request).get("ticket") != ticket or ticket not in self.visits:
            raise RefusedError("malformed")
        access, refresh = self.visits.pop(ticket).split()
        return self.given(access, refresh, "exchange")

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "refresh":
            return request.form.get("old.renewal")
        token = request.cookies.get("pass")
        proof = self.proofs.get(token or "")
        body = request.form if request.method in {"PATCH", "DELETE"} else members(request)
        if token and proof and not request.headers.get("X-Proof") == body.get("proof") == proof:
            raise RefusedError("bad")
        return token

    def refresh(self, request: Request) -> Response:
        self.wants(request, "X-Renew")
        client = f"{CLIENT['client_id']}:{CLIENT['client_secret']}"
        authorized = request.authorization and f"{request.authorization.username}:{request.authorization.password}"
        if authorized != client or request.form.get("purpose") != "renewal":
            raise RefusedError("login")
        self.check(self.shown(request, "access"), "access")
        return super().refresh(request)

    def logout(self, request: Request) -> Response:
        self.wants(request, "X-Leave")
        if request.form.get("everywhere") != "no":
            raise RefusedError("malformed")
        self.check(request.form.get("leaving"), "refresh")
        return super().logout(request)

    def me(self, request: Request) -> Response:
        self.wants(request, "X-Mine")
        if members(request).get("wanted") != ["owner"]:
            raise RefusedError("malformed")
        return super().me(request)

    def shows(self, owner: str) -> Any:
        return {"owner": {"id": f"{len(owner)}-{owner[::-1]}"}}

    def refusal(self, kind: str) -> Response:
        response = super().refusal(kind)
        response.headers.pop("WWW-Authenticate", None)
        return response

    def make(self, kind: str, owner: str) -> str:
        return secrets.token_urlsafe(32) if kind == "access" else self.signed(kind, owner)


SHAPES = (Odd,)
