"""What changed between two runs, or how many implementations fare beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from conformance.inert import one_line
from conformance.reports.counting import CONCLUSIONS, policy
from conformance.reports.html import inline, shown
from conformance.reports.templating import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
_RANKS: Final = {"failed": 0, "inconclusive": 1, "warned": 2, "noted": 3, "passed": 4}
"""Of two of these the higher is better; the others cannot be compared."""


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement, and its verdict in each report; `absent` where the report does not have it."""

    id: str
    title: str
    level: str
    verdicts: tuple[str, ...]
    seen: tuple[str, ...]
    """What was observed, or why there is no other verdict, in each report."""

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
    """Some reports, by a name each, and their verdicts by requirement."""

    names: tuple[str, ...]
    reports: tuple[dict[str, Any], ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, reports: Sequence[tuple[str, dict[str, Any]]]) -> Comparison:
        """Compares reports, each given with the name of its file."""
        ids = list(dict.fromkeys(row["id"] for _, report in reports for row in report["requirements"]))
        found = [{row["id"]: row for row in report["requirements"]} for _, report in reports]
        rows = []
        for name in ids:
            each = [one.get(name) for one in found]
            last = next(row for row in reversed(each) if row)
            verdicts = tuple(row["verdict"] if row else "absent" for row in each)
            rows.append(Row(name, last["title"], last["level"], verdicts, tuple(map(_seen, each))))
        return cls(_names([file for file, _ in reports]), tuple(report for _, report in reports), tuple(rows))

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
        yield ""
        rows = [row for row in self.rows if everything or row.differs]
        if len(self.reports) == 2:  # noqa: PLR2004 - a pair is told as a change
            yield from self._changes(rows)
        else:
            yield "    ".join(["           ", *map(str, range(1, len(self.names) + 1))])
            for row in rows:
                signs = "    ".join(SIGNS[verdict] or " " for verdict in row.verdicts)
                yield f"{row.id:<11}    {signs}    {one_line(row.title)}"
            yield ""
            yield "; ".join(f"{sign} {verdict.replace('_', ' ')}" for verdict, sign in SIGNS.items() if sign)
        for key, values in self.policies().items():
            yield f"policy  {one_line(key)}: {' | '.join(one_line(value) or '-' for value in values)}"
        same = sum(not row.differs for row in self.rows)
        yield f"{len(self.rows) - same} of {len(self.rows)} requirements differ"

    @staticmethod
    def _changes(rows: list[Row]) -> Iterator[str]:
        for change in ("worse", "better", "other", ""):
            for row in (row for row in rows if row.change == change):
                before, after = (verdict.replace("_", " ") for verdict in row.verdicts)
                yield f"{change or 'same':<7} {row.id:<11} {before} -> {after}: {one_line(row.title)}"
                if change == "worse" and row.seen[-1]:
                    yield f"{'':<7} {'':<11} {one_line(row.seen[-1])[:300]}"

    def page(self) -> str:
        """The comparison as an HTML page in one file."""
        jinja = environment(autoescape=True)
        jinja.filters |= {"shown": shown, "words": lambda verdict: verdict.replace("_", " ")}
        parts = inline("compare.js")
        return jinja.get_template("compare.html.jinja").render(
            comparison=self, signs=SIGNS, conclusions=CONCLUSIONS, is_pair=len(self.reports) == 2,  # noqa: PLR2004
            style=Markup(parts.style), script=Markup(parts.script),  # noqa: S704 - the suite's own files
            style_hash=parts.style_hash, script_hash=parts.script_hash,
        )  # fmt: skip


def _names(files: list[str]) -> tuple[str, ...]:
    """What the reports are called: their files' names, with as much of the path as tells them apart."""
    stems = [Path(file).name.removesuffix(".json") for file in files]
    return tuple(stems if len(set(stems)) == len(stems) else files)


def _seen(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["findings"]:
        finding = row["findings"][0]
        return f"{finding['case']}: {finding['observed']}"
    return str(row["reason"])
