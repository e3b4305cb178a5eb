"""Ways to log in, and where the tokens stand in the answer."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.wrappers import Request, Response

from tests.shapes.api import ACCOUNTS, Api, RefusedError, answer, basic, members

if TYPE_CHECKING:
    from tests.shapes.api import Handler

BARE = 'extends = "bare"\n'
REFRESH = '[refresh]\npath = "/refresh"\n'


class Form(Api):
    """The credentials are fields of a form."""

    PROFILE = f'{BARE}[login]\nencoding = "form"\nusername = "email"\nextra = {{ grant_type = "password" }}\n{REFRESH}'

    def credentials(self, request: Request) -> tuple[Any, Any]:
        if request.mimetype != "application/x-www-form-urlencoded" or request.form.get("grant_type") != "password":
            raise RefusedError("malformed")
        return request.form.get("email"), request.form.get("password")


class Query(Api):
    """The credentials stand in the URL, and further parameters with them."""

    PROFILE = f'{BARE}[login]\npath = "/login?v=2"\nencoding = "query"\nextra = {{ remember = true }}\n{REFRESH}'

    def credentials(self, request: Request) -> tuple[Any, Any]:
        if (request.args.get("remember"), request.args.get("v")) != ("true", "2") or request.data:
            raise RefusedError("malformed")
        return request.args.get("username"), request.args.get("password")


class Basic(Api):
    """HTTP Basic, with an empty body and no content type."""

    PROFILE = f'{BARE}[login]\nencoding = "basic"\n{REFRESH}'

    def credentials(self, request: Request) -> tuple[Any, Any]:
        if request.data or request.content_type:
            raise RefusedError("malformed")
        name, password = basic(request.headers.get("Authorization"))
        if not name or not password:
            raise RefusedError("login")
        return name, password

    def refusal(self, kind: str) -> Response:
        response = super().refusal(kind)
        if kind == "login":
            response.headers["WWW-Authenticate"] = 'Basic realm="api"'
        return response


class Nested(Api):
    """JSON four levels deep both ways, with constant members of every type."""

    PROFILE = f"""{BARE}[login]
username = "auth.identity.user.name"
password = "auth.identity.user.password"
access = "data.tokens.0.value"
refresh = "data.tokens.1.value"
expires_in = "data.life"

[login.extra]
device = "{{null}}"
count = 3
share = 0.5
remember = false
auth.scopes = ["a", {{ deep = "{{null}}" }}]

[refresh]
path = "/refresh"
access = "data.tokens.0.value"
refresh = "data.tokens.1.value"
expires_in = "data.life"
"""
    WANTED: ClassVar[dict[str, Any]] = {"device": None, "count": 3, "share": 0.5, "remember": False}

    def credentials(self, request: Request) -> tuple[Any, Any]:
        body = members(request)
        auth = body.get("auth")
        right = {name: body.get(name, "absent") for name in self.WANTED} == self.WANTED
        if not right or not isinstance(auth, dict) or auth.get("scopes") != ["a", {"deep": None}]:
            raise RefusedError("malformed")
        try:
            user = auth["identity"]["user"]
            return user.get("name"), user.get("password")
        except (KeyError, TypeError, AttributeError):
            raise RefusedError("malformed") from None

    def given(self, access: str, refresh: str, _door: str) -> Response:
        tokens = [{"value": access}, {"value": refresh}]
        return answer({"data": {"tokens": tokens, "life": 900, "token_type": "Bearer"}})


class NameInThePath(Api):
    """The user's name is in the path of the login, and only the password in its body."""

    PROFILE = f'{BARE}[login]\npath = "/users/{{username}}/session"\nusername = ""\npassword = "pin"\n{REFRESH}'

    def routes(self) -> dict[str, tuple[str, Handler]]:
        names = [*ACCOUNTS, "x"]
        return super().routes() | {f"/users/{name}/session": ("POST", self.login) for name in names}

    def nowhere(self, request: Request) -> Response:
        """Nobody's name is told from a wrong password."""
        if request.path.startswith("/users/"):
            return self.login(request) if request.method == "POST" else Response("", 405, {"Allow": "POST"})
        return super().nowhere(request)

    def credentials(self, request: Request) -> tuple[Any, Any]:
        return request.path.removeprefix("/users/").removesuffix("/session"), members(request).get("pin")


class InHeaders(Api):
    """The tokens come in headers, one behind a scheme, and the body is empty."""

    PROFILE = f"""{BARE}[login]
access = "header:Authorization Bearer"
refresh = "header:X-Refresh-Token"
[refresh]
path = "/refresh"
access = "header:Authorization Bearer"
refresh = "header:X-Refresh-Token"
"""

    def given(self, access: str, refresh: str, _door: str) -> Response:
        headers = {"Authorization": f"Bearer {access}", "X-Refresh-Token": refresh, "Cache-Control": "no-store"}
        return Response("", 200, headers)


class Headers(Api):
    """Every call needs headers: the API's own origin, and a key that the environment holds."""

    PROFILE = f"""{BARE}{REFRESH}
[headers]
Origin = "{{base_url}}"
X-Api-Key = "${{SHAPE_API_KEY}}"
Accept = "application/json"

[login.extra]
key = "key-${{SHAPE_API_KEY}}"
"""
    KEY: ClassVar[str] = "marmalade-and-ink-4711"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """An answer to those who know the key."""
        request = Request(environ)
        origin = request.host_url.rstrip("/")
        if request.headers.get("X-Api-Key") != self.KEY or request.headers.get("Origin") != origin:
            return answer({"msg": "who are you?"}, 400)(environ, start_response)
        return super().__call__(environ, start_response)

    def credentials(self, request: Request) -> tuple[Any, Any]:
        if members(request).get("key") != f"key-{self.KEY}":
            raise RefusedError("malformed")
        return super().credentials(request)


