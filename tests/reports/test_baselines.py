"""Known deviations: what is listed does not fail the run, and what is listed in vain does."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from conformance.errors import ConfigurationError
from conformance.verdicts.baseline import Baseline, pasteable, update
from conformance.verdicts.model import MOST_FINDINGS, Outcome, Verdict
from conformance.verdicts.verdict_set import ExitCode, RunFacts, VerdictSet
from tests.hostile.command import jwt_conformance
from tests.hostile.servers import Server, reference_app
from tests.reports.made import finding

if TYPE_CHECKING:
    from pathlib import Path

PASSED = Outcome("LOGIN-01", Verdict.PASSED)
FAILED = Outcome("ACCESS-02", Verdict.FAILED, "", [finding("one"), finding("two")])
TODAY = dt.date(2026, 11, 26)


def row(name: str = "ACCESS-02", verdict: str = "failed", **rest: object) -> str:
    """A row as a file has it."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in rest.items() if key != "expires"]
    lines += [f"expires = {rest['expires']}"] if "expires" in rest else []
    given = "" if "reason" in rest else 'reason = "because"\n'
    return f'[[known]]\nrequirement = "{name}"\nverdict = "{verdict}"\n{given}' + "\n".join(lines) + "\n"


def baseline_of(tmp_path: Path, *rows: str) -> Baseline:
    """The baseline with these rows, read on a day of its own."""
    file = tmp_path / "known.toml"
    file.write_text("".join(rows))
    read = Baseline.read(str(file))
    return Baseline(read.file, read.rows, TODAY)


def exit_code(baseline: Baseline, *outcomes: Outcome, strict: bool = False) -> ExitCode:
    """What a run with these outcomes amounts to."""
    named = {outcome.requirement: outcome for outcome in outcomes}
    return VerdictSet.conclude(named, RunFacts(), strict=strict, baseline=baseline).exit_code


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        pytest.param((), ExitCode.BROKEN, id="nothing is listed"),
        pytest.param((row(),), ExitCode.CONFORMANT, id="listed"),
        pytest.param((row(case="one"), row(case="two")), ExitCode.CONFORMANT, id="each case is listed"),
        pytest.param((row(case="one"),), ExitCode.BROKEN, id="one case of two is listed"),
        pytest.param((row(verdict="warned"),), ExitCode.BROKEN, id="another verdict is listed"),
        pytest.param((row(expires=TODAY),), ExitCode.CONFORMANT, id="on the last day"),
        pytest.param((row(expires=TODAY - dt.timedelta(1)),), ExitCode.BROKEN, id="a day later"),
        pytest.param((row(), row("LOGIN-01")), ExitCode.BROKEN, id="what is listed passes"),
        pytest.param((row(), row("SIG-02")), ExitCode.CONFORMANT, id="what is listed was not run"),
        pytest.param((row(), row(case="three")), ExitCode.BROKEN, id="a case that is listed is gone"),
    ],
)
def test_what_is_listed_does_not_fail_the_run_and_what_is_gone_does(
    rows: tuple[str, ...], code: ExitCode, tmp_path: Path
) -> None:
    """A row puts up with what it says and with nothing else, for as long as it says."""
    assert exit_code(baseline_of(tmp_path, *rows), PASSED, FAILED) is code


@pytest.mark.parametrize("verdict", [Verdict.UNTESTED, Verdict.INCONCLUSIVE])
def test_what_could_not_be_judged_is_not_gone(verdict: Verdict, tmp_path: Path) -> None:
    """A run without a signing key says nothing of a row that needs one."""
    baseline = baseline_of(tmp_path, row())
    assert baseline.stale({"ACCESS-02": Outcome("ACCESS-02", verdict, "x")}) == []


def test_of_many_cases_those_beyond_the_reported_ones_are_not_gone(tmp_path: Path) -> None:
    """A report has the first dozen, so that a thirteenth may still happen."""
    many = [finding(f"case {number}") for number in range(MOST_FINDINGS)]
    baseline = baseline_of(tmp_path, row(case="case 99"))
    assert baseline.stale({"ACCESS-02": Outcome("ACCESS-02", Verdict.FAILED, "", many)}) == []


def test_an_inconclusive_verdict_may_be_put_up_with(tmp_path: Path) -> None:
    """So that one flaky route does not close the gate."""
    flaky = Outcome("RACE-01", Verdict.INCONCLUSIVE, "x")
    assert exit_code(baseline_of(tmp_path), PASSED, flaky) is ExitCode.INCOMPLETE
    assert exit_code(baseline_of(tmp_path, row("RACE-01", "inconclusive")), PASSED, flaky) is ExitCode.CONFORMANT


