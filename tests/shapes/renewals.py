"""Ways to refresh, and tokens that are given by a person instead of a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tests.shapes.api import Api, RefusedError, answer, basic, members
from tests.shapes.logins import BARE, REFRESH

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from tests.shapes.api import Handler

CLIENT = {"client_id": "web", "client_secret": "garden-gate-53"}


class JsonBody(Api):
    """The refresh token is a member of a JSON body, and a constant one stands beside it; the logout wants it there."""

    PROFILE = f"""{BARE}[refresh]
path = "/refresh"
sent_in = "body:renew.token"
extra = {{ device = 7 }}
[logout]
path = "/logout"
takes = "refresh"
sent_in = "body:token"
extra = {{ everywhere = false }}
"""

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "access":
            return super().shown(request, kind)
        body = members(request) if request.data else {}
        if request.path == "/logout":
            return body.get("token") if body.get("everywhere") is False else None
        part = body.get("renew")
        token = part.get("token") if isinstance(part, dict) and body.get("device") == 7 else None
        return token if isinstance(token, str) else None

    def logout(self, request: Request) -> Response:
        self.end(self.check(self.shown(request, "refresh"), "refresh")["session"])
        return answer({}, 200)


class FormBasic(Api):
    """OAuth's token endpoint for login and refresh, with a client that says who it is by HTTP Basic."""

    PROFILE = f"""{BARE}[login]
path = "/token"
encoding = "form"
extra = {{ grant_type = "password" }}
client = "basic"
[refresh]
path = "/token"
encoding = "form"
sent_in = "body:refresh_token"
extra = {{ grant_type = "refresh_token" }}
client = "basic"
[logout]
path = "/session"
method = "DELETE"
"""
    OPTIONS: ClassVar[dict[str, str]] = CLIENT

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/token": ("POST", self.token), "/session": ("DELETE", self.logout)}

    def client(self, request: Request) -> tuple[str | None, str | None]:
        """Who asks."""
        return basic(request.headers.get("Authorization"))

    def token(self, request: Request) -> Response:
        """Both grants."""
        if self.client(request) != tuple(CLIENT.values()):
            raise RefusedError("login")
        match request.form.get("grant_type"):
            case "password":
                return self.admit(request.form.get("username"), request.form.get("password"))
            case "refresh_token":
                return self.refresh(request)
        raise RefusedError("malformed")

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "refresh" and request.path == "/token":
            return request.form.get("refresh_token")
        return super().shown(request, kind)

    def logout(self, request: Request) -> Response:
        token = self.shown(request, "access")
        kind = self.live.get(token or "", {}).get("kind", "access")
        self.end(self.check(token, kind)["session"])
        return answer({}, 200)


class FormPost(FormBasic):
    """The same with the client's name and secret in the form, and a secret with signs that a form escapes."""

    PROFILE = FormBasic.PROFILE.replace('client = "basic"', 'client = "post"')

    def client(self, request: Request) -> tuple[str | None, str | None]:
        return request.form.get("client_id"), request.form.get("client_secret")


class RefreshCookie(Api):
    """The access token is in the body and in a header, the refresh token in a cookie that only its route gets."""

    PROFILE = f"""{BARE}[login]
refresh = "cookie:renew"
[refresh]
path = "/refresh"
sent_in = "cookie:renew"
refresh = "cookie:renew"
[cookies]
csrf_header = ""
refresh_csrf = ""
"""

    def given(self, access: str, refresh: str, _door: str) -> Response:
        response = answer({"access_token": access, "expires_in": 900, "token_type": "Bearer"})
        line = f"renew={refresh}; HttpOnly; SameSite=Strict; Path=/refresh; Max-Age=3600"
        response.headers.add("Set-Cookie", line)
        return response

    def shown(self, request: Request, kind: str) -> str | None:
        return request.cookies.get("renew") if kind == "refresh" else super().shown(request, kind)


