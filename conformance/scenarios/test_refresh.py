"""Refreshing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from conformance.scenarios.bodies import with_query
from conformance.scenarios.renewal import FRESHNESS, MORE_RIGHTS, looks_fresh, rights_of, two_sessions
from conformance.scenarios.shaping import with_members
from conformance.scenarios.spare import given_at_login, spare_session
from conformance.target.drafts import JSON_TYPE
from conformance.target.http import Request
from conformance.tokens.forging import broken_copies
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial

APART_S: Final = 1.2
"""Tokens without a `jti` that are issued within one second are rightly equal."""
LATER_S: Final = 3.5
REFRESHES: Final = 3
TOLERANCE_S: Final = 2.0


def test_refresh_01(target: Trial) -> None:
    """A refresh token alone yields an access token that opens every protected route."""
    route = target.refresh_door
    session = target.honest_session()
    exchange = target.target.refresh(session)
    if session.ended:
        # It may have been put by, and been ended by another login, refresh or logout since.
        session = target.target.login()
        exchange = target.target.refresh(session)
    if not target.expect(
        not session.ended,
        "a refresh with the refresh token of a login and nothing else",
        expected="a success with an access token",
        observed=f"{route.label} answered {exchange.response.status} without one",
        shown_by=[("refresh", exchange)],
    ):
        return
    for door in target.protected_doors:
        used = target.send(door.present(session.access.value, session))
        target.expect(
            door.bought(used.request, used.response),
            f"the refreshed access token at {door.label}",
            expected="a success",
            observed=f"{door.label} answered {used.response.status}",
            shown_by=[("refresh", exchange), ("use", used)],
        )
    if session.access.value == given_at_login(target, session)[Kind.ACCESS].value:
        target.remark("the access token that came back is the login's own (see REFRESH-04)")


def test_refresh_02(target: Trial) -> None:
    """An access token buys nothing at the refresh route, in whatever place it is shown."""
    session = target.honest_session()
    tokens = {"the access token of a login": session.access.value}
    target.target.refresh(session)
    if not session.ended:
        tokens["the access token of a refresh"] = session.access.value
    door = target.refresh_door
    with target.bracket(door) as bracket:
        for case, token in tokens.items():
            bracket.refuses(case, bracket.token_as(Kind.ACCESS, token))
            place = door.place(Kind.REFRESH)
            # In the refresh token's cookie it is COOKIE-09's.
            if place.where != "cookie" and place != door.place(Kind.ACCESS):
                bracket.refuses(f"{case}, in the place of the refresh token", bracket.token(token))
            if place.where != "body":
                name = target.profile.found_in(target.profile.login, Kind.REFRESH).name.rpartition(".")[2]
                in_body = json.dumps({name: token}).encode()
                bracket.refuses(f"{case}, in the body", Request(door.method, door.path, JSON_TYPE, in_body))
            if target.profile.transport != "cookie" and place.where != "cookie":
                cookie = f"{target.profile.cookies.refresh}={token}"
                bracket.refuses(f"{case}, in a cookie", bracket.header("Cookie", cookie))


def test_refresh_03(target: Trial) -> None:
    """A refresh without a genuine refresh token is refused cleanly and gives no tokens."""
    door = target.refresh_route
    with target.bracket(door) as bracket:
        bracket.refuses("no refresh token", door.anonymous(), cleanly=True)
        for case, text in (
            ("an empty refresh token", ""),
            ("the word null as refresh token", "null"),
            ("random text as refresh token", "f3Xq0v8sJm2LkD7aRz1TnW5yBcHgPe9U"),
        ):
            bracket.refuses(case, bracket.token(text), cleanly=True)
        for case, text in broken_copies(bracket.session.refresh.value):
            # But for a character it is the token itself.
            target.target.keep_secret(text, "refresh token, altered")
            bracket.refuses(case, bracket.token(text), cleanly=True)


@pytest.mark.waits("a moment")
def test_refresh_04(target: Trial) -> None:
    """Each refresh gives a new access token with a lifetime of its own."""
    door = target.refresh_door
    session = target.honest_session()
    issued = [("the login", session.access, session.login)]
    for later in (APART_S, LATER_S):
        # From the last one on: a session that was put by may be older than that, and the next two follow at once.
        target.clock.reach(issued[-1][1].received_at + APART_S)
        target.clock.reach(issued[0][1].received_at + later)
        exchange = target.target.refresh(session)
        if session.ended:
            target.inconclusive(
                f"{door.label} answered {exchange.response.status} without an access token (see REFRESH-01)"
            )
        issued.append((f"a refresh {later:.1f} s later", session.access, exchange))
    for number, (name, token, exchange) in enumerate(issued[1:], start=1):
        target.expect(
            token.value not in {earlier.value for _, earlier, _ in issued[:number]},
            f"the access token of {name}",
            expected="a new string",
            observed="a token that had been given before",
            shown_by=[(name, exchange)],
        )
    (_, first, _), (name, last, exchange) = issued[0], issued[-1]
    if first.jwt and last.jwt and first.expires_at is not None and last.expires_at is not None:
        elapsed, gained = last.received_at - first.received_at, last.expires_at - first.expires_at
        target.expect(
            abs(gained - elapsed) <= TOLERANCE_S or _capped(target, last.expires_at),
            f"the end of the access token of {name}",
            expected=f"later than the login's by the time between, about {elapsed:.1f} s",
            observed=f"later by {gained:.1f} s",
            shown_by=[(name, exchange)],
        )


def _capped(target: Trial, expires_at: float) -> bool:
    """Whether the access token ends with its session: short sessions cut it off, and rightly."""
    refresh = target.target.first_session.refresh if target.target.first_session else None
    lifetime = refresh.lifetime_s if refresh else None
    return lifetime is not None and expires_at - target.clock.now() > 0 and lifetime < 60  # noqa: PLR2004 - a trial's


def test_refresh_05(target: Trial) -> None:
    """A refreshed token belongs to the refresh token's owner, whatever else the request says."""
    other, door = target.second_account, target.refresh_door
    telling = [route for route in target.protected_doors if route.route.identity]
    if not telling:
        target.untested("no protected route says whose data it shows", give="identity for one in the profile")
    name = other.username
    session = target.new_session()
    stranger = target.session(other)
    claims = stranger.access.jwt.claims if stranger.access.jwt else {}
    who = {"username": name, "user": name, "user_id": name, "sub": claims.get("sub", name), "identity": name}
    names = tuple((f"X-{key}", name) for key in ("User", "User-Id", "Username", "Forwarded-User", "Remote-User"))
    bearer = (("Authorization", f"Bearer {stranger.access.value}"),)
    extras: dict[str, Callable[[Request], Request]] = {
        "somebody else's name in the body": lambda honest: with_members(honest, who),
        "somebody else's name in the query": lambda honest: with_query(honest, who),
        "somebody else's name in headers": lambda honest: replace(honest, headers=(*honest.headers, *names)),
    }
    if all(name != "Authorization" for name, _ in door.present(session.refresh.value, session).headers):
        extras["somebody else's access token beside it"] = lambda honest: replace(
            honest, headers=(*honest.headers, *bearer)
        )
    with target.bracket(door):
        for case, spoil in extras.items():
            exchange = target.send(spoil(door.present(session.refresh.value, session)))
            if not exchange.response.is_success:
                target.expect(
                    door.refuses_cleanly(exchange.response),
                    case,
                    expected="the owner's own token, or a 4xx",
                    observed=f"{door.label} answered {exchange.response.status}",
                    shown_by=[(case, exchange)],
                )
                # The refusal may have spent the token.
                session = target.new_session()
                continue
            target.target.take_over(session, exchange)
            if session.ended:
                session = target.new_session()
                continue
            used = target.send(telling[0].present(session.access.value, session))
            shown = telling[0].identity(used.response)
            target.expect(
                shown != name,
                case,
                expected=f"a token of {target.account.username!r}",
                observed=f"a token of {shown!r}",
                shown_by=[(case, exchange), ("the token that came back", used)],
            )


