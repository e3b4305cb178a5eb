"""Tells of each target as it is finished: on a terminal above a bar, elsewhere as plain lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from conformance.fleet.outcome import Outcome

if TYPE_CHECKING:
    from conformance.fleet.outcome import State

_COLOURS: Final = {Outcome.CONFORMANT: "green", Outcome.BROKEN: "red"}


class Teller:
    """A context in which a fleet runs.

    Attributes:
        width: of the longest name.
    """

    def __init__(self, total: int, done: int, width: int) -> None:
        """Shows nothing yet.

        Args:
            total: how many targets there are.
            done: how many of them are finished already.
            width: of the longest name.
        """
        self._total, self._done, self._width = total, done, width
        self._bar: Progress | None = None
        if sys.stdout.isatty():
            self._bar = Progress(
                BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("[dim]{task.fields[last]}"),
                console=Console(highlight=False), transient=True, redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._task = self._bar.add_task("", total=total, completed=done, last="")

    def __enter__(self) -> Self:
        """Draws the bar, where there is a terminal."""
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the bar away."""
        if self._bar:
            self._bar.stop()

    def finished(self, state: State) -> None:
        """Tells of a target."""
        self._done += 1
        place = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
        line = f"{place} {state.name:<{self._width}}  {state.told}  ({state.seconds:.1f} s)"
        if self._bar:
            self._bar.console.print(Text(line, style=_COLOURS.get(state.outcome, "yellow")))
            self._bar.update(self._task, advance=1, last=state.name)
        else:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
