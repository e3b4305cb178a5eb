"""What faults in reading a login's body are made with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import g

from reference_server.accounts import Account, Passwords
from reference_server.credentials import LONGEST_PASSWORD, LoginRequest, RequestReader

if TYPE_CHECKING:
    from flask import Request

MANY = 1 << 20


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


class RepeatedMembers(RequestReader):
    """Lets members of a login's body occur twice; all copies are left in `flask.g.copies`, in their order."""

    def json_body(self, request: Request) -> Any:
        """Keep the last copy, as most parsers do."""
        try:
            pairs = json.loads(request.get_data(), object_pairs_hook=list)
        except (ValueError, RecursionError):
            return super().json_body(request)
        members = [pair[0] for pair in pairs if isinstance(pair, tuple)] if isinstance(pairs, list) else []
        if request.path != "/login" or len(members) == len(set(members)):
            return super().json_body(request)
        g.copies = {name: [value for key, value in pairs if key == name] for name in members}
        return self.chosen(dict(pairs))

    def chosen(self, members: dict[str, Any]) -> Any:
        """What the body holds, with one copy of each member."""
        return members


class UncheckedText(RequestReader):
    """Takes any string for a username or a password."""

    def login(self, request: Request) -> LoginRequest:
        """Look at what there is, not at what it is made of."""
        body = self.json_body(request)
        well_known = isinstance(body, dict) and set(body) == {"username", "password"}
        if well_known and all(isinstance(value, str) and 0 < len(value) < MANY for value in body.values()):
            return LoginRequest(**body)
        return super().login(request)


class UnboundedPassword(RequestReader):
    """Takes passwords of any length."""

    def login(self, request: Request) -> LoginRequest:
        """Leave to the usual checks whatever is not too long."""
        body = self.json_body(request)
        name, password = (body.get("username"), body.get("password")) if isinstance(body, dict) else (None, None)
        if isinstance(password, str) and len(password) > LONGEST_PASSWORD and isinstance(name, str):
            return LoginRequest(name, password)
        return super().login(request)


class QueryReader(RequestReader):
    """Looks into the URL for a login's credentials."""

    def login(self, request: Request) -> LoginRequest:
        """Read the body where the URL has nothing."""
        given = {name: request.args[name] for name in ("username", "password") if name in request.args}
        if len(given) == 2 and self.prefers_the_url(request):  # noqa: PLR2004 - a name and a password
            return LoginRequest(**given)
        return super().login(request)

    def prefers_the_url(self, request: Request) -> bool:
        """Whether the body does not count."""
        raise NotImplementedError
