"""What cannot be known is never presented as known: no login, no tokens, or a server that says yes to everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, jsonify, request

from conformance.discovery.logging_in import MOST_FAILED, MOST_REFUSED
from conformance.errors import TargetError
from conformance.options import RunSettings
from tests.conformance.discovery.small_api import SmallApi, bearer, json_login, line, visit
from tests.conformance.support import ALICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

METHODS = ["GET", "POST", "DELETE"]


def everywhere(answer: Callable[[], Any]) -> Flask:
    """An application that answers every request alike."""
    app = Flask("everywhere")
    app.add_url_rule("/", "root", answer, methods=METHODS)
    app.add_url_rule("/<path:path>", "all", lambda **_path: answer(), methods=METHODS)
    return app


UNKNOWABLE: dict[str, Callable[[], Any]] = {
    "nothing at all": lambda: (jsonify(error="not found"), 404),
    "success to everything": lambda: jsonify(ok=True),
    "an echo to everything": lambda: jsonify(path=request.path, ok=True),
    "a page for everything": lambda: ("<html><form>Log in</form></html>", 200, {"Content-Type": "text/html"}),
    "a refusal of everything": lambda: (jsonify(error="no"), 401),
    "a crash at everything": lambda: (jsonify(error="crash"), 500),
    "a redirect of everything": lambda: ("", 302, {"Location": "/login"}),
    "a token to everything": lambda: jsonify(access_token="not-so-secret-after-all", username=ALICE.username),
}


@pytest.mark.parametrize("case", UNKNOWABLE)
def test_a_server_without_a_login_is_never_given_a_profile(case: str) -> None:
    """Nothing is called seen, the exit code says so, and the account is told what to give."""
    report, profile = visit(everywhere(UNKNOWABLE[case]))

    assert report.exit_code == 3, report
    assert profile is None
    assert "# seen: " not in report.profile
    assert any("--username" in told or "[login]" in told for told in report.account)


def test_a_route_that_opens_to_any_token_proves_nothing() -> None:
    """It is written down, as a guess; the login alone is not enough."""
    api = SmallApi()
    json_login(api)

    @api.route("/me", "GET")
    def _me() -> ResponseReturnValue:
        return jsonify(username=ALICE.username) if "Authorization" in request.headers else (jsonify(error="no"), 401)

    report, _ = visit(api.app)

    assert report.exit_code == 3, report
    assert "[[protected]]    # guess: " in report.profile


def test_a_route_is_not_there_where_a_token_opens_everything() -> None:
    """A server that says yes to whoever is logged in says nothing of a path that was only guessed."""
    api = SmallApi()
    json_login(api)

    @api.app.before_request
    def _guard() -> ResponseReturnValue | None:
        if request.path == "/login":
            return None
        return jsonify(ok=True) if api.owner(bearer()()) else (jsonify(error="no"), 401)

    report, profile = visit(api.app)

    assert report.exit_code == 3, report
    assert profile is None


def test_a_wrong_password_is_sent_once_where_it_was_understood() -> None:
    """A login that reads the names and refuses the account has said enough."""
    api = SmallApi()
    json_login(api)
    api.protect("/me", bearer())
    report, _ = visit(api.app, password="Wr0ng-from-the-start")

    assert report.exit_code == 3
    assert api.refused == 1


def test_an_account_is_never_locked() -> None:
    """Where every login looks like a wrong password, so many are sent and no more."""
    api = SmallApi()

    def refuse() -> ResponseReturnValue:
        api.refused += request.get_data() not in {b"{}", b""} or "Authorization" in request.headers
        return jsonify(error="wrong credentials"), 401

    for path in ("/login", "/auth/login", "/api/login", "/token"):
        api.route(path)(refuse)
    report, _ = visit(api.app)

    assert report.exit_code == 3
    assert 1 <= api.refused <= MOST_REFUSED


def test_logins_that_are_not_understood_end_as_well() -> None:
    """A server that reads no form of a login is left alone after a few."""
    api = SmallApi()

    @api.route("/login")
    def _login() -> ResponseReturnValue:
        return jsonify(error="malformed"), 400

    visit(api.app)

    assert api.seen["POST /login"] <= 1 + MOST_FAILED


def test_no_route_is_asked_twice_without_credentials() -> None:
    """A visit is polite: some dozens of questions, each once."""
    api = SmallApi()
    visit(api.app, username="", password="")

    assert sum(api.seen.values()) <= 60
    repeated = {label for label, count in api.seen.items() if count > 1}
    assert repeated == set()


def test_without_credentials_it_says_what_it_sees_and_is_sure_of_nothing() -> None:
    """A login that is there is a guess, and no account is tried."""
    api = SmallApi()
    json_login(api, "/api/auth/login")
    report, _ = visit(api.app, username="", password="")

    assert report.exit_code == 3
    assert '"/api/auth/login"' in line(report, "path")
    assert "# guess: " in line(report, "path")
    assert "# seen: " not in report.profile
    assert api.refused == 0


@pytest.mark.parametrize("after", [3, 25, 45])
def test_a_target_that_limits_the_rate_is_left_alone(after: int) -> None:
    """Whatever was seen until then is printed, and but for the question that was put off nothing more is asked."""
    api = SmallApi()
    json_login(api)
    api.protect("/me", bearer())
    refused: list[str] = []

    @api.app.before_request
    def _limit() -> ResponseReturnValue | None:
        if sum(api.seen.values()) <= after:
            return None
        refused.append(request.path)
        return jsonify(error="slow down"), 429

    report, _ = visit(api.app)

    assert len(set(refused)) <= 1
    assert report.exit_code in {0, 3}
    assert not refused or any("stopped early" in told and "limits the rate" in told for told in report.account)


def test_a_target_that_does_not_answer_is_an_error() -> None:
    """There is nothing to print of it."""
    from conformance.discovery.report import discover  # noqa: PLC0415

    with pytest.raises(TargetError):
        discover(RunSettings(base_url="http://127.0.0.1:9"))


def test_no_secret_is_printed() -> None:
    """Neither the password, which the server repeats, nor a token appears in the profile or the account."""
    api = SmallApi()
    json_login(api, answer=lambda: jsonify(access_token="an-opaque-token-0123456789", said=ALICE.password))

    @api.route("/me", "GET")
    def _me() -> ResponseReturnValue:
        shown = request.headers.get("Authorization")
        return jsonify(username=ALICE.username) if shown == "Bearer an-opaque-token-0123456789" else (jsonify(e=1), 401)

    report, profile = visit(api.app)
    said = report.profile + "".join(report.account)

    assert profile is not None
    assert "an-opaque-token" not in said
    assert ALICE.password not in said
