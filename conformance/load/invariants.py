"""What must hold for every request under load, how often that was looked at, and where it did not hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from conformance.verdicts.model import Finding

MOST_FINDINGS: Final = 5
"""So many times an invariant's breach is kept with its evidence; of the others there is the number."""


class Invariant(StrEnum):
    """An invariant, by the name that a report has for it."""

    OWN_DATA = "own-data"
    LIVE = "live-token-serves"
    DEAD = "dead-token-refused"
    ONE_WINNER = "one-winner"
    LOGOUT_STANDS = "logout-stands"
    NO_SERVER_ERROR = "no-server-error"
    ANSWERED = "answered"
    HONEST_429 = "honest-429"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an invariant says, and the requirement whose page tells why and how to mend it, where there is one."""

    title: str
    requirement: str = ""


MEANINGS: Final = {
    Invariant.OWN_DATA: Meaning("Every answer shows the owner of its token", "RACE-03"),
    Invariant.LIVE: Meaning("No live token is refused", "LOGIN-02"),
    Invariant.DEAD: Meaning("No dead token is accepted: spent, logged out or expired", "REVOKE-01"),
    Invariant.ONE_WINNER: Meaning("Of parallel uses of a refresh token at most one goes on", "RACE-01"),
    Invariant.LOGOUT_STANDS: Meaning("A logout is not undone by a refresh that was in flight", "RACE-02"),
    Invariant.NO_SERVER_ERROR: Meaning("No answer is a server error", "RACE-03"),
    Invariant.ANSWERED: Meaning("Every request is answered"),
    Invariant.HONEST_429: Meaning("A refusal for the rate says when to come back so that it can be read", "RATE-04"),
}


@dataclass(slots=True)
class Count:
    """How an invariant fared."""

    checked: int = 0
    broken: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """Counts for each invariant; those of several processes add up.

    Attributes:
        counts: by invariant.
        faults: crashes of the suite itself, in words.
    """

    counts: dict[Invariant, Count] = field(default_factory=lambda: {each: Count() for each in Invariant})
    faults: list[str] = field(default_factory=list)

    def held(self, invariant: Invariant) -> None:
        """Notes that an invariant was looked at, and held."""
        self.counts[invariant].checked += 1

    def broke(self, invariant: Invariant, finding: Finding) -> None:
        """Notes that it did not hold."""
        count = self.counts[invariant]
        count.checked += 1
        count.broken += 1
        if len(count.findings) < MOST_FINDINGS:
            count.findings.append(finding)

    def wants_evidence(self, invariant: Invariant) -> bool:
        """Whether more evidence of this invariant's breach would be kept: it is dear to make."""
        return len(self.counts[invariant].findings) < MOST_FINDINGS

    @property
    def broken(self) -> int:
        """How often any invariant was broken."""
        return sum(count.broken for count in self.counts.values())

    def drained(self) -> dict[str, Any]:
        """All of it as JSON for another process, which adds it to its own; nothing is left here."""
        told = {
            "counts": {
                str(name): {**asdict(count), "findings": [asdict(one) for one in count.findings]}
                for name, count in self.counts.items()
                if count.checked
            },
            "faults": self.faults,
        }
        self.counts, self.faults = {name: Count() for name in Invariant}, []
        return told

    def add(self, told: dict[str, Any]) -> None:
        """Takes over what another process has drained."""
        for name, told_of in told["counts"].items():
            count = self.counts[Invariant(name)]
            count.checked += told_of["checked"]
            count.broken += told_of["broken"]
            room = MOST_FINDINGS - len(count.findings)
            count.findings += [Finding(**one) for one in told_of["findings"][:room]]
        self.faults += told["faults"]
