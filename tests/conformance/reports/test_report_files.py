"""Writing a report: whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.options import REPORTS
from conformance.reports import json_report
from conformance.reports.writing import KINDS, write
from conformance.verdicts.model import Outcome, Verdict
from conformance.verdicts.verdict_set import RunFacts, VerdictSet

VERDICTS = VerdictSet.conclude({"SIG-02": Outcome("SIG-02", Verdict.PASSED, "é \u202e \ud800")}, RunFacts())
TEXT = json_report.render(json_report.to_json(VERDICTS), "")


def test_each_option_for_a_report_has_something_that_makes_it() -> None:
    """No option is offered that would write nothing."""
    assert tuple(KINDS) == REPORTS


def test_a_report_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    """A missing folder is made, the file is ASCII and ends with a line break, and nothing else is left."""
    file = tmp_path / "new" / "folder" / "report.json"

    write(TEXT, str(file))

    assert json.loads(file.read_text(encoding="ascii"))["summary"]["passed"] == 1
    assert file.read_bytes().endswith(b"}\n")
    assert list(file.parent.iterdir()) == [file]


def test_an_older_report_is_replaced(tmp_path: Path) -> None:
    """A file that is there gives way to the new one, however long it was."""
    file = tmp_path / "report.json"
    file.write_text("x" * 100_000)

    write(TEXT, str(file))

    assert json.loads(file.read_text())["schema"] == 1


@pytest.mark.parametrize("step", ["write_text", "replace"])
def test_an_older_report_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Where writing fails, on a full disk for instance, the old file is untouched and no draft is left behind."""
    file = tmp_path / "report.json"
    file.write_text("the old one")
    original = Path.write_text

    def fail(path: Path, *_args: Any, **_kwargs: Any) -> None:
        if step == "write_text":
            original(path, "half of i", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write(TEXT, str(file))
    monkeypatch.undo()

    assert file.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [file]


def test_a_reader_never_sees_half_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file changes in one step: while the new report is being written, the old one is what is read."""
    file = tmp_path / "report.json"
    file.write_text("the old one")
    seen: list[str] = []
    original = Path.write_text

    def watched(path: Path, *args: Any, **kwargs: Any) -> int:
        written = original(path, *args, **kwargs)
        seen.append(file.read_text())
        return written

    monkeypatch.setattr(Path, "write_text", watched)
    write(TEXT, str(file))
    monkeypatch.undo()

    assert seen == ["the old one"]
    assert json.loads(file.read_text())["schema"] == 1


@pytest.mark.parametrize("name", [".", "", "folder"])
def test_a_folder_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Asked to write where a folder is, the error says so, and the folder's neighbours are left alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        write(TEXT, name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_path_through_a_file_is_an_error(tmp_path: Path) -> None:
    """A folder that cannot be made is an error that the caller can explain."""
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        write(TEXT, str(tmp_path / "file" / "report.json"))
