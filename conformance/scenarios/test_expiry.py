"""Expiry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from conformance.clock import FrozenClock
from conformance.scenarios.lapse import (
    SURE_S,
    lapsed_access_token,
    lapsed_refresh_token,
    say_what_to_give,
    session_to_expire,
    tolerated_leeway_s,
)
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.session import Session

LONG_AGO_S: Final = (86400, 3600, 301)
LEEWAY_PROBES_S: Final = (61, 31, 11, 1)
EXACT_S: Final = 5
LONGEST_ACCESS_S: Final = 24 * 3600
LONGEST_REFRESH_S: Final = 400 * 24 * 3600
CYCLES: Final = 3
UNITS: Final = (("45s", 45, "7m", 420), ("3m", 180, "2h", 7200), ("2h", 7200, "1d", 86400), ("1d", 86400, "1w", 604800),
                ("1w", 604800, "2w", 1209600))  # fmt: skip


@pytest.mark.waits("access")
def test_expiry_01(target: Trial) -> None:
    """An access token that was in use stops working when it expires, and stays refused."""
    lapsed = lapsed_access_token(target)
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            for turn in ("an expired access token", "the same expired access token again"):
                bracket.refuses(
                    f"{turn}, {lapsed.past_s:.0f} s past its end, at {door.label}",
                    door.present(lapsed.value, lapsed.session),
                    cleanly=True,
                )


def test_expiry_02(target: Trial) -> None:
    """A correctly signed token that expired long ago is refused, and leeway stays small."""
    minter, judged = target.minter, 0
    for door in target.jwt_doors():
        like = target.session().token(door.wants).jwt
        assert like is not None
        now = int(target.clock.now())
        fresh = minter.mint(like, exp=now + 600)
        request = door.present(fresh, target.session())
        if not door.bought(request, target.send(request).response):
            target.remark(f"not judged at {door.label}, which accepts no minted token: the server keeps a register")
            continue
        judged += 1
        with target.bracket(door) as bracket:
            for age in LONG_AGO_S:
                if age > max(tolerated_leeway_s(target.target), LONG_AGO_S[-1] - 1):
                    case = f"a minted {door.wants} token that expired {age} s ago, at {door.label}"
                    bracket.refuses(case, bracket.token(minter.mint(like, exp=now - age)))
            for age in LEEWAY_PROBES_S:
                request = bracket.token(minter.mint(like, exp=int(target.clock.now()) - age))
                if door.bought(request, target.send(request).response):
                    target.remark(f"{door.label} allows a leeway of at least {age} s")
                    break
    if not judged:
        target.not_applicable("the target accepts no minted token: it keeps a register of its own")


@pytest.mark.waits("access")
def test_expiry_03(target: Trial) -> None:
    """The answer to an expired access token says so, in JSON, with status 401."""
    lapsed = lapsed_access_token(target)
    for door in target.protected_doors:
        expired = target.send(door.present(lapsed.value, lapsed.session))
        if door.bought(expired.request, expired.response):
            target.remark(f"not judged at {door.label}, which accepts an expired access token (see EXPIRY-01)")
            continue
        garbage = target.send(door.present("garbage", lapsed.session))
        answer = expired.response
        said = answer.text + (answer.header("WWW-Authenticate") or "")
        if answer.status != 401:  # noqa: PLR2004 - RFC 6750 §3.1
            observed = f"status {answer.status}"
        elif not isinstance(answer.json, dict):
            observed = "a body that is no JSON object"
        elif not re.search("expir", said, re.IGNORECASE):
            observed = "no word about expiry"
        elif (answer.status, answer.body, answer.header("WWW-Authenticate")) == (
            garbage.response.status,
            garbage.response.body,
            garbage.response.header("WWW-Authenticate"),
        ):
            observed = "the same answer as to garbage"
        else:
            observed = ""
        target.expect(
            not observed,
            f"an expired access token at {door.label}",
            expected='401 and a JSON object that says it expired, such as {"msg": "Token has expired"}',
            observed=observed,
            shown_by=[("garbage, to compare", garbage), ("the expired token", expired)],
        )
    if not target.probes:
        target.inconclusive("every route accepts an expired access token, so there is no refusal to look at")


@pytest.mark.waits("refresh")
def test_expiry_04(target: Trial) -> None:
    """An expired refresh token is refused and issues nothing."""
    lapsed = lapsed_refresh_token(target)
    door = target.refresh_door
    with target.bracket(door) as bracket:
        bracket.refuses(
            f"a refresh token {lapsed.past_s:.0f} s past its end",
            door.present(lapsed.value, lapsed.session),
            cleanly=True,
        )


@pytest.mark.waits("access")
def test_expiry_05(target: Trial) -> None:
    """After the access token has expired, the refresh token alone restores access, again and again."""
    session = session_to_expire(target, Kind.ACCESS)
    if session is None or not target.target.is_alive(session.refresh):
        if target.target.minter is None:
            say_what_to_give(target, Kind.ACCESS)
        # The access token that is over is a minted one; the session's refresh token is genuine.
        session = target.new_session()
        lapsed_access_token(target)
        _restores(target, session, 1)
        return
    for cycle in range(1, CYCLES + 1):
        end, last = session.access.expires_at, session.refresh.expires_at
        if end is None or (cycle > 1 and not _fits(target, end, last)):
            break
        target.clock.reach(end + SURE_S / 2)
        if not _restores(target, session, cycle):
            break
    target.remark(f"time passed by {target.clock.name}")


def _fits(target: Trial, end: float, last: float | None) -> bool:
    """Whether another cycle ends before the refresh token does, and is free."""
    return isinstance(target.clock, FrozenClock) and (last is None or end + 2 * SURE_S < last)


def _restores(target: Trial, session: Session, cycle: int) -> bool:
    exchange = target.target.refresh(session)
    if not target.expect(
        not session.ended,
        f"a refresh after the access token has expired, cycle {cycle}",
        expected="a new access token",
        observed=f"{target.refresh_route.label} answered {exchange.response.status} without one",
        shown_by=[("refresh", exchange)],
    ):
        return False
    for door in target.protected_doors:
        used = target.send(door.present(session.access.value, session))
        target.expect(
            door.bought(used.request, used.response),
            f"the new access token at {door.label}, cycle {cycle}",
            expected="a success",
            observed=f"{door.label} answered {used.response.status}",
            shown_by=[("refresh", exchange), ("use", used)],
        )
    return True


def test_expiry_06(target: Trial) -> None:
    """Issued lifetimes are the declared ones."""
    session, declared = target.target.first_session, target.profile.lifetimes
    wanted = {Kind.ACCESS: declared.access, Kind.REFRESH: declared.refresh}
    if session is None or not any(wanted.values()):
        target.not_applicable("the profile declares no lifetimes")
    for kind, seconds in wanted.items():
        token = session.token(kind)
        lived = token.told_lifetime_s
        if seconds is None or lived is None:
            continue
        target.expect(
            abs(lived - seconds) <= EXACT_S,
            f"the lifetime of the {kind} token",
            expected=f"{seconds} s, as the profile declares",
            observed=f"{lived:.0f} s",
            shown_by=[("login", session.login)],
        )
    if not target.probes:
        target.not_applicable("nothing tells how long the tokens live")


def test_expiry_07(target: Trial) -> None:
    """The access token of a login ends before its refresh token."""
    session = target.target.first_session
    assert session is not None
    access, refresh = session.access.expires_at, session.refresh.expires_at
    told = {kind: session.token(kind).told_lifetime_s for kind in Kind}
    if access is None or refresh is None or not any(told.values()):
        kind = Kind.ACCESS if access is None else Kind.REFRESH
        target.untested(f"nothing tells when the {kind} token ends", give=f"lifetimes.{kind} in the profile")
    target.expect(
        access < refresh,
        "the ends of the two tokens of one login",
        expected="the access token ends first",
        observed=f"the access token ends {access - refresh:.0f} s after the refresh token"
        if access > refresh
        else "both end at the same time",
        shown_by=[("login", session.login)],
    )


def test_expiry_08(target: Trial) -> None:
    """Lifetimes set in seconds, minutes, hours, days and weeks are honoured exactly."""
    bundled = target.target.bundled
    if bundled is None:
        target.untested(
            "this needs a server started with other lifetimes, which the suite does with the bundled one only"
        )
    for access, access_s, refresh, refresh_s in UNITS:
        exchange, session = target.target.login_elsewhere({"ACCESS_LIFETIME": access, "REFRESH_LIFETIME": refresh})
        if session is None:
            target.inconclusive(f"a server with lifetimes of {access} and {refresh} gave no two tokens")
        for kind, text, wanted in ((Kind.ACCESS, access, access_s), (Kind.REFRESH, refresh, refresh_s)):
            lived = session.token(kind).lifetime_s
            target.expect(
                lived is not None and abs(lived - wanted) <= 1,
                f"the {kind} token of a server set to {text}",
                expected=f"a lifetime of {wanted} s",
                observed="no end" if lived is None else f"{lived:.0f} s",
                shown_by=[("login", exchange)],
            )


def test_expiry_09(target: Trial) -> None:
    """Every issued JWT has an `exp` in seconds, in the near future."""
    session = target.new_session()
    tokens = [(f"the {kind} token of the login", session.token(kind), session.login) for kind in Kind]
    received = target.clock.now()
    exchange = target.target.refresh(session)
    if not session.ended:
        tokens += [(f"the {kind} token after a refresh", session.token(kind), exchange) for kind in Kind]
    if not any(token.jwt for _, token, _ in tokens):
        target.not_applicable("the tokens are no JWTs")
    for name, token, shown_by in tokens:
        if token.jwt is None:
            continue
        end = token.jwt.number("exp")
        longest = LONGEST_ACCESS_S if token.kind is Kind.ACCESS else LONGEST_REFRESH_S
        longest = max(longest, getattr(target.profile.lifetimes, token.kind) or 0)
        stated = token.jwt.claims.get("exp", "missing")
        target.expect(
            end is not None and received - SURE_S < end <= received + longest + SURE_S,
            f"the exp of {name}",
            expected=f"a number, later than now and within {longest // 3600} hours",
            observed=f"exp is {stated!r}",
            shown_by=[(name, shown_by)],
        )
