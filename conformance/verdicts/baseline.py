"""Deviations that are known and, for now, put up with: a file of them, and what it makes of a run's verdicts.

    [[known]]
    requirement = "ACCESS-02"
    verdict = "failed"                          # or warned, noted, inconclusive
    case = "a refresh token at GET /profile"    # only this case; without it, every one
    reason = "mobile app 4.1 still sends it; gone with 4.2"
    issue = "https://tracker.example/1234"      # where there is one
    expires = 2027-03-31                        # the last day on which it is put up with; where there is one

What is listed does not fail the run. What is listed and no longer happens does, and so does a row after its last day.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from conformance.catalogue import UnknownRequirementError, load
from conformance.errors import ConfigurationError, nearest
from conformance.verdicts.model import MOST_FINDINGS, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.verdicts.model import Outcome

LISTED: Final = (Verdict.FAILED, Verdict.WARNED, Verdict.NOTED, Verdict.INCONCLUSIVE)
"""The verdicts that a row can put up with."""
_SILENT: Final = (Verdict.UNTESTED, Verdict.INCONCLUSIVE)
"""Verdicts that do not tell whether a deviation is still there."""
_KEYS: Final = ("requirement", "verdict", "case", "reason", "issue", "expires")
_NEEDED: Final = ("requirement", "verdict", "reason")


@dataclass(frozen=True, slots=True)
class Row:
    """A known deviation. `case` is empty where it is about all cases, and `expires` None where it has no last day."""

    requirement: str
    verdict: Verdict
    reason: str
    case: str = ""
    issue: str = ""
    expires: dt.date | None = None

    def is_over(self, today: dt.date) -> bool:
        """Whether its last day has passed."""
        return self.expires is not None and today > self.expires

    def happens(self, outcome: Outcome) -> bool:
        """Whether the outcome is what the row says."""
        return outcome.verdict is self.verdict and (not self.case or self.case in _cases(outcome))

    def to_json(self) -> dict[str, str]:
        """The row as a report has it."""
        return {
            "reason": self.reason,
            "issue": self.issue,
            "expires": self.expires.isoformat() if self.expires else "",
        }


@dataclass(frozen=True, slots=True)
class Baseline:
    """The rows of a file, and the day on which they are read."""

    file: str = ""
    rows: tuple[Row, ...] = ()
    today: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())

    @classmethod
    def read(cls, file: str, *, may_be_missing: bool = False) -> Self:
        """The baseline in a file.

        Args:
            file: its path; an empty one stands for no baseline.
            may_be_missing: whether a file that is not there is one without rows.

        Raises:
            ConfigurationError: it cannot be read, or a row says something that means nothing.
        """
        if not file:
            return cls()
        try:
            data = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except FileNotFoundError:
            if may_be_missing:
                return cls(file)
            raise ConfigurationError(f"--baseline {file!r} is not there", "--update-baseline writes one") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"--baseline {file!r} cannot be read: {error}") from None
        known = data.pop("known", [])
        if data or not isinstance(known, list):
            raise ConfigurationError(f"{file}: there is nothing but [[known]] in a baseline")
        return cls(file, tuple(_row(row, f"{file}, row {number}") for number, row in enumerate(known, 1)))

    def covering(self, outcome: Outcome) -> Row | None:
        """The row for which the outcome is put up with; None where it is not, or not in every case."""
        rows = [
            row
            for row in self.rows
            if row.requirement == outcome.requirement and row.happens(outcome) and not row.is_over(self.today)
        ]
        if not rows or any(not row.case for row in rows):
            return next((row for row in rows if not row.case), None)
        return rows[0] if _cases(outcome) <= {row.case for row in rows} else None

    def stale(self, outcomes: Mapping[str, Outcome]) -> list[Row]:
        """The rows that no longer happen, of requirements that this run could judge."""
        return [row for row in self.rows if _has_gone(row, outcomes.get(row.requirement))]

    def over(self) -> list[Row]:
        """The rows after their last day."""
        return [row for row in self.rows if row.is_over(self.today)]

    def missing(self, outcomes: Mapping[str, Outcome]) -> list[Row]:
        """The rows that would have to be added for the run not to fail, with a reason that is yet to be given."""
        return [
            Row(name, outcome.verdict, "")
            for name, outcome in outcomes.items()
            if outcome.verdict in {Verdict.FAILED, Verdict.WARNED} and self.covering(outcome) is None
        ]


def pasteable(rows: list[Row]) -> list[str]:
    """Rows as lines of a baseline, with a place for the reason."""
    lines = []
    for row in rows:
        lines += ["[[known]]", f'requirement = "{row.requirement}"', f'verdict = "{row.verdict}"', 'reason = ""', ""]
    return lines[:-1]


def update(baseline: Baseline, outcomes: Mapping[str, Outcome]) -> str:
    """The text of the file brought up to date: what no longer happens goes, what is new comes, comments stay."""
    import tomlkit  # noqa: PLC0415 - only where a file is written

    path = Path(baseline.file)
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    tables: Any = document.setdefault("known", tomlkit.aot())
    gone = [number for number, row in enumerate(baseline.rows) if _has_gone(row, outcomes.get(row.requirement))]
    for number in reversed(gone):
        del tables[number]
    for row in baseline.missing(outcomes):
        # A row without a case takes the place of those of single cases, and of one that is over.
        for number in reversed([number for number, old in enumerate(tables) if old["requirement"] == row.requirement]):
            del tables[number]
        table = tomlkit.table()
        table.update(
            {
                "requirement": row.requirement,
                "verdict": str(row.verdict),
                "reason": f"found on {baseline.today}, and put up with until somebody has looked into it",
            }
        )
        tables.append(table)
    text: str = tomlkit.dumps(document)
    return text


def _has_gone(row: Row, outcome: Outcome | None) -> bool:
    if outcome is None or outcome.verdict in _SILENT or row.happens(outcome):
        return False
    # Of many cases a report has the first ones.
    return not (row.case and outcome.verdict is row.verdict and len(outcome.findings) >= MOST_FINDINGS)


def _cases(outcome: Outcome) -> set[str]:
    return {finding.case for finding in outcome.findings}


def _row(data: Any, place: str) -> Row:
    if not isinstance(data, dict):
        raise ConfigurationError(f"{place} is no table")
    if strangers := [key for key in data if key not in _KEYS]:
        raise ConfigurationError(f"{place} has an unknown key {strangers[0]!r}{nearest(strangers[0], _KEYS)}")
    if missing := [key for key in _NEEDED if not data.get(key)]:
        raise ConfigurationError(f"{place} has no {missing[0]}", "each row says which, what and why")
    if odd := [key for key in _KEYS[:-1] if not isinstance(data.get(key, ""), str)]:
        raise ConfigurationError(f"{place}: {odd[0]} is a text")
    expires = data.get("expires")
    if expires is not None and type(expires) is not dt.date:
        raise ConfigurationError(f"{place}: expires is a date", "write 2027-03-31, without quotes")
    verdict = data["verdict"]
    if verdict not in set(LISTED):
        raise ConfigurationError(
            f"{place}: the verdict {verdict!r} is none of {', '.join(LISTED)}{nearest(verdict, map(str, LISTED))}"
        )
    try:
        requirement = load().get(data["requirement"]).id
    except UnknownRequirementError as error:
        raise ConfigurationError(f"{place}: {error}") from None
    return Row(
        requirement, Verdict(data["verdict"]), data["reason"], data.get("case", ""), data.get("issue", ""), expires
    )