def test_refresh_06(target: Trial) -> None:
    """A refresh adds no scope, role or audience, neither by itself nor on request."""
    session = spare_session(target)
    had = {kind: rights_of(token, session.login) for kind, token in given_at_login(target, session).items()}
    if not (session.access.jwt or session.refresh.jwt or any(had.values())):
        target.not_applicable("the tokens are no JWTs, and the answers name no scope")
    for case, ask in MORE_RIGHTS.items():
        exchange = target.send(ask(target.refresh_door.present(session.refresh.value, session)))
        if not target.refresh_door.bought(exchange.request, exchange.response):
            # Rightly refused; it may have spent the token.
            target.target.refresh(session)
        else:
            target.target.take_over(session, exchange)
            for kind in Kind:
                gained = sorted(rights_of(session.token(kind), exchange) - had[kind])
                target.expect(
                    not gained,
                    f"the {kind} token after {case}",
                    expected="the rights that the login gave, or fewer",
                    observed="more: " + ", ".join(f"{name} {value!r}" for name, value in gained),
                    shown_by=[("login", session.login), (case, exchange)],
                    certain=True,
                )
        if session.ended:
            session = spare_session(target)
    if not target.probes:
        target.inconclusive(f"{target.refresh_route.label} refuses the refresh token of a login (see REFRESH-01)")


