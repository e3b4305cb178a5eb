"""How a target of a fleet fared: the result of its run, or why there is none."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from conformance.inert import one_line
from conformance.reports.counting import CONCLUSIONS, VERDICTS
from conformance.verdicts.verdict_set import ExitCode

SCHEMA_VERSION: Final = 1


class Outcome(StrEnum):
    """What came of a run; the first four are the results that a report has."""

    CONFORMANT = "conformant"
    BROKEN = "broken"
    INCOMPLETE = "incomplete"
    SUITE_FAULT = "suite_fault"
    MISCONFIGURED = "misconfigured"
    HUNG = "hung"
    CRASHED = "crashed"

    @property
    def words(self) -> str:
        """For people."""
        return CONCLUSIONS.get(self, str(self))

    @property
    def exit_code(self) -> ExitCode:
        """What it makes of the fleet, unless another target is worse."""
        return _EXIT_CODES.get(self, ExitCode.INCOMPLETE)


_EXIT_CODES: Final = {
    Outcome.CONFORMANT: ExitCode.CONFORMANT,
    Outcome.BROKEN: ExitCode.BROKEN,
    Outcome.SUITE_FAULT: ExitCode.SUITE_FAULT,
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has ended, on whatever machine.

    Attributes:
        name: of the target.
        outcome: what came of it.
        reason: why there is no verdict, in a line or more; empty where there is one. Holds no secret.
        seconds: how long it took, from the start of its process to its end.
        report: what it wrote with `--report-json`; empty where there is none.
    """

    name: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    report: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class State:
    """What the folder of results keeps of a target beside its report.

    Attributes:
        digest: of the entry that was run.
        complete: whether its run went to its end, and wrote a report.
        base_url: of the target, where its report tells.
        summary: how many requirements got each verdict.
    """

    name: str
    digest: str
    outcome: Outcome
    reason: str
    seconds: float
    complete: bool = False
    has_report: bool = False
    base_url: str = ""
    summary: dict[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> str:
        """The verdicts in words, those first that somebody has to act on."""
        found = [(self.summary.get(verdict, 0), verdict.replace("_", " ")) for verdict in VERDICTS]
        return ", ".join(f"{number} {words}" for number, words in found if number)

    @property
    def told(self) -> str:
        """Its outcome, and why or how, in a line."""
        why = one_line(self.reason) or self.counts
        words = self.outcome.words if self.has_report or self.outcome is not Outcome.INCOMPLETE else "not judged"
        return f"{words}: {why}" if why else words

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"schema": SCHEMA_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Reads it back.

        Raises:
            KeyError, TypeError, ValueError: it is damaged, or another version's.
        """
        if data.pop("schema") != SCHEMA_VERSION:
            raise ValueError("another version")
        return cls(**{**data, "outcome": Outcome(data["outcome"]), "summary": dict(data["summary"])})


def exit_code(outcomes: list[Outcome | None]) -> ExitCode:
    """The exit code of a fleet: a fault of the suite before a broken requirement before what was not judged.

    Args:
        outcomes: of all targets; None for one that was not run.
    """
    order = (ExitCode.SUITE_FAULT, ExitCode.BROKEN, ExitCode.INCOMPLETE)
    found = {outcome.exit_code if outcome else ExitCode.INCOMPLETE for outcome in outcomes}
    return next((code for code in order if code in found), ExitCode.CONFORMANT)
