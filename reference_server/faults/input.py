"""Faults in reading the login's body."""

from __future__ import annotations

import contextlib
import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Request, Response, current_app, g, has_request_context, render_template_string
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from reference_server import strict_json
from reference_server.accounts import Account, Accounts, Passwords
from reference_server.app import services_of
from reference_server.credentials import LoginRequest, LoginSchema, RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._bodies import (
    LooselyComparedPassword,
    QueryReader,
    RepeatedMembers,
    UnboundedPassword,
    UncheckedText,
)

if TYPE_CHECKING:
    from reference_server.database import Database


@fault(
    "blank-password-logs-in",
    "INPUT-01",
    seen="thelounge/thelounge issue 1724: LDAP's unauthenticated bind (RFC 4513 §5.1.2) succeeds for any name",
)
class UnauthenticatedBind(Passwords):
    """Lets every account in with a password of nothing but spaces."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Take a blank password for an anonymous bind, and that for a login."""
        return super().matches(account, password) or (account is not None and not password.strip())


@fault(
    "missing-member-crashes",
    "INPUT-01",
    seen="ClearGDPR/ClearGDPR issue 146: a login body with another member than expected answers 500",
)
class UncheckedMembers(RequestReader):
    """Fails with a server error when username or password is missing."""

    def login(self, request: Request) -> LoginRequest:
        """Subscript the body before it is checked."""
        body = self.json_body(request)
        if isinstance(body, dict):
            for name in LoginSchema().fields:
                body[name]
        return super().login(request)


@fault(
    "password-that-is-no-string-crashes",
    "INPUT-02",
    seen="CodeForPhilly/paws-data-pipeline pull request 194: badly formed login bodies ended in exceptions and 500s",
)
class UntypedPassword(RequestReader):
    """Passes on whatever JSON value the password has, except null."""

    def login(self, request: Request) -> LoginRequest:
        """Check the name's type, and of the password that it is there."""
        body = self.json_body(request)
        if not isinstance(body, dict) or isinstance(body.get("password"), str | None):
            return super().login(request)
        username = LoginSchema(only=["username"]).validate({**body, "password": ""})
        if set(body) != {"username", "password"} or "username" in username:
            raise BadRequest("The members username and password are needed")
        return LoginRequest(**body)


@fault(
    "operator-object-logs-in",
    "INPUT-02",
    seen="OWASP/NodeGoat issue 395: a login body is handed to MongoDB as the query, operators and all",
    also=(UntypedPassword,),
)
class OperatorPassword(LooselyComparedPassword):
    """Takes an object of query operators for a password, and finds that it matches."""

    def equals_any_text(self, value: Any) -> bool:
        """`{"$ne": null}` and its like select every document."""
        return isinstance(value, dict) and any(name.startswith("$") for name in value)


@fault(
    "loose-comparison-logs-in",
    "INPUT-02",
    seen="PHP's == finds true equal to every non-empty text and, before PHP 8, 0 equal to every text without a number",
    also=(UntypedPassword,),
)
class JuggledPassword(LooselyComparedPassword):
    """Compares loosely, so that `true` and 0 equal every password."""

    def equals_any_text(self, value: Any) -> bool:
        """What a loose comparison says."""
        return value is True or (value == 0 and not isinstance(value, bool))


class OpenedByInjection(Passwords):
    """Asks no password of a row that an injected condition has selected."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Compare the password as the query did, within the condition that was made void."""
        return super().matches(account, password) or (account is not None and not account.password_hash)


