"""What counts as getting a token, and how credentials are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from conformance.target.doors import LogoutDoor, ProtectedDoor
from conformance.target.giving_doors import LoginDoor, RefreshDoor
from conformance.target.http import Exchange, Request, Response
from conformance.target.profile import Profile
from conformance.target.profile_files import load
from conformance.target.profile_tables import Cookies, Login
from conformance.target.session import Account, Session
from conformance.tokens.reading import Kind, Token
from tests.conformance.support import FakeApi, answer

DEFAULT = load("default")
COOKIES = replace(load("default"), transport="cookie")
JWT, OTHER = FakeApi().issue("access", "alice"), FakeApi().issue("refresh", "bob")
GUESS = LoginDoor(DEFAULT).credentials("alice", "wrong")
SHOWN = Request("POST", "/refresh", (("Authorization", f"Bearer {JWT}"),))


def session_of(csrf: dict[Kind, str]) -> Session:
    """A session in which only the CSRF values matter."""
    nothing = Exchange(GUESS, answer(200), 0.0)
    return Session(Account("alice", "pw"), Token("A", Kind.ACCESS), Token("R", Kind.REFRESH), nothing, csrf)


def opaque(**members: Any) -> Response:
    """A success with these members."""
    return answer(200, members)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (opaque(access_token="AAA", refresh_token="RRR"), "an access token and a refresh token"),
        (opaque(access_token="AAA"), "an access token"),
        (opaque(refresh_token="RRR"), "a refresh token"),
        (opaque(data={"jwt": JWT}), "a JWT in the body"),
        (answer(200, body=JWT.encode()), "a JWT in the body"),
        (answer(401, {"msg": "no", "token": JWT}), "a JWT in the body"),
        (answer(204, X_Auth_Token=JWT), "a JWT in the header X-Auth-Token"),
        (answer(302, Set_Cookie=f"session={JWT}; HttpOnly"), "a JWT in the header Set-Cookie"),
        (answer(302, Location=f"/app#access_token={JWT}"), "a JWT in the header Location"),
    ],
)
def test_a_token_is_bought_wherever_it_is(reply: Response, words: str) -> None:
    """A token where the profile looks for it counts under success; a JWT counts anywhere, under any status."""
    assert LoginDoor(DEFAULT).bought(GUESS, reply) == words


@pytest.mark.parametrize(
    "reply",
    [
        answer(401, {"msg": "Bad credentials"}),
        answer(200, {"error": "Bad credentials"}),
        answer(200, {}),
        answer(200, []),
        answer(200, None),
        answer(200, {"access_token": None, "refresh_token": ""}),
        answer(200, {"access_token": {"error": "denied"}}),
        answer(401, {"access_token": "see the manual"}),
        answer(500, body=b"Traceback (most recent call last)"),
        answer(401, Set_Cookie="session=eyJhIjoxfQ.aSHxcw.bm90IGEgand0; HttpOnly"),
        answer(401, {"trace": "eye.of.newt and everyone.else.here"}),
    ],
)
def test_an_answer_without_tokens_buys_nothing(reply: Response) -> None:
    """Refusals under any status, null tokens and signed session cookies are no tokens."""
    assert LoginDoor(DEFAULT).bought(GUESS, reply) == ""
    assert RefreshDoor(DEFAULT).bought(SHOWN, reply) == ""


def test_an_echo_of_the_shown_token_buys_nothing() -> None:
    """A refusal that quotes the token it refuses gives nothing away; another token beside it does."""
    door = RefreshDoor(DEFAULT)

    for status in (200, 401):
        assert door.bought(SHOWN, answer(status, {"msg": f"invalid token: {JWT}"})) == ""
        assert door.bought(SHOWN, answer(status, {"msg": f"invalid token: {JWT}", "try": OTHER})) == "a JWT in the body"
    in_body = Request("POST", "/refresh", (), json.dumps({"refresh_token": JWT}).encode())
    assert door.bought(in_body, answer(401, {"received": {"refresh_token": JWT}})) == ""
    assert LoginDoor(DEFAULT).bought(GUESS, answer(401, {"msg": JWT}))


def test_a_token_where_tokens_are_given_counts_even_if_it_was_shown() -> None:
    """A refresh that gives back the very token it was shown has given a token."""
    assert RefreshDoor(DEFAULT).bought(SHOWN, opaque(access_token=JWT)) == "an access token"


def test_tokens_in_cookies_are_bought_by_cookies() -> None:
    """With the cookie transport a cookie of the right name counts, and a cleared one does not."""
    door = LoginDoor(COOKIES)

    assert door.bought(GUESS, answer(200, {}, Set_Cookie="access_token_cookie=AAA; HttpOnly")) == "an access token"
    assert door.bought(GUESS, answer(200, {}, Set_Cookie="access_token_cookie=; Max-Age=0")) == ""
    assert door.bought(GUESS, answer(401, {}, Set_Cookie="access_token_cookie=AAA")) == ""
    assert door.bought(GUESS, answer(200, {"access_token": "AAA"})) == ""
    assert door.bought(GUESS, answer(401, {}, Set_Cookie=f"other={JWT}")) == "a JWT in the header Set-Cookie"


def test_a_bearer_token_stands_in_the_authorization_header() -> None:
    """What is shown stands after the scheme and nowhere else, whatever kind it is."""
    shown = ProtectedDoor(DEFAULT, DEFAULT.protected[0]).present("AAA", session_of({}), as_kind=Kind.REFRESH)

    assert shown == Request("GET", "/profile", (("Authorization", "Bearer AAA"),))
    more = RefreshDoor(DEFAULT).present("RRR", session_of({}), headers=(("X-Note", "1"),))
    assert more == Request("POST", "/refresh", (("Authorization", "Bearer RRR"), ("X-Note", "1")))


def test_a_cookie_goes_with_its_proof() -> None:
    """A token in a cookie travels with the CSRF value of its kind, in the second cookie and the header."""
    session = session_of({Kind.ACCESS: "CA", Kind.REFRESH: "CR"})
    access, refresh = ProtectedDoor(COOKIES, COOKIES.protected[0]), RefreshDoor(COOKIES)

    assert access.present("AAA", session).headers == (
        ("Cookie", "access_token_cookie=AAA; csrf_access_token=CA"),
        ("X-CSRF-TOKEN", "CA"),
    )
    assert refresh.present("RRR", session).headers[0] == (
        "Cookie",
        "refresh_token_cookie=RRR; csrf_refresh_token=CR",
    )
    assert access.present("RRR", session, as_kind=Kind.REFRESH).headers[0] == (
        "Cookie",
        "refresh_token_cookie=RRR; csrf_refresh_token=CR",
    )
    assert access.present("RRR", session, proof_of=Kind.REFRESH).headers == (
        ("Cookie", "access_token_cookie=RRR; csrf_access_token=CR"),
        ("X-CSRF-TOKEN", "CR"),
    )


def test_a_target_without_csrf_values_gets_none() -> None:
    """Where the login gave no CSRF value, the cookie travels alone."""
    shown = ProtectedDoor(COOKIES, COOKIES.protected[0]).present("AAA", session_of({}))

    assert shown.headers == (("Cookie", "access_token_cookie=AAA"),)


def test_nobody_shows_nothing() -> None:
    """An anonymous request carries no header of its own."""
    assert RefreshDoor(DEFAULT).anonymous() == Request("POST", "/refresh")
    assert ProtectedDoor(DEFAULT, DEFAULT.protected[1]).anonymous() == Request("GET", "/dashboard")


def nested() -> LoginDoor:
    """A login whose members are nested beside others."""
    extra = MappingProxyType({"user": {"tenant": "t1"}, "remember": True})
    return LoginDoor(replace(DEFAULT, login=Login(username="user.email", password="user.secret", extra=extra)))


def test_a_login_sends_what_the_profile_says() -> None:
    """Name and password stand at their dotted paths, among the further members."""
    door = nested()

    assert door.body("alice", "pw") == {"user": {"tenant": "t1", "email": "alice", "secret": "pw"}, "remember": True}
    assert json.loads(door.credentials("alice", 5).body)["user"]["secret"] == 5
    assert door.credentials("alice", "pw").headers == (("Content-Type", "application/json"),)


def test_one_login_leaves_nothing_for_the_next() -> None:
    """Each login's members are its own: neither the profile nor another request holds the password afterwards."""
    door = nested()
    first = door.body("alice", "first-password")

    assert door.body("bob", "second")["user"]["email"] == "bob"
    assert first["user"]["email"] == "alice"
    assert "password" not in str(door.profile.login.extra)


