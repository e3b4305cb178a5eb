"""Limits on guessing."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import pytest

from conformance.scenarios import people
from conformance.scenarios.evasions import SENDER_HEADERS, with_headers, with_name, with_path
from conformance.scenarios.siege import besiege, besieged, guess, is_limit, right, standing, try_right
from conformance.target.http import is_shared_cacheable
from conformance.target.pacing import retry_after_s

if TYPE_CHECKING:
    from conformance.scenarios.evasions import Disguise
    from conformance.scenarios.siege import Siege
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange

# All of them may leave logins limited for a while, so they come after everything else.
pytestmark = pytest.mark.waits("limit")

MORE_AT_ONCE: Final = 8
LEAST_TO_COUNT: Final = 3
REFUSALS: Final = frozenset({400, 401, 403, 423, 429})
LONG_S: Final = 1.0


def test_rate_01(target: Trial) -> None:
    """Wrong passwords for one account are stopped or slowed down, one after another and at once."""
    siege = besieged(target)
    target.expect(
        siege.stopped_by,
        f"{siege.guesses} wrong passwords for one account, one after another",
        expected="a limit, or answers that take ever longer",
        observed="every one was compared at full speed, and the right one logged in after them",
        shown_by=[("the last wrong password", siege.last), ("the right one", siege.right)] if siege.right else [],
        certain=True,
    )
    if siege.stopped_by:
        target.remark(f"guessing was stopped after {siege.guesses} wrong passwords, by {siege.stopped_by}")
        target.target.policy["wrong passwords before a limit"] = siege.guesses
    if siege.stopped_by == "an answer":
        _limit_is_real(target)
        _at_once(target, siege.guesses)


def _limit_is_real(target: Trial) -> None:
    """While guesses are answered as limited, the right password is no exception, which would tell it apart."""
    for refused_in_a_row in (3, 6):
        siege = standing(target)
        for _ in range(refused_in_a_row):
            limited = target.send_once(guess(target, siege.account))
            if siege.is_judged(limited):
                return  # A limit that lets one in now and then is one nevertheless.
        tried = try_right(target, siege)
        if tried.session is None:
            break
    target.expect(
        tried.session is None,
        "the right password, twice, while every wrong one is answered as limited",
        expected="the same answer: otherwise guessing goes on",
        observed="it logs in",
        shown_by=[("a wrong password", limited), ("the right one", tried.exchange)],
        certain=True,
    )


def _at_once(target: Trial, limit: int) -> None:
    """Guesses that arrive together are all counted, though some may be compared before the first has been."""
    if not target.can_provision:
        target.remark("guesses at the same instant were not tried, for lack of a second account that may be locked")
        return
    if target.target.one_at_a_time:
        target.remark("guesses at the same instant were not tried: that needs a --concurrency of 2 or more")
        return
    account, siege = target.provisioner.create(), besieged(target)
    volley = target.send_together([guess(target, account) for _ in range(limit + MORE_AT_ONCE)])
    compared = [exchange for exchange in volley.answered if siege.is_judged(exchange)]
    if not compared:
        target.remark("guesses at the same instant were limited from the first, with the address that they come from")
        return
    later = [target.send_once(guess(target, account)) for _ in range(3 if len(compared) > limit else 0)]
    goes_on = bool(later) and all(siege.is_judged(exchange) for exchange in later)
    tried = people.attempt(target, right(target, account), account, once=True) if goes_on else None
    target.expect(
        tried is None or tried.session is None,
        f"{len(volley.exchanges)} wrong passwords for one account at the same instant",
        expected=f"the limit, which is reached after {limit} when they come one by one",
        observed=f"{len(compared)} of them were compared, so were {len(later)} after them, and the right one logs in",
        shown_by=[("one of those sent together", compared[-1]), ("the right one after them", tried.exchange)]
        if tried
        else [],
        certain=True,
    )


def test_rate_02(target: Trial) -> None:
    """No header, and no other spelling of the name or the path, gets around the limit."""
    siege = _standing_limit(target)
    path, name = siege.last.request.path, siege.account.username
    headers = [with_headers(header) for header in SENDER_HEADERS]
    if not _compared(target, siege, with_headers(*SENDER_HEADERS)):
        headers = [with_headers(*SENDER_HEADERS)]
    for number, disguise in enumerate(headers):
        words = SENDER_HEADERS[number][0] if len(headers) > 1 else "headers that name another sender"
        _holds(target, f"with {words}", disguise)
    for words, other in (
        ("in the other case", name.swapcase()),
        ("after a space", f" {name}"),
        ("before a space", f"{name} "),
    ):
        if other != name:
            _holds(target, f"with the name {words}", with_name(target, siege, other))
    for other in (f"{path}/", f"/{path}", path.upper(), f"{path}?x=1"):
        if other != path:
            _holds(target, f"at {other}", with_path(other))


def _compared(target: Trial, siege: Siege, disguise: Disguise) -> bool:
    return target.send_once(disguise(guess(target, siege.account))).response.status == siege.usual.response.status


def _holds(target: Trial, case: str, disguise: Disguise) -> None:
    """The limit holds for guesses in this disguise.

    It is got around where they are compared, again and again, while those without it are not; and where the right
    password in this disguise logs in, so that it is this account at which they guess.
    """
    siege = standing(target)
    dodged = False
    for _ in range(2):
        dodged = _compared(target, siege, disguise)
        plain = target.send_once(guess(target, siege.account)) if dodged else siege.last
        if not dodged or siege.is_judged(plain):
            dodged = False
            break
    tried = try_right(target, siege, disguise(right(target, siege.account))) if dodged else None
    target.expect(
        tried is None or tried.session is None,
        f"a limited login {case}",
        expected="still limited, or refused",
        observed="wrong passwords are compared again, and the right one logs in",
        shown_by=[("without it", plain), ("with it, and the right password", tried.exchange)] if tried else [],
        certain=True,
    )


def _standing_limit(target: Trial) -> Siege:
    siege = standing(target)
    if not siege.stopped_by:
        target.not_applicable("guessing is not limited (see RATE-01)")
    if siege.stopped_by != "an answer":
        target.untested(f"guessing is stopped by {siege.stopped_by}, of which single answers show nothing")
    return siege


def test_rate_03(target: Trial) -> None:
    """Somebody else's login does not wipe out an account's wrong passwords."""
    limit, second = _standing_limit(target).guesses, target.second_account
    if not target.can_provision:
        target.untested("this needs a second account that may be locked", give="hooks.provision in the profile")
    if limit < LEAST_TO_COUNT:
        target.untested(f"a limit after {limit} wrong passwords is too low to see what clears its count")
    account, siege = target.provisioner.create(), besieged(target)
    first = target.send_once(guess(target, account))
    if is_limit(first, siege.usual):
        # The limit is on the address: once it has lapsed it is counted anew, without what went before in the run.
        _let_lapse(target, first)
        siege = besiege(target, siege.session, usual=siege.usual)
        limit = siege.guesses
        _let_lapse(target, siege.last)
        target.send_once(guess(target, account))
    for _ in range(limit - 2):
        target.send_once(guess(target, account))
    other = people.attempt(target, right(target, second), second, once=True)
    if other.session:
        target.target.keep_for_later(other.session)
    later = [target.send_once(guess(target, account)) for _ in range(limit - 1)]
    goes_on = all(siege.is_judged(exchange) for exchange in later)
    tried = people.attempt(target, right(target, account), account, once=True) if goes_on else None
    target.expect(
        tried is None or tried.session is None,
        f"{limit - 1} wrong passwords, a login to another account, and {limit - 1} wrong passwords more",
        expected=f"a limit, which is reached after {limit} without that login",
        observed="every one was compared, and the right one logs in after them",
        shown_by=[("the other account's login", other.exchange), ("the right password", tried.exchange)]
        if tried
        else [],
        certain=True,
    )


def _let_lapse(target: Trial, limited: Exchange) -> None:
    pause = retry_after_s(limited.response)
    if pause is None or not target.clock.can_let_pass(pause + LONG_S):
        target.untested("logins from this address are limited by what went before", give="a longer --max-wait")
    target.clock.let_pass(pause + LONG_S)


def test_rate_04(target: Trial) -> None:
    """An answer that limits logins says so, and what it says about waiting is true."""
    siege = _standing_limit(target)
    answer = siege.last.response
    target.target.policy["status for too many logins"] = answer.status
    announced = answer.header("Retry-After")
    shown_by = [("the first limited guess", siege.last)]
    target.expect(
        answer.status in REFUSALS,
        "the status of a limited login",
        expected="429, or another that blames the request",
        observed=f"{siege.last.request.method} {siege.last.request.path} answered {answer.status}",
        shown_by=shown_by,
        certain=True,
    )
    target.expect(
        announced is None or retry_after_s(answer) is not None,
        "Retry-After of a limited login",
        expected="a number of seconds or an HTTP date (RFC 9110 §10.2.3)",
        observed=f"Retry-After: {announced}",
        shown_by=shown_by,
        certain=True,
    )
    target.expect(
        not is_shared_cacheable(answer),
        "caching of a limited login",
        expected="no leave for shared caches to keep it (RFC 6585 §4)",
        observed=f"Cache-Control: {answer.header('Cache-Control')}",
        shown_by=shown_by,
        certain=True,
    )
    if announced is None:
        target.remark("the answer does not say how long to wait")
    elif retry_after_s(answer) is not None:
        _wait_ends(target, siege)


def _wait_ends(target: Trial, siege: Siege) -> None:
    """Whoever waits as long as the answer says, and once more as long as the next says, can log in."""
    limited = target.send_once(guess(target, siege.account))
    for _ in range(2):
        pause = (retry_after_s(limited.response) or 0) + LONG_S
        if not target.clock.can_let_pass(pause):
            target.remark(f"the end of the wait of {pause:.0f} s was not waited for: it is longer than --max-wait")
            return
        target.clock.let_pass(pause)
        tried = try_right(target, siege)
        if tried.session:
            break
        limited = tried.exchange
    target.expect(
        tried.session,
        "the right password after the time that Retry-After gave, twice",
        expected="a login",
        observed=f"{target.login_door.label} answered {tried.exchange.response.status}",
        shown_by=[("the right password", tried.exchange)],
    )


def test_rate_05(target: Trial) -> None:
    """Wrong passwords for an account end none of its sessions, and keep nobody else out."""
    siege = standing(target)
    if not siege.stopped_by:
        target.not_applicable("guessing is not limited (see RATE-01)")
    session = siege.session
    for door in target.protected_doors:
        exchange = target.send_once(door.present(session.access.value, session))
        _require_unlimited(target, exchange)
        target.expect(
            door.bought(exchange.request, exchange.response),
            f"{door.label} with an access token of the account that is guessed at",
            expected="served as before",
            observed=f"{door.label} answered {exchange.response.status}",
            shown_by=[("a guess", siege.last), ("the access token", exchange)],
        )
    if session.is_complete:
        exchange = target.send_once(target.refresh_route.present(session.refresh.value, session))
        _require_unlimited(target, exchange)
        target.target.take_over(session, exchange)
        target.expect(
            not session.ended or not _refreshes(target),
            "a refresh token of the account that is guessed at",
            expected="a new access token",
            observed=f"{target.refresh_route.label} answered {exchange.response.status}",
            shown_by=[("a guess", siege.last), ("the refresh", exchange)],
        )
    _others_get_in(target, siege)


def _refreshes(target: Trial) -> bool:
    """Whether a session that nobody guesses at can be refreshed as soon as it is there."""
    session = target.new_session()
    target.target.refresh(session)
    return not session.ended


def _require_unlimited(target: Trial, exchange: Exchange) -> None:
    """A limit on everything that this address sends ends no session, and hides whether anything else does."""
    if exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS:
        target.untested("every request from this address is limited, with a token as well", give="a higher limit")


def _others_get_in(target: Trial, siege: Siege) -> None:
    second = target.second_account
    exchange, session = people.attempt(target, right(target, second), second, once=True)
    if session is None and exchange.response.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        # One address is all that the suite has, so a limit on addresses is no harm to others.
        target.remark("logins of other accounts from the same address are limited as well, for a while")
        return
    if session:
        target.target.keep_for_later(session)
    target.expect(
        session,
        "a login to another account from the same address",
        expected="a login, or a limit on the address",
        observed=f"{target.login_door.label} answered {exchange.response.status}",
        shown_by=[("a guess", siege.last), ("the other account's login", exchange)],
    )
