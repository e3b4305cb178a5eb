"""The protected resource."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.scenarios import disguises
from conformance.target.doors import ProtectedDoor
from conformance.target.http import Request
from conformance.target.redirects import redirected
from conformance.tokens.keys import own_key, sign
from conformance.tokens.reading import Kind, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.bracket import Bracket
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Session

NEW_CONNECTIONS: Final = 40
KEPT_CONNECTION: Final = 10
FIRST_USES: Final = 3
"""So often a connection is used with a good token before the suite looks whether that has rubbed off on it."""

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
    _ = target.refresh_route
    session = target.honest_session()
    tokens = {"the refresh token of the login": session.refresh.value}
    target.target.refresh(session)
    if session.rotated and not session.ended:
        tokens["a refresh token that is spent"] = tokens.pop("the refresh token of the login")
        tokens["a refresh token from a rotation"] = session.refresh.value
    tokens["the refresh token of a live session"] = target.session().refresh.value
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            for case, token in tokens.items():
                for how, request in _as_an_access_token(bracket, token):
                    bracket.refuses(f"{case} at {door.label}{how}", request)


def _as_an_access_token(bracket: Bracket, token: str) -> Iterator[tuple[str, Request]]:
    """A refresh token where a protected route may look for tokens; two cookies are COOKIE-09's matter."""
    profile = bracket.trial.profile
    access, refresh = (profile.sent_in(kind) for kind in Kind)
    if access.where != "cookie" or refresh.where != "cookie":
        yield "", bracket.token(token)
    if refresh.where == "cookie":
        yield ", in its cookie" if access.where != "cookie" else "", bracket.token_as(Kind.REFRESH, token)


def test_access_03(target: Trial) -> None:
    """A string that is no token is refused without a server error, by every door that wants a token."""
    for door in target.token_doors:
        with target.bracket(door) as bracket:
            probes = [(f"{case} at {door.label}", bracket.token(value)) for case, value in nonsense().items()]
            bracket.refuses_each(probes, cleanly=True)


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


def test_access_05(target: Trial) -> None:
    """Whose data is shown is decided by the token and by nothing else in the request."""
    other = target.session(target.second_account)
    subject = other.access.jwt.claims.get("sub") if other.access.jwt else None
    names = dict.fromkeys([other.account.username, str(subject or "")])
    claims = disguises.claims_to_be([name for name in names if name])
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            for case, parameters, headers in claims:
                if door.route.identity:
                    _keeps_to_its_owner(bracket, other, case, parameters, headers)
                if headers:
                    bracket.refuses(f"{door.label} without a token, with {case}", door.anonymous(headers))
            bracket.refuses_each(
                (f"{door.label} without a token, with {case}", request)
                for case, request in disguises.claims_to_go_elsewhere(door)
            )


def _keeps_to_its_owner(
    bracket: Bracket, other: Session, case: str, parameters: dict[str, str], headers: tuple[tuple[str, str], ...]
) -> None:
    """A good token and claims to be somebody else show the owner's data, or nothing."""
    trial, door = bracket.trial, bracket.door
    assert isinstance(door, ProtectedDoor)
    request = disguises.asking(bracket.token(bracket.session.access.value), **parameters)
    exchange = trial.send(disguises.saying(request, headers))
    shown = door.identity(exchange.response)
    trial.expect(
        shown != other.account.username or not door.bought(exchange.request, exchange.response),
        f"{door.label} with a token of {bracket.account.username!r}, and {case} naming {other.account.username!r}",
        expected=f"the data of {bracket.account.username!r}, or a refusal",
        observed=f"status {exchange.response.status} with the data of {shown!r}",
        shown_by=[("probe", exchange)],
        certain=True,
    )


def test_access_06(target: Trial) -> None:
    """No other spelling of a protected path shows what is behind it."""
    tried = None
    for door in target.protected_doors:
        spellings = disguises.spellings(door.path)[: disguises.FEW + 1 if tried else None]
        tried = tried or spellings
        with target.bracket(door) as bracket:
            for name, path in spellings:
                case = f"{door.label} without a token, its path {name}"
                exchange = bracket.refuses(case, Request(door.method, path))
                _note_crash(target, exchange)
                following = redirected(target.target.client.base_url, exchange)
                if following and following.path != door.path:
                    bracket.refuses(f"{case}, and where that redirects to", following)
    if not tried:
        target.not_applicable("the protected path is /, of which there is one spelling")


def test_access_07(target: Trial) -> None:
    """No other method, and no header that claims another one, shows what is behind a protected route."""
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            for name, request in list(disguises.other_methods(door))[: disguises.FEW if number else None]:
                exchange = bracket.refuses(f"{door.label} without a token, but {name}", request)
                _note_crash(target, exchange)
                if exchange.response.is_success and request.method in {"PUT", "PATCH", "DELETE"}:
                    # Whether anything was done cannot be seen from outside, and some servers answer so to anything.
                    target.remark(
                        f"{request.method} {request.path} without a token is answered with {exchange.response.status}"
                    )


def _note_crash(target: Trial, exchange: Exchange) -> None:
    """A server error shows nobody's data: it is told, and not held against the target here."""
    if target.crashed(exchange):
        asked = f"{exchange.request.method} {exchange.request.path}"
        target.remark(f"{asked} is answered with {exchange.response.status}")


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


def test_access_09(target: Trial) -> None:
    """A good token opens nothing for a later request on the same connection."""
    door = next((door for door in target.protected_doors if door.route.identity), target.protected_doors[0])
    with target.bracket(door) as bracket:
        own = target.new_session()
        good = [("a good token", door.present(own.access.value, own))]
        row = [
            *good * FIRST_USES, ("no token", door.anonymous()), *good, ("garbage", bracket.token("garbage")), *good,
            *_somebody_else(target, door),
        ]  # fmt: skip
        exchanges, kept = target.send_in_a_row([request for _, request in row])
        if not kept:
            target.not_applicable("the target keeps no connection open for several requests")
        if any(exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS for exchange in exchanges):
            target.inconclusive("the target limits the rate of requests")
        for turn, ((what, request), exchange) in enumerate(zip(row, exchanges, strict=True), start=1):
            got, shown = door.bought(request, exchange.response), door.identity(exchange.response)
            if what in {"no token", "garbage"}:
                holds, expected = not got, "a refusal, giving nothing away"
            else:
                expected = "an answer to its own user"
                holds = bool(got) and (what == "a good token" or shown in {None, target.second_account.username})
            target.expect(
                holds,
                f"request {turn} on one connection to {door.label}, with {what}",
                expected=expected,
                observed=f"status {exchange.response.status}" + (f" with {got}" if got else ""),
                shown_by=[(f"request {turn}, with {what}", exchange)],
                certain=bool(got),
            )


def _somebody_else(target: Trial, door: ProtectedDoor) -> Iterator[tuple[str, Request]]:
    """A good token of the second account, unless it shows another user's data wherever it is sent (see ACCESS-04)."""
    account = target.target.second_account
    if account is None:
        return
    other = target.session(account)
    request = door.present(other.access.value, other)
    if door.identity(target.send(request).response) in {None, account.username}:
        yield "somebody else's token", request
