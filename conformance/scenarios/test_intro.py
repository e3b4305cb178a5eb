"""Introspection."""

from __future__ import annotations

import secrets
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.scenarios.clients import introspection
from conformance.scenarios.endings import UntestedError
from conformance.scenarios.lapse import lapsed_access_token
from conformance.target.oauth import is_active, with_secret
from conformance.tokens.forging import broken_copies
from conformance.tokens.keys import can_sign, foreign_key_for, sign
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Response

YEAR_S: Final = 31_536_000
NONE_HEADER: Final = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
HINTS: Final = ("access_token", "refresh_token", "conformance-unknown")
SAME_CLAIMS: Final = ("sub", "jti", "iss", "exp", "iat", "nbf", "client_id")
PASSING: Final = frozenset({"active", "exp", "iat", "nbf", "jti", "auth_time"})
"""Members in which any two tokens differ."""


def test_intro_01(target: Trial) -> None:
    """Nobody learns about a token without credentials of their own."""
    door = introspection(target)
    with target.bracket(door) as bracket:
        token = bracket.session.access.value
        bracket.refuses("no credentials", door.form((("token", token),), None))
        if door.client.password:
            stranger = with_secret(door.client, secrets.token_urlsafe(24))
            bracket.refuses("the client with a wrong secret", door.ask(token, stranger))
            bracket.refuses("the client without its secret", door.ask(token, with_secret(door.client, "")))
        itself = target.send(door.form((("token", token),), None, (("Authorization", f"Bearer {token}"),)))
        if door.bought(itself.request, itself.response):
            target.remark("a token is told about to whoever shows it as credential as well")


@pytest.mark.waits("access")
def test_intro_02(target: Trial) -> None:
    """Of a token that is no good, introspection says with status 200 that it is inactive."""
    door = introspection(target)
    # The clock comes first: what is made before it moves would be old by then.
    probes = [*_expired(target), ("a random string", secrets.token_urlsafe(40), Kind.ACCESS)]
    with target.bracket(door):
        for case, token, kind in chain(probes, _ended(target), _forged(target)):
            exchange = target.send(door.ask(token))
            answer = exchange.response
            if is_active(answer) and _is_good(target, token, kind):
                target.remark(f"not judged on {case}, which opens its own door as well")
                continue
            told = door.bought(exchange.request, answer)
            observed = f"status {answer.status}" if not answer.is_success else ""
            if not observed and _state(answer) is False and told:
                target.remark(f"of {case} more is told than that it is inactive, which RFC 7662 §2.2 advises against")
            if not observed and _state(answer) is not False:
                observed = f"active is {_state(answer)!r}"
            target.expect(
                not observed, case, expected='status 200 and {"active": false}', observed=observed,
                shown_by=[(case, exchange)],
            )  # fmt: skip


def _state(answer: Response) -> Any:
    return answer.json.get("active") if isinstance(answer.json, dict) else None


def _is_good(target: Trial, token: str, kind: Kind) -> bool:
    """Whether the door of that kind takes it, so that introspection only says how it is."""
    door = target.refresh_route if kind is Kind.REFRESH else target.protected_routes[0]
    request = door.present(token, target.session())
    return bool(door.bought(request, target.send(request).response))


def _expired(target: Trial) -> Iterator[tuple[str, str, Kind]]:
    try:
        lapsed = lapsed_access_token(target)
    except UntestedError:
        target.remark("not tried with an expired token, which the suite could not have (see EXPIRY-01)")
        return
    yield "an expired access token", lapsed.value, Kind.ACCESS


def _ended(target: Trial) -> Iterator[tuple[str, str, Kind]]:
    """Tokens that were good once, each brought to its end when it is asked for."""
    session = target.new_session()
    if session is target.session():
        target.remark("not tried with a session that has ended: there is one, and others need it")
        return
    spent = session.refresh.value
    target.target.refresh(session)
    if session.rotated and not session.ended:
        yield "a refresh token that is spent", spent, Kind.REFRESH
    if target.target.logout_door and not session.ended:
        target.target.logout(session)
        for kind in Kind:
            yield f"the {kind} token of a session that was logged out", session.token(kind).value, kind


