"""Telling a wrong configuration from a wrong implementation, before the first verdict."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from conformance.errors import ConfigurationError, TargetError
from conformance.target import doctor
from conformance.target.http import HttpClient
from conformance.target.profile_files import load
from conformance.target.profile_tables import Lifetimes, Login, Protected, Refresh
from tests.conformance.support import ALICE, SECRET, FakeApi, answer, served, target_of
from tests.conformance.target.examining import findings, shown

if TYPE_CHECKING:
    from conformance.target.http import Response

HTML = answer(200, body=b"<!doctype html>", Content_Type="text/html; charset=utf-8")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is refused is soon given up on."""
    monkeypatch.setattr(doctor, "LONGEST_SETTLE_S", 0.15)


def mistake(api: FakeApi, **changes: Any) -> str:
    """Why the configuration does not fit the target."""
    with pytest.raises(ConfigurationError) as error:
        findings(api, **changes)
    return str(error.value)


def test_a_healthy_target_is_ready_for_scenarios() -> None:
    """Every door has learnt what an answer looks like, none opens to anyone, and the logins are kept for use."""
    target, lines = findings(FakeApi(), signing_key=SECRET)

    assert lines == [
        "http://api.test answers",
        "login works (access: HS256 JWT, 900 s; refresh: HS256 JWT, 3600 s)",
        "the clocks agree",
        "second login works (access: HS256 JWT, 900 s; refresh: HS256 JWT, 3600 s)",
        "GET /profile opens to an access token",
        "GET /dashboard opens to an access token",
        "POST /refresh gives a new access token",
        *(
            f"no {name}: POST {path} answers 404, so it is taken for not offered (see {setting} in the profile)"
            for name, path, setting in (
                ("logout", "/logout", "logout.path or logout.method"),
                ("token", "/oauth/token", "oauth.token"),
                ("revocation", "/oauth/revoke", "oauth.revocation"),
                ("introspection", "/oauth/introspect", "oauth.introspection"),
            )
        ),
        "the signing key fits",
    ]
    assert target.protected_doors[0].honest_members == {"username"}
    assert not any(door.opens_to_anyone for door in (*target.protected_doors, target.refresh_door, target.login_door))
    assert target.minter is not None
    assert (target.settle_s, target.client.traffic.logins) == (0.0, 2)
    session = target.session()
    assert session.account == ALICE
    assert target.client.traffic.logins == 2


def test_what_a_target_does_not_have_is_left_out() -> None:
    """A route that the profile names and the target does not have is not asked again, and the reason is kept."""
    target, _ = findings(FakeApi())

    assert target.logout_door is None
    assert (target.profile.oauth.token, target.profile.oauth.introspection) == ("", "")
    assert target.absent["logout"] == "POST /logout answers 404, so it is taken for not offered"


def test_the_reference_server_is_healthy() -> None:
    """Over real HTTP the same holds, in both variants."""
    for variant, profile in (("full", "default"), ("lesson", "lesson")):
        with served(variant=variant) as url:
            target = target_of(FakeApi(), profile=load(profile))
            target.client = HttpClient(url)
            lines = list(map(str, doctor.examine(target)))
            assert "POST /refresh gives a new access token" in lines
            assert not target.absent
            target.close()


@pytest.mark.parametrize(
    ("path", "setting"),
    [("GET /profile", "protected[0].path"), ("POST /login", "login.path"), ("POST /refresh", "refresh.path")],
)
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(404, {"msg": "not found"}), "answers 404"),
        (answer(405, None, Allow="PUT"), "it allows PUT"),
        (answer(405), "it allows other methods"),
        (answer(308, None, Location="https://api.test/v2"), "redirects to https://api.test/v2"),
        (HTML, "answers with an HTML page"),
    ],
)
def test_a_route_that_is_not_there_is_a_mistake(path: str, setting: str, reply: Response, words: str) -> None:
    """404, 405, a redirect and a web page speak of the URL or the profile, and the message names the setting."""
    api = FakeApi()
    api.overrides[path] = lambda _request: reply

    said = mistake(api)

    assert words in said
    assert path in said
    assert setting in said or "method" in said or "redirects" in said


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            answer(401, {"msg": "no"}),
            'refuses the account \'alice\' with 401: {"msg": "no"}\n  hint: check --username and --password',
        ),
        (answer(403, {"msg": "no"}), "refuses the account 'alice' with 403"),
        (answer(400, {"msg": "email is missing"}), 'does not understand the login: 400 {"msg": "email is missing"}'),
        (answer(422, {"detail": "x"}), "sent: password, username as json; set login.username"),
        (answer(415), "does not understand the login: 415"),
        (answer(409), "answers 409 to an honest login"),
        (answer(200, {"token": "AAA", "b": 1}), "the access token is not at 'access_token'; its members are: b, token"),
        (answer(200, {"access_token": "AAA"}), "the refresh token is not at 'refresh_token'"),
        (answer(200, ["AAA"]), "its body is no JSON object\n  hint: set login.access in the target profile"),
        (answer(204), "the access token is not at 'access_token'"),
    ],
)
def test_a_login_that_fails_is_explained(reply: Response, words: str) -> None:
    """Wrong credentials, wrong member names and tokens in another place have a message and a hint each."""
    api = FakeApi()
    api.overrides["POST /login"] = lambda _request: reply

    assert words in mistake(api)


