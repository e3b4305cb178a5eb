"""The folder of results: what is in it is whole, and belongs to the entry that was run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance.errors import ConfigurationError
from conformance.fleet.entry import Entry
from conformance.fleet.outcome import Finished, Outcome, exit_code
from conformance.fleet.results import Results
from tests.reports.made import ordinary

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = Entry("one", {"tier": "core"})
REPORT = json.dumps(ordinary()).encode()


def test_what_was_kept_is_known_again(tmp_path: Path) -> None:
    """By the same entry; by another of that name it is not."""
    with Results(str(tmp_path)) as results:
        state = results.keep(ENTRY, Finished("one", Outcome.BROKEN, seconds=1.5, report=REPORT))
        assert results.state(ENTRY) == state
        assert (state.has_report, state.complete, state.seconds) == (True, True, 1.5)
        assert state.counts.startswith("1 failed")
        assert results.state(Entry("one", {"tier": "strict"})) is None
        assert results.state(Entry("two", {"tier": "core"})) is None
        results.forget(ENTRY)
        assert results.state(ENTRY) is None


@pytest.mark.parametrize("damage", ["{", "[]", "null", "{}", '{"schema": 2}', '{"schema": 1}', "[" * 99_999, "\x00"])
def test_a_damaged_state_is_none(damage: str, tmp_path: Path) -> None:
    """The target is judged anew; nobody is told off."""
    with Results(str(tmp_path)) as results:
        results.keep(ENTRY, Finished("one", Outcome.BROKEN, report=REPORT))
        (tmp_path / ".fleet" / "one.json").write_text(damage)
        assert results.state(ENTRY) is None


def test_a_state_without_its_report_is_none(tmp_path: Path) -> None:
    """Somebody has removed it."""
    with Results(str(tmp_path)) as results:
        results.keep(ENTRY, Finished("one", Outcome.BROKEN, report=REPORT))
        results.report("one").unlink()
        assert results.state(ENTRY) is None


@pytest.mark.parametrize("report", [b"{", b"[]", b"\xff", b'{"schema": 1}'])
def test_a_report_that_is_none_is_a_crash(report: bytes, tmp_path: Path) -> None:
    """Whatever a worker sends; and the one from before is gone."""
    with Results(str(tmp_path)) as results:
        results.keep(ENTRY, Finished("one", Outcome.BROKEN, report=REPORT))
        state = results.keep(ENTRY, Finished("one", Outcome.CONFORMANT, report=report))
        assert (state.outcome, state.has_report, state.complete) == (Outcome.CRASHED, False, False)
        assert not results.report("one").exists()
        assert "the run has written no report" in state.told


def test_one_fleet_at_a_time(tmp_path: Path) -> None:
    """And when it has gone, the next; what it left of its runs is cleared."""
    with Results(str(tmp_path)) as results:
        (results.scratch / "left").mkdir()
        with pytest.raises(ConfigurationError, match="another fleet"):
            Results(str(tmp_path))
    with Results(str(tmp_path)) as results:
        assert list(results.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([Outcome.CONFORMANT, Outcome.CONFORMANT], 0),
        ([Outcome.CONFORMANT, Outcome.HUNG], 3),
        ([Outcome.CONFORMANT, None], 3),
        ([Outcome.MISCONFIGURED, Outcome.BROKEN, Outcome.CRASHED, None], 1),
        ([Outcome.BROKEN, Outcome.SUITE_FAULT], 4),
    ],
)
def test_the_worst_outcome_counts(outcomes: list[Outcome | None], code: int) -> None:
    """A fault of the suite before a broken requirement before what was not judged."""
    assert exit_code(outcomes) == code