def _forged(target: Trial) -> Iterator[tuple[str, str, Kind]]:
    """Tokens that were never good, made from one that is."""
    genuine = target.session().access
    *_, (_, tampered) = broken_copies(genuine.value)
    target.target.keep_secret(tampered, "access token, altered")
    yield "an access token with a character changed", tampered, Kind.ACCESS
    parts = genuine.jwt
    if parts is None:
        return
    yield "an access token without a signature", f"{NONE_HEADER}.{parts.segments[1]}.", Kind.ACCESS
    if can_sign(parts.algorithm):
        forged = sign(parts.header, parts.claims, foreign_key_for(parts.algorithm), parts.algorithm)
        yield "an access token signed with another key", forged, Kind.ACCESS
    if target.target.minter:
        early = int(target.clock.now()) + YEAR_S
        minted = target.target.minter.mint(parts, nbf=early, iat=early, exp=early + 600)
        yield "an access token of next year", minted, Kind.ACCESS


def test_intro_03(target: Trial) -> None:
    """Of a token that is good, introspection says so as a boolean, whatever the hint, and what the token says."""
    door = introspection(target)
    with target.bracket(door) as bracket:
        session = bracket.session
        for kind in Kind:
            token = session.token(kind)
            plain = target.send(door.ask(token.value))
            if kind is Kind.REFRESH and not is_active(plain.response):
                target.remark("refresh tokens are inactive to this client, so nothing is told of them")
                continue
            claims = token.jwt.claims if token.jwt else {}
            _tells(target, f"the {kind} token", plain, claims)
            for hint in HINTS:
                hinted = target.send(door.ask(token.value, hint=hint))
                target.expect(
                    is_active(hinted.response), f"the {kind} token, with the hint {hint!r}",
                    expected="active, as without", observed=f"status {hinted.response.status}, and not active",
                    shown_by=[(f"hint {hint}", hinted)],
                )  # fmt: skip
        in_address = target.send(door.by_get(session.access.value))
        if is_active(in_address.response):
            target.remark("a GET with the token in the address is served as well, and ends up in logs (RFC 7662 §4)")


def _tells(target: Trial, case: str, exchange: Exchange, claims: dict[str, Any]) -> None:
    """The answer is of the right types, and does not contradict the token."""
    told = exchange.response.json
    wrong = [] if told.get("active") is True else [f"active is {told.get('active')!r}"]
    wrong += [
        f"{name} is no whole number"
        for name in ("exp", "iat", "nbf")
        if name in told and (isinstance(told[name], bool) or not isinstance(told[name], int))
    ]
    wrong += [f"{name} is another than the token's" for name in SAME_CLAIMS if _differs(told, claims, name)]
    for name in ("aud", "scope"):
        if name in told and name in claims and _listed(told[name]) != _listed(claims[name]):
            wrong.append(f"{name} is another than the token's")
    target.expect(
        not wrong, case, expected="active as true, times as whole numbers, and the token's own data",
        observed=" and ".join(dict.fromkeys(wrong)), shown_by=[(case, exchange)],
    )  # fmt: skip


def _differs(told: dict[str, Any], claims: dict[str, Any], name: str) -> bool:
    if name not in told or name not in claims:
        return False
    if name in {"exp", "iat", "nbf"} and isinstance(told[name], int | float) and isinstance(claims[name], int | float):
        # A claim may have a fraction, which the answer must not (RFC 7519 §2, RFC 7662 §2.2).
        return bool(abs(told[name] - claims[name]) >= 1)
    return bool(told[name] != claims[name])


def _listed(value: Any) -> set[str]:
    """A list, or a string of words, as a set."""
    return set(map(str, value)) if isinstance(value, list) else set(str(value).split())


def test_intro_04(target: Trial) -> None:
    """Introspection tells the two kinds of token apart."""
    door = introspection(target)
    with target.bracket(door) as bracket:
        session = bracket.session
        access, refresh = (target.send(door.ask(session.token(kind).value)) for kind in Kind)
        members = [exchange.response.json for exchange in (access, refresh)]
        target.expect(
            not is_active(refresh.response) or _kinds_differ(*members),
            "the two tokens of one session",
            expected="answers that differ in token_type, scope, aud or some other member",
            observed="the same, but for times and ids",
            shown_by=[("the access token", access), ("the refresh token", refresh)],
        )


def _kinds_differ(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(one.get(name) != other.get(name) for name in (one.keys() | other.keys()) - PASSING)