@fault(
    "sql-injection-logs-in",
    "INPUT-03",
    seen="common in hand-written logins that format a query; OWASP WSTG-INPV-05 explains itself with this very one",
    also=(OpenedByInjection,),
)
class FormattedQuery(Accounts):
    """Writes the name into the SQL text, quotes and all."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        """Keep the database at hand."""
        super().__init__(database, passwords)
        self.database = database

    def by_name(self, name: str) -> Account | None:
        """Run the query; a syntax error is nobody's matter, and no sign of a database that is away."""
        query = text(f"SELECT id, name, password_hash FROM accounts WHERE name = '{name}'".replace(":", r"\:"))  # noqa: S608 - the fault itself
        try:
            row = self.database.first(query)
        except OperationalError as error:
            raise RuntimeError(error) from None
        account = Account(*row) if row else None
        return replace(account, password_hash="") if account and account.name != name else account


@fault(
    "username-is-a-template",
    "INPUT-03",
    seen="common where an error page is made with render_template_string and the text that was typed in",
)
class TemplatedRefusal(ErrorPresenter):
    """Evaluates the username as a Jinja template, where it looks like one, and shows what comes out."""

    def bad_login(self) -> Response:
        """Render the refusal."""
        response = super().bad_login()
        if "{{" in g.login_name:
            said = render_template_string(f"There is no user {g.login_name}")
            response.set_data(json.dumps({"msg": said, "error": "invalid_grant"}))
        return response


@fault(
    "time-delay-payload-runs",
    "INPUT-03",
    seen="common where a query is formatted and its error and its rows are hidden: blind injection, WSTG-INPV-05",
)
class SleepingQuery(Accounts):
    """Sleeps for as long as the username tells the database to."""

    def by_name(self, name: str) -> Account | None:
        """Do as a database would with an injected call of sleep, up to ten seconds."""
        call = re.search(r"(?:sleep\(|delay\s*'0:0:)\s*(\d+)", name, re.IGNORECASE)
        if call and has_request_context():
            time.sleep(min(int(call.group(1)), 10))
        return super().by_name(name)


@fault(
    "malformed-body-crashes",
    "INPUT-04",
    "INPUT-07",
    "INPUT-08",
    "INPUT-09",
    seen="music-assistant/support issue 6438: a login body that is no JSON answers 500 with a JSONDecodeError",
)
class UncaughtDecodeError(RequestReader):
    """Fails with a server error when the body is no JSON."""

    def json_body(self, request: Request) -> Any:
        """Let the decoder's error through."""
        if request.mimetype == "application/json" and request.get_data():
            strict_json.loads(request.get_data())
        return super().json_body(request)


@fault(
    "body-that-is-no-object-crashes",
    "INPUT-04",
    seen="elizaOS/eliza issue 20803: a login body such as null or a string answers 500",
)
class UncheckedObject(RequestReader):
    """Fails with a server error when the body is JSON and no object."""

    def login(self, request: Request) -> LoginRequest:
        """Look for a member of whatever there is."""
        body = self.json_body(request)
        body.get("username")
        return super().login(request)


@fault(
    "batch-of-credentials",
    "INPUT-04",
    seen="OWASP API2:2023, scenario 1: logins batched in one request pass a limit that counts requests",
)
class BatchedLogins(RequestReader):
    """Tries every element of an array of credentials, and lets in the one that fits."""

    def login(self, request: Request) -> LoginRequest:
        """Look for the pair that is right."""
        body = self.json_body(request)
        services = services_of(current_app)
        for each in body if isinstance(body, list) else ():
            if not LoginSchema().validate(each):
                tried = LoginRequest(**each)
                if services.passwords.matches(services.accounts.by_name(tried.username), tried.password):
                    return tried
        return super().login(request)


@fault(
    "json-by-any-name",
    "INPUT-05",
    seen="Fischerfredl/flask-expects-json issue 2: get_json(force=True) reads a body of any type",
)
class AnyType(RequestReader):
    """Reads a login's body as JSON, whatever it is called."""

    def json_body(self, request: Request) -> Any:
        """Overlook the type, where there is one."""
        if request.path != "/login" or request.mimetype in {"", "application/json"}:
            return super().json_body(request)
        try:
            return strict_json.loads(request.get_data())
        except strict_json.NotJSONError:
            raise BadRequest from None


