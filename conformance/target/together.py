"""Requests that are under way at the same time, each on a connection of its own."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from conformance.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.target.http import Exchange, Request

LONGEST_START_S = 10.0
Connection = TypeVar("Connection")


@dataclass(frozen=True, slots=True)
class Volley:
    """What became of requests that were released at once.

    Attributes:
        exchanges: one for each request, in their order; None where no answer came.
    """

    exchanges: tuple[Exchange | None, ...]

    @property
    def answered(self) -> list[Exchange]:
        """The exchanges of those requests that were answered."""
        return [exchange for exchange in self.exchanges if exchange]

    @property
    def overlapped(self) -> bool:
        """Whether any two requests were under way at the same time, as this machine's clock saw it."""
        spans = sorted((one.sent_at, one.sent_at + one.response.elapsed_s) for one in self.answered)
        return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))


def fire(
    send: Callable[[Connection, Request], Exchange],
    connections: Sequence[Connection],
    requests: Sequence[Request],
    after_s: Sequence[float] = (),
) -> Volley:
    """Releases every request at once and waits for all answers.

    Args:
        send: sends a request on a connection.
        connections: one for each request; where there are fewer, the others follow as connections become free.
        requests: at least one.
        after_s: how many seconds later each is sent; none of them, unless given.
    """
    delays = [*after_s, *[0.0] * (len(requests) - len(after_s))]
    at_once = min(len(connections), len(requests))
    barrier = threading.Barrier(at_once)
    free: SimpleQueue[Connection] = SimpleQueue()
    for connection in connections:
        free.put(connection)

    def run(number: int) -> Exchange | None:
        connection = free.get()
        try:
            if number < at_once:
                barrier.wait(LONGEST_START_S)
            time.sleep(delays[number])
            return send(connection, requests[number])
        except (TargetError, threading.BrokenBarrierError):
            return None
        finally:
            free.put(connection)

    with ThreadPoolExecutor(at_once, thread_name_prefix="together") as pool:
        return Volley(tuple(pool.map(run, range(len(requests)))))
