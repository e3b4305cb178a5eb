"""The costs that plans are made of are those of the suite as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.costs import count, written
from conformance.plan.costs import Cost, SetUp, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

ANEW = "the suite has changed: run python benchmarks/costs.py"
BY_THE_CLOCK = {"CRED-07", "RACE-02"}
"""How often these measure, or try, depends on how busy the machine is."""


@pytest.mark.parametrize("setup", SetUp)
def test_costs_are_up_to_date(setup: SetUp) -> None:
    """A run costs what the file says, give or take a little for each scenario and less in all."""
    costs = {name: Cost(**row) for name, row in count(setup).items()}
    known = counted()[setup]

    assert set(costs) == set(known), ANEW
    for part in ("requests", "at_login", "logins", "wrong", "guesses"):
        off = {
            name: (getattr(cost, part), getattr(known[name], part))
            for name, cost in costs.items()
            if name not in BY_THE_CLOCK and abs(getattr(cost, part) - getattr(known[name], part)) > _tolerance(part)
        }
        assert not off, ANEW
        assert _sum(costs, part) == pytest.approx(_sum(known, part), rel=0.05, abs=6), ANEW


def _tolerance(part: str) -> int:
    return 12 if part == "requests" else 3


def _sum(costs: Mapping[str, Cost], part: str) -> int:
    return sum(getattr(cost, part) for name, cost in costs.items() if name not in BY_THE_CLOCK)


def test_the_file_is_written_as_it_is_read() -> None:
    """What is counted comes back from the file, whole."""
    text = written({SetUp.PLAIN: {"LOGIN-03": {"wrong": 2, "requests": 4}, "LEAK-07": {}}})

    assert "LOGIN-03 = { requests = 4, wrong = 2 }\nLEAK-07 = {}\n" in text