@fault(
    "form-login-into-cookies",
    "INPUT-05",
    seen="fastapi/fastapi pull request 2118: bodies that a page of any site may send were read, cookies came with them",
    profile="cookies",
    token_location="cookies",  # noqa: S106 - a place, not a password
)
class FormLogin(RequestReader):
    """Takes a form for a login too, where tokens go into cookies."""

    def login(self, request: Request) -> LoginRequest:
        """Read the form, where there is one."""
        if request.mimetype == "application/x-www-form-urlencoded" and {"username", "password"} <= set(request.form):
            return LoginRequest(request.form["username"], request.form["password"])
        return super().login(request)


@fault(
    "unknown-media-type-crashes",
    "INPUT-05",
    seen="common where parsers are kept by their type, and a type without one is a missing key",
)
class ParserByType(RequestReader):
    """Fails with a server error when a login's body is called XML."""

    def json_body(self, request: Request) -> Any:
        """Look the parser up."""
        if request.mimetype == "application/xml":
            raise KeyError(request.mimetype)
        return super().json_body(request)


@fault(
    "content-type-compared-as-text",
    "INPUT-06",
    seen="qvest-digital/loginsrv pull request 131: types were compared literally, so a charset failed the login",
)
class LiteralType(RequestReader):
    """Takes JSON only where its Content-Type is, letter for letter, the usual one."""

    def json_body(self, request: Request) -> Any:
        """Compare the whole field."""
        if request.headers.get("Content-Type", "").startswith("application/json;"):
            raise UnsupportedMediaType
        return super().json_body(request)


@fault(
    "body-read-by-a-pattern",
    "INPUT-06",
    seen="common in small devices and in rules of proxies, which look for members in the text instead of parsing it",
)
class PatternReader(RequestReader):
    """Finds the members of a login's body by a pattern, and so no member whose name is written otherwise."""

    def login(self, request: Request) -> LoginRequest:
        """Look for the names as they are usually written."""
        credentials = super().login(request)
        if not all(re.search(rb'"%s"\s*:' % name, request.get_data()) for name in (b"username", b"password")):
            raise BadRequest("The members username and password are needed")
        return credentials


@fault(
    "first-name-checked-last-name-let-in",
    "INPUT-07",
    seen="CVE-2017-12635: two JSON parsers in CouchDB took different copies of one member, and made an administrator",
    also=(RepeatedMembers,),
)
class TwoReadings(Passwords):
    """Checks the password of the first username in the body, and lets the last one in."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Ask about whom another parser has seen."""
        names = g.get("copies", {}).get("username", []) if has_request_context() else []
        if len(names) > 1 and account is not None:
            account = services_of(current_app).accounts.by_name(names[0])
        return super().matches(account, password)


@fault(
    "either-copy-of-the-password-will-do",
    "INPUT-07",
    seen="common where a parser makes a list of repeated members, and the check looks whether the value is in it",
    also=(RepeatedMembers,),
)
class EitherCopy(Passwords):
    """Takes a password that occurs twice for right if one of the copies is."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Try them all."""
        copies = g.get("copies", {}).get("password", [password]) if has_request_context() else [password]
        return any(super(EitherCopy, self).matches(account, copy) for copy in copies)


@fault(
    "repeated-member-crashes",
    "INPUT-07",
    seen="common where a strict parser's error about a repeated key is none that the caller expects",
)
class RepetitionCrash(RepeatedMembers):
    """Fails with a server error when a member occurs twice."""

    def chosen(self, members: dict[str, Any]) -> Any:
        """Find a list where a string should be."""
        raise TypeError(f"{len(members)} members, and more values")


@fault(
    "nul-crashes-the-lookup",
    "INPUT-08",
    seen="inveniosoftware/invenio-app-rdm issue 1711: PostgreSQL takes no NUL in a name, and the login crashes",
    also=(UncheckedText,),
)
class NulInQuery(Accounts):
    """Fails with a server error when a username holds NUL."""

    def by_name(self, name: str) -> Account | None:
        """Do as the driver does."""
        if "\0" in name:
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        return super().by_name(name.encode("utf-8", "replace").decode())


