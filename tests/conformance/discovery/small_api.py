"""A token API of a few lines, whose login, tokens and routes each test shapes as it likes; and a visit to it."""

from __future__ import annotations

import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from conformance.discovery.report import Report, discover
from conformance.options import RunSettings
from conformance.target.profile_files import from_text
from conformance.tokens.keys import sign
from tests.conformance.support import ALICE, SECRET, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from conformance.target.profile import Profile


@dataclass
class SmallApi:
    """Accounts, tokens, and whatever routes are added to `app`.

    Attributes:
        seen: how often each route was asked, by its label.
        refused: how many logins were refused for their credentials.
    """

    app: Flask = field(default_factory=lambda: Flask("small"))
    live: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    _issued: int = 0

    def __post_init__(self) -> None:
        """Counts every request."""

        @self.app.before_request
        def _count() -> None:
            self.seen[f"{request.method} {request.path}"] += 1

        @self.app.errorhandler(404)
        def _unknown(_error: Exception) -> ResponseReturnValue:
            return jsonify(error="not found"), 404

    def route(self, path: str, method: str = "POST") -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """As a decorator: what answers there."""

        def register(view: Callable[[], Any]) -> Callable[[], Any]:
            self.app.add_url_rule(path, f"{method} {path}", view, methods=[method])
            return view

        return register

    def issue(self, kind: str) -> str:
        """A new token of this kind, for alice."""
        self._issued += 1
        lives = 900 if kind == "access" else 3600
        claims = {"sub": ALICE.username, "jti": self._issued, "iat": int(time.time()), "exp": int(time.time()) + lives}
        token = sign({"alg": "HS256", "typ": "JWT"}, claims, SECRET, "HS256")
        self.live[token] = (ALICE.username, kind)
        return token

    def knows(self, username: object, password: object) -> bool:
        """Whether these are alice's; a refusal is counted where they are not."""
        known = (username, password) == (ALICE.username, ALICE.password)
        self.refused += not known
        return known

    def owner(self, token: str | None, kind: str = "access") -> str:
        """Whose token it is."""
        name, its_kind = self.live.get(token or "", ("", ""))
        return name if its_kind == kind else ""

    def protect(self, path: str, shown: Callable[[], str | None], member: str = "username") -> None:
        """A route that opens to the access token which `shown` reads from the request."""

        @self.route(path, "GET")
        def _view() -> ResponseReturnValue:
            owner = self.owner(shown())
            return jsonify({member: owner}) if owner else (jsonify(error="no"), 401)


def bearer(scheme: str = "Bearer") -> Callable[[], str | None]:
    """Reads a token behind a scheme in Authorization."""

    def read() -> str | None:
        word, _, token = request.headers.get("Authorization", "").partition(" ")
        return token if word == scheme else None

    return read


def json_login(api: SmallApi, path: str = "/login", answer: Callable[[], Any] | None = None) -> None:
    """A login by JSON that says what it lacks."""

    @api.route(path)
    def _login() -> ResponseReturnValue:
        sent = request.get_json(silent=True)
        if not isinstance(sent, dict) or not {"username", "password"} <= sent.keys():
            return jsonify(error="username and password are required"), 400
        if not api.knows(sent["username"], sent["password"]):
            return jsonify(error="wrong credentials"), 401
        return answer() if answer else jsonify(access_token=api.issue("access"))


def visit(app: Flask, openapi_url: str = "", **settings: str) -> tuple[Report, Profile | None]:
    """What is found of an application, and the profile where it is one."""
    given = {"username": ALICE.username, "password": ALICE.password, **settings}
    with served(app) as url:
        report = discover(RunSettings(base_url=url, max_wait_s=1.0, **given), openapi_url)
    data = tomllib.loads(report.profile)
    is_whole = "protected" in data or data["extends"] != "bare"
    return report, from_text(report.profile, "found.toml") if is_whole else None


def line(report: Report, key: str) -> str:
    """The line of the profile that sets this key, live or in a comment."""
    rows = [row for row in report.profile.splitlines() if row.removeprefix("# ").startswith(f"{key} = ")]
    return rows[0] if rows else ""
