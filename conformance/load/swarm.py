"""The users under load, on Locust: in this process, or in workers that a master directs.

Importing this module patches sockets and threads for gevent, as Locust does: it is for processes that do nothing else.
"""

from __future__ import annotations

# First, since it changes what the modules after it import.
from locust import User, between, task  # isort: skip

import itertools
import logging
import signal
import time
import traceback
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.event import Event
from locust.env import Environment

from conformance.errors import TargetError
from conformance.load.invariants import Ledger
from conformance.load.life import Life

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.runners import MasterRunner, Runner
    from locust.stats import StatsEntry

    from conformance.load.ground import Ground
    from conformance.target.http import Exchange, Request

TOLD_EVERY_S: Final = 5.0
NOTED_EVERY_S: Final = 1.0
LONGEST_START_S: Final = 60.0
LAST_WORDS_S: Final = 5.0
PERCENTILES: Final = (0.5, 0.95, 0.99)
_KEY: Final = "jwt_conformance"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much load, and for how long.

    Attributes:
        users: how many at once.
        duration_s: for how long, in seconds, counted from the first user on.
        spawn_rate: so many users begin each second.
        think_s: how long a user pauses between two actions on average, in seconds.
        workers: so many processes are waited for; 0 where the users live in this process.
        address: the host and port where a master listens, or a worker finds it.
    """

    users: int
    duration_s: float
    spawn_rate: float
    think_s: float
    workers: int = 0
    address: tuple[str, int] = ("127.0.0.1", 0)


@dataclass(slots=True)
class Course:
    """What became of it.

    Attributes:
        routes: the figures of each thing that users do, and of all of them last.
        over_time: one row a second.
        ledger: what was found.
        lasted_s: how long it went on, in seconds.
        complete: whether it went on for as long as was planned.
    """

    routes: list[dict[str, Any]] = field(default_factory=list)
    over_time: list[dict[str, float]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    lasted_s: float = 0.0
    complete: bool = False


def visitor(ground: Ground, plan: Plan) -> type[User]:
    """Locust's class for a user who lives on this ground."""
    begun = itertools.count()

    class Visitor(User):
        wait_time = between(plan.think_s * 0.5, plan.think_s * 1.5)
        # Of the figures those of each request count, and of a user's crash the ledger keeps the words.
        abstract = False

        def on_start(self) -> None:
            """Begins a life."""
            # In turn, over all processes: two users share an account only where there are fewer of those.
            number = next(begun) * max(1, plan.workers) + getattr(self.environment.runner, "worker_index", 0)
            account = ground.accounts[number % len(ground.accounts)]
            self.life = Life(ground, account, ground.new_client(), self.tell, gevent.sleep)

        def on_stop(self) -> None:
            """Closes the connections."""
            self.life.client.close()

        @task
        def live(self) -> None:
            """Does one thing."""
            try:
                self.life.step()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other users live on
                where = traceback.extract_tb(error.__traceback__)[-1]
                words = f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}: {error}"
                ground.ledger.faults.append(ground.target.redactor.text(words))
                self.life.session = None

        def tell(self, name: str, request: Request, exchange: Exchange | None) -> None:
            """Lets Locust count a request."""
            answer = exchange.response if exchange else None
            failed = answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            self.environment.events.request.fire(
                request_type=request.method,
                name=name,
                response_time=answer.elapsed_s * 1000 if answer else 0.0,
                response_length=len(answer.body) if answer else 0,
                exception=TargetError("no answer" if answer is None else f"status {answer.status}") if failed else None,
                context={},
            )

    return Visitor


