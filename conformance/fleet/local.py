"""Runs a fleet on this machine: so many processes at a time, each watched by a thread."""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from conformance.fleet.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conformance.fleet.entry import Entry
    from conformance.fleet.outcome import Finished
    from conformance.interrupts import Interrupts


def processors() -> int:
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def finish(
    entries: Sequence[Entry], workers: int, timeout_s: float, scratch: Path, interrupts: Interrupts
) -> Iterator[Finished]:
    """Each run as it ends; when the last is taken, or the iterator closed, no process is left.

    Args:
        entries: are begun in this order.
        workers: how many at a time.
        timeout_s: seconds that each may take.
        scratch: a folder for files that last as long as a run.
        interrupts: may break in while runs are waited for.

    Raises:
        KeyboardInterrupt: the fleet was interrupted.
    """
    unwanted = threading.Event()
    left = iter(entries)
    under_way: set[Future[Finished]] = set()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                # No more than are under way, so that no result stays in memory once it is taken.
                for entry in left:
                    under_way.add(pool.submit(run, entry, timeout_s, unwanted.is_set, str(scratch)))
                    if len(under_way) >= workers:
                        break
                if not under_way:
                    return
                with interrupts.let_in():
                    ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                while ended:
                    yield ended.pop().result()
        finally:
            unwanted.set()
