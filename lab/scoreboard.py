"""What the suite last said of everything in the lab: kept as JSON, from which the docs' page is made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.expected import Expected
from lab.pairs import Pair
from lab.running import LAB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.running import Entry
    from lab.scoring import Score

FILE = LAB.parent / "docs" / "scoreboard.json"
SCHEMA_VERSION = 1


def load() -> dict[str, Any]:
    """The scoreboard as it stands."""
    if not FILE.exists():
        return {"schema": SCHEMA_VERSION, "implementations": {}, "vulnerabilities": {}}
    board: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return board


def update(scores: Iterable[Score], known: dict[str, Entry | Pair]) -> None:
    """Takes new scores over, leaves the others as they are, and drops what is no longer in the lab."""
    board = load()
    for score in scores:
        what = known[score.name]
        if score.problem:
            continue
        if isinstance(what, Pair):
            board["vulnerabilities"][score.name] = _pair(what, score)
        else:
            board["implementations"][score.name] = _implementation(what, score)
    for rows in (board["implementations"], board["vulnerabilities"]):
        for name in rows.keys() - known.keys():
            del rows[name]
    board["implementations"] = dict(sorted(board["implementations"].items()))
    board["vulnerabilities"] = dict(sorted(board["vulnerabilities"].items()))
    FILE.write_text(json.dumps(board, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _implementation(entry: Entry, score: Score) -> dict[str, Any]:
    (report,) = score.reports
    expected, target = Expected.of(LAB / entry.name), report["target"]
    verdicts = {row["id"]: row["verdict"] for row in report["requirements"]}
    return {
        "summary": entry.facts["summary"],
        "language": entry.language,
        "versions": entry.facts["versions"],
        "profile": target["profile"],
        "date": _date(report),
        "algorithm": target["algorithm"],
        "access_lifetime_s": target["access_lifetime_s"],
        "refresh_lifetime_s": target["refresh_lifetime_s"],
        "policy": {name: value for name, value in report["policy"].items() if value is not None},
        "verdicts": verdicts,
        "deviations": {
            name: expected.reason(name)
            for name in verdicts
            if expected.verdicts.get(name) == verdicts[name] and name in {*expected.usual, *expected.reasons}
        },
        "as_expected": not score.differences,
    }


def _pair(pair: Pair, score: Score) -> dict[str, Any]:
    facts = {name: pair.facts[name] for name in ("summary", "id", "link", "language", "library", "versions", "breaks")}
    return {**facts, "date": _date(score.reports[0]), "as_expected": not score.differences}


def _date(report: dict[str, Any]) -> str:
    return str(report["run"]["started"][:10])
