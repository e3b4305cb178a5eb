"""Comparisons of many reports: what a terminal has room for, and what memory has."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

from conformance.reports.comparison import MOST_COLUMNS, Comparison
from conformance.verdicts.model import Outcome, Verdict
from tests.reports.made import report

if TYPE_CHECKING:
    from collections.abc import Iterator


class Weak(dict[str, Any]):
    """A report whose end can be seen."""


def some(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """So many reports, of which the third breaks a requirement."""
    for index in range(number):
        verdict = Verdict.FAILED if index == 2 else Verdict.PASSED
        yield f"number-{index}.json", report(Outcome("LOGIN-01", Verdict.PASSED), Outcome("ACCESS-02", verdict))


def test_many_are_told_in_groups() -> None:
    """Who differs is named, and a line does not grow with the number of reports."""
    told = list(Comparison.of(some(MOST_COLUMNS + 8), beside=True).told(everything=False))
    (row,) = [line for line in told if line.startswith("ACCESS-02")]
    assert row.startswith("ACCESS-02   19 passed, 1 failed (number-2): ")
    assert "1 of 2 requirements differ" in told
    others = Comparison.of(reversed(list(some(40))), beside=True)
    assert max(map(len, others.told(everything=True))) < 200


def test_two_targets_beside_each_other_are_no_change() -> None:
    """Neither is before the other; of one target there may be a comparison as well, and of none."""
    beside = list(Comparison.of(some(2), beside=True).told(everything=True))
    assert "LOGIN-01       ✓    ✓" in "\n".join(beside)
    assert "1  number-0  " in next(iter(Comparison.of(some(1), beside=True).told(everything=True)))
    nothing = Comparison.of([], unjudged=[("away", "nobody\x1b there")], beside=True)
    assert list(nothing.told(everything=True)) == ["-  away  nobody\\x1b there"]
    assert "<strong>away</strong>: nobody\\x1b there" in nothing.page()


def test_no_report_stays_in_memory() -> None:
    """Each may be forgotten once the next is asked for."""
    seen: list[weakref.ref[Weak]] = []

    def one_by_one() -> Iterator[tuple[str, dict[str, Any]]]:
        for name, made in some(5):
            weak = Weak(made)
            seen.append(weakref.ref(weak))
            yield name, weak

    comparison = Comparison.of(one_by_one(), beside=True)
    gc.collect()
    assert len(comparison.reports) == 5
    assert [each() for each in seen] == [None] * 5