def test_the_second_account_is_told_apart() -> None:
    """Where only the second account is refused, the message speaks of its options."""
    said = mistake(FakeApi(ALICE))

    assert "refuses the second account 'bob' with 401" in said
    assert "check --second-username and --second-password" in said


def test_missing_cookies_are_told_by_name() -> None:
    """With the cookie transport the message lists the cookies that did come."""
    api = FakeApi()
    api.overrides["POST /login"] = lambda _request: answer(200, {}, Set_Cookie="sid=1; HttpOnly")

    said = mistake(api, transport="cookie")

    assert "the access token is not at 'access_token_cookie'; its cookies are: sid" in said
    assert "set cookies.access" in said


def test_the_target_s_own_errors_are_not_blamed_on_the_user() -> None:
    """A server error at an honest login or route ends the run as a fault of the target."""
    for path in ("POST /login", "GET /dashboard"):
        api = FakeApi()
        api.overrides[path] = lambda request: answer(500) if shown(request) or request.body else None
        with pytest.raises(TargetError, match=f"{path} answers 500"):
            findings(api)


def test_a_password_in_the_answer_is_not_shown() -> None:
    """What the target says of a login is quoted without the password in it."""
    api = FakeApi()
    api.overrides["POST /login"] = lambda request: answer(400, {"got": json.loads(request.body)})

    said = mistake(api)

    assert ALICE.password not in said
    assert "<password>" in said


def test_a_token_that_does_not_open_is_a_mistake() -> None:
    """A fresh token that is refused for long speaks of how tokens are presented."""
    api = FakeApi()
    api.overrides["GET /dashboard"] = lambda _request: answer(401, {"msg": "no"})

    said = mistake(api)

    assert "GET /dashboard answers 401 to the access token of a fresh login" in said
    assert "now in the header 'Authorization'" in said
    assert "access.sent_in" in said


@pytest.mark.parametrize(
    ("identity", "reply", "words"),
    [
        ("user.name", None, "does not say whose data it shows at 'user.name'"),
        ("username", answer(200, {"username": "carol"}), "shows 'carol' at 'username', not the account's name"),
        ("username", answer(200, {"username": 7}), "shows '7' at 'username'"),
    ],
)
def test_an_identity_that_does_not_fit_is_a_mistake(identity: str, reply: Response | None, words: str) -> None:
    """Where the profile names a member that is not there, or that does not hold the name, it is corrected first."""
    api = FakeApi()
    api.overrides["GET /profile"] = lambda request: reply if shown(request) else None

    said = mistake(api, protected=(Protected("/profile", identity=identity),))

    assert words in said
    assert "set protected[0].identity" in said


@pytest.mark.parametrize("key", ["another secret, of thirty-two bytes", "-----BEGIN PRIVATE KEY-----", b"\xff"])
def test_a_signing_key_that_does_not_fit_is_not_used(key: str | bytes) -> None:
    """A wrong key is said to be unused, and what needs one will ask for the right one."""
    target, lines = findings(FakeApi(), signing_key=key)

    assert lines[-1].startswith("the signing key is not used")
    assert target.minter is None
    assert "the target's own signing key" in target.minter_missing


def test_the_profile_s_own_words_are_used() -> None:
    """Paths, members and lifetimes of another profile are what is asked for."""
    api = FakeApi()
    api.overrides["POST /auth"] = lambda request: answer(
        200, {"data": {"a": api.issue("access", json.loads(request.body)["user"]["email"]), "r": "opaque"}}
    )
    api.overrides["POST /token"] = lambda _request: answer(401, {"msg": "no"})
    login = Login(path="/auth", username="user.email", access="data.a", refresh="data.r", extra=MappingProxyType({}))
    _, lines = findings(api, login=login, refresh=Refresh(path="/token"), lifetimes=Lifetimes(refresh=60))

    assert lines[1] == "login works (access: HS256 JWT, 900 s; refresh: opaque, 60 s)"
    assert not re.search("password", " ".join(lines))
