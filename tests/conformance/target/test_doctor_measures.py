"""What the examination of a target measures, for the scenarios to reckon with."""

from __future__ import annotations

import dataclasses
import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from conformance.clock import WaitingClock
from tests.conformance.support import ALICE, FakeApi, answer
from tests.conformance.target.examining import findings, shown

if TYPE_CHECKING:
    from conformance.target.http import Request, Response


def test_a_settling_time_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target whose tokens become good after a second is waited for, by every later login, and no longer than that."""
    api = FakeApi()
    born: dict[str, float] = {}

    def young(request: Request) -> Response | None:
        first = born.setdefault(shown(request), time.monotonic())
        return answer(401, {"msg": "not yet"}) if time.monotonic() - first < 1 and shown(request) else None

    api.overrides["GET /profile"] = young
    target, _ = findings(api)

    assert 1 <= target.settle_s < 2
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    before = target.client.traffic.waited_s
    target.login()
    target.refresh(target.session())
    assert target.client.traffic.waited_s - before == 2 * target.settle_s


def test_a_slow_answer_is_no_settling_time() -> None:
    """A target that accepts a fresh token at once, but takes its time over it, needs no pause after a login."""
    api = FakeApi()

    def slow(_request: Request) -> None:
        time.sleep(0.15)

    api.overrides["GET /profile"] = slow
    target, _ = findings(api)

    assert target.settle_s == 0.0


@pytest.mark.parametrize("ahead_s", [300, -300, 7])
@pytest.mark.parametrize("by", ["Date", "iat"])
def test_a_wrong_clock_is_allowed_for(ahead_s: int, by: str) -> None:
    """The target's clock is read from its Date header, or from `iat`, and the suite reckons by it from then on."""
    api = FakeApi()

    def login(request: Request) -> Response:
        name = json.loads(request.body)["username"]
        if by == "iat":
            api.clock_s = float(ahead_s)
            return answer(200, {"access_token": api.issue("access", name), "refresh_token": api.issue("refresh", name)})
        # Opaque to the suite: nothing but the header tells the time.
        tokens = {"access_token": f"a-{name}", "refresh_token": f"r-{name}"}
        return answer(200, tokens, Date=formatdate(time.time() + ahead_s, usegmt=True))

    api.overrides["POST /login"] = login
    if by == "Date":
        api.overrides["GET /profile"] = lambda r: answer(200, {"username": shown(r)[2:]}) if shown(r) else None
        api.overrides["GET /dashboard"] = lambda r: answer(200, {"message": "hi"}) if shown(r) else None
    target, lines = findings(api)

    assert f"{abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's" in lines[2]
    assert isinstance(target.clock, WaitingClock)
    assert target.clock.skew_s == pytest.approx(ahead_s, abs=1.5)


def test_of_two_clocks_the_nearer_counts() -> None:
    """A proxy with a wrong Date, or tokens dated back on purpose, do not make a skew by themselves."""
    api = FakeApi()
    api.overrides["POST /login"] = lambda request: dataclasses.replace(
        api._login(json.loads(request.body)), headers=(("Date", formatdate(0, usegmt=True)),)
    )

    assert findings(api)[1][2] == "the clocks agree"


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Foo 2099 99:99:99 GMT"])
def test_a_date_that_is_none_is_left_aside(date: str) -> None:
    """An unreadable Date header is no reason to stop."""
    api = FakeApi()
    api.overrides["POST /login"] = lambda request: dataclasses.replace(
        api._login(json.loads(request.body)), headers=(("Date", date),)
    )

    assert findings(api)[1][2] == "the clocks agree"


def test_doors_that_open_to_anyone_are_known() -> None:
    """A login that takes any password, a refresh without a token and a public route are noticed before they mislead."""
    api = FakeApi()
    api.overrides["POST /login"] = lambda r: api._login({**json.loads(r.body), "password": api.accounts["alice"]})
    api.accounts["bob"] = api.accounts["alice"]
    api.overrides["POST /refresh"] = lambda _request: answer(200, {"access_token": "AAA"})
    api.overrides["GET /dashboard"] = lambda _request: answer(200, {"message": "hi"})
    target, _ = findings(api)

    assert target.login_door.opens_to_anyone
    assert target.refresh_door.opens_to_anyone
    assert [door.opens_to_anyone for door in target.protected_doors] == [False, True]


def test_one_wrong_password_is_all_it_costs() -> None:
    """The examination sends one wrong password, as long as the right one, and is counted against the budget."""
    api = FakeApi()
    target, _ = findings(api)

    wrong = [password for password in api.logins() if password not in api.accounts.values()]
    assert [len(password) for password in wrong] == [len(ALICE.password)]
    assert target.wrong_passwords == {"alice": 1}
