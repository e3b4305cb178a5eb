"""The doors that OAuth clients speak to."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

from conformance.target.http import Request, Response
from conformance.target.oauth import Introspection, Revocation, TokenEndpoint, error_of, is_active, with_secret
from conformance.target.profile_files import load
from conformance.target.profile_tables import OAuth
from conformance.target.session import Account
from tests.conformance.support import answer

CLIENT = Account("an app: %41", "s+e c%20r:e\u00fct")
ASKED = Request("POST", "/oauth/introspect")


def endpoint(method: Any = "basic", client: Account = CLIENT) -> TokenEndpoint:
    """The token endpoint of a target whose clients authenticate so."""
    oauth = OAuth(token="/oauth/token", introspection="/oauth/introspect", client_authentication=method)
    return TokenEndpoint(replace(load("default"), oauth=oauth), client)


def pairs(request: Request) -> list[tuple[str, str]]:
    """The parameters of a form, in their order."""
    return parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)


def test_a_form_is_sent_as_one() -> None:
    """Parameters keep their order and their repetitions, and empty ones are there."""
    request = endpoint().form((("a", "1 &="), ("b", ""), ("a", "2")), None)

    assert (request.method, request.path) == ("POST", "/oauth/token")
    assert request.headers == (("Content-Type", "application/x-www-form-urlencoded"),)
    assert pairs(request) == [("a", "1 &="), ("b", ""), ("a", "2")]


def test_basic_encodes_what_it_joins() -> None:
    """Id and secret are form-encoded before the colon comes between them (RFC 6749 §2.3.1)."""
    request = endpoint().refresh("token")
    scheme, _, value = dict(request.headers)["Authorization"].partition(" ")
    name, colon, secret = base64.b64decode(value).decode().partition(":")

    assert (scheme, colon) == ("Basic", ":")
    assert (unquote_plus(name), unquote_plus(secret)) == (CLIENT.username, CLIENT.password)
    assert pairs(request) == [("grant_type", "refresh_token"), ("refresh_token", "token")]


def test_post_and_public_clients_are_in_the_body() -> None:
    """A client of method post shows its secret there, and one without a secret its id alone."""
    own = [("client_id", CLIENT.username), ("client_secret", CLIENT.password)]

    assert pairs(endpoint("post").refresh("token"))[2:] == own
    for method in ("basic", "post"):
        request = endpoint(method, with_secret(CLIENT, "")).refresh("token")
        assert pairs(request)[2:] == own[:1]
        assert "Authorization" not in dict(request.headers)


def test_the_answer_has_oauths_names() -> None:
    """Tokens are found under their own names, whatever the profile calls those of the login."""
    profile = load("default")
    renamed = replace(profile, refresh=replace(profile.refresh, access="data.accessToken"))
    door = replace(endpoint(), profile=renamed)

    assert door.bought(ASKED, answer(200, {"access_token": "x", "token_type": "Bearer"})) == "an access token"
    assert not door.bought(ASKED, answer(400, {"error": "invalid_grant"}))
    assert not door.bought(ASKED, answer(200, {"error": "invalid_grant"}))


@pytest.mark.parametrize(
    ("reply", "active", "told"),
    [
        (answer(200, {"active": True, "sub": "1", "scope": ""}), True, "that it is active and sub"),
        (answer(200, {"active": "true"}), True, "that it is active"),
        (answer(200, {"active": False}), False, ""),
        (answer(200, {"active": False, "reason": None}), False, ""),
        (answer(200, {"active": False, "reason": "expired"}), False, "reason"),
        (answer(200, {}), False, ""),
        (answer(200, ["active"]), False, ""),
        (answer(200, body=b"active"), False, ""),
        (answer(401, {"active": True}), False, ""),
    ],
)
def test_what_introspection_tells(reply: Response, active: bool, told: str) -> None:
    """A state counts in whatever type; that a token is inactive tells nothing of it, and anything more does."""
    door = Introspection(endpoint().profile, CLIENT)

    assert is_active(reply) == active
    assert door.bought(ASKED, reply) == told


def test_an_error_is_read_wherever_it_is() -> None:
    """The code of an answer that is no object is none."""
    assert error_of(answer(400, {"error": "invalid_grant"})) == "invalid_grant"
    assert error_of(answer(400, {"error": {"code": 1}})) == {"code": 1}
    assert error_of(answer(400, ["error"])) is None
    assert error_of(answer(400, body=b"<html>")) is None


def test_a_revocation_shows_the_token_and_perhaps_a_hint() -> None:
    """The token comes first, the hint where there is one (RFC 7009 §2.1), and any success is an end."""
    door = Revocation(replace(load("default"), oauth=OAuth(revocation="/oauth/revoke")), CLIENT)

    assert (door.method, door.path) == ("POST", "/oauth/revoke")
    assert pairs(door.revoke("R")) == [("token", "R")]
    assert pairs(door.revoke("R", "access_token")) == [("token", "R"), ("token_type_hint", "access_token")]
    assert dict(door.revoke("R").headers)["Authorization"].startswith("Basic ")
    assert (door.bought(door.revoke("R"), answer(200)), door.bought(door.revoke("R"), answer(400))) == (
        "status 200",
        "",
    )
