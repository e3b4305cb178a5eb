"""Answers that say in a way of their own who is meant, or that something is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from tests.shapes.api import ACCOUNTS, Api, RefusedError, answer, members
from tests.shapes.logins import BARE, REFRESH

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from tests.shapes.api import Handler


class GraphQl(Api):
    """One path for everything, told apart by the query; a refusal is a 200 with `errors`, beside empty data."""

    PROFILE = f"""{BARE}[login]
path = "/graphql"
username = "variables.name"
password = "variables.password"
extra = {{ query = "mutation ($name: String!, $password: String!) {{ login }}" }}
access = "data.login.access"
refresh = "data.login.refresh"
expires_in = ""
[refresh]
path = "/graphql"
sent_in = "body:variables.token"
extra = {{ query = "mutation ($token: String!) {{ refresh }}" }}
access = "data.refresh.access"
refresh = "data.refresh.refresh"
expires_in = ""
[refusals]
no_credentials = [200]
bad_token = [200]
login = [200]
malformed = [200, 400]
[[protected]]
path = "/graphql"
method = "POST"
json = {{ query = "{{ viewer {{ name }} }}" }}
identity = "data.viewer.name"
"""
    STATUSES: ClassVar[dict[str, int]] = {"malformed": 400, "login": 200, "missing": 200, "bad": 200}

    def routes(self) -> dict[str, tuple[str, Handler]]:
        return {"/graphql": ("POST", self.graphql)}

    def graphql(self, request: Request) -> Response:
        """Whatever is asked for."""
        body = members(request)
        query, variables = body.get("query"), body.get("variables") or {}
        if not isinstance(query, str) or not isinstance(variables, dict):
            raise RefusedError("malformed")
        found = re.search(r"\{ (login|refresh|viewer)\b", query)
        match found[1] if found else "":
            case "login":
                return self.admit(variables.get("name"), variables.get("password"))
            case "refresh":
                return self.refresh(request)
            case "viewer":
                return self.me(request)
        raise RefusedError("malformed")

    def shown(self, request: Request, kind: str) -> str | None:
        if kind == "access":
            return super().shown(request, kind)
        token = (members(request).get("variables") or {}).get("token")
        return token if isinstance(token, str) else None

    def given(self, access: str, refresh: str, door: str) -> Response:
        return answer({"data": {door: {"access": access, "refresh": refresh}}})

    def shows(self, owner: str) -> Any:
        return {"data": {"viewer": {"name": owner}}}

    def refusal(self, kind: str) -> Response:
        errors = [{"message": "Token has expired" if kind == "expired" else kind}]
        return answer({"errors": errors, "data": None}, super().refusal(kind).status_code)


class SaysNull(Api):
    """Who is not let in is answered 200, with the JSON null or with words."""

    PROFILE = f"""{BARE}{REFRESH}
[refusals]
no_credentials = [200]
bad_token = [200]
login = [200]
malformed = [200]
"""
    STATUSES: ClassVar[dict[str, int]] = dict.fromkeys(("malformed", "login", "missing", "bad"), 200)

    def refusal(self, kind: str) -> Response:
        return answer("Not Allowed" if kind in {"login", "malformed"} else None)


class Numbers(Api):
    """Routes say whose they are by a number, and refuse with 403 and 422."""

    PROFILE = f"""{BARE}{REFRESH}
[refusals]
no_credentials = [403]
bad_token = [422]
[[protected]]
path = "/me"
identity = "user.id"
identity_is = "any"
[[protected]]
path = "/news"
"""
    STATUSES: ClassVar[dict[str, int]] = {"malformed": 422, "login": 403, "missing": 403, "bad": 422}

    def shows(self, owner: str) -> Any:
        return {"user": {"id": 1 + list(ACCOUNTS).index(owner)}}


class Crashes(Api):
    """Who has no token is met with a server error, which the operator knows of and calls a refusal."""

    PROFILE = f"""{BARE}{REFRESH}
[refusals]
no_credentials = [500]
bad_token = [500]
login = [500]
malformed = [500]
"""
    STATUSES: ClassVar[dict[str, int]] = dict.fromkeys(("malformed", "login", "missing", "bad"), 500)


SHAPES = (GraphQl, SaysNull, Numbers, Crashes)