class AccessCookie(Api):
    """The access token travels in a cookie, and the refresh token in JSON bodies."""

    PROFILE = f"""{BARE}[login]
access = "cookie:at"
[access]
sent_in = "cookie:at"
[refresh]
path = "/refresh"
sent_in = "body:refresh_token"
access = "cookie:at"
[cookies]
csrf_header = ""
access_csrf = ""
"""

    def given(self, access: str, refresh: str, _door: str) -> Response:
        response = answer({"refresh_token": refresh})
        response.headers.add("Set-Cookie", f"at={access}; HttpOnly; SameSite=Strict; Path=/; Max-Age=900")
        return response

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "access":
            return request.cookies.get("at")
        token = members(request).get("refresh_token") if request.data else None
        return token if isinstance(token, str) else None


class BothAtOnce(Api):
    """A refresh wants the refresh token and the access token that it replaces; so does the logout."""

    PROFILE = f"""{BARE}[refresh]
path = "/refresh"
sent_in = "body:refresh_token"
with_access = true
[logout]
path = "/logout"
takes = "both"
"""

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "access":
            return super().shown(request, kind)
        token = members(request).get("refresh_token") if request.data else None
        return token if isinstance(token, str) else None

    def same_session(self, request: Request) -> None:
        """Both tokens have to be of one session."""
        tokens = [self.shown(request, kind) for kind in ("access", "refresh")]
        if not all(tokens):
            raise RefusedError("missing")
        sessions = [self.live.get(token or "", {}).get("session") for token in tokens]
        if sessions[0] is None or sessions[0] != sessions[1]:
            raise RefusedError("bad")

    def refresh(self, request: Request) -> Response:
        self.same_session(request)
        return super().refresh(request)

    def logout(self, request: Request) -> Response:
        self.same_session(request)
        return super().logout(request)


class RenewsItself(Api):
    """There is one token, and showing it to a GET route gets a new one."""

    PROFILE = f"""{BARE}[refresh]
path = "/renew"
method = "GET"
sent_in = "header:Authorization Bearer"
token = "access"
access = "token"
[login]
access = "token"
"""
    FAULTS = ("checks no signature",)

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/renew": ("GET", self.renew)}

    def given(self, access: str, _refresh: str, _door: str) -> Response:
        return answer({"token": access, "token_type": "bearer"})

    def renew(self, request: Request) -> Response:
        """A new token for an old one."""
        found = self.check(self.shown(request, "access"), "access")
        return self.given(self.issue("access", found["owner"], found["session"]), "", "refresh")


class NoRefresh(Api):
    """There is an access token, and nothing else."""

    PROFILE = BARE
    FAULTS = ("checks no signature",)

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return {path: way for path, way in super().routes().items() if path not in {"/refresh", "/logout"}}

    def given(self, access: str, _refresh: str, _door: str) -> Response:
        return answer({"access_token": access, "token_type": "bearer"})


class ShortLived(NoRefresh):
    """The same, and it ends after four seconds."""

    PROFILE = f"{BARE}[lifetimes]\naccess = 4\nleeway = 0\n"
    FAULTS = ("takes expired tokens",)
    LIVES: ClassVar[dict[str, int]] = {"access": 4, "refresh": 3600}


class Given(Api):
    """There is no login: a person hands over both tokens."""

    PROFILE = f'{BARE}[login]\npath = ""\n{REFRESH}'
    KINDS: ClassVar[tuple[str, ...]] = ("access", "refresh")

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return {path: way for path, way in super().routes().items() if path != "/login"}

    def options(self) -> dict[str, str]:
        """What is handed over."""
        pair = dict(zip(("access", "refresh"), self.pair("alice"), strict=True))
        return {f"{kind}_token": pair[kind] for kind in self.KINDS}


class GivenAccess(Given):
    """A person hands over an access token only."""

    KINDS = ("access",)
    FAULTS = ("checks no signature",)


class GivenRefresh(Given):
    """A person hands over a refresh token only."""

    KINDS = ("refresh",)


class GivenOpaque(Given):
    """A person hands over a JWT that is called opaque, so that nothing in it is judged."""

    PROFILE = f'{BARE}[login]\npath = ""\n[access]\nformat = "opaque"\n'
    KINDS = ("access",)
    FAULTS = ()


SHAPES = (
    JsonBody, FormBasic, FormPost, RefreshCookie, AccessCookie, BothAtOnce, RenewsItself, NoRefresh, ShortLived, Given,
    GivenAccess, GivenRefresh, GivenOpaque,
)  # fmt: skip
