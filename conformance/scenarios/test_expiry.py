"""Expiry."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import pytest

from conformance.scenarios.claim_cases import ends
from conformance.scenarios.ended import outlives_restart
from conformance.scenarios.lapse import (
    MINTING,
    lapsed_access_token,
    lapsed_refresh_token,
    may_end_elsewhere,
    require_agreement,
    say_what_to_give,
    session_to_expire,
    tolerated_leeway_s,
    untested_elsewhere,
)
from conformance.scenarios.minted import LIFE_S, minted, refuses_minted, taking_minted
from conformance.scenarios.perpetual import keep_alive
from conformance.target.profile_tables import SURE_S
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Session

LONG_AGO_S: Final = (86400, 3600, 301)
LEEWAY_PROBES_S: Final = (61, 31, 11, 1)
EXACT_S: Final = 5
LONGEST_ACCESS_S: Final = 24 * 3600
LONGEST_ADVISED_S: Final = 3600
"""RFC 6750 §5.3: an hour or less."""
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
        target.remark(f"time passed by {MINTING}")
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
        if answer.status not in {HTTPStatus.UNAUTHORIZED, *target.profile.refusals.bad_token}:
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
    request = door.present(lapsed.value, lapsed.session)
    with target.bracket(door) as bracket:
        if may_end_elsewhere(target, lapsed.session.refresh) and door.bought(request, target.send(request).response):
            untested_elsewhere(target, lapsed.session.refresh)
        bracket.refuses(f"a refresh token {lapsed.past_s:.0f} s past its end", request, cleanly=True)


@pytest.mark.waits("access")
def test_expiry_05(target: Trial) -> None:
    """After the access token has expired, the refresh token alone restores access, again and again."""
    session = session_to_expire(target, Kind.ACCESS)
    if session is None or not target.target.is_alive(session.refresh):
        if target.target.minter is None and session is not None:
            target.untested("the refresh token has ended by then", give="a server whose refresh tokens live longer")
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
    target.remark(f"time passed by {target.clock.how}")


def _fits(target: Trial, end: float, last: float | None) -> bool:
    """Whether another cycle ends before the refresh token does, and is free."""
    return target.clock.moves and (last is None or end + 2 * SURE_S < last)


def _restores(target: Trial, session: Session, cycle: int) -> bool:
    exchange = target.target.refresh(session)
    if session.ended:
        require_agreement(target)
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
    _ = target.refresh_route
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


@pytest.mark.waits("a moment")
def test_expiry_08(target: Trial) -> None:
    """Lifetimes set in seconds, minutes, hours, days and weeks are honoured exactly."""
    if target.target.bundled is not None:
        # A second server, so that nothing which other scenarios hold is disturbed.
        for unit in UNITS:
            _lives_as_set(target, unit, *target.target.login_elsewhere(_lifetimes(unit)))
        return
    witness = target.session()
    try:
        for unit in UNITS:
            target.restart(_lifetimes(unit))
            _lives_as_set(target, unit, *target.target.try_login(target.account))
    finally:
        if target.profile.hooks.reconfigure.is_given:
            target.restart()
            outlives_restart(target, witness)
    if not target.probes:
        target.not_applicable("nothing tells how long the tokens live")


def _lifetimes(unit: tuple[str, int, str, int]) -> dict[str, str]:
    return {"ACCESS_LIFETIME": unit[0], "REFRESH_LIFETIME": unit[2]}


def _lives_as_set(target: Trial, unit: tuple[str, int, str, int], exchange: Exchange, session: Session | None) -> None:
    access, access_s, refresh, refresh_s = unit
    if session is None:
        target.inconclusive(f"a server with lifetimes of {access} and {refresh} gave no two tokens")
    for kind, text, wanted in ((Kind.ACCESS, access, access_s), (Kind.REFRESH, refresh, refresh_s)):
        lived, first = session.token(kind).told_lifetime_s, target.target.first_session
        if lived is None and first and first.token(kind).told_lifetime_s is None:
            continue
        target.expect(
            lived is not None and abs(lived - wanted) <= 1,
            f"the {kind} token of a server set to {text}",
            expected=f"a lifetime of {wanted} s",
            observed="no end" if lived is None else f"{lived:.0f} s",
            shown_by=[("login", exchange)],
        )


def test_expiry_09(target: Trial) -> None:
    """Every issued JWT has an `exp` in seconds, in the near future."""
    session = target.honest_session()
    tokens = [(f"the {kind} token of the login", session.token(kind), session.login) for kind in Kind]
    received = target.clock.now()
    exchange = target.target.refresh(session)
    if target.refresh_routes and not session.ended:
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


def test_expiry_10(target: Trial) -> None:
    """An access token lives an hour at most."""
    first, session = target.target.first_session, target.session()
    assert first is not None
    refreshed = target.target.refresh(session)
    answers = [("a login", first.access, first.login)]
    if target.refresh_routes and not session.ended:
        answers.append(("a refresh", session.access, refreshed))
    for name, token, exchange in answers:
        if token.lifetime_s is None:
            continue
        target.expect(
            token.lifetime_s <= LONGEST_ADVISED_S,
            f"the access token of {name}",
            expected=f"a lifetime of {LONGEST_ADVISED_S} s at most",
            observed=f"{token.lifetime_s:.0f} s",
            shown_by=[(name, exchange)],
        )
    if not target.probes:
        target.untested("nothing tells when the access token ends", give="lifetimes.access in the profile, in seconds")


def test_expiry_11(target: Trial) -> None:
    """A token buys nothing whose `exp` is missing or no number; a fraction of a second is no offence."""
    refuses_minted(target, lambda _door, _like: ends(int(target.clock.now())), without="", cleanly=True)
    for door, like in taking_minted(target)[:1]:
        with target.bracket(door) as bracket:
            for name, end in (("of 2^63", 2**63), ("of 10^400", 10**400)):
                exchange = target.send(bracket.token(minted(target, like, {"exp": end})))
                target.expect(
                    not target.crashed(exchange),
                    f"a token with an exp {name}, at {door.label}",
                    expected="a success, or a refusal with a 4xx status",
                    observed=f"{door.label} answered {exchange.response.status}",
                    shown_by=[(f"an exp {name}", exchange)],
                )
            fraction = int(target.clock.now()) + LIFE_S + 0.5
            exchange = target.send(bracket.token(minted(target, like, {"exp": fraction})))
            target.expect(
                door.bought(exchange.request, exchange.response),
                f"a token whose exp has a fraction, at {door.label}",
                expected="a success: a NumericDate may have one (RFC 7519 §2)",
                observed=f"{door.label} answered {exchange.response.status}",
                shown_by=[("an exp with a fraction", exchange)],
            )


@pytest.mark.waits("refresh")
def test_expiry_12(target: Trial) -> None:
    """Rotation does not keep a session alive for ever."""
    life = keep_alive(target)
    target.target.policy["session lifetime"] = f"{life.lasted_s:.0f} s" if life.bounded else "sliding, without an end"
    target.remark(life.how)
    target.remark(f"time passed by {target.clock.how}")
    if not life.bounded and not target.clock.covers_stores:
        target.untested(
            f"the session goes on after {life.lasted_s:.0f} s on the moved clock, and may end by that of a database",
            give=f"--clock waiting and a --max-wait of {life.lasted_s:.0f}",
        )
    target.expect(
        life.bounded,
        f"a session that was refreshed before each of its ends, for {life.lasted_s:.0f} s",
        expected=f"an end within the declared {target.profile.lifetimes.session} s",
        observed="it goes on",
        shown_by=[("the last refresh", life.last)],
        certain=True,
    )
