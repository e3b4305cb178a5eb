"""One pytest session with scenarios in it: from opening the target to the conclusion and its exit code."""

from __future__ import annotations

import logging
import time
import traceback
import warnings
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.errors import ConfigurationError, ConformanceError, SuiteFaultError, TargetError
from conformance.interrupts import Interrupts
from conformance.verdicts.baseline import Baseline, update
from conformance.verdicts.verdict_set import ExitCode, RunFacts, VerdictSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.catalogue import Requirement
    from conformance.options import RunSettings
    from conformance.run import Run
    from conformance.verdicts.model import Outcome


@dataclass(slots=True)
class State:
    """What the plugin keeps during one pytest session.

    Attributes:
        run: the opened target; opened before the first scenario, in the process that runs it.
        problem: why there are no verdicts, where the target could not be judged.
        told: whether pytest tells the user of the problem.
        log_factory: what made log records before the run.
        outcomes: verdicts by requirement, collected in the process that reports.
        suite_faults: scenarios that crashed: the suite is wrong, not the target.
        facts: what the processes that ran scenarios tell of the run.
        selected: whether any scenario was collected.
        post_mortem: what there is to tell of a launched server that ended during the run.
        say: shows a line while scenarios run.
        pauses: is told of each pause, in seconds.
        processes: how many processes would share the run.
        baseline: the deviations that are put up with.
        interrupts: what becomes of Ctrl-C and SIGTERM.
        began: when, in seconds since the epoch.
        plan: what the run would do, a line at a time, where the user asked for that alone.
    """

    run: Run | None = None
    settings: RunSettings | None = None
    problem: ConformanceError | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    suite_faults: list[str] = field(default_factory=list)
    facts: RunFacts = field(default_factory=RunFacts)
    told: bool = False
    log_factory: Callable[..., logging.LogRecord] | None = None
    selected: bool = False
    post_mortem: str = ""
    say: Callable[[str], None] = field(default=lambda _line: None)
    pauses: Callable[[float], None] = field(default=lambda _seconds: None)
    processes: int = 1
    plan: list[str] = field(default_factory=list)
    verdicts: VerdictSet | None = None
    baseline: Baseline = field(default_factory=Baseline)
    interrupts: Interrupts = field(default_factory=lambda: Interrupts(waits=True))
    began: float = field(default_factory=time.time)

    def safe(self, text: str) -> str:
        """A text without the secrets of the run."""
        return self.run.target.redactor.text(text) if self.run else text

    def open(self, waits: set[str]) -> None:
        """Opens and examines the target, and sets sessions aside whose tokens are to expire meanwhile.

        Args:
            waits: the kinds of token that the selected scenarios let expire.

        Raises:
            ConfigurationError, TargetError: no verdict would be worth anything.
        """
        from conformance.run import open_target  # noqa: PLC0415 - not where nothing is run
        from conformance.scenarios.lapse import reserve  # noqa: PLC0415

        if self.problem:
            return
        assert self.settings is not None
        with self._others_warnings_ignored():
            self.run = open_target(self.settings)
            self.run.target.client.pacing.tell = lambda words: self.say(self.safe(words))
            self.run.target.client.pauses = self.pauses
            self.keep_logs_clean()
            for _line in self.run.examine():
                pass
            reserve(self.run.target, waits)

    @contextmanager
    def _others_warnings_ignored(self) -> Iterator[None]:
        """Where the user's application runs in this process, its warnings are its own tests' business.

        The user's pytest may make errors of warnings, and the application would answer 500. While a scenario runs, the
        plugin sees to the same.
        """
        with warnings.catch_warnings():
            if self.settings and self.settings.app:
                warnings.simplefilter("ignore")
            yield

    def tell_plan(self, chosen: Mapping[Requirement, str], *, each: bool) -> None:
        """Reckons what the run would do, and sends nothing.

        Args:
            chosen: the selected requirements, each with the kind of token that its scenario lets expire.
            each: whether to tell what each of them costs.

        Raises:
            ConfigurationError: the options do not fit together, or the profile cannot be read.
        """
        from conformance.plan.plan import Plan  # noqa: PLC0415 - as above
        from conformance.plan.text import describe  # noqa: PLC0415

        assert self.settings is not None
        self.plan = list(describe(Plan.of(self.settings, chosen, self.processes), each=each))

    def keep_logs_clean(self) -> None:
        """Takes secrets out of what is logged from here on, wherever pytest or the user sends it."""
        make = logging.getLogRecordFactory()

        def clean(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            with suppress(TypeError, ValueError):  # somebody's call with too few arguments is not ours to report
                record.msg, record.args = self.safe(record.getMessage()), ()
            if record.exc_info and record.exc_info[0]:
                # A formatter takes this text before it makes one of its own.
                record.exc_text = self.safe("".join(traceback.format_exception(*record.exc_info)).rstrip())
            return record

        logging.setLogRecordFactory(clean)
        self.log_factory = make

    def close(self) -> None:
        """Closes what was opened, and keeps what there is to tell of the run."""
        if self.run is not None:
            with self._others_warnings_ignored(), closing(self.run):
                self.facts = self.run.facts()
                self.post_mortem = self.run.post_mortem
        if self.log_factory is not None:
            logging.setLogRecordFactory(self.log_factory)

    def outline(self) -> RunFacts:
        """What is known of a run whose processes were interrupted before they could tell."""
        assert self.settings is not None
        return RunFacts(
            base_url=self.settings.base_url or "http://127.0.0.1",
            profile=Path(self.settings.target_profile).stem,
            bundled=not self.settings.base_url,
            started=self.began,
            duration_s=round(time.time() - self.began, 3),
        )

    def conclude(self, *, interrupted: bool) -> bool:
        """Concludes and writes the report; returns whether that went well, with a conformant target."""
        assert self.settings is not None
        self.verdicts = VerdictSet.conclude(
            self.outcomes,
            self.facts,
            strict=self.settings.strict,
            suite_faults=tuple(self.suite_faults),
            interrupted=interrupted,
            baseline=self.baseline,
        )
        try:
            self._write(self.settings, self.verdicts)
        except OSError as error:
            self.problem = ConfigurationError(f"the report {error.filename} cannot be written: {error.strerror}")
            return False
        except Exception as error:  # noqa: BLE001 - pytest would print whatever a crash quotes
            self.problem = SuiteFaultError(error)
            return False
        return self.verdicts.conformant

    def _write(self, settings: RunSettings, verdicts: VerdictSet) -> None:
        from conformance.reports.json_report import to_json  # noqa: PLC0415 - most runs write nothing
        from conformance.reports.writing import write, write_reports  # noqa: PLC0415

        if settings.update_baseline:
            write(update(self.baseline, verdicts.by_id), settings.baseline)
            self.baseline = Baseline.read(settings.baseline)
            self.verdicts = verdicts = replace(verdicts, baseline=self.baseline)
        if settings.reports:
            write_reports(to_json(verdicts), settings.reports)

    def exit_code(self, pytest_code: int) -> int:
        """The exit code of `jwt-conformance run` for a pytest session that ended with `pytest_code`."""
        if self.problem is not None:
            return self.problem.exit_code
        if pytest_code == pytest.ExitCode.INTERNAL_ERROR:
            return int(ExitCode.SUITE_FAULT)
        if self.verdicts is not None:
            return int(self.verdicts.exit_code)
        by_pytest = {
            pytest.ExitCode.OK: ExitCode.CONFORMANT,
            pytest.ExitCode.NO_TESTS_COLLECTED: ExitCode.INCOMPLETE,
            pytest.ExitCode.INTERRUPTED: ExitCode.INCOMPLETE,
        }
        return int(by_pytest.get(pytest.ExitCode(pytest_code), ExitCode.USAGE))


def problem_from(data: list[Any] | None) -> ConformanceError | None:
    """The problem that another process told of: its exit code and its message."""
    if data is None:
        return None
    return (ConfigurationError if data[0] == ConfigurationError.exit_code else TargetError)(data[1])
