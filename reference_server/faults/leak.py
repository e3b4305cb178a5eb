"""Faults that give secrets away."""

from __future__ import annotations

import hashlib
import hmac
import json
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, g, request
from werkzeug.exceptions import BadRequest
from werkzeug.routing import Rule

from reference_server.app import services_of
from reference_server.credentials import LoginRequest, RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._answers import Answers
from reference_server.faults._tools import encode_segment
from reference_server.pages import Pages
from reference_server.tokens import ACCESS, REFRESH, TokenIssuer

if TYPE_CHECKING:
    from flask import Flask, Request

    from reference_server.accounts import Account
    from reference_server.keyring import Keyring
    from reference_server.settings import Settings


@fault(
    "profile-shows-the-whole-row",
    "LEAK-03",
    seen="OWASP API3:2023: common where a framework serialises the object as it is",
)
class WholeRow(Pages):
    """Shows the password's hash in the profile."""

    def profile(self, account: Account) -> dict[str, Any]:
        """Serialise everything."""
        return {**super().profile(account), "password": account.password_hash}


@fault(
    "token-holds-the-hash",
    "LEAK-03",
    seen="realworld-apps/realworld issue 898: password hash returned in token from the login response",
)
class HashInToken(TokenIssuer):
    """Puts the password's hash into access tokens."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Serialise everything."""
        extra = {"hash": account.password_hash} if kind == ACCESS else {}
        return super().encode(kind, account, {**claims, **extra})


@fault(
    "token-holds-the-password",
    "LEAK-03",
    seen="whyour/qinglong issue 389: the payload holds the password in clear text",
)
class PasswordInToken(TokenIssuer):
    """Puts the password into access tokens."""

    def __init__(self, settings: Settings, keys: Keyring) -> None:
        """Begin without passwords."""
        super().__init__(settings, keys)
        self.typed: dict[str, str] = {}

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Copy what was typed in at the last login."""
        self.typed[account.id] = g.get("login_password") or self.typed.get(account.id, "")
        extra = {"login": self.typed[account.id]} if kind == ACCESS else {}
        return super().encode(kind, account, {**claims, **extra})


@fault(
    "dashboard-repeats-the-token",
    "LEAK-03",
    seen="common where a page is given its token for scripts to use",
)
class TokenInPage(Pages):
    """Shows, on the dashboard, the token that it was opened with."""

    def dashboard(self, account: Account, now: int) -> dict[str, Any]:
        """Copy the header."""
        return {**super().dashboard(account, now), "authorization": request.headers.get("Authorization", "")}


@fault(
    "login-answer-may-be-stored",
    "LEAK-01",
    seen="idenplane/idenplane issue 219: the answer with the tokens has an ETag and no Cache-Control",
)
class StorableLogin(Answers):
    """Leaves Cache-Control out of the answer to a login."""

    def touch(self, response: Response) -> None:
        """Say nothing of caches."""
        if request.path == "/login" and response.status_code == HTTPStatus.OK:
            del response.headers["Cache-Control"]


@fault(
    "refresh-answer-is-no-cache-only",
    "LEAK-01",
    seen="pixelfed/pixelfed pull request 6553: the answer with the tokens says no-cache, private instead of no-store",
)
class RevalidatedRefresh(Answers):
    """Lets the answer to a refresh be stored, if not used without asking."""

    def touch(self, response: Response) -> None:
        """Take no-cache for no-store."""
        if request.path == "/refresh" and response.status_code == HTTPStatus.OK:
            response.headers["Cache-Control"] = "no-cache, private"


@fault(
    "profile-without-cache-control",
    "LEAK-02",
    seen="common: neither Flask nor Express nor FastAPI nor Django REST framework sends the field by itself",
)
class UnmarkedProfile(Answers):
    """Leaves Cache-Control out of the profile."""

    def touch(self, response: Response) -> None:
        """Leave it to the defaults."""
        if request.path == "/profile":
            del response.headers["Cache-Control"]


@fault(
    "dashboard-is-public",
    "LEAK-02",
    seen="common where one rule of a proxy gives every answer of a prefix the same lifetime",
)
class PublicDashboard(Answers):
    """Lets every cache keep the dashboard for a minute."""

    def touch(self, response: Response) -> None:
        """Speed it up."""
        if request.path == "/dashboard":
            response.headers["Cache-Control"] = "public, max-age=60"


@fault(
    "profile-may-be-kept-by-browsers",
    "LEAK-02",
    seen="WSTG-ATHN-06: common where only shared caches were thought of, and not the next user of the browser",
)
class BrowsersProfile(Answers):
    """Lets browsers keep the profile for ten minutes."""

    def touch(self, response: Response) -> None:
        """Call it private."""
        if request.path == "/profile":
            response.headers["Cache-Control"] = "private, max-age=600"


@fault(
    "validation-error-repeats-the-input",
    "LEAK-04",
    seen="langflow-ai/langflow pull request 15038: FastAPI's validation errors hold the input, passwords included",
)
class InputInError(RequestReader):
    """Repeats the members of a login's body that it finds invalid."""

    def login(self, request: Request) -> LoginRequest:
        """Explain."""
        try:
            return super().login(request)
        except BadRequest as error:
            body = self.json_body(request)
            raise BadRequest(f"{error.description}: input {json.dumps(body)[:500]}") from None


