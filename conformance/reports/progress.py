"""A bar while scenarios run: how far they are, how they fare, and what is being waited for; on terminals alone."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Generator

_COLOURS: Final = {"failed": "red", "inconclusive": "red", "warned": "yellow", "untested": "yellow", "passed": "green"}
_WORDS: Final = 60


NAME: Final = "conformance-bar"
"""What pytest knows it by."""


class Bar:
    """A pytest plugin that draws instead of pytest's letters."""

    def __init__(self) -> None:
        """Draws nothing before the first scenario."""
        self.__name__ = NAME
        self._progress: Progress | None = None
        self._task: Any = None
        self._counts: Counter[str] = Counter()
        self._until = 0.0

    def pauses(self, seconds: float) -> None:
        """Shows how long nothing is sent, where nobody has said why."""
        if seconds >= 1 and time.monotonic() >= self._until:
            self.waits(f"waiting {seconds:.0f} s", seconds)

    def waits(self, words: str, seconds: float = 2.0) -> None:
        """Shows what the run waits for, and for how long."""
        self._until = time.monotonic() + seconds
        if self._progress:
            self._progress.update(self._task, waiting=one_line(words)[:_WORDS])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Begins."""
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or session.config.option.collectonly or not session.items:
            return
        # pytest catches what is written to standard output while a scenario runs; its own way out stays open.
        console = Console(file=reporter._tw._file)  # noqa: SLF001 - there is no other name for it
        self._progress = Progress(
            TextColumn("{task.fields[name]}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"), TextColumn("[dim]{task.fields[waiting]}"),
            console=console, transient=True, redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=len(session.items), name="", counts="", waiting="logging in")
        self._progress.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Names what is being judged."""
        if self._progress:
            name = nodeid.rpartition("::test_")[2].upper().replace("_", "-")
            self._progress.update(self._task, name=f"{name:<11}")
            if time.monotonic() >= self._until:
                self._progress.update(self._task, waiting="")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a verdict."""
        outcome = getattr(report, "conformance", None)
        if self._progress and outcome:
            self._counts[outcome["verdict"]] += 1
            shown = [
                f"[{_COLOURS.get(verdict, 'default')}]{number} {verdict.replace('_', ' ')}[/]"
                for verdict, number in self._counts.items()
            ]
            self._progress.update(self._task, advance=1, counts=" ".join(shown))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Keeps pytest's letters away."""
        status = yield
        return (status[0], "", "") if self._progress and status else status

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Ends, and leaves no trace."""
        self.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Ends at once."""
        self.stop()

    def stop(self) -> None:
        """Takes the bar away."""
        if self._progress:
            self._progress.stop()
            self._progress = None
