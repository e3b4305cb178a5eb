"""All verdicts of a run, in report order, with what the run was and what it amounts to."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

from conformance.catalogue import load
from conformance.verdicts.baseline import Baseline, Row
from conformance.verdicts.model import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.catalogue import Area, Requirement


class ExitCode(IntEnum):
    """The exit codes of `jwt-conformance run`."""

    CONFORMANT = 0
    BROKEN = 1
    USAGE = 2
    INCOMPLETE = 3
    SUITE_FAULT = 4


@dataclass(slots=True)
class RunFacts:
    """What a run was. Times are seconds; `started` is seconds since the epoch. Holds no secret."""

    base_url: str = ""
    profile: str = ""
    bundled: bool = False
    capabilities: dict[str, bool] = field(default_factory=dict)
    algorithm: str | None = None
    access_lifetime_s: float | None = None
    refresh_lifetime_s: float | None = None
    clock: str = ""
    policy: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    duration_s: float = 0.0
    waited_s: float = 0.0
    requests: int = 0
    logins: int = 0
    timeline: list[dict[str, Any]] = field(default_factory=list)
    """The lives of one session's tokens, in seconds since its login."""

    def merged(self, other: RunFacts) -> RunFacts:
        """These facts and those of another process that shared the work."""
        if not self.base_url or not other.base_url:
            return self if self.base_url else other
        both = asdict(self)
        for name in ("algorithm", "access_lifetime_s", "refresh_lifetime_s"):
            both[name] = getattr(other, name) if both[name] is None else both[name]
        # Each process knows only what its own scenarios have met.
        both["capabilities"] = {
            name: self.capabilities.get(name, False) or other.capabilities.get(name, False)
            for name in {**self.capabilities, **other.capabilities}
        }
        both["requests"] += other.requests
        both["logins"] += other.logins
        both["waited_s"] = max(self.waited_s, other.waited_s)
        both["started"] = min(self.started, other.started)
        both["duration_s"] = max(self.duration_s, other.duration_s)
        both["timeline"] = max(self.timeline, other.timeline, key=len)
        both["policy"] = _united(self.policy, other.policy)
        return RunFacts(**both)

    def to_json(self) -> dict[str, Any]:
        """The facts as a JSON object."""
        return asdict(self)


def _united(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two policy cards as one: what only one knows is taken over, and lists hold what either has seen."""
    both = dict(one)
    for name, value in other.items():
        known = both.get(name)
        if isinstance(known, list) and isinstance(value, list):
            both[name] = known + [item for item in value if item not in known]
        elif known is None:
            both[name] = value
    return both


@dataclass(frozen=True, slots=True)
class VerdictSet:
    """The verdicts on every requirement that was asked for.

    Attributes:
        outcomes: by requirement, in the order of the catalogue.
        strict: whether a broken SHOULD fails the run.
        suite_faults: scenarios that crashed.
        interrupted: whether the run was cut short.
        baseline: the deviations that are put up with.
    """

    outcomes: Mapping[Requirement, Outcome]
    facts: RunFacts
    strict: bool = False
    suite_faults: tuple[str, ...] = ()
    interrupted: bool = False
    baseline: Baseline = field(default_factory=Baseline)

    @classmethod
    def conclude(cls, outcomes: Mapping[str, Outcome], facts: RunFacts, **rest: Any) -> Self:
        """Puts outcomes into the catalogue's order."""
        return cls({item: outcomes[item.id] for item in load() if item.id in outcomes}, facts, **rest)

    @property
    def summary(self) -> dict[str, int]:
        """How many requirements got each verdict."""
        counted = Counter(outcome.verdict for outcome in self.outcomes.values())
        return {str(verdict): counted[verdict] for verdict in Verdict}

    @property
    def by_area(self) -> dict[Area, list[tuple[Requirement, Outcome]]]:
        """The outcomes under the headings of a report."""
        grouped = {
            area: [(item, self.outcomes[item]) for item in area.requirements if item in self.outcomes]
            for area in load().areas
        }
        return {area: rows for area, rows in grouped.items() if rows}

    def having(self, *verdicts: Verdict) -> list[tuple[Requirement, Outcome]]:
        """The requirements that got one of these verdicts."""
        return [(item, outcome) for item, outcome in self.outcomes.items() if outcome.verdict in verdicts]

    def known(self, requirement: Requirement) -> Row | None:
        """The row of the baseline for which a deviation is put up with, if one is."""
        outcome = self.outcomes[requirement]
        return None if outcome.verdict is Verdict.PASSED else self.baseline.covering(outcome)

    @property
    def by_id(self) -> dict[str, Outcome]:
        """The outcomes by the requirement's id."""
        return {requirement.id: outcome for requirement, outcome in self.outcomes.items()}

    @property
    def baseline_is_wrong(self) -> bool:
        """Whether the baseline lists what no longer happens, or what is no longer put up with."""
        return bool(self.baseline.stale(self.by_id) or self.baseline.over())

    def _unknown(self, *verdicts: Verdict) -> bool:
        return any(self.known(requirement) is None for requirement, _ in self.having(*verdicts))

    @property
    def exit_code(self) -> ExitCode:
        """What the run amounts to. Nothing run is not green, and neither is a tier of which nothing was tested."""
        if self.suite_faults:
            return ExitCode.SUITE_FAULT
        if self._unknown(Verdict.FAILED, *([Verdict.WARNED] if self.strict else [])) or self.baseline_is_wrong:
            return ExitCode.BROKEN
        if self.interrupted or self._unknown(Verdict.INCONCLUSIVE) or not self.having(Verdict.PASSED):
            return ExitCode.INCOMPLETE
        untested = {item.tier for item, _ in self.having(Verdict.UNTESTED)}
        judged = {item.tier for item, _ in self.having(*set(Verdict) - {Verdict.UNTESTED, Verdict.NOT_APPLICABLE})}
        if untested - judged:
            return ExitCode.INCOMPLETE
        return ExitCode.CONFORMANT

    @property
    def conformant(self) -> bool:
        """Whether everything that was asked for holds."""
        return self.exit_code is ExitCode.CONFORMANT
