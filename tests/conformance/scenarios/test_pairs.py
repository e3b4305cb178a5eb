"""Few combinations, in which every two values of different factors meet."""

from __future__ import annotations

import itertools
import random

import pytest

from conformance.scenarios.pairs import covering


def factors_of(seed: int) -> dict[str, list[str]]:
    """A few factors of various sizes."""
    dice = random.Random(seed)  # noqa: S311 - a test's
    return {f"f{index}": [f"v{value}" for value in range(dice.randint(1, 9))] for index in range(dice.randint(1, 6))}


def meetings(combinations: list[dict[str, str]]) -> set[frozenset[tuple[str, str]]]:
    """Every two values that are in one combination."""
    return {frozenset(pair) for one in combinations for pair in itertools.combinations(one.items(), 2)}


def wanted(factors: dict[str, list[str]]) -> set[frozenset[tuple[str, str]]]:
    """Every two values of different factors."""
    return {
        frozenset({(one, value), (other, another)})
        for one, other in itertools.combinations(factors, 2)
        for value, another in itertools.product(factors[one], factors[other])
    }


@pytest.mark.parametrize("seed", range(60))
def test_every_two_values_meet(seed: int) -> None:
    """Whatever the factors are, each pair of their values is in a combination, and each combination is whole."""
    factors = factors_of(seed)
    chosen = covering(factors)

    assert meetings(chosen) == wanted(factors)
    assert all(list(one) == list(factors) for one in chosen)
    assert {value for one in chosen for value in one.items()} == {(n, v) for n, vs in factors.items() for v in vs}


@pytest.mark.parametrize("seed", range(60))
def test_what_cannot_be_combined_is_not(seed: int) -> None:
    """An impossible pair is in no combination, and every other pair is in one where anything goes with it."""
    factors = {"f0": ["v0", "v1"], "f1": ["v0", "v1", "v2"], **factors_of(seed)}
    factors["f0"], factors["f1"] = ["v0", "v1"], ["v0", "v1", "v2"]
    impossible = {frozenset({("f0", "v1"), ("f1", "v2")})}
    chosen = covering(factors, impossible)

    assert meetings(chosen) == wanted(factors) - impossible


@pytest.mark.parametrize("rows", [5, 12, 30])
def test_there_are_hardly_more_than_the_two_largest_factors_ask_for(rows: int) -> None:
    """The number of combinations is near its lower bound, and the same each time."""
    factors = {
        "row": [str(row) for row in range(rows)],
        "door": ["a", "b", "c"],
        "way": ["x", "y", "z"],
        "kid": ["k", "n"],
    }

    chosen = covering(factors, {frozenset({("door", "c"), ("way", "z")})})

    assert 3 * rows <= len(chosen) <= 3 * rows * 1.25 + 3
    assert chosen == covering(factors, {frozenset({("door", "c"), ("way", "z")})})


@pytest.mark.parametrize("seed", range(20))
def test_what_is_asked_for_is_together(seed: int) -> None:
    """Values that are to be together are so in a combination, and every two values still meet."""
    factors = {"f0": ["v0", "v1"], "f1": ["v0", "v1"], "f2": ["v0", "v1", "v2"], "f9": ["x", "y"]}
    factors |= {name: options for name, options in factors_of(seed).items() if name not in factors}
    beginnings = [{"f0": row, "f1": "v1", "f2": "v2"} for row in factors["f0"]]
    chosen = covering(factors, (), beginnings)

    assert meetings(chosen) == wanted(factors)
    for beginning in beginnings:
        assert any(beginning.items() <= one.items() for one in chosen)
