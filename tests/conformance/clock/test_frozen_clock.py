"""Moving the clock of a server that runs in this process."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, TypeVar

import pytest
import requests

from conformance.clock import FrozenClock, WaitingClock
from tests.conformance.support import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

HOUR_S = 3600.0
DEEP = 6
"""freezegun looks five calls up for a module that keeps the true time, and `threading` is one."""
T = TypeVar("T")


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    """A clock whose moves end with the test."""
    clock = FrozenClock()
    yield clock
    clock.close()


def elsewhere(ask: Callable[[], T]) -> T:
    """What a thread sees: like a server's worker, it is not called by pytest, which keeps the true time."""
    seen: list[T] = []

    def work(depth: int = DEEP) -> None:
        if depth:
            work(depth - 1)
        else:
            seen.append(ask())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return seen[0]


def true_time() -> float:
    """The suite's own view of the time."""
    return WaitingClock(time.sleep, 0).now()


def test_nothing_is_touched_before_the_first_move(clock: FrozenClock) -> None:
    """A clock that has not moved shows the true time, and leaves Python's own functions in place."""
    before = time.time, dt.datetime

    assert abs(clock.now() - time.time()) < 0.1
    assert (time.time, dt.datetime) == before


def test_a_move_shows_in_every_way_to_ask(clock: FrozenClock) -> None:
    """After a move, ordinary code sees the new time by `time.time` and by `datetime`, in whichever zone."""
    start = true_time()
    clock.reach(start + HOUR_S)

    for shown in (
        elsewhere(time.time),
        elsewhere(lambda: dt.datetime.now(dt.UTC).timestamp()),
        elsewhere(lambda: dt.datetime.now().astimezone().timestamp()),
        elsewhere(lambda: time.mktime(time.localtime())),
        clock.now(),
    ):
        assert start + HOUR_S - 1 <= shown < start + HOUR_S + 5


def test_the_suite_keeps_the_true_time(clock: FrozenClock) -> None:
    """The suite measures its own run by a clock that the moves do not touch, and so does what waits for an answer."""
    start, ticks = true_time(), time.monotonic()
    clock.reach(start + 24 * HOUR_S)

    assert true_time() - start < 5
    assert time.monotonic() - ticks < 5


def test_time_goes_on_after_a_move(clock: FrozenClock) -> None:
    """The clock ticks at its usual speed, in the server as well as in `now`."""
    clock.reach(true_time() + HOUR_S)
    first = elsewhere(time.time), clock.now()
    time.sleep(0.05)
    second = elsewhere(time.time), clock.now()

    assert all(0.04 < later - earlier < 2 for earlier, later in zip(first, second, strict=True))


def test_a_moment_that_is_past_moves_nothing(clock: FrozenClock) -> None:
    """The clock never goes back: a moment before the present is reached already."""
    clock.reach(true_time() + HOUR_S)
    before = elsewhere(time.time)

    clock.reach(true_time())
    clock.reach(0)

    assert 0 <= elsewhere(time.time) - before < 5


def test_moves_add_up(clock: FrozenClock) -> None:
    """Each move starts where the last one ended, as far as weeks."""
    start = true_time()
    for ahead in (5.0, 900.0, 14 * 24 * HOUR_S):
        clock.reach(start + ahead)
        assert ahead - 1 <= elsewhere(time.time) - start < ahead + 5
        assert ahead <= clock.now() - start < ahead + 5


def test_any_moment_can_be_reached(clock: FrozenClock) -> None:
    """Moving costs nothing, so that no lifetime is too long."""
    assert clock.can_reach(true_time() + 1000 * 24 * HOUR_S)


def test_closing_gives_the_time_back(clock: FrozenClock) -> None:
    """After the run, everybody sees the true time again, the clock itself included; closing twice is no error."""
    clock.reach(true_time() + HOUR_S)
    clock.close()
    clock.close()

    for shown in (elsewhere(time.time), elsewhere(lambda: dt.datetime.now(dt.UTC).timestamp()), clock.now()):
        assert abs(shown - true_time()) < 5
    clock.reach(true_time() + 60)
    assert 59 <= elsewhere(time.time) - true_time() < 65


def test_an_application_of_any_depth_is_moved(clock: FrozenClock) -> None:
    """A bare WSGI application, which the server calls directly, sees the moved time in both ways to ask for it."""

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{time.time()} {dt.datetime.now(dt.UTC).timestamp()}".encode()]

    with served(app) as url:
        start = true_time()
        clock.reach(start + HOUR_S)
        shown = [float(word) - start for word in requests.get(url, timeout=5).text.split()]

    assert all(HOUR_S - 1 <= ahead < HOUR_S + 5 for ahead in shown)


def test_a_token_of_the_reference_server_expires(clock: FrozenClock) -> None:
    """A real token is refused once its time has passed on the moved clock, and was accepted before."""
    with served() as url, requests.Session() as session:
        login = {"username": "alice", "password": "correct-horse-Battery-9!"}
        token = session.post(f"{url}/login", json=login, timeout=5).json()["access_token"]

        def ask() -> int:
            return session.get(f"{url}/profile", headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code

        statuses = [ask()]
        start = true_time()
        for ahead in (895.0, 902.0):
            clock.reach(start + ahead)
            statuses.append(ask())

    assert statuses == [200, 200, 401]
