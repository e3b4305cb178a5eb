"""What changed between two runs, or how many implementations fare beside each other."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from conformance.inert import one_line
from conformance.reports.counting import CONCLUSIONS, policy
from conformance.reports.html import inline, shown
from conformance.reports.templating import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SIGNS: Final = {
    "passed": "✓",
    "failed": "✗",
    "warned": "!",
    "noted": "i",
    "not_applicable": "–",  # noqa: RUF001 - a dash of that length
    "untested": "?",
    "inconclusive": "~",
    "absent": "",
}
MOST_COLUMNS: Final = 12
"""With more reports a terminal has no room for a column each."""
MOST_NAMES: Final = 6
_RANKS: Final = {"failed": 0, "inconclusive": 1, "warned": 2, "noted": 3, "passed": 4}
"""Of two of these the higher is better; the others cannot be compared."""


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement, and its verdict in each report; `absent` where the report does not have it."""

    id: str
    title: str
    level: str
    verdicts: tuple[str, ...]
    seen: str
    """What was observed, or why there is no other verdict, in the last report."""

    @property
    def differs(self) -> bool:
        """Whether the reports disagree."""
        return len(set(self.verdicts)) > 1

    @property
    def change(self) -> str:
        """From the first report to the last: `worse`, `better`, `other`, or an empty string where nothing changed."""
        first, last = self.verdicts[0], self.verdicts[-1]
        if first == last:
            return ""
        if first in _RANKS and last in _RANKS:
            return "worse" if _RANKS[last] < _RANKS[first] else "better"
        return "worse" if last in {"failed", "inconclusive"} else "other"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Some reports, by a name each, and their verdicts by requirement.

    Attributes:
        reports: of each what the comparison is headed by; no evidence is kept, however many there are.
        unjudged: who has no report, and why, where that is known.
        beside: whether the reports are of different targets, so that two of them are no change.
    """

    names: tuple[str, ...]
    reports: tuple[dict[str, Any], ...]
    rows: tuple[Row, ...]
    unjudged: tuple[tuple[str, str], ...] = ()
    beside: bool = False

    @classmethod
    def of(
        cls,
        reports: Iterable[tuple[str, dict[str, Any]]],
        *,
        unjudged: Iterable[tuple[str, str]] = (),
        beside: bool = False,
    ) -> Comparison:
        """Compares reports, each given with the name of its file, one at a time; none has to stay in memory."""
        files, heads, found = [], [], []
        told: dict[str, tuple[str, str]] = {}
        seen: dict[str, str] = {}
        for file, report in reports:
            files.append(file)
            heads.append(_head(report))
            found.append({row["id"]: sys.intern(row["verdict"]) for row in report["requirements"]})
            seen = {row["id"]: _seen(row) for row in report["requirements"]}
            told |= {row["id"]: (row["title"], row["level"]) for row in report["requirements"]}
        rows = [
            Row(name, title, level, tuple(one.get(name, "absent") for one in found), seen.get(name, ""))
            for name, (title, level) in told.items()
        ]
        return cls(_names(files), tuple(heads), tuple(rows), tuple(unjudged), beside)

    @property
    def is_pair(self) -> bool:
        """Whether it is told as a change: there are two reports, of one target as far as is known."""
        return len(self.reports) == 2 and not self.beside  # noqa: PLR2004 - a pair

    @property
    def got_worse(self) -> bool:
        """Whether a requirement is broken, or unclear, in the last report that was not in the first."""
        return any(row.change == "worse" for row in self.rows)

    def policies(self) -> dict[str, tuple[str, ...]]:
        """What the targets do where the sources leave the choice open, where they differ."""
        cards = [policy(report) for report in self.reports]
        keys = dict.fromkeys(key for card in cards for key in card)
        each = {key: tuple(card.get(key, "") for card in cards) for key in keys}
        return {key: values for key, values in each.items() if len(set(values)) > 1}

    def told(self, *, everything: bool) -> Iterator[str]:
        """The comparison as lines for a terminal; of requirements that do not differ only if `everything` is asked."""
        for number, (name, report) in enumerate(zip(self.names, self.reports, strict=True), 1):
            target = one_line(str(report["target"].get("base_url", "")))
            yield f"{number}  {one_line(name)}  {target}  {CONCLUSIONS.get(report['result'], '')}"
        for name, why in self.unjudged:
            yield f"-  {one_line(name)}  {one_line(why)}"
        if not self.reports:
            return
        yield ""
        rows = [row for row in self.rows if everything or row.differs]
        if self.is_pair:
            yield from self._changes(rows)
        elif len(self.names) > MOST_COLUMNS:
            for row in rows:
                yield f"{row.id:<11} {self._grouped(row.verdicts)}: {one_line(row.title)}"
        else:
            yield "    ".join(["           ", *map(str, range(1, len(self.names) + 1))])
            for row in rows:
                signs = "    ".join(SIGNS[verdict] or " " for verdict in row.verdicts)
                yield f"{row.id:<11}    {signs}    {one_line(row.title)}"
            yield ""
            yield "; ".join(f"{sign} {verdict.replace('_', ' ')}" for verdict, sign in SIGNS.items() if sign)
        for key, values in self.policies().items():
            many = len(self.names) > MOST_COLUMNS
            words = self._grouped(values) if many else " | ".join(one_line(value) or "-" for value in values)
            yield f"policy  {one_line(key)}: {words}"
        same = sum(not row.differs for row in self.rows)
        yield f"{len(self.rows) - same} of {len(self.rows)} requirements differ"

    def _grouped(self, values: Sequence[str]) -> str:
        """How many have each value, the usual one first; of the others, who."""
        groups: dict[str, list[str]] = {}
        for name, value in zip(self.names, values, strict=True):
            groups.setdefault(value, []).append(one_line(name))
        usual, *others = sorted(groups, key=lambda value: -len(groups[value]))
        words = [f"{len(groups[usual])} {_spaced(usual)}"]
        for value in others:
            names = groups[value]
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            words.append(f"{len(names)} {_spaced(value)} ({', '.join(names[:MOST_NAMES])}{more})")
        return ", ".join(words)

    @staticmethod
    def _changes(rows: list[Row]) -> Iterator[str]:
        for change in ("worse", "better", "other", ""):
            for row in (row for row in rows if row.change == change):
                before, after = (verdict.replace("_", " ") for verdict in row.verdicts)
                yield f"{change or 'same':<7} {row.id:<11} {before} -> {after}: {one_line(row.title)}"
                if change == "worse" and row.seen:
                    yield f"{'':<7} {'':<11} {one_line(row.seen)[:300]}"

    def page(self) -> str:
        """The comparison as an HTML page in one file."""
        jinja = environment(autoescape=True)
        jinja.filters |= {"shown": shown, "words": lambda verdict: verdict.replace("_", " ")}
        parts = inline("compare.js")
        return jinja.get_template("compare.html.jinja").render(
            comparison=self, signs=SIGNS, conclusions=CONCLUSIONS,
            style=Markup(parts.style), script=Markup(parts.script),  # noqa: S704 - the suite's own files
            style_hash=parts.style_hash, script_hash=parts.script_hash,
        )  # fmt: skip


def _names(files: list[str]) -> tuple[str, ...]:
    """What the reports are called: their files' names, with as much of the path as tells them apart."""
    stems = [Path(file).name.removesuffix(".json") for file in files]
    return tuple(stems if len(set(stems)) == len(stems) else files)


def _head(report: dict[str, Any]) -> dict[str, Any]:
    """What a comparison tells of a report besides its verdicts."""
    return {
        "target": {"base_url": report["target"].get("base_url", "")},
        "result": report["result"],
        "run": {"started": report["run"].get("started", "")},
        "policy": report["policy"],
    }


def _spaced(value: str) -> str:
    return one_line(value).replace("_", " ") or "-"


def _seen(row: dict[str, Any]) -> str:
    if row["findings"]:
        finding = row["findings"][0]
        return f"{finding['case']}: {finding['observed']}"
    return str(row["reason"])