@pytest.mark.waits("a moment")
def test_refresh_07(target: Trial) -> None:
    """A refreshed session is not passed off as a fresh authentication."""
    session = spare_session(target)
    first = given_at_login(target, session)[Kind.ACCESS].jwt
    if first is None:
        target.not_applicable("the access token is no JWT")
    exchange = target.target.refresh(session)
    if session.access.jwt and "auth_time" in session.access.jwt.claims:
        # Whole seconds: at once, the time of the refresh is that of the login.
        target.clock.let_pass(LATER_S)
        exchange = target.target.refresh(session)
    if session.ended or session.access.jwt is None:
        target.inconclusive(f"{target.refresh_route.label} answered {exchange.response.status} without a JWT")
    last = session.access.jwt
    claims = sorted(FRESHNESS & (first.claims.keys() | last.claims.keys()))
    if not claims:
        target.not_applicable("the access token does not say when or how the user authenticated")
    for claim in claims:
        target.expect(
            not looks_fresh(claim, first, last),
            f"{claim} in the access token of a refresh",
            expected=f"what the login said, {first.claims.get(claim)!r}, or less",
            observed=f"{last.claims.get(claim)!r}",
            shown_by=[("login", session.login), ("refresh", exchange)],
            certain=True,
        )


def test_refresh_08(target: Trial) -> None:
    """Refreshing one session leaves the user's other sessions working."""
    first, second = two_sessions(target)
    door = target.protected_doors[0]
    for _turn in range(REFRESHES):
        exchange = target.target.refresh(first)
        if first.ended:
            target.inconclusive(f"{target.refresh_route.label} answered {exchange.response.status} (see REFRESH-01)")
    used = target.send(door.present(second.access.value, second))
    renewed = target.target.refresh(second)
    for case, holds, shown in (
        ("access", door.bought(used.request, used.response), used),
        ("refresh", not second.ended, renewed),
    ):
        target.expect(
            holds,
            f"the {case} token of a user's session, after {REFRESHES} refreshes of another one",
            expected="it is good, as before",
            observed=f"status {shown.response.status}",
            shown_by=[("the other session's refresh", exchange), (f"the {case} token", shown)],
        )