def test_a_member_can_be_left_out() -> None:
    """A login lacks what it was told to lack, and keeps everything else."""
    door, account = nested(), Account("alice", "pw")

    lacking = door.lacking("password", account=account)

    assert json.loads(lacking.body) == {"user": {"tenant": "t1", "email": "alice"}, "remember": True}
    neither = door.lacking("username", "password", account=account)
    assert json.loads(neither.body) == {"user": {"tenant": "t1"}, "remember": True}
    assert json.loads(LoginDoor(Profile("mine")).lacking("username", account=account).body) == {"password": "pw"}


def test_a_logout_may_show_both_tokens() -> None:
    """Where the header carries the access token, a JSON body carries the other, named as in the login's answer."""
    profile = replace(DEFAULT, login=replace(DEFAULT.login, refresh="data.refreshToken"))
    request = LogoutDoor(profile).present_both(session_of({}))

    assert (request.method, request.path) == ("POST", "/logout")
    assert dict(request.headers) == {"Authorization": "Bearer A", "Content-Type": "application/json"}
    assert json.loads(request.body) == {"refreshToken": "R"}


@pytest.mark.parametrize(
    ("csrf", "cookie"),
    [
        ({}, "access_token_cookie=A; refresh_token_cookie=R"),
        (
            {Kind.ACCESS: "a", Kind.REFRESH: "r"},
            "access_token_cookie=A; csrf_access_token=a; refresh_token_cookie=R; csrf_refresh_token=r",
        ),
    ],
)
def test_a_browser_sends_both_cookies(csrf: dict[Kind, str], cookie: str) -> None:
    """A logout by cookies shows both, and the proof of the access token, which a route mostly asks for."""
    plain = replace(COOKIES, cookies=Cookies())
    request = LogoutDoor(plain).present_both(session_of(csrf))

    assert dict(request.headers)["Cookie"] == cookie
    assert dict(request.headers).get("X-CSRF-TOKEN") == csrf.get(Kind.ACCESS)
    assert request.body == b""
