"""The guide to reports and gates: its commands do what it says, and its baseline can be read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from conformance.options import OPTIONS, REPORTS
from conformance.verdicts.baseline import Baseline
from tests.docs.test_profile_pages import DOCS, blocks
from tests.hostile.command import clean, jwt_conformance
from tests.packaging.processes import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = DOCS / "guides" / "reports.md"


def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    """One after another, in one folder, against the bundled server; afterwards there is a file for each report."""
    for _, text in blocks(GUIDE, "sh"):
        for line in text.splitlines():
            program, *words = shlex.split(line)
            assert program == "jwt-conformance"
            ended = jwt_conformance(*words, folder=tmp_path, env=clean(), bound=240)
            assert ended.code == 0, ended.said
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        *("report.html", "report.json", "report.sarif", "summary.md", "badge.svg", "comparison.html", "known.toml")
    }


def test_the_baseline_of_the_guide_can_be_read(tmp_path: Path) -> None:
    """It has every key that a row may have."""
    ((_, text),) = blocks(GUIDE, "toml")
    (tmp_path / "known.toml").write_text(text)
    (row,) = Baseline.read(str(tmp_path / "known.toml")).rows
    assert all((row.requirement, row.verdict, row.reason, row.issue, row.case, row.expires))


def test_every_report_and_every_option_is_told_of() -> None:
    """The guide has each report, and the README each option of a run."""
    guide, readme = GUIDE.read_text(), (CHECKOUT / "README.md").read_text()
    assert [option for option in REPORTS if f"`--{option} FILE`" not in guide] == []
    untold = [option.name for option in OPTIONS if f"`--{option.name}" not in readme]
    assert [name for name in untold if name != "second-client-secret"] == []
