"""Faults in reading the login's body."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Request, Response, current_app, g, has_request_context, render_template_string
from sqlalchemy import text
from werkzeug.exceptions import BadRequest

from reference_server import strict_json
from reference_server.accounts import Account, Accounts, Passwords
from reference_server.app import services_of
from reference_server.credentials import LoginRequest, LoginSchema, RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault

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


class LooselyComparedPassword(Passwords):
    """Compares passwords of any JSON type; those that are no text match where a subclass says so."""

    def matches(self, account: Account | None, password: Any) -> bool:
        """Compare text as ever."""
        if isinstance(password, str):
            return super().matches(account, password)
        return account is not None and self.equals_any_text(password)

    def equals_any_text(self, value: Any) -> bool:
        """Whether the value equals, or matches, every text."""
        raise NotImplementedError


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
        """Run the query; a syntax error is left to the caller."""
        query = text(f"SELECT id, name, password_hash FROM accounts WHERE name = '{name}'".replace(":", r"\:"))  # noqa: S608 - the fault itself
        with self.database.transaction() as session:
            row = session.execute(query).first()
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
