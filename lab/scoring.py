"""Runs the suite on what the lab has, and compares what it says with what is expected.

Of an implementation every verdict is expected, in its `expected.toml`; of a pair, that the vulnerable version breaks
what the vulnerability is about, and that the patched version does not.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.errors import ConfigurationError, nearest
from lab import scoreboard
from lab.expected import FILE, Expected
from lab.pairs import Pair, pairs
from lab.running import LAB, Entry, LabError, entries, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.running import Program

LONGEST_RUN_S = 600
ACCOUNTS = {
    "CONFORMANCE_USERNAME": "alice",
    "CONFORMANCE_PASSWORD": "tea-with-the-hatter-71",
    "CONFORMANCE_SECOND_USERNAME": "bob",
    "CONFORMANCE_SECOND_PASSWORD": "builds-a-bridge-by-noon-28",
}
"""Of a pair's servers."""


@dataclass
class Score:
    """What came of one implementation or pair.

    Attributes:
        name: which.
        reports: what the suite said: one report, or those of the vulnerable and the patched version.
        differences: from what is expected, in words.
        problem: why there is no report, if there is none.
    """

    name: str
    reports: list[dict[str, Any]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def is_as_expected(self) -> bool:
        """Whether all is as it is known to be."""
        return not self.differences and not self.problem


def known() -> dict[str, Entry | Pair]:
    """Everything that can be scored, by name."""
    return {**entries(), **pairs()}


def chosen(names: Iterable[str], language: str | None) -> list[str]:
    """The names to score: these, or all, of this language if one is given.

    Raises:
        ConfigurationError: a name or a language that the lab does not have.
    """
    everything = known()
    if strangers := [name for name in names if name not in everything]:
        raise ConfigurationError(f"the lab has no {strangers[0]!r}{nearest(strangers[0], everything)}")
    languages = {what.facts["language"] for what in everything.values()}
    if language not in {None, *languages}:
        raise ConfigurationError(f"the lab has nothing in {language!r}{nearest(str(language), languages)}")
    return [name for name in names or everything if language in {None, everything[name].facts["language"]}]


def told(score: Score) -> list[str]:
    """What there is to say of a score, line by line."""
    if score.problem:
        return [f"{score.name}: {score.problem}"]
    counts = "; ".join(
        ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in report["summary"].items() if number)
        for report in score.reports
    )
    return [f"{score.name}: {counts}", *(f"    {line}" for line in score.differences)]


def conclude(scores: Iterable[Score], *, update: bool) -> None:
    """Writes the scoreboard, and its page; before that, if asked to, what is expected from now on."""
    everything = known()
    for each in scores:
        if update and isinstance(everything[each.name], Entry) and each.reports:
            folder = LAB / each.name
            text = Expected.of(folder).updated(each.reports[0]).text()
            (folder / FILE).write_text(text, encoding="utf-8")
            each.differences.clear()
    scoreboard.update(scores, everything)
    subprocess.run([sys.executable, str(LAB.parent / "docs" / "pages.py")], check=True)


def score(names: Iterable[str], jobs: int, tell: Callable[[Score], None]) -> list[Score]:
    """Scores these, so many at a time.

    Args:
        names: of implementations and pairs.
        jobs: how many at a time.
        tell: is told of each as it comes.
    """
    everything = known()
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_score, everything[name]) for name in names]
        scores = []
        for future in as_completed(futures):
            scores.append(future.result())
            tell(scores[-1])
    return sorted(scores, key=lambda each: each.name)


def _score(what: Entry | Pair) -> Score:
    try:
        return _score_pair(what) if isinstance(what, Pair) else _score_entry(what)
    except LabError as error:
        return Score(what.name, problem=str(error))


def _score_entry(entry: Entry) -> Score:
    settings = {"LAB_SECRET": secrets.token_hex(32)} if "LAB_SECRET" in entry.facts["settings"] else {}
    options = {"CONFORMANCE_SIGNING_KEY": settings["LAB_SECRET"]} if settings else {}
    report = judged(entry, {**entry.options, **options}, settings)
    return Score(entry.name, [report], Expected.of(LAB / entry.name).differences(report))


def _score_pair(pair: Pair) -> Score:
    settings = {"SECRET": secrets.token_hex(32)} if pair.facts.get("takes_secret") else {}
    options = {**ACCOUNTS, **({"CONFORMANCE_SIGNING_KEY": settings["SECRET"]} if settings else {})}
    found = [judged(edition, options, settings) for edition in (pair.vulnerable, pair.patched)]
    vulnerable, patched = (broken(report) for report in found)
    differences = [
        f"{name} is not failed on the vulnerable version" for name in pair.requirements if name not in vulnerable
    ]
    differences += [f"{name} is failed on the patched version" for name in pair.requirements if name in patched]
    core = {row["id"] for row in found[1]["requirements"] if row["tier"] == "core" and row["verdict"] == "failed"}
    unexplained = core - set(pair.requirements) - set(pair.facts.get("remains", {}))
    differences += [f"{name} is failed on the patched version, without a reason" for name in sorted(unexplained)]
    differences += [f"{fault} crashed" for report in found for fault in report["run"]["suite_faults"]]
    return Score(pair.name, found, differences)


def broken(report: dict[str, Any]) -> set[str]:
    """The requirements that a report calls broken."""
    return {row["id"] for row in report["requirements"] if row["verdict"] in {"failed", "warned"}}


def judged(program: Program, options: dict[str, str], settings: dict[str, str]) -> dict[str, Any]:
    """The report of a run on the program, which is installed, started and stopped.

    Args:
        program: what is judged.
        options: of the run, as environment variables.
        settings: environment variables of the program.

    Raises:
        LabError: it cannot be installed or started, or the run has no report.
    """
    given = {name: value for name, value in os.environ.items() if not name.startswith("CONFORMANCE_")}
    with serving(program, **settings) as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [sys.executable, "-m", "conformance", "run", url, "--tier", "strict", "--intrusive"]
        command += ["--quiet", "--report-json"]
        try:
            ended = subprocess.run(
                [*command, str(file)], cwd=folder, env={**given, **options}, capture_output=True, text=True,
                check=False, stdin=subprocess.DEVNULL, timeout=LONGEST_RUN_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LabError(f"no verdict on {program.name} within {LONGEST_RUN_S} s") from None
        if not file.exists():
            raise LabError(f"the run on {program.name} has no report:\n{(ended.stdout + ended.stderr)[-2000:]}")
        report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report
