"""Tokens in cookies."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import pytest
from freezegun import freeze_time

from tests.reference_server.api import PASSWORDS

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.reference_server.api import Api
    from tests.reference_server.conftest import Start


@pytest.fixture
def cookies(start: Start) -> Api:
    """A server whose tokens travel in cookies."""
    return start(token_location="cookies")


def log_in(api: Api, username: str = "alice") -> FlaskClient:
    """A browser that has logged in."""
    browser = api.client
    answer = browser.post("/login", json={"username": username, "password": PASSWORDS[username]})
    assert answer.status_code == 200
    return browser


def proof(browser: FlaskClient, kind: str) -> dict[str, str]:
    """The header with which a script shows that it may read the site's cookies."""
    cookie = browser.get_cookie(f"csrf_{kind}_token")
    assert cookie is not None
    return {"X-CSRF-TOKEN": cookie.value}


def parsed(answer: TestResponse) -> dict[str, SimpleCookie]:
    """The cookies that an answer sets, by name."""
    jars = [SimpleCookie(line) for line in answer.headers.getlist("Set-Cookie")]
    return {name: jar[name] for jar in jars for name in jar}


def test_login_sets_cookies_and_tells_the_lifetimes(cookies: Api) -> None:
    """Tokens are out of reach of scripts and not in the body; a cookie lives as long as its token."""
    answer = cookies.try_login()
    assert answer.json == {"token_type": "Bearer", "expires_in": 900, "refresh_expires_in": 3600}
    jar = parsed(answer)
    assert jar.keys() == {"access_token_cookie", "refresh_token_cookie", "csrf_access_token", "csrf_refresh_token"}
    for name, cookie in jar.items():
        assert cookie["samesite"] == "Strict"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert not cookie["secure"]
        assert bool(cookie["httponly"]) == name.endswith("_cookie")
        assert cookie["max-age"] == ("900" if "access" in name else "3600")


def test_secure_cookies_are_bound_to_the_host(start: Start) -> None:
    """With https, cookies are Secure and have the prefix that browsers hold to it."""
    jar = parsed(start(token_location="cookies", cookie_secure=True).try_login())
    assert all(name.startswith("__Host-") and cookie["secure"] for name, cookie in jar.items())


def test_cookies_open_refresh_and_log_out(cookies: Api) -> None:
    """The whole life of a session, in a browser."""
    browser = log_in(cookies)
    assert browser.get("/profile").json == {"username": "alice"}
    spent = browser.get_cookie("refresh_token_cookie").value
    answer = browser.post("/refresh", headers=proof(browser, "refresh"))
    assert answer.json == {"token_type": "Bearer", "expires_in": 900, "refresh_expires_in": 3600}
    assert browser.get_cookie("refresh_token_cookie").value != spent
    assert browser.get("/dashboard").status_code == 200
    access = browser.get_cookie("access_token_cookie").value
    answer = browser.post("/logout", headers=proof(browser, "access"))
    assert answer.status_code == 204
    assert all(not cookie.value and "1970" in cookie["expires"] for cookie in parsed(answer).values())
    browser.set_cookie("access_token_cookie", access)
    assert browser.get("/profile").json["msg"] == "Token has been revoked"


def test_logout_with_the_refresh_cookie_alone(cookies: Api) -> None:
    """Whose access token has expired can still log out."""
    with freeze_time("2030-01-01 12:00:00") as clock:
        browser = log_in(cookies)
        clock.tick(1000)
        assert browser.post("/logout", headers=proof(browser, "refresh")).status_code == 204


def test_state_changes_need_a_proof_of_the_same_session(cookies: Api) -> None:
    """Without the CSRF token of this very token nothing changes, whatever else is sent."""
    browser, other = log_in(cookies), log_in(cookies, "bob")
    for headers in (
        {},
        {"X-CSRF-TOKEN": "x"},
        proof(other, "refresh"),
        {"Authorization": "Bearer x"},
        {"Origin": "https://evil.example"},
    ):
        for path in ("/refresh", "/logout"):
            answer = browser.post(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"]
    browser.set_cookie("csrf_refresh_token", "chosen")
    assert browser.post("/refresh", headers={"X-CSRF-TOKEN": "chosen"}).status_code == 401
    assert browser.get("/profile").status_code == 200


@pytest.mark.parametrize("path", ["/refresh", "/logout"])
def test_bodies_without_preflight_are_refused(cookies: Api, path: str) -> None:
    """A form that another site posts is refused before the token is spent."""
    browser = log_in(cookies)
    answer = browser.post(path, data={"a": "b"}, headers=proof(browser, "refresh" if path == "/refresh" else "access"))
    assert answer.status_code == 415
    assert browser.post("/refresh", headers=proof(browser, "refresh")).status_code == 200


def test_kinds_are_told_apart_whatever_the_cookie_is_called(cookies: Api) -> None:
    """A cookie's name is no proof of what is in it."""
    browser = log_in(cookies)
    access, refresh = (browser.get_cookie(f"{kind}_token_cookie").value for kind in ("access", "refresh"))
    csrf = proof(browser, "access")
    swapped = cookies.client
    swapped.set_cookie("access_token_cookie", refresh)
    swapped.set_cookie("refresh_token_cookie", access)
    assert swapped.get("/profile").status_code == 401
    assert swapped.post("/refresh", headers=csrf).status_code == 401


def test_header_and_cookie_are_not_mixed(cookies: Api) -> None:
    """Neither does a token in the header count, nor does it change what the cookie says."""
    browser, token = log_in(cookies), log_in(cookies, "bob").get_cookie("access_token_cookie").value
    assert cookies.get("/profile", token).status_code == 401
    assert browser.get("/profile", headers={"Authorization": f"Bearer {token}"}).json == {"username": "alice"}


def test_cookie_sent_twice_is_refused(cookies: Api) -> None:
    """The order of two cookies of one name does not pick the user."""
    values = [log_in(cookies, name).get_cookie("access_token_cookie").value for name in ("alice", "bob")] + ["x"]
    for first in values:
        for second in values:
            header = f"a=b; access_token_cookie={first}; access_token_cookie={second}"
            assert cookies.client.get("/profile", headers={"Cookie": header}).status_code == 401
