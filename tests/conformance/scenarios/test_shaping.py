"""Telling what a target took over from a request, from what differs in every token anyway."""

from __future__ import annotations

import json

import pytest

from conformance.scenarios.giving import misstated, told
from conformance.scenarios.shaping import leaves, taken_over, with_members
from conformance.target.http import Request
from conformance.target.profile_tables import Login
from conformance.tokens.keys import sign
from conformance.tokens.reading import Kind, Token
from tests.conformance.support import SECRET

PLAIN = {"sub": "1", "jti": "a", "exp": 100, "roles": ["user"], "is_admin": False}


@pytest.mark.parametrize(
    ("shaped", "added", "where"),
    [
        ({"roles": ["canary"]}, {"roles": ["canary"]}, ["roles.0"]),
        ({"user": {"role": "canary"}}, {"claims": {"role": "canary"}}, ["user.role"]),
        ({"is_admin": True}, {"is_admin": True}, ["is_admin"]),
        ({"exp": 999}, {"exp": 999}, ["exp"]),
        ({"sub": "2"}, {"user_id": "2"}, ["sub"]),
        ({"jti": "b", "exp": 101}, {"exp": 999, "role": "canary"}, []),
        ({"fresh": True}, {"is_admin": True}, []),
        ({}, {"sub": "1"}, []),
    ],
)
def test_only_what_was_sent_counts(shaped: dict[str, object], added: dict[str, object], where: list[str]) -> None:
    """A difference counts where it has a value from the request; ids and times differ by themselves."""
    assert taken_over(PLAIN, {**PLAIN, **shaped}, added) == where


def test_leaves_are_named_by_their_paths() -> None:
    """Every value of nested JSON is found, by names and positions."""
    assert leaves({"a": [1, {"b": None}], "c": {}}) == {("a", "0"): 1, ("a", "1", "b"): None}


@pytest.mark.parametrize("body", [b"", b'{"username": "alice"}'])
def test_members_are_added_to_what_is_there(body: bytes) -> None:
    """A request keeps its members, its headers and one Content-Type."""
    request = Request("POST", "/x", (("Authorization", "Bearer x"), ("Content-Type", "text/plain")), body)

    shaped = with_members(request, {"role": "admin"})

    assert json.loads(shaped.body) == {**json.loads(body or b"{}"), "role": "admin"}
    assert dict(shaped.headers) == {"Authorization": "Bearer x", "Content-Type": "application/json"}
    assert len(shaped.headers) == 2


def issued_at(moment: float, *, iat: float | None = 1000, exp: float = 1900) -> Token:
    """A token that came at that moment, with these times in it."""
    claims = {"exp": exp} if iat is None else {"exp": exp, "iat": iat}
    return Token(sign({"alg": "HS256"}, claims, SECRET, "HS256"), Kind.ACCESS, moment)


@pytest.mark.parametrize(
    ("lifetime", "token"),
    [
        (900, issued_at(1000)),
        (900.0, issued_at(5000)),
        (897, issued_at(1000)),
        (900, issued_at(1000, iat=700)),
        (900, issued_at(1000, iat=None)),
        (60, Token("opaque", Kind.ACCESS, 1000)),
    ],
    ids=["exact", "another-clock", "a-little-less", "issued-in-the-past", "no-iat", "opaque"],
)
def test_a_lifetime_is_true_by_either_reckoning(lifetime: float, token: Token) -> None:
    """A lifetime is right where it fits the token's own times, or the time at which it came."""
    assert misstated(lifetime, token) == ""


@pytest.mark.parametrize("lifetime", [None, "900", True, -1, 0, 900_000, 850, float("inf")])
def test_a_wrong_lifetime_is_told(lifetime: object) -> None:
    """What is no positive number of seconds, or contradicts the token, is wrong."""
    assert misstated(lifetime, issued_at(1000)) != ""


def test_a_type_stands_beside_its_token() -> None:
    """The type and the lifetime are read from the object in which the profile places the token."""
    where = Login(access="data.tokens.access", expires_in="data.tokens.ttl")

    assert told({"data": {"tokens": {"tokenType": "bearer", "ttl": 5}}}, where) == ("bearer", 5)
    assert told({"token_type": "Bearer"}, where) == (None, None)
    assert told(None, where) == (None, None)
