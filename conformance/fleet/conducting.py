"""One fleet from its file to its comparison."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.errors import ConfigurationError, TargetError
from conformance.fleet import local, targets
from conformance.fleet.outcome import exit_code
from conformance.fleet.progress import Teller
from conformance.fleet.results import Results
from conformance.fleet.summary import compared, render
from conformance.interrupts import Interrupts
from conformance.options import check_writable
from conformance.reports.writing import write

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from conformance.fleet.entry import Entry
    from conformance.fleet.outcome import Finished, State


@dataclass(frozen=True, slots=True)
class Orders:
    """What the user asked for.

    Attributes:
        file: names the targets.
        out: the folder of results.
        workers: how many runs at a time on this machine; None for one for each processor.
        scheduler: the address of Dask's; empty for this machine.
        timeout_s: seconds that each run may take.
        fresh: whether what is finished is judged anew.
        keyword: chooses scenarios.
        everything: whether to tell of requirements on which all targets agree.
        page: a file for the comparison as HTML; empty for none.
        report: one for JSON.
    """

    file: str
    out: str
    workers: int | None = None
    scheduler: str = ""
    timeout_s: float = 900.0
    fresh: bool = False
    keyword: str = ""
    everything: bool = False
    page: str = ""
    report: str = ""


def conduct(orders: Orders) -> int:
    """Runs what is not finished, tells of it, and writes the comparison; returns the exit code.

    Raises:
        ConfigurationError: the orders or the file of targets are wrong, and nothing was run; or a file cannot be
            written.
    """
    if orders.scheduler and orders.workers:
        raise ConfigurationError(
            "--workers is for this machine, and --scheduler for others",
            "leave one of them out; a scheduler has as many runs at a time as its workers have threads",
        )
    if math.isnan(orders.timeout_s):
        raise ConfigurationError("--timeout 'nan' is no number of seconds")
    if orders.scheduler:
        # Dask is optional, and whoever lacks it is told before anything else.
        import_module("conformance.fleet.scheduler")
    entries = targets.read(orders.file, keyword=orders.keyword, remote=bool(orders.scheduler))
    for option, file in (("report-html", orders.page), ("report-json", orders.report)):
        if file:
            check_writable(option, file)
            _check_apart(option, file, orders.out, entries)
    with Results(orders.out) as results:
        return _Fleet(orders, entries, results).finish()


def _check_apart(option: str, file: str, out: str, entries: Sequence[Entry]) -> None:
    for entry in entries:
        if Path(file).resolve() == Path(out, f"{entry.name}.json").resolve():
            raise ConfigurationError(f"--{option} {file!r} is where the report of {entry.name!r} goes", "name another")


class _Fleet:
    """A fleet that runs."""

    def __init__(self, orders: Orders, entries: Sequence[Entry], results: Results) -> None:
        self._orders, self._entries, self._results = orders, entries, results
        self._states: dict[str, State] = {}
        self._interrupts = Interrupts(waits=True)

    def finish(self) -> int:
        """Runs what is left, and concludes."""
        for entry in self._entries:
            if self._orders.fresh:
                self._results.forget(entry)
            elif (state := self._results.state(entry)) and state.complete:
                self._states[entry.name] = state
        left = [entry for entry in self._entries if entry.name not in self._states]
        if self._states:
            click.echo(f"{len(self._states)} of {len(self._entries)} targets are finished already")
        problem = self._run(left)
        self._interrupts.put_off()
        try:
            return self._conclude(problem)
        finally:
            self._interrupts.restore()

    def _run(self, left: Sequence[Entry]) -> str:
        """Runs these; returns why not all of them, if so."""
        by_name = {entry.name: entry for entry in left}
        width = max((len(entry.name) for entry in self._entries), default=0)
        self._interrupts.obey()
        try:
            with (
                Teller(len(self._entries), len(self._states), width) as teller,
                closing(self._started(left)) as ended,
            ):
                for finished in ended:
                    state = self._results.keep(by_name[finished.name], finished)
                    self._states[state.name] = state
                    teller.finished(state)
        except KeyboardInterrupt:
            return "interrupted"
        except TargetError as error:
            return str(error)
        return ""

    def _started(self, left: Sequence[Entry]) -> Generator[Finished, None, None]:
        orders = self._orders
        if left and orders.scheduler:
            from conformance.fleet import scheduler  # noqa: PLC0415 - Dask is optional, and takes a second to load

            yield from scheduler.finish(left, orders.scheduler, orders.timeout_s, self._interrupts)
        elif left:
            workers = orders.workers or local.processors()
            yield from local.finish(left, workers, orders.timeout_s, self._results.scratch, self._interrupts)

    def _conclude(self, problem: str) -> int:
        """Tells and writes the comparison of what is finished."""
        orders, states = self._orders, self._states
        comparison = compared(self._entries, states, self._results)
        is_complete = len(states) == len(self._entries)
        for file, text in (
            (orders.page, comparison.page if orders.page else None),
            (orders.report, lambda: render(self._entries, states, comparison, complete=is_complete)),
        ):
            if file and text:
                try:
                    write(text(), file)
                except OSError as error:
                    raise ConfigurationError(f"{file!r} cannot be written: {error.strerror}") from None
        click.echo("")
        for line in comparison.told(everything=orders.everything):
            click.echo(line)
        if not is_complete:
            number = f"{len(states)} of {len(self._entries)} targets are finished"
            click.echo(f"{problem or 'incomplete'}: {number}; the same command goes on with the others", err=True)
        return int(exit_code([states[entry.name].outcome if entry.name in states else None for entry in self._entries]))
