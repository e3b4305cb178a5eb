"""What tells the two kinds of token apart."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.tokens.kinds import Difference, differences
from conformance.tokens.reading import Jwt


def made(claims: dict[str, Any], **header: Any) -> Jwt:
    """A token with these claims and header parameters."""
    return Jwt({"alg": "HS256", **header}, claims, ("", "", ""))


def test_what_every_token_has_of_its_own_is_no_difference() -> None:
    """Times and ids tell tokens apart, and not kinds."""
    access = [made({"jti": "1", "iat": 1, "exp": 2, "sub": "a"}), made({"jti": "2", "iat": 2, "exp": 3, "sub": "a"})]

    assert differences(access, [made({"jti": "3", "iat": 1, "exp": 9, "sub": "a"})]) == []


def test_a_claim_that_one_kind_lacks_tells_them_apart() -> None:
    """Whatever the tokens of one kind agree in, and the others do not have, is a difference."""
    access = [made({"roles": ["x"]}, typ="at+jwt"), made({"roles": ["x"]}, typ="at+jwt")]

    assert differences(access, [made({"type": "refresh"}, typ="JWT")]) == [
        Difference("header", "typ", "at+jwt", "JWT"),
        Difference("claims", "roles", ["x"], None),
        Difference("claims", "type", None, "refresh"),
    ]


def test_a_value_that_changes_within_a_kind_tells_nothing() -> None:
    """A random claim differs between any two tokens."""
    assert differences([made({"r": 1}), made({"r": 2})], [made({"r": 3})]) == []


@pytest.mark.parametrize(
    ("place", "name", "marker"),
    [
        ("claims", "type", True), ("claims", "token_use", True), ("claims", "tokenType", True),
        ("claims", "https://api.example/token_type", True), ("header", "typ", True), ("header", "cty", False),
        ("claims", "aud", False), ("claims", "roles", False), ("header", "kid", False), ("header", "use", False),
    ],
)  # fmt: skip
def test_a_marker_says_so_by_its_name(place: Any, name: str, marker: bool) -> None:
    """Some differences are there to tell the kinds apart, and others do it by the way."""
    assert Difference(place, name, "a", "b").is_marker is marker