@fault(
    "parse-error-quotes-the-body",
    "LEAK-04",
    seen="common where the message of a JSON parser, with the text around the error, goes to the client",
)
class QuotedBody(RequestReader):
    """Quotes a body that is no JSON."""

    def json_body(self, request: Request) -> Any:
        """Show where the parser stopped."""
        try:
            return super().json_body(request)
        except BadRequest as error:
            raise BadRequest(f"{error.description}: {request.get_data(as_text=True)[:500]}") from None


@fault(
    "refusal-repeats-the-token",
    "LEAK-04",
    seen="common where a log line's text, the token in it, is also the answer's",
)
class TokenInRefusal(ErrorPresenter):
    """Repeats a bad token at the dashboard and the profile."""

    def bad_token(self, message: str) -> Response:
        """Say which."""
        response = super().bad_token(message)
        if request.method == "GET":
            sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
            response.set_data(json.dumps({"msg": f"{message}: {sent}", "error": "invalid_token"}))
        return response


@fault(
    "refusal-tells-the-right-signature",
    "LEAK-05",
    seen="CVE-2019-7644: Auth0-WCF-Service-JWT told the expected signature in the error",
)
class ExpectedSignature(ErrorPresenter):
    """Tells, where a signature is wrong, what it should have been."""

    def bad_token(self, message: str) -> Response:
        """Compare for the client."""
        response = super().bad_token(message)
        signed, _, _ = request.headers.get("Authorization", "").removeprefix("Bearer ").rpartition(".")
        secret = services_of(current_app).issuer.key.signer
        if signed and isinstance(secret, bytes):
            expected = encode_segment(hmac.new(secret, signed.encode(), hashlib.sha256).digest())
            response.set_data(json.dumps({"msg": f"{message}. Expected {expected}", "error": "invalid_token"}))
        return response


@fault(
    "refusal-holds-a-traceback",
    "LEAK-05",
    seen="common where an error handler, written for debugging, puts traceback.format_exc() into the answer",
)
class TracebackInRefusal(ErrorPresenter):
    """Shows at the dashboard how the server came to refuse a token."""

    def bad_token(self, message: str) -> Response:
        """Show the stack."""
        response = super().bad_token(message)
        if request.path == "/dashboard":
            response.set_data(json.dumps({"msg": message, "error": "invalid_token", "trace": traceback.format_exc()}))
        return response


@fault(
    "bad-request-shows-the-query",
    "LEAK-05",
    seen="common where the text of a database's error, which SQLAlchemy ends with the statement, is the answer's",
)
class QueryInRefusal(ErrorPresenter):
    """Shows, for a login that is refused for its form, the query that it would have made."""

    def render(self, status: int, code: str, message: str, *rest: Any) -> Response:
        """Append it."""
        if status == HTTPStatus.BAD_REQUEST and request.path == "/login":
            message += " [SQL: SELECT accounts.id FROM accounts WHERE accounts.name = ?]"
        return super().render(status, code, message, *rest)


@fault(
    "debugger-is-open",
    "LEAK-05",
    seen="ASVS 5.0 V13.4.2; common where app.run(debug=True) went to production: Werkzeug's console runs any code",
)
class OpenConsole(Answers):
    """Has Werkzeug's console at its usual address."""

    def add_routes(self, app: Flask) -> None:
        """Show the page, though nothing is behind it."""
        page = "<title>Console // Werkzeug Debugger</title><h1>Interactive Console</h1>"
        app.add_url_rule("/console", "console", lambda: page)


@fault(
    "actuators-are-open",
    "LEAK-05",
    seen="OWASP API8:2023; common where management.endpoints.web.exposure.include is * in a Spring Boot application",
)
class OpenActuators(Answers):
    """Offers its environment and a dump of its memory to everybody."""

    def add_routes(self, app: Flask) -> None:
        """List what there is."""
        links = {name: {"href": f"/actuator/{name}"} for name in ("self", "health", "env", "heapdump")}
        app.add_url_rule("/actuator", "actuator", lambda: {"_links": links})


