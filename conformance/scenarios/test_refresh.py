"""Refreshing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest

from conformance.target.http import Request
from conformance.tokens.forging import broken_copies
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

APART_S: Final = 1.2
"""Tokens without a `jti` that are issued within one second are rightly equal."""
LATER_S: Final = 3.5
TOLERANCE_S: Final = 2.0


def test_refresh_01(target: Trial) -> None:
    """A refresh token alone yields an access token that opens every protected route."""
    route = target.refresh_door
    session = target.new_session()
    before = session.access.value
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
    if session.access.value == before:
        target.remark("the access token that came back is the login's own (see REFRESH-04)")


def test_refresh_02(target: Trial) -> None:
    """An access token buys nothing at the refresh route, in whatever place it is shown."""
    session = target.new_session()
    tokens = {"the access token of a login": session.access.value}
    target.target.refresh(session)
    if not session.ended:
        tokens["the access token of a refresh"] = session.access.value
    door = target.refresh_door
    with target.bracket(door) as bracket:
        for case, token in tokens.items():
            bracket.refuses(case, bracket.token_as(Kind.ACCESS, token))
            in_body = json.dumps({target.profile.login.refresh.rpartition(".")[2]: token}).encode()
            json_type = (("Content-Type", "application/json"),)
            bracket.refuses(f"{case}, in the body", Request(door.method, door.path, json_type, in_body))
            cookie = f"{target.profile.cookies.refresh}={token}"
            if target.profile.transport != "cookie":
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
    session = target.new_session()
    issued = [("the login", session.access, session.login)]
    for later in (APART_S, LATER_S):
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
    json_type = (("Content-Type", "application/json"),)
    query = urlencode(who)
    extras = [
        ("somebody else's name in the body", "", json_type, json.dumps(who).encode()),
        ("somebody else's name in the query", f"?{query}", (), b""),
        ("somebody else's name in headers", "", tuple((f"X-{key}", name) for key in ("User", "User-Id", "Username",
         "Forwarded-User", "Remote-User")), b""),
    ]  # fmt: skip
    if target.profile.transport != "bearer":
        bearer = (("Authorization", f"Bearer {stranger.access.value}"),)
        extras.append(("somebody else's access token beside it", "", bearer, b""))
    with target.bracket(door):
        for case, suffix, headers, body in extras:
            honest = door.present(session.refresh.value, session, headers=headers)
            exchange = target.send(Request(honest.method, honest.path + suffix, honest.headers, body))
            if not exchange.response.is_success:
                target.expect(
                    exchange.response.is_client_error,
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
