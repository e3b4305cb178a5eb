"""The lab's verdicts: all expected, every deviation with its reason, and a command that sees when one changes."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import load
from lab import scoreboard, scoring
from lab.expected import FILE, PLAIN, USUAL, Expected
from lab.pairs import Pair, pairs
from lab.running import LAB, Entry, entries, read
from tests.lab.test_entries import COMMAND, LOCKS, PINNED, asked_for
from tests.packaging.processes import CHECKOUT, run

if TYPE_CHECKING:
    from pathlib import Path

    from lab.running import Program

PAIRS = pairs()
IN_EVERY_RUN = (
    "flask-jwt-extended",
    "express-jsonwebtoken",
    "pyjwt-openssh-key-as-secret",
    "jsonwebtoken-public-key-as-secret",
)
"""What is scored whenever these tests run; the rest where LAB_SLOW is set, and by `jwt-conformance lab run`."""
each_entry = pytest.mark.parametrize("entry", entries().values(), ids=entries().keys())
each_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


def report_of(entry: Entry) -> dict[str, Any]:
    """A report that says what is expected, without evidence."""
    verdicts = Expected.of(LAB / entry.name).verdicts
    return {
        "run": {"suite_faults": []},
        "requirements": [{"id": name, "verdict": verdicts[name], "reason": "", "findings": []} for name in verdicts],
    }


@pytest.mark.parametrize("name", [*entries(), *PAIRS])
def test_the_verdicts_are_the_expected_ones(name: str) -> None:
    """The real software gets the verdicts that are written down: all 170, or those that its vulnerability is about."""
    what = scoring.known()[name]
    if name not in IN_EVERY_RUN and not os.environ.get("LAB_SLOW"):
        pytest.skip("one of many: set LAB_SLOW")
    tool = (what.vulnerable if isinstance(what, Pair) else what).tool
    if not shutil.which(tool) and not os.environ.get("CI"):
        pytest.skip(f"{tool} is not installed")
    (score,) = scoring.score([name], 1, lambda _: None)
    assert score.problem == ""
    assert score.differences == []


@each_entry
def test_every_verdict_is_expected_and_every_deviation_has_a_reason(entry: Entry) -> None:
    """Nothing is left open: each requirement has its verdict, and whoever reads of a broken one reads why."""
    expected = Expected.of(LAB / entry.name)
    assert expected.verdicts.keys() == {requirement.id for requirement in load() if not requirement.by_fuzzing}
    broken = {name for name, verdict in expected.verdicts.items() if verdict not in PLAIN}
    assert broken == {*expected.usual, *expected.reasons}
    assert [name for name in broken if len(expected.reason(name)["reason"]) < 20] == []
    assert [
        link for name in broken if not (link := expected.reason(name).get("link", "https://")).startswith("https://")
    ] == []


@each_entry
def test_a_file_of_expected_verdicts_is_as_the_command_writes_it(entry: Entry) -> None:
    """An update changes no more than what has changed."""
    expected = Expected.of(LAB / entry.name)
    assert (LAB / entry.name / FILE).read_text() == expected.updated(report_of(entry)).text()


def test_a_usual_reason_is_used() -> None:
    """What stands in for many reasons stands in for some."""
    used = {name for entry in entries().values() for name in Expected.of(LAB / entry.name).usual}
    assert read(USUAL).keys() == used


def test_a_changed_verdict_is_a_difference() -> None:
    """The words name the requirement, both verdicts and what was seen."""
    entry = entries()["flask-jwt-extended"]
    report = report_of(entry)
    row = next(row for row in report["requirements"] if row["id"] == "ACCESS-02")
    row |= {"verdict": "failed", "findings": [{"case": "a refresh token", "observed": "accepted"}]}
    expected = Expected.of(LAB / entry.name)
    assert expected.differences(report) == ["ACCESS-02 is failed, expected passed: a refresh token: accepted"]


def test_a_new_deviation_waits_for_its_reason() -> None:
    """An update takes verdicts over, and keeps the reasons of those that stay."""
    entry = entries()["flask-jwt-extended"]
    report, expected = report_of(entry), Expected.of(LAB / entry.name)
    next(row for row in report["requirements"] if row["id"] == "ACCESS-02")["verdict"] = "failed"
    updated = expected.updated(report)
    assert updated.reasons.pop("ACCESS-02") == {"reason": ""}
    assert updated.reasons == expected.reasons


def test_the_scoreboard_holds_the_whole_lab_as_it_is_expected() -> None:
    """Nothing on the page is older than what is expected, and nothing in the lab is missing there."""
    board = scoreboard.load()
    assert board["implementations"].keys() == entries().keys()
    assert board["vulnerabilities"].keys() == PAIRS.keys()
    for name, row in board["implementations"].items():
        assert row["verdicts"] == Expected.of(LAB / name).verdicts
        assert row["versions"] == entries()[name].facts["versions"]
        assert row["as_expected"]
    assert all(row["as_expected"] for row in board["vulnerabilities"].values())


@each_pair
def test_a_pair_says_what_it_is_about(pair: Pair) -> None:
    """Its requirements exist, its advisory is named, and both versions are what its manifests install."""
    assert set(pair.requirements) <= {requirement.id for requirement in load()}
    assert re.fullmatch(r"CVE-\d{4}-\d{4,}|GHSA(-\w{4}){3}|[A-Z]+-\d{4}-\d+", pair.facts["id"])
    assert pair.facts["link"].startswith("https://")
    for which in ("vulnerable", "patched"):
        edition: Program = getattr(pair, which)
        text, kind = edition.manifest.read_text(), edition.manifest.name
        assert pair.facts["versions"][which] in text
        assert [version for version in asked_for(kind, text) if not re.fullmatch(PINNED[kind], version)] == []
        if kind in LOCKS:
            assert edition.manifest.with_name(LOCKS[kind]).is_file()
            assert "resolved" not in edition.manifest.with_name(LOCKS[kind]).read_text()


def test_there_are_pairs_enough() -> None:
    """Fourteen published vulnerabilities, in two languages at least."""
    assert len(PAIRS) >= 14
    assert len({pair.facts["language"] for pair in PAIRS.values()}) >= 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simplejw"], "the lab has no 'simplejw'; did you mean 'simplejwt'?"),
        (["--language", "pyton"], "the lab has nothing in 'pyton'; did you mean 'python'?"),
    ],
)
def test_what_the_lab_does_not_have_is_a_usage_error(arguments: list[str], words: str, tmp_path: Path) -> None:
    """A misspelt name starts nothing, and leaves the scoreboard alone."""
    before = scoreboard.FILE.read_bytes()
    ended = run([COMMAND, "lab", "run", *arguments], cwd=tmp_path)
    assert (ended.returncode, ended.stderr.splitlines()) == (2, [f"jwt-conformance: {words}"])
    assert scoreboard.FILE.read_bytes() == before


def test_the_lab_is_listed(tmp_path: Path) -> None:
    """Each name that can be run stands there, with what it is."""
    listed = run([COMMAND, "lab", "list"], cwd=tmp_path).stdout
    assert [line.split()[0] for line in listed.splitlines()] == [*entries(), *PAIRS]
    assert json.loads((CHECKOUT / "docs" / "scoreboard.json").read_text())["schema"] == scoreboard.SCHEMA_VERSION