@fault(
    "server-header-tells-versions",
    "LEAK-06",
    seen="Werkzeug's own server sends Werkzeug/3.0.1 Python/3.11.2 unless told otherwise",
)
class ServerHeader(Answers):
    """Names the server, with versions."""

    def touch(self, response: Response) -> None:
        """Do as the development server does."""
        response.headers["Server"] = "Werkzeug/3.0.1 Python/3.11.2"


@fault(
    "powered-by-tells-versions",
    "LEAK-06",
    seen="PHP sends X-Powered-By: PHP/8.1.2 unless expose_php is off",
)
class PoweredBy(Answers):
    """Names the language, with its version, in what it gives to users."""

    def touch(self, response: Response) -> None:
        """Advertise."""
        if response.status_code == HTTPStatus.OK:
            response.headers["X-Powered-By"] = "PHP/8.1.2"


@fault(
    "error-page-tells-versions",
    "LEAK-06",
    seen="nginx signs its error pages with its version unless server_tokens is off",
)
class SignedErrorPage(Answers):
    """Answers 404 with the page of a proxy, and the proxy's version."""

    def touch(self, response: Response) -> None:
        """Sign it."""
        if response.status_code == HTTPStatus.NOT_FOUND:
            response.set_data(
                "<html><body><center>404 Not Found</center><hr><center>nginx/1.18.0</center></body></html>"
            )
            response.mimetype = "text/html"


@fault(
    "token-holds-the-email",
    "LEAK-07",
    seen="Human-Connection/Human-Connection issue 2202: the user's e-mail address is in the token, and nobody reads it",
)
class EmailInToken(TokenIssuer):
    """Puts an e-mail address into access tokens."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Add what is at hand."""
        extra = {"email": f"{account.name}@example.org"} if kind == ACCESS else {}
        return super().encode(kind, account, {**claims, **extra})


@fault(
    "token-holds-the-full-name",
    "LEAK-07",
    seen="gravitee-io/issues issue 4451: given_name and family_name are among the claims",
)
class NameInToken(TokenIssuer):
    """Puts the user's given and family name into access tokens, within an object."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Copy the profile."""
        extra = {"user": {"first_name": account.name.title(), "last_name": "Example"}} if kind == ACCESS else {}
        return super().encode(kind, account, {**claims, **extra})


@fault(
    "refresh-token-holds-the-address",
    "LEAK-07",
    seen="Microsoft Entra ID's access tokens of version 1 have the client's address in ipaddr",
)
class AddressInToken(TokenIssuer):
    """Puts the network address of whoever logs in into refresh tokens."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Remember where they were."""
        extra = {"from": request.remote_addr} if kind == REFRESH else {}
        return super().encode(kind, account, {**claims, **extra})


class SuffixedProfile(Answers):
    """Shows the profile at further addresses, and takes what is there for files, which caches keep."""

    rule = ""

    def add_routes(self, app: Flask) -> None:
        """Send them to the same view, which knows nothing of what follows."""
        app.url_map.add(Rule(self.rule, endpoint="reference.profile", methods=["GET"]))

        @app.url_value_preprocessor
        def forget(_endpoint: str | None, values: dict[str, Any] | None) -> None:
            if values:
                g.suffix = values.pop("suffix", None)

    def touch(self, response: Response) -> None:
        """Go by the suffix."""
        if g.get("suffix") and response.status_code == HTTPStatus.OK:
            response.headers["Cache-Control"] = "public, max-age=86400"


@fault(
    "any-path-below-shows-the-profile",
    "LEAK-08",
    seen="WSTG-ATHN-06 and Omer Gil's report of 2017 on PayPal: what follows the page's address was ignored",
)
class PathBelow(SuffixedProfile):
    """Shows the profile at every address below its own, to be kept for a day."""

    rule = "/profile/<path:suffix>"


@fault(
    "any-suffix-shows-the-profile",
    "LEAK-08",
    seen="common where a router reads the suffix as the format asked for: Rails, and Spring MVC before 5.3",
)
class AnyFormat(SuffixedProfile):
    """Shows the profile with any suffix after a dot, to be kept for a day."""

    rule = "/profile.<suffix>"


@fault(
    "path-parameters-are-ignored",
    "LEAK-08",
    seen="common in Java: a servlet container drops what follows a semicolon, and a cache in front does not",
)
class PathParameters(SuffixedProfile):
    """Shows the profile with any path parameter after a semicolon, to be kept for a day."""

    rule = "/profile;<suffix>"
