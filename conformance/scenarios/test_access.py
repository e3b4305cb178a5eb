"""The protected resource."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from conformance.tokens.keys import own_key, sign
from conformance.tokens.reading import Kind, b64url_encode

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

NEW_CONNECTIONS: Final = 40
KEPT_CONNECTION: Final = 10

_HEADER: Final = b64url_encode(b'{"alg":"HS256","typ":"JWT"}')
_NOT_JSON: Final = b64url_encode(b"not json")

NONSENSE: Final = {
    "one letter": "x",
    "the word null": "null",
    "the word undefined": "undefined",
    "an empty object": "{}",
    "one dot": ".",
    "two dots": "..",
    "three dots": "...",
    "three letters between dots": "a.b.c",
    "segments that are not JSON": f"{_NOT_JSON}.{_NOT_JSON}.{_NOT_JSON}",
    "a header that is not JSON": f"{_NOT_JSON}.{b64url_encode(b'{}')}.{_NOT_JSON}",
    "a payload that is not JSON": f"{_HEADER}.{_NOT_JSON}.{_NOT_JSON}",
}


def nonsense() -> dict[str, str]:
    """Strings that are no token of anybody, by what they are; some of them are new in each run."""
    stranger = {"alg": "ES256", "typ": "JWT"}
    claims = {"iss": "https://stranger.example", "sub": "stranger", "exp": 4102444800}
    return NONSENSE | {
        "300 random characters": secrets.token_urlsafe(300)[:300],
        "a JWT of another issuer": sign(stranger, claims, own_key("ES"), "ES256"),
    }


def test_access_01(target: Trial) -> None:
    """A protected route without credentials answers 401 and gives nothing away."""
    for door in target.protected_routes:
        with target.bracket(door) as bracket:
            bracket.refuses(
                f"{door.label} without credentials",
                door.anonymous(),
                statuses=target.profile.refusals.no_credentials,
            )


def test_access_02(target: Trial) -> None:
    """A refresh token, new, rotated or spent, opens no protected route."""
    session = target.new_session()
    tokens = {"the refresh token of the login": session.refresh.value}
    target.target.refresh(session)
    if session.rotated and not session.ended:
        tokens["a refresh token that is spent"] = tokens.pop("the refresh token of the login")
        tokens["a refresh token from a rotation"] = session.refresh.value
    tokens["the refresh token of a live session"] = target.session().refresh.value
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            for case, token in tokens.items():
                bracket.refuses(f"{case} at {door.label}", bracket.token_as(Kind.REFRESH, token))


def test_access_03(target: Trial) -> None:
    """A string that is no token is refused without a server error, by every door that wants a token."""
    for door in target.token_doors:
        with target.bracket(door) as bracket:
            for case, value in nonsense().items():
                bracket.refuses(f"{case} at {door.label}", bracket.token(value), cleanly=True)


def test_access_04(target: Trial) -> None:
    """Each token shows its own owner's data, in whatever order they are used."""
    people = {account.username: target.session(account) for account in (target.account, target.second_account)}
    telling = [door for door in target.protected_doors if door.route.identity]
    if not telling:
        target.untested("no protected route says whose data it shows", give="identity for one in the profile")
    first, second = people
    for door in telling:
        for owner in (first, second, first, second, second, first):
            exchange = target.send(door.present(people[owner].access.value, people[owner]))
            shown = door.identity(exchange.response)
            target.expect(
                shown == owner,
                f"{door.label} with the access token of {owner!r}",
                expected=f"the data of {owner!r}",
                observed=f"status {exchange.response.status} with the data of {shown!r}",
                shown_by=[(f"the token of {owner!r}", exchange)],
            )


def test_access_08(target: Trial) -> None:
    """A valid access token works again and again, on every connection."""
    for number, door in enumerate(target.protected_doors):
        session = target.session()
        # A server with several workers shows itself on the first route as well as on any other.
        connections = [True] * (0 if number else NEW_CONNECTIONS) + [False] * KEPT_CONNECTION
        for turn, new in enumerate(connections, start=1):
            exchange = target.send(door.present(session.access.value, session), new_connection=new)
            if not target.expect(
                exchange.response.is_success,
                f"use {turn} of one access token at {door.label}, on a {'new' if new else 'kept'} connection",
                expected="a success, as before",
                observed=f"{door.label} answered {exchange.response.status}",
                shown_by=[(f"use {turn}", exchange)],
            ):
                break