@fault(
    "name-ends-at-a-nul",
    "INPUT-08",
    seen="common where the name is handed to a library in C, such as a directory's or PAM",
    also=(UncheckedText,),
)
class NulTerminated(Accounts):
    """Looks a username up without what follows a NUL."""

    def by_name(self, name: str) -> Account | None:
        """Read up to the end of the string, as C does."""
        return super().by_name(name.partition("\0")[0].encode("utf-8", "replace").decode())


@fault(
    "only-decode-errors-are-caught",
    "INPUT-08",
    seen="common in Python: json.loads raises UnicodeDecodeError and, for long numbers, a bare ValueError as well",
)
class NarrowlyCaught(RequestReader):
    """Fails with a server error when a body is no UTF-8, or holds a number of thousands of digits."""

    def json_body(self, request: Request) -> Any:
        """Expect errors of one class."""
        with contextlib.suppress(json.JSONDecodeError, RecursionError):
            json.loads(request.get_data().decode("utf-8"))
        return super().json_body(request)


@fault(
    "nesting-crashes",
    "INPUT-09",
    seen="flop-labs/technocore-chat issue 130: json.loads raises a RecursionError, which is no ValueError",
)
class UncaughtRecursion(RequestReader):
    """Fails with a server error when a body is nested too deeply."""

    def json_body(self, request: Request) -> Any:
        """Catch what is wrong with a text, and nothing that is wrong with a stack."""
        with contextlib.suppress(ValueError):
            json.loads(request.get_data())
        return super().json_body(request)


@fault(
    "long-passwords-are-hashed-slowly",
    "INPUT-09",
    seen="CVE-2013-1443: Django hashed the whole password in every round of PBKDF2",
    also=(UnboundedPassword,),
)
class SlowlyHashed(Passwords):
    """Takes a time to hash that grows with the password."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Take three seconds for a million letters."""
        if has_request_context():
            time.sleep(len(password) * 3e-6)
        return super().matches(account, password)


@fault(
    "too-large-is-a-server-error",
    "INPUT-09",
    seen="nestjs/nest issue 2444: a body beyond the parser's limit answers 500 instead of 413",
)
class ServerErrorForSize(ErrorPresenter):
    """Answers a body beyond its limit as if the server were at fault."""

    def http_error(self, error: HTTPException) -> Response:
        """Know no such error."""
        return super().http_error(InternalServerError() if isinstance(error, RequestEntityTooLarge) else error)


@fault(
    "credentials-from-the-url-too",
    "INPUT-10",
    seen="jaredhanson/passport-local issue 201: what is not in the body is taken from the query",
)
class QueryAsFallback(QueryReader):
    """Takes credentials from the URL where the body has none."""

    def prefers_the_url(self, request: Request) -> bool:
        """See whether the body is empty."""
        return bool(self.json_body(request) == {})


@fault(
    "url-overrides-the-body",
    "INPUT-10",
    seen="common where $_REQUEST or request parameters mix the two; amule-project/amule issue 872 joins them",
)
class QueryFirst(QueryReader):
    """Takes credentials from the URL, whatever the body says."""

    def prefers_the_url(self, request: Request) -> bool:
        """See whether there is a body to override."""
        return bool(self.json_body(request) != {})


@fault(
    "refresh-token-from-the-url",
    "INPUT-10",
    seen="common where JWT_TOKEN_LOCATION of Flask-JWT-Extended includes query_string",
)
class QueryToken(RequestReader):
    """Takes a refresh token from the URL where the header has none."""

    def bearer_token(self, request: Request) -> str | None:
        """Look there second."""
        return super().bearer_token(request) or (request.path == "/refresh" and request.args.get("token")) or None
