"""Logging in, sharing sessions, refreshing them, and guessing within bounds."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING

import pytest

from conformance.clock import WaitingClock
from conformance.target.session_pool import LoginError
from conformance.target.target import WRONG_IN_A_ROW
from tests.conformance.support import ALICE, BOB, FakeApi, answer, target_of

if TYPE_CHECKING:
    from conformance.target.http import Response
    from conformance.target.session import Account
    from conformance.target.target import Target


def guess(target: Target, account: Account, times: int) -> None:
    """Sends so many wrong passwords."""
    for _ in range(times):
        target.send(target.guess(account.username, target.wrong_password()))


def rows(api: FakeApi, account: Account) -> list[int]:
    """How many wrong passwords in a row this account got, each time."""
    sent = [json.loads(request.body) for request in api.received if request.path == "/login"]
    right = [body["password"] == account.password for body in sent if body["username"] == account.username]
    return [len(list(group)) for was_right, group in itertools.groupby(right) if not was_right]


@pytest.mark.parametrize(
    ("account", "times"),
    [*((ALICE, times) for times in (1, 4, 5, 11)), (BOB, 4), (BOB, 11)],
)
def test_an_honest_login_comes_between_wrong_passwords(account: Account, times: int) -> None:
    """However many wrong passwords there are, an account gets no more than four of them in a row."""
    api = FakeApi()
    target = target_of(api)

    guess(target, account, times)

    assert sum(rows(api, account)) == times
    assert max(rows(api, account)) <= WRONG_IN_A_ROW
    assert target.client.traffic.logins == (times - 1) // WRONG_IN_A_ROW


def test_an_honest_login_clears_the_count() -> None:
    """After a success the account has its whole budget again."""
    api = FakeApi()
    target = target_of(api)

    guess(target, ALICE, 3)
    target.login()
    guess(target, ALICE, 4)

    assert rows(api, ALICE) == [3, 4]
    assert target.client.traffic.logins == 1


def test_the_login_in_between_is_not_wasted() -> None:
    """What a login between guesses opened is the next session that somebody asks for."""
    target = target_of(FakeApi())
    guess(target, ALICE, WRONG_IN_A_ROW + 1)

    session = target.new_session()

    assert target.client.traffic.logins == 1
    assert session.account == ALICE


def test_unknown_names_cost_nothing() -> None:
    """Guessing at a user who does not exist can lock nobody out, so that nothing comes in between."""
    api = FakeApi()
    target = target_of(api)

    for number in range(12):
        target.send(target.guess(f"nobody-{number}", "x"))

    assert target.client.traffic.logins == 0
    assert len(api.received) == 12


def test_a_wrong_password_is_as_long_as_the_right_one() -> None:
    """A wrong password differs each time and is refused for what it is, not for its length."""
    target = target_of(FakeApi())
    made = {target.wrong_password() for _ in range(20)}

    assert len(made) == 20
    assert {len(password) for password in made} == {len(ALICE.password)}
    assert ALICE.password not in made


@pytest.mark.parametrize(
    ("wrong", "is_hidden"),
    [
        (ALICE.password[:-1], True),
        (f"{ALICE.password}x", True),
        (ALICE.password.swapcase(), True),
        (f" {ALICE.password}\n", True),
        ("entirely different", False),
        ("", False),
        ("   ", False),
    ],
)
def test_a_password_that_gives_the_right_one_away_is_hidden(wrong: str, is_hidden: bool) -> None:
    """A guess that is nearly the password stays out of the evidence, and an unrelated one may be seen."""
    target = target_of(FakeApi())

    target.guess("alice", wrong)

    assert (target.redactor.text(f"sent {wrong!s} as password") != f"sent {wrong!s} as password") == is_hidden


@pytest.mark.parametrize(
    "reply", [answer(401, {"msg": "no"}), answer(200, {}), answer(200, {"access_token": "AAA"}), answer(429)]
)
def test_an_honest_login_that_fails_is_an_error_with_its_evidence(reply: Response) -> None:
    """Whoever needs a session learns that there is none, and what was answered."""
    api = FakeApi()
    target = target_of(api)
    api.overrides["POST /login"] = lambda _request: reply

    if reply.status == 429:
        with pytest.raises(Exception, match="limits the rate"):
            target.login()
    else:
        with pytest.raises(LoginError, match="without both tokens") as error:
            target.login()
        assert error.value.exchange.response is reply


def test_what_is_secret_is_known_from_the_start() -> None:
    """Passwords and the signatures of issued tokens are taken out of texts; evidence names an honest token."""
    target = target_of(FakeApi())
    session = target.login()
    signature = session.access.value.rpartition(".")[2]

    text = target.redactor.text(f"{ALICE.password} {BOB.password} {session.access.value} and alone: {signature}")

    assert not {ALICE.password, BOB.password, signature} & set(text.split())
    assert target.honest_values[session.access.value] == "ACCESS_TOKEN"
    assert target.honest_values[session.refresh.value] == "REFRESH_TOKEN"


def test_the_first_session_is_remembered_as_it_was() -> None:
    """What the very first login gave stays on record, however the session goes on."""
    target = target_of(FakeApi())
    session = target.session()
    first = session.access.value
    target.refresh(session)

    assert target.first_session is not None
    assert target.first_session.access.value == first
    assert target.last_login is session.login


def test_requests_are_those_of_the_client() -> None:
    """Whatever the target sends is counted once."""
    api = FakeApi()
    target = target_of(api)

    target.login()
    target.send(target.protected_doors[0].anonymous())

    assert target.client.traffic.requests == len(api.received) == 2


class Periods(FakeApi):
    """Its tokens hold a user and a period's beginning: two logins within one period get the same."""

    def __init__(self, period_s: int) -> None:
        """Counts in periods of so many seconds."""
        super().__init__()
        self.period_s = period_s

    def issue(self, kind: str, username: str) -> str:
        """The period's token of this kind."""
        now = time.time()
        self._issued, self.clock_s = -1, now // self.period_s * self.period_s - now + 0.001
        return super().issue(kind, username)


def patient(api: FakeApi) -> Target:
    """A target that may be waited for."""
    target = target_of(api)
    target.clock = WaitingClock(target.client.pause, 5.0)
    return target


def test_sessions_share_no_token() -> None:
    """What ends one session ends no other, also where two logins within a second get the same tokens."""
    target = patient(Periods(1))
    first, second, third = target.login(), target.new_session(), target.login()

    assert len({session.refresh.value for session in (first, second, third)}) == 3


def test_a_session_with_a_twin_is_nobodys_next_one() -> None:
    """Of two sessions with the same tokens neither is kept for scenarios that may end it."""
    target = patient(Periods(1))
    while time.time() % 1 > 0.5:
        time.sleep(0.01)
    twins = [session for _, session in (target.try_login(ALICE), target.try_login(ALICE)) if session]
    for session in twins:
        target.keep_for_later(session)

    assert twins[0].refresh.value == twins[1].refresh.value
    assert target.new_session().refresh.value != twins[0].refresh.value


def test_where_tokens_never_change_sessions_are_taken_as_they_are() -> None:
    """A server that gives a user the same tokens all day is logged in to once more, and not with every session."""
    target = patient(Periods(86_400))
    for _ in range(4):
        target.new_session()

    assert target.client.traffic.logins == 5
