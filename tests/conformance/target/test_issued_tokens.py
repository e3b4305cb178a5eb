"""Finding tokens in an answer, and the dotted paths that say where."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from conformance.target.places import dig, plant
from conformance.target.profile import Profile
from conformance.target.profile_files import load
from conformance.target.profile_tables import Cookies, Lifetimes, Login, Refresh
from conformance.target.session import issued
from conformance.tokens.reading import Kind
from tests.conformance.support import answer

if TYPE_CHECKING:
    from conformance.target.http import Response

LOGIN = Login()
PROFILE = load("default")
COOKIES = dataclasses.replace(load("default"), transport="cookie")


def with_cookies(*lines: str, data: Any = None) -> Response:
    """An answer with these Set-Cookie lines."""
    plain = answer(200, data)
    return dataclasses.replace(plain, headers=tuple(("Set-Cookie", line) for line in lines))


@pytest.mark.parametrize("path", ["a", "a.b", "a.b.c.d"])
def test_planting_is_the_inverse_of_digging(path: str) -> None:
    """What is planted at a path is dug up from it, and nothing is planted beside it."""
    value = object()

    planted = plant(path, value)

    assert dig(planted, path) is value
    assert dig(planted, f"{path}.x") is None
    assert len(planted) == 1


@pytest.mark.parametrize("data", [None, "text", 5, [], ["a"], {"a": None}, {"a": "text"}, {"a": ["b"]}, {"b": {}}])
def test_digging_in_vain_finds_nothing(data: Any) -> None:
    """A path that leads through something else than objects ends in nothing, and never in a crash."""
    assert dig(data, "a.b") is None


def test_tokens_are_found_where_the_profile_says() -> None:
    """Nested members are followed, and each token knows its kind, when it came and how long it lives."""
    where = Login(access="data.tokens.a", refresh="data.r", expires_in="data.ttl", refresh_expires_in="rttl")
    data = {"data": {"tokens": {"a": "AAA"}, "r": "RRR", "ttl": 900}, "rttl": 3600.5}

    found = issued(PROFILE, answer(200, data), where, 100.0)

    assert found.access is not None
    assert found.refresh is not None
    assert (found.access.value, found.access.kind, found.access.received_at) == ("AAA", Kind.ACCESS, 100.0)
    assert (found.access.stated_lifetime_s, found.refresh.stated_lifetime_s) == (900.0, 3600.5)
    assert (found.refresh.value, found.refresh.kind) == ("RRR", Kind.REFRESH)
    assert found.csrf == {}


def test_a_refresh_may_give_one_token() -> None:
    """Without rotation an answer holds the access token alone."""
    found = issued(PROFILE, answer(200, {"access_token": "AAA"}), Refresh(), 0.0)

    assert found.access is not None
    assert found.refresh is None


@pytest.mark.parametrize("value", [None, "", 5, True, ["AAA"], {"token": "AAA"}])
def test_only_a_string_is_a_token(value: Any) -> None:
    """Null, the empty string, numbers and structures are no tokens."""
    found = issued(PROFILE, answer(200, {"access_token": value, "refresh_token": "RRR"}), LOGIN, 0.0)

    assert found.access is None
    assert found.refresh is not None


@pytest.mark.parametrize("data", [None, [], "AAA", 5])
def test_an_answer_that_is_no_object_holds_no_token(data: Any) -> None:
    """Neither an empty body, nor a list, nor a bare string is searched for tokens."""
    found = issued(PROFILE, answer(200, data), LOGIN, 0.0)

    assert (found.access, found.refresh) == (None, None)


@pytest.mark.parametrize(
    ("stated", "lifetime"),
    [(60, 60.0), (0, 900), (None, 900), (True, 900), ("60", 900), ([60], 900), (10**400, 900), (float("nan"), 900)],
)
def test_a_lifetime_that_means_nothing_gives_way_to_the_declared_one(stated: Any, lifetime: float) -> None:
    """`expires_in` counts where it is a number; else what the operator declared does."""
    data = {"access_token": "AAA", "expires_in": stated}

    found = issued(PROFILE, answer(200, data), LOGIN, 0.0)

    assert found.access is not None
    assert found.access.lifetime_s == lifetime


def test_nothing_declared_and_nothing_stated_is_unknown() -> None:
    """Where neither the answer nor the profile tells, an opaque token's end is unknown."""
    profile = dataclasses.replace(PROFILE, lifetimes=Lifetimes())

    found = issued(profile, answer(200, {"access_token": "AAA"}), LOGIN, 0.0)

    assert found.access is not None
    assert found.access.expires_at is None


def test_tokens_in_cookies_are_read_from_cookies_only() -> None:
    """With the cookie transport, the body's members count for nothing, and the CSRF values come along."""
    reply = with_cookies(
        "access_token_cookie=AAA; HttpOnly; Path=/",
        'refresh_token_cookie="RRR"; HttpOnly',
        "csrf_access_token=CA; Path=/",
        "csrf_refresh_token=CR",
        data={"access_token": "XXX", "refresh_token": "XXX"},
    )

    found = issued(COOKIES, reply, COOKIES.login, 0.0)

    assert found.access is not None
    assert found.refresh is not None
    assert (found.access.value, found.refresh.value) == ("AAA", "RRR")
    assert found.csrf == {Kind.ACCESS: "CA", Kind.REFRESH: "CR"}


def test_a_cleared_cookie_is_no_token() -> None:
    """A cookie that is set to nothing is being deleted."""
    found = issued(COOKIES, with_cookies("access_token_cookie=; Max-Age=0", 'refresh_token_cookie=""'), LOGIN, 0.0)

    assert (found.access, found.refresh, found.csrf) == (None, None, {})


def test_the_names_of_cookies_are_the_profile_s() -> None:
    """A target that names its cookies otherwise is read by those names."""
    profile = Profile("mine", transport="cookie", cookies=Cookies(access="__Host-at", refresh="__Host-rt"))

    found = issued(profile, with_cookies("__Host-at=AAA; Secure", "access_token_cookie=XXX"), LOGIN, 0.0)

    assert found.access is not None
    assert found.access.value == "AAA"
    assert found.refresh is None