def lead(plan: Plan, ground: Ground, tell: Callable[[str], None]) -> Course:
    """Puts the load on the target, from this process or as a master of others; returns when it is over.

    Args:
        plan: how much.
        ground: of this process.
        tell: is told a line every few seconds.

    Raises:
        TargetError: the workers do not come.
    """
    _quieten()
    environment = Environment(user_classes=[visitor(ground, plan)], host=ground.target.client.base_url)
    stop = _stop_signals()
    runner: Runner
    if plan.workers:

        def take(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - by name
            if _KEY in data:
                ground.ledger.add(data[_KEY])

        environment.events.worker_report.add_listener(take)  # type: ignore[no-untyped-call] # as Locust has it
        runner = master = environment.create_master_runner(*plan.address)
        _await_workers(master, plan.workers, stop)
    else:
        runner = environment.create_local_runner()
    course = Course(ledger=ground.ledger)
    started, began = time.monotonic(), time.time()
    notes = gevent.spawn(_note, runner, course, started)
    tells = gevent.spawn(_tell_now_and_then, runner, course, tell, started)
    try:
        # A master returns when all have begun.
        runner.start(plan.users, plan.spawn_rate)
        course.complete = not stop.wait(max(0.0, started + plan.duration_s - time.monotonic()))
    finally:
        course.lasted_s = time.monotonic() - started
        gevent.killall([notes, tells])
        course.routes = _figures(runner, course.lasted_s)
        runner.stop()
        if plan.workers:
            # A worker reports once more when its users have stopped.
            gevent.sleep(LAST_WORDS_S)
            course.routes = _figures(runner, course.lasted_s)
        _count_by_second(runner.stats.total, course, began)
        runner.quit()
    return course


def follow(plan: Plan, ground: Ground) -> None:
    """Lets users live here for as long as the master at `plan.address` wants."""
    _quieten()
    environment = Environment(user_classes=[visitor(ground, plan)], host=ground.target.client.base_url)
    stop = _stop_signals()
    runner = environment.create_worker_runner(*plan.address)

    def give(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - by name
        data[_KEY] = ground.ledger.drained()

    environment.events.report_to_master.add_listener(give)  # type: ignore[no-untyped-call] # as Locust has it
    gevent.spawn(runner.greenlet.join).link(lambda _: stop.set())
    stop.wait()
    runner.quit()


def _quieten() -> None:
    # What Locust has to say about its own work is none of the user's business.
    for name in ("locust", "locust.runners", "locust.stats"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _stop_signals() -> Event:
    """Is set when somebody asks for the end."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, stop.set)
    return stop


def _await_workers(runner: MasterRunner, wanted: int, stop: Event) -> None:
    deadline = time.monotonic() + LONGEST_START_S
    while len(runner.clients.ready) < wanted:
        if time.monotonic() > deadline or stop.is_set():
            found = len(runner.clients.ready)
            runner.quit()
            raise TargetError(
                f"{found} of {wanted} workers came within {LONGEST_START_S:.0f} s",
                "start each with --worker-of and this machine's address, and the same URL and options",
            )
        gevent.sleep(0.1)


def _tell_now_and_then(runner: Runner, course: Course, tell: Callable[[str], None], started: float) -> None:
    while True:
        gevent.sleep(TOLD_EVERY_S)
        total = runner.stats.total
        tell(
            f"{time.monotonic() - started:5.0f} s  {runner.user_count} users  {total.current_rps:.0f}"
            f" requests/s  p95 {total.get_current_response_time_percentile(0.95) or 0:.0f} ms"
            f"  {course.ledger.broken} broken"
        )


def _note(runner: Runner, course: Course, started: float) -> None:
    while True:
        gevent.sleep(NOTED_EVERY_S)
        total: StatsEntry = runner.stats.total
        median, high = (total.get_current_response_time_percentile(each) or 0.0 for each in (0.5, 0.95))
        course.over_time.append(
            {
                "at_s": round(time.monotonic() - started, 1),
                "users": runner.user_count,
                "requests_per_s": 0.0,
                "failures_per_s": 0.0,
                "p50_ms": round(median, 1),
                "p95_ms": round(high, 1),
                "broken": course.ledger.broken,
            }
        )


def _count_by_second(total: StatsEntry, course: Course, began: float) -> None:
    """Fills in the rates: what workers report arrives late, and several seconds at once, but with its own time."""
    for row in course.over_time:
        second = int(began + row["at_s"]) - 1
        row["requests_per_s"] = float(total.num_reqs_per_sec.get(second, 0))
        row["failures_per_s"] = float(total.num_fail_per_sec.get(second, 0))


def _figures(runner: Runner, lasted_s: float) -> list[dict[str, Any]]:
    entries = sorted(runner.stats.entries.values(), key=lambda entry: -entry.num_requests)
    return [_figure(entry, lasted_s) for entry in (*entries, runner.stats.total)]


def _figure(entry: StatsEntry, lasted_s: float) -> dict[str, Any]:
    return {
        "name": entry.name,
        "method": entry.method or "",
        "requests": entry.num_requests,
        "failures": entry.num_failures,
        "requests_per_s": round(entry.num_requests / lasted_s, 2) if lasted_s else 0.0,
        "mean_ms": round(entry.avg_response_time, 1),
        **{f"p{each * 100:.0f}_ms": round(entry.get_response_time_percentile(each), 1) for each in PERCENTILES},
        "max_ms": round(entry.max_response_time, 1),
    }
