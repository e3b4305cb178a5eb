"""Runs a fleet on the workers of a Dask scheduler; the only module that needs Dask."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from conformance.errors import ConfigurationError, TargetError, nearest
from conformance.fleet.outcome import Finished, Outcome
from conformance.fleet.running import StoppedError, run

try:
    from distributed import Client, Future, KilledWorker, as_completed, get_worker
except ImportError:
    raise ConfigurationError(
        "--scheduler needs Dask, which is not installed", "pip install 'jwt-conformance[fleet]'"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.fleet.entry import Entry
    from conformance.interrupts import Interrupts

CONNECT_S: Final = 10.0
SCHEMES: Final = ("tcp", "tls", "ws", "wss")
_HINT: Final = "start one with `dask scheduler`, and give the address that it prints, such as tcp://10.0.0.1:8786"
WANTED: Final = frozenset({"executing", "long-running"})
"""The states of a task, as its worker knows it, whose result somebody waits for."""


def finish(entries: Sequence[Entry], address: str, timeout_s: float, interrupts: Interrupts) -> Iterator[Finished]:
    """Each run as it ends, on whatever worker; what a lost worker was at is begun anew elsewhere, by Dask.

    Args:
        entries: the targets; their variables and files are the workers'.
        address: of the scheduler, such as tcp://10.0.0.1:8786.
        timeout_s: seconds that each may take.
        interrupts: may break in while runs are waited for.

    Raises:
        ConfigurationError: no scheduler answers there.
        TargetError: it no longer does.
        KeyboardInterrupt: the fleet was interrupted.
    """
    scheme, has_scheme, _ = address.partition("://")
    if has_scheme and scheme not in SCHEMES:
        raise ConfigurationError(f"--scheduler {address!r} is no address{nearest(scheme, SCHEMES)}", _HINT)
    # What becomes of the connection is told below, in other words; several loggers of Dask's have levels of their own.
    logging.disable(logging.CRITICAL)
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"no scheduler answers at {address!r}: {error}", _HINT) from None
    try:
        mark = secrets.token_hex(8)
        names = {f"{entry.name}-{mark}": entry.name for entry in entries}
        futures = [
            client.submit(_elsewhere, entry, timeout_s, key=f"{entry.name}-{mark}", pure=False) for entry in entries
        ]
        ended = as_completed(futures, loop=client.loop)
        futures.clear()
        while not ended.is_empty():
            with interrupts.let_in():
                future = next(ended)
            yield _taken(future, names[future.key])
    finally:
        # What runs is ended by its worker, which sees that nobody wants the result.
        with suppress(Exception):
            client.close(timeout=CONNECT_S)


def _taken(future: Future[Finished], name: str) -> Finished:
    """The result; the workers need not keep it.

    Raises:
        TargetError: the scheduler is lost.
    """
    if future.cancelled() or future.status == "lost":
        raise TargetError("the scheduler is lost")
    error = future.exception()
    if error is None:
        finished = future.result()
        future.release()
        return finished
    if isinstance(error, KilledWorker):
        return Finished(name, Outcome.CRASHED, "each worker that had this run was lost during it")
    return Finished(name, Outcome.CRASHED, f"the worker cannot run it: {type(error).__name__}: {error}")


def _elsewhere(entry: Entry, timeout_s: float) -> Finished | None:
    """What a worker does: one run, until its result is no longer wanted, since the fleet was interrupted or is gone."""
    worker = get_worker()
    key = worker.get_current_task()

    def unwanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state not in WANTED

    try:
        return run(entry, timeout_s, unwanted)
    except StoppedError:
        return None
