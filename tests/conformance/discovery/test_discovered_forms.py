"""Each form in which an API may take an account and give tokens is found, and proven by being used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import jsonify, make_response, request

from conformance.target.places import Place
from conformance.tokens.reading import Kind
from tests.conformance.discovery.small_api import SmallApi, bearer, json_login, line, visit
from tests.conformance.support import ALICE

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def test_a_form_login() -> None:
    """A login that reads nothing but a form is found by its answers, and costs the account no wrong password."""
    api = SmallApi()

    @api.route("/auth/token")
    def _login() -> ResponseReturnValue:
        if "username" not in request.form:
            return jsonify(detail=[{"loc": ["body", "username"], "msg": "field required"}]), 422
        if not api.knows(request.form["username"], request.form.get("password")):
            return jsonify(detail="no"), 401
        return jsonify(access_token=api.issue("access"), token_type="bearer")

    api.protect("/auth/me", bearer())
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    assert (profile.login.path, profile.login.encoding) == ("/auth/token", "form")
    assert [(route.path, route.identity) for route in profile.protected] == [("/auth/me", "username")]
    assert api.refused == 0


def test_a_login_by_http_basic() -> None:
    """A challenge for HTTP Basic is taken at its word."""
    api = SmallApi()

    @api.route("/api/login")
    def _login() -> ResponseReturnValue:
        sent = request.authorization
        if sent is None or not api.knows(sent.username, sent.password):
            return "", 401, {"WWW-Authenticate": 'Basic realm="api"'}
        return jsonify(token=api.issue("access"))

    api.protect("/api/me", bearer())
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    assert profile.login.encoding == "basic"
    assert profile.login.access == "token"
    assert api.refused == 0


def test_nested_tokens_and_a_refresh_that_rotates() -> None:
    """Tokens deep in the answer are found by name, and the refresh by the member that it asks for."""
    api = SmallApi()

    def pair() -> ResponseReturnValue:
        tokens = {"accessToken": api.issue("access"), "refreshToken": api.issue("refresh")}
        return jsonify(data={"tokens": tokens, "user": {"username": ALICE.username}})

    json_login(api, "/api/v1/auth/login", pair)

    @api.route("/api/v1/auth/refresh")
    def _refresh() -> ResponseReturnValue:
        token = (request.get_json(silent=True) or {}).get("refreshToken")
        if not token:
            return jsonify(error="refreshToken is missing"), 400
        if not api.owner(token, "refresh"):
            return jsonify(error="no"), 401
        del api.live[token]
        return jsonify(data={"tokens": {"accessToken": api.issue("access"), "refreshToken": api.issue("refresh")}})

    api.protect("/api/v1/users/me", bearer())
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    assert profile.login.access == "data.tokens.accessToken"
    assert profile.login.refresh == "data.tokens.refreshToken"
    assert profile.refresh.path == "/api/v1/auth/refresh"
    assert profile.sent_in(Kind.REFRESH) == Place("body", "refreshToken")
    assert profile.refresh.refresh == "data.tokens.refreshToken"
    assert profile.refresh.rotation == ""
    assert '# guess: rotation = "each"' in report.profile
    assert "# seen: " in line(report, "path")


def test_tokens_in_cookies_with_a_csrf_header() -> None:
    """Cookies are found by their names, and the proof that goes with them by the refresh that wants it."""
    api = SmallApi()

    def cookies() -> ResponseReturnValue:
        answer = make_response(jsonify(ok=True))
        answer.set_cookie("acc", api.issue("access"))
        answer.set_cookie("ref_refresh", api.issue("refresh"))
        answer.set_cookie("XSRF-TOKEN", "a-proof-of-intent")
        return answer

    json_login(api, answer=cookies)

    @api.route("/refresh")
    def _refresh() -> ResponseReturnValue:
        if not api.owner(request.cookies.get("ref_refresh"), "refresh"):
            return jsonify(error="no"), 401
        if request.headers.get("X-XSRF-TOKEN") != "a-proof-of-intent":
            return jsonify(error="forged"), 403
        answer = make_response(jsonify(ok=True))
        answer.set_cookie("acc", api.issue("access"))
        return answer

    api.protect("/me", lambda: request.cookies.get("acc"))
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    assert profile.transport == "cookie"
    assert (profile.cookies.access, profile.cookies.refresh) == ("acc", "ref_refresh")
    assert (profile.cookies.csrf_header, profile.cookies.refresh_csrf) == ("X-XSRF-TOKEN", "XSRF-TOKEN")
    assert profile.refresh.path == "/refresh"


@pytest.mark.parametrize("place", ["header:Authorization Token", "header:X-Access-Token", "header:Authorization"])
def test_other_ways_to_show_a_token(place: str) -> None:
    """A scheme or a header of its own is found by what opens the protected route."""
    api = SmallApi()
    json_login(api)
    _, _, name = place.partition(":")
    header, _, scheme = name.partition(" ")
    api.protect("/me", lambda: request.headers.get(header, "").removeprefix(f"{scheme} " if scheme else ""))
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    # The scheme is not asked for in the third case, and so the usual one is as good.
    assert profile.access.sent_in in {place, "header:Authorization Bearer"}
    assert "# seen: " in line(report, "sent_in")


def test_a_logout_is_tried_last_and_with_a_session_of_its_own() -> None:
    """What it takes is found out, and the sessions that proved the rest are not ended by it."""
    api = SmallApi()
    json_login(api, answer=lambda: jsonify(access_token=api.issue("access"), refresh_token=api.issue("refresh")))

    @api.route("/logout")
    def _logout() -> ResponseReturnValue:
        token = (request.get_json(silent=True) or {}).get("refresh_token")
        return ("", 204) if token and api.live.pop(token, None) else (jsonify(error="no"), 401)

    @api.route("/refresh")
    def _refresh() -> ResponseReturnValue:
        token = (request.get_json(silent=True) or {}).get("refresh_token")
        return jsonify(access_token=api.issue("access")) if api.owner(token, "refresh") else (jsonify(error="no"), 401)

    api.protect("/me", bearer())
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    assert (profile.logout.path, profile.logout.takes) == ("/logout", "refresh")
    assert api.seen["POST /login"] <= 6


def test_a_route_that_names_nobody_is_kept_without_an_identity() -> None:
    """What might name the user is only suggested."""
    api = SmallApi()
    json_login(api)

    @api.route("/me", "GET")
    def _me() -> ResponseReturnValue:
        return jsonify(id=17, plan="free") if api.owner(bearer()()) else (jsonify(error="no"), 401)

    report, profile = visit(api.app)

    assert profile is not None
    assert profile.protected[0].identity == ""
    assert '# guess: identity = "id", with identity_is = "any"' in report.profile


def test_the_reference_server_is_its_own_preset() -> None:
    """Where a shipped profile says it all, it is named; what the tokens deny of it is written otherwise."""
    from reference_server import Settings, create_app  # noqa: PLC0415
    from reference_server.app import close  # noqa: PLC0415

    accounts = ((ALICE.username, ALICE.password),)
    app = create_app(Settings(accounts=accounts, access_lifetime=timedelta(minutes=5)))
    try:
        report, profile = visit(app)
    finally:
        close(app)

    assert report.exit_code == 0, report
    assert profile is not None
    assert profile.extends == "default"
    assert "[[protected]]" not in report.profile
    assert profile.lifetimes.access == 300
    assert line(report, "access").endswith("# seen: by the token's own word")
