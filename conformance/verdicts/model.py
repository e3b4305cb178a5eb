"""What a scenario concluded, as values that survive JSON: a verdict, its reason and its findings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from conformance.catalogue import Level

MOST_FINDINGS: Final = 12
"""So many cases are reported with their evidence; more of them would say the same again."""


class Verdict(StrEnum):
    """The seven answers. Only `passed` says that a requirement was shown to hold."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    NOTED = "noted"
    NOT_APPLICABLE = "not_applicable"
    UNTESTED = "untested"
    INCONCLUSIVE = "inconclusive"

    @property
    def words(self) -> str:
        """The verdict as a person reads it."""
        return self.value.replace("_", " ")

    @property
    def is_finding(self) -> bool:
        """Whether the target was shown to deviate."""
        return self in {Verdict.FAILED, Verdict.WARNED, Verdict.NOTED}


_BROKEN = {Level.MUST: Verdict.FAILED, Level.SHOULD: Verdict.WARNED, Level.MAY: Verdict.NOTED}


def broken(level: Level) -> Verdict:
    """The verdict on a deviation from a requirement of that level."""
    return _BROKEN[level]


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation: which case, what should have happened, what did, and the exchanges that show it.

    All texts are free of secrets already.
    """

    case: str
    expected: str
    observed: str
    exchange: list[dict[str, Any]] = field(default_factory=list)
    curl: str = ""
    script: str = ""
    """Bash that repeats all of it, from the login on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the scenario of one requirement concluded.

    Attributes:
        requirement: the requirement's id.
        verdict: the conclusion.
        reason: why, in one or two sentences; for a passed requirement, what it was shown with.
        findings: the deviations, worst first as they were met.
        probes: how many things were tried.
    """

    requirement: str
    verdict: Verdict
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    probes: int = 0

    def to_json(self) -> dict[str, Any]:
        """The outcome as a JSON object, for the way from a test process to the one that reports."""
        return {**asdict(self), "verdict": self.verdict.value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            data["requirement"],
            Verdict(data["verdict"]),
            data["reason"],
            [Finding(**finding) for finding in data["findings"]],
            data["probes"],
        )