def test_a_broken_should_counts_where_it_is_asked_for(tmp_path: Path) -> None:
    """With --strict it is put up with, or fails the run, as a MUST does without."""
    warned = Outcome("LEAK-01", Verdict.WARNED, "", [finding()])
    assert exit_code(baseline_of(tmp_path), PASSED, warned, strict=True) is ExitCode.BROKEN
    assert (
        exit_code(baseline_of(tmp_path, row("LEAK-01", "warned")), PASSED, warned, strict=True) is ExitCode.CONFORMANT
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[known", "cannot be read"),
        ("known = 1", r"there is nothing but \[\[known\]\]"),
        ('reason = "x"', r"there is nothing but \[\[known\]\]"),
        (row("ACCES-02"), "row 1: no requirement is called 'ACCES-02'; did you mean ACCESS-02"),
        (row(verdict="fail"), "the verdict 'fail' is none of .*; did you mean 'failed'"),
        (row(verdict="passed"), "the verdict 'passed' is none of"),
        (row(reason=""), "row 1 has no reason"),
        (row() + row(resaon="x"), "row 2 has an unknown key 'resaon'; did you mean 'reason'"),
        (row(issue=7), "issue is a text"),
        (row(expires='"2026-11-26"'), "expires is a date"),
        (row(expires="2026-11-26T00:00:00"), "expires is a date"),
    ],
)
def test_a_mistake_is_told_with_its_row(text: str, words: str, tmp_path: Path) -> None:
    """Nothing is guessed: a row that says nothing might hide anything."""
    file = tmp_path / "known.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        Baseline.read(str(file))


def test_what_would_be_added_can_be_pasted(tmp_path: Path) -> None:
    """All that is left to do is to say why."""
    lines = pasteable(baseline_of(tmp_path).missing({"ACCESS-02": FAILED, "LOGIN-01": PASSED}))
    assert lines == ["[[known]]", 'requirement = "ACCESS-02"', 'verdict = "failed"', 'reason = ""']


def test_an_update_keeps_what_people_wrote(tmp_path: Path) -> None:
    """Comments and reasons stay, what no longer happens goes, what is new comes with a reason to be replaced."""
    comment = "# of the mobile team\n"
    old = baseline_of(tmp_path, comment, row(reason="4.1 sends it"), row("LOGIN-01", reason="gone"))
    new = Outcome("SIG-02", Verdict.FAILED, "", [finding()])
    outcomes = {"LOGIN-01": PASSED, "ACCESS-02": FAILED, "SIG-02": new}

    (tmp_path / "known.toml").write_text(text := update(old, outcomes))
    read = Baseline.read(old.file)

    assert text.startswith(comment)
    assert [(each.requirement, each.reason) for each in read.rows] == [
        ("ACCESS-02", "4.1 sends it"),
        ("SIG-02", "found on 2026-11-26, and put up with until somebody has looked into it"),
    ]
    assert exit_code(read, *outcomes.values()) is ExitCode.CONFORMANT


def test_an_update_of_no_file_makes_one(tmp_path: Path) -> None:
    """Whoever begins has nothing to write by hand."""
    text = update(Baseline(str(tmp_path / "new.toml"), (), TODAY), {"ACCESS-02": FAILED})
    (tmp_path / "new.toml").write_text(text)
    assert [each.requirement for each in Baseline.read(str(tmp_path / "new.toml")).rows] == ["ACCESS-02"]


# -- The command -------------------------------------------------------------------------------------------------------


def test_a_gate_opens_for_what_is_known_and_closes_for_what_is_gone(tmp_path: Path) -> None:
    """The whole way: a broken server, the baseline that a run writes, a run that passes by it, and a mended server."""
    file, chosen = tmp_path / "known.toml", ("-k", "access_02 or access_01")
    with reference_app("refresh-token-opens-everything") as app, Server(app=app) as broken:
        plain = jwt_conformance("run", broken.url, *chosen, folder=tmp_path)
        missing = jwt_conformance("run", broken.url, *chosen, "--baseline", str(file), folder=tmp_path)
        first = jwt_conformance(
            "run", broken.url, *chosen, "--baseline", str(file), "--update-baseline", folder=tmp_path
        )
        second = jwt_conformance("run", broken.url, *chosen, "--baseline", str(file), folder=tmp_path)
    with reference_app() as app, Server(app=app) as mended:
        third = jwt_conformance("run", mended.url, *chosen, "--baseline", str(file), folder=tmp_path)

    assert first.code == 0, first.said
    assert (plain.code, missing.code, first.code, second.code, third.code) == (1, 2, 0, 0, 1)
    assert "is not there" in missing.said
    assert "What is known" in second.out
    assert "What is broken" not in second.out
    assert "gone      ACCESS-02 failed: take the row out" in third.out
