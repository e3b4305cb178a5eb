"""Whether a gap in time is a gap, whatever the machine is doing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from conformance.scenarios.timing import FIRST_PAIRS, LEAST_S, MORE_PAIRS, TOO_NOISY_S, Gap, compare, gap_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[random.Random], float]


def measured(first: Draw, second: Draw, seed: int) -> tuple[Gap, int]:
    """What comes of comparing two kinds of request that take so long, and how many pairs it took."""
    chance, taken = random.Random(seed), []  # noqa: S311 - no secret

    def measure(_backwards: bool) -> tuple[float, float]:
        taken.append(1)
        return first(chance), second(chance)

    return compare(measure), len(taken)


def quiet(chance: random.Random) -> float:
    """Two milliseconds, more or less."""
    return chance.gauss(0.002, 0.0003)


def busy(chance: random.Random) -> float:
    """The same on a machine that does other things as well: now and then it takes twenty times as long."""
    return quiet(chance) + (chance.expovariate(1 / 0.04) if chance.random() < 0.3 else 0.0)


def overloaded(chance: random.Random) -> float:
    """The same where twenty others want the machine: most answers wait, some for a fifth of a second."""
    return quiet(chance) + (chance.expovariate(1 / 0.06) if chance.random() < 0.8 else 0.0)


def remote(chance: random.Random) -> float:
    """Fifty milliseconds away, with the delays of a network."""
    return 0.05 + chance.expovariate(1 / 0.005)


@pytest.mark.parametrize("base", [quiet, busy, overloaded, remote])
def test_equal_times_show_no_gap(base: Draw) -> None:
    """Of a thousand comparisons of what takes equally long, none shows a gap, and most end early."""
    results = [measured(base, base, seed) for seed in range(1000)]

    assert not [gap for gap, _ in results if gap.is_shown]
    assert sum(pairs == FIRST_PAIRS for _, pairs in results) > (0 if base is overloaded else 800)


@pytest.mark.parametrize("base", [quiet, busy, remote])
@pytest.mark.parametrize("hash_s", [0.02, 0.05, 0.3])
@pytest.mark.parametrize("known_takes_longer", [True, False])
def test_a_skipped_hash_shows(base: Draw, hash_s: float, known_takes_longer: bool) -> None:
    """A hash that is computed for one kind only is found nearly every time, in either direction."""

    def hashing(chance: random.Random) -> float:
        return base(chance) + hash_s

    kinds = (hashing, base) if known_takes_longer else (base, hashing)
    found = [measured(*kinds, seed)[0] for seed in range(100)]

    assert sum(gap.is_shown for gap in found) >= 90
    assert all((gap.seconds > 0) == known_takes_longer for gap in found if gap.is_shown)


def test_a_gap_that_is_too_small_to_use_is_none() -> None:
    """A difference below the bound, or a small part of a slow answer, is not held against anybody."""
    assert not measured(lambda _: 0.002 + LEAST_S * 0.9, lambda _: 0.002, 0)[0].is_shown
    assert not measured(lambda _: 0.310, lambda _: 0.300, 0)[0].is_shown


def test_an_accident_does_not_come_twice() -> None:
    """A gap that points the other way when it is measured again is chance."""
    times = iter([(0.05, 0.01)] * FIRST_PAIRS + [(0.01, 0.05)] * MORE_PAIRS)

    assert not compare(lambda _backwards: next(times)).is_shown


def test_the_order_within_pairs_turns() -> None:
    """Which of the two goes first alternates, so that being first is no advantage."""
    turns: list[bool] = []

    def measure(backwards: bool) -> tuple[float, float]:
        turns.append(backwards)
        return 0.0, 0.0

    compare(measure)

    assert turns == [False, True] * (FIRST_PAIRS // 2)


def test_noise_is_known_for_what_it_is() -> None:
    """Where times vary by a second, the gap's noise says that nothing can be told."""
    chance = random.Random(1)  # noqa: S311 - no secret
    wild = gap_of([(chance.uniform(0, 1), chance.uniform(0, 1)) for _ in range(MORE_PAIRS)])

    assert wild.noise_s > TOO_NOISY_S
    assert not wild.is_shown
