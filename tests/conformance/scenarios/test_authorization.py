"""Credentials in places where they do not belong, and challenges with flaws."""

from __future__ import annotations

import pytest

from conformance.scenarios import authorization
from conformance.target.profile_files import load
from conformance.tokens.reading import Jwt, read_jwt
from tests.conformance.support import FakeApi, trial_of


@pytest.mark.parametrize(
    "line",
    [
        'Bearer realm="a"',
        'bearer realm="a", error="invalid_token", error_description="It\'s over (at 12:00)!"',
        'Basic realm="a", Bearer error=invalid_token',
        "Negotiate, Bearer scope=x",
        'DPoP algs="ES256", Bearer realm="é"',
    ],
)
def test_a_good_challenge_has_no_flaw(line: str) -> None:
    """What the grammar and RFC 6750 allow is let be, whatever stands beside it."""
    assert authorization.flaw([line]) == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Bearer", "no parameter"),
        ('Basic realm="a", bearer', "no parameter"),
        ("Bearer realm=a", "realm is no quoted string"),
        ('Bearer realm="a", realm="b"', "stands there twice"),
        ('Bearer error="a"b"', "breaks the grammar"),
        ('Bearer error_description="a \\"b\\""', "error_description holds a character"),
        ('Bearer error_description="caf\xc3\xa9"', "error_description holds a character"),
        ('Bearer error="a\\\\b"', "error holds a character"),
        ('Bearer error_description="a\tb"', "error_description holds a character"),
    ],
)
def test_a_flaw_is_named(line: str, words: str) -> None:
    """Each flaw has words of its own."""
    assert words in authorization.flaw([line])


def test_hostile_tokens_are_tokens() -> None:
    """Each has the shape of a JWT, is unlike the others, and holds what it is named for."""
    tokens = dict(authorization.hostile_tokens())

    assert len(set(tokens.values())) == len(tokens) == 10
    for name, token in tokens.items():
        parts = read_jwt(token)
        assert parts is not None, name
        assert token.isascii()
    broken = read_jwt(tokens["line breaks in alg, kid and typ"])
    assert broken is not None
    assert "\r\nX-Injected: " in broken.header["kid"]


def test_no_password_is_guessed_and_no_secret_left_readable() -> None:
    """The only account named under Basic is the user's own with its own password, and neither is shown."""
    trial = trial_of(FakeApi())
    token = trial.session().access.value
    values = [value for _, value in authorization.other_schemes(trial, token)]

    assert len(set(values)) == len(values) == 6
    shown = [trial.target.redactor.text(value) for value in values]
    assert shown[-2:] == ["Basic <Basic credentials>"] * 2
    assert not [text for text in shown if token in text]


def test_a_second_token_stands_where_it_is_said_to() -> None:
    """The first token stays as it is, and the second is there once more than nowhere."""
    trial = trial_of(FakeApi())
    door = trial.protected_doors[0]
    honest = door.present("first", trial.session())
    for place in authorization.second_places(trial, door):
        request = place.put(honest, "second")
        assert request.headers[0][1].startswith("Bearer first")
        assert "second" in str((request.path, request.headers, request.body)), place.name


def test_a_token_that_grants_nothing_keeps_its_types() -> None:
    """A narrowed scope is a list where the genuine one is, and a string where that is one."""
    for claims, name in (({"scope": "a b"}, "scope"), ({"scp": ["a"]}, "scp"), ({"scp": "a", "scope": None}, "scp")):
        token = Jwt({}, claims, ("", "", ""))
        assert authorization.scope_claim(token) == name
        assert {type(value) for _, value in authorization.narrowed(token, name)} == {type(claims[name])}
    assert authorization.scope_claim(Jwt({}, {"sub": "a"}, ("", "", ""))) == ""


def test_a_profile_names_the_scope_of_a_route() -> None:
    """The default profile's dashboard wants a scope, and its profile none."""
    assert [route.scope for route in load("default").protected] == ["", "dashboard"]
