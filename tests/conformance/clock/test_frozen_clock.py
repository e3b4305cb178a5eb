"""Moving the clock of a server that runs in this process."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import threading
import time
import types
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import freezegun
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


def test_a_small_move_after_a_pause_never_goes_back(clock: FrozenClock) -> None:
    """What has passed between two moves stays passed: a server must not find its own tokens issued in the future."""
    clock.reach(clock.now() + HOUR_S)
    time.sleep(0.3)
    before = elsewhere(time.time)

    clock.reach(clock.now() + 0.05)

    assert before <= elsewhere(time.time)
    assert abs(elsewhere(time.time) - clock.now()) < 0.1


class Odd(types.ModuleType):
    """A module that warns and raises when it is looked through, as lazy ones do."""

    def __dir__(self) -> list[str]:
        """What is not there yet."""
        return ["deprecated", "unavailable"]

    def __getattr__(self, name: str) -> object:
        """Warns of one, and cannot have the other."""
        if name == "deprecated":
            warnings.warn("old", DeprecationWarning, stacklevel=1)
            raise AttributeError(name)
        raise RuntimeError(name)


@pytest.mark.parametrize("when", ["before", "after"])
def test_odd_modules_do_not_stop_the_clock(when: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a big application has loaded, the clock starts and stops, and lets no warning out."""
    start = true_time()
    if when == "before":
        monkeypatch.setitem(sys.modules, "odd", Odd("odd"))
    clock.reach(start + HOUR_S)
    if when == "after":
        monkeypatch.setitem(sys.modules, "odd", Odd("odd"))

    assert elsewhere(time.time) >= start + HOUR_S - 1
    clock.close()
    assert abs(elsewhere(time.time) - true_time()) < 5


def test_a_big_application_is_looked_through_in_a_moment(clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand modules more do not make the first move slow."""
    for number in range(1000):
        module = types.ModuleType(f"big.part{number}")
        vars(module).update({f"name{each}": each for each in range(100)}, ask=time.time)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    started = time.monotonic()
    clock.reach(true_time() + HOUR_S)

    assert time.monotonic() - started < 5
    assert elsewhere(sys.modules["big.part999"].ask) >= true_time() + HOUR_S - 1


def test_a_thread_pool_s_work_is_moved(clock: FrozenClock) -> None:
    """A function that a pool's thread calls at once sees the moved time: endpoints of ASGI frameworks run so."""
    start = true_time()
    clock.reach(start + HOUR_S)

    with ThreadPoolExecutor(1) as pool:
        # Not by way of this module's own function: the pool's thread is what calls it.
        shown = [pool.submit(time.time).result(), pool.submit(dt.datetime.now, dt.UTC).result().timestamp()]
    assert all(start + HOUR_S - 1 <= each for each in shown)


def test_an_event_loop_that_runs_meanwhile_goes_on(clock: FrozenClock) -> None:
    """Timers of a loop in another thread count real seconds, before a move, while it is made, and after it."""
    beats: list[float] = []

    async def beat() -> None:
        while len(beats) < 20:
            await asyncio.sleep(0.02)
            beats.append(time.time())

    thread = threading.Thread(target=asyncio.run, args=(beat(),))
    thread.start()
    time.sleep(0.1)
    for _ in range(3):
        clock.reach(clock.now() + HOUR_S)
        time.sleep(0.05)
    thread.join(10)

    assert not thread.is_alive()
    assert beats[-1] - beats[0] > 3 * HOUR_S - 1


def test_freezegun_s_own_settings_are_left_as_they_were(clock: FrozenClock) -> None:
    """Tests of the user's that run in the same session find freezegun as they know it."""
    before = list(freezegun.config.settings.default_ignore_list)
    clock.reach(true_time() + HOUR_S)
    clock.close()

    assert freezegun.config.settings.default_ignore_list == before


def test_what_keeps_its_own_time_is_waited_for() -> None:
    """Where a database or a limit may count real seconds, only a token's end is reached by a move."""
    pauses: list[float] = []
    clock = FrozenClock(pauses.append, 30)
    try:
        assert not clock.covers_stores
        assert (clock.can_let_pass(30), clock.can_let_pass(31)) == (True, False)
        clock.let_pass(7)
        assert pauses == [7]
        assert abs(clock.now() - true_time()) < 5
        clock.reach(true_time() + HOUR_S)
        assert clock.now() >= true_time() + HOUR_S - 1
    finally:
        clock.close()
    assert pauses == [7]
