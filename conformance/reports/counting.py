"""What a report amounts to, for its first lines: in words, by tier, and what would have to be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from conformance.catalogue import Tier

CONCLUSIONS: Final = {
    "conformant": "conformant",
    "broken": "not conformant",
    "incomplete": "incomplete",
    "suite_fault": "a fault of the suite itself",
}
"""The word for each result."""
VERDICTS: Final = ("failed", "warned", "inconclusive", "noted", "untested", "not_applicable", "passed")
"""The verdicts, those first that somebody has to act on."""


@dataclass(frozen=True, slots=True)
class TierCount:
    """How one tier did: requirements by verdict, those that are put up with apart."""

    tier: str
    verdicts: dict[str, int]
    known: int

    @property
    def words(self) -> str:
        """Whether the tier holds."""
        if self.verdicts["failed"]:
            return "broken"
        if self.verdicts["inconclusive"] or not self.verdicts["passed"]:
            return "incomplete"
        return "holds" if not self.known else "holds, but for what is known"


def tiers(report: dict[str, Any]) -> list[TierCount]:
    """The tiers that were asked for."""
    counts = []
    for tier in map(str, Tier):
        rows = [row for row in report["requirements"] if row["tier"] == tier]
        unknown = [row["verdict"] for row in rows if not row["known"]]
        if rows:
            verdicts = {verdict: unknown.count(verdict) for verdict in VERDICTS}
            counts.append(TierCount(tier, verdicts, len(rows) - len(unknown)))
    return counts


def wanting(report: dict[str, Any]) -> dict[str, list[str]]:
    """What was untested, by what would have to be given: the words of the reason after `give`."""
    found: dict[str, list[str]] = {}
    for row in report["requirements"]:
        if row["verdict"] == "untested":
            reason, _, give = row["reason"].partition("; give ")
            found.setdefault(give or reason, []).append(row["id"])
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def policy(report: dict[str, Any]) -> dict[str, str]:
    """The policy card in words."""
    return {name: _words(value) for name, value in report["policy"].items() if value is not None}


def _words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)