class CsrfPage(Api):
    """A page before the login has a CSRF token that belongs to a cookie, and works once."""

    PROFILE = f"""{BARE}[login]
encoding = "form"
extra = {{ csrf = "{{csrf}}" }}
[[login.before]]
path = "/page"
headers = {{ Accept = "text/html" }}
capture = {{ csrf = "header:X-Csrf" }}
{REFRESH}"""

    def __init__(self, fault: str = "") -> None:
        """Has shown no page yet."""
        super().__init__(fault)
        self.pages: dict[str, str] = {}

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/page": ("GET", self.page)}

    def page(self, _request: Request) -> Response:
        """The page, and what belongs to it."""
        name, value = secrets.token_hex(8), secrets.token_hex(8)
        self.pages[name] = value
        headers = {"X-Csrf": value, "Set-Cookie": f"visit={name}; HttpOnly; Path=/"}
        return Response("<form>", 200, headers, content_type="text/html")

    def credentials(self, request: Request) -> tuple[Any, Any]:
        known = self.pages.pop(request.cookies.get("visit", ""), None)
        if known is None or request.form.get("csrf") != known:
            raise RefusedError("malformed")
        return request.form.get("username"), request.form.get("password")


class CodeForTokens(CsrfPage):
    """A form of a page, then a redirect with a code, then the code for tokens; a wrong password shows the form."""

    PROFILE = f"""{BARE}[login]
path = "/form"
encoding = "form"
extra = {{ csrf = "{{csrf}}" }}
capture = {{ code = "location:code" }}

[[login.before]]
path = "/page"
capture = {{ csrf = "header:X-Csrf", flow = "body:flow" }}

[[login.after]]
path = "/token/{{flow}}"
method = "POST"
encoding = "form"
extra = {{ code = "{{code}}", flow = "{{flow}}" }}

[refusals]
login = [200]
{REFRESH}"""

    def __init__(self, fault: str = "") -> None:
        """Has given no code yet."""
        super().__init__(fault)
        self.codes: dict[str, tuple[str, str]] = {}

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return super().routes() | {"/form": ("POST", self.form)}

    def page(self, request: Request) -> Response:
        response = super().page(request)
        response.set_data(json.dumps({"flow": "flow-" + str(len(self.pages))}))
        response.content_type = "application/json"
        return response

    def form(self, request: Request) -> Response:
        """A code for credentials; the form once more where they are wrong."""
        name, password = self.credentials(request)
        if not name or not password or ACCOUNTS.get(name) != password:
            return Response("<form>wrong name or password</form>", 200, content_type="text/html")
        code = secrets.token_hex(8)
        self.codes[code] = (name, request.cookies["visit"])
        return Response("", 302, {"Location": f"https://app.example/done?state=x&code={code}"})

    def nowhere(self, request: Request) -> Response:
        """The code's exchange; it wants the cookie of the page, and the flow that it began with."""
        flow = request.path.removeprefix("/token/")
        if flow == request.path or request.method != "POST":
            return super().nowhere(request)
        name, visit = self.codes.pop(request.form.get("code", ""), ("", ""))
        if not name or visit != request.cookies.get("visit") or request.form.get("flow") != flow:
            raise RefusedError("malformed")
        return self.given(*self.pair(name), "login")


class LastStepTells(CsrfPage):
    """The name first, then the password, and only the step after that shows, with 200, that it was wrong."""

    PROFILE = f"""{BARE}[login]
path = "/password"
username = ""
extra = {{ flow = "{{flow}}" }}
capture = {{ ticket = "body:ticket" }}

[[login.before]]
path = "/name"
method = "POST"
extra = {{ name = "{{username}}" }}
capture = {{ flow = "body:flow" }}

[[login.after]]
path = "/finish"
method = "POST"
extra = {{ ticket = "{{ticket}}" }}

[refusals]
login = [200]
{REFRESH}"""

    def routes(self) -> dict[str, tuple[str, Handler]]:
        steps = {"/name": self.name, "/password": self.password, "/finish": self.finish}
        return super().routes() | {path: ("POST", handler) for path, handler in steps.items()}

    def name(self, request: Request) -> Response:
        """Any name begins a flow."""
        flow = secrets.token_hex(8)
        self.pages[flow] = str(members(request).get("name"))
        return answer({"flow": flow})

    def password(self, request: Request) -> Response:
        """Any password gets a ticket."""
        body = members(request)
        name = self.pages.pop(str(body.get("flow")), "")
        ticket = secrets.token_hex(8)
        if ACCOUNTS.get(name) == body.get("password"):
            self.pages[ticket] = name
        return answer({"ticket": ticket})

    def finish(self, request: Request) -> Response:
        """Tokens, or the form again."""
        name = self.pages.pop(str(members(request).get("ticket")), "")
        return self.given(*self.pair(name), "login") if name else answer({"form": "try again"})


SHAPES = (Form, Query, Basic, Nested, NameInThePath, InHeaders, Headers, CsrfPage, CodeForTokens, LastStepTells)
