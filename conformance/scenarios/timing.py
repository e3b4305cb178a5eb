"""Whether two kinds of request take differently long, judged so that a busy machine does not make it seem so."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEAST_S: Final = 0.005
"""A smaller gap is not held against anybody: a password hash takes several times as long."""

LEAST_SHARE: Final = 0.2
"""So much of the slower answer's time the gap must be."""

SIGNIFICANCE: Final = 0.001
FIRST_PAIRS: Final = 12
MORE_PAIRS: Final = 30
TOO_NOISY_S: Final = 0.05
"""Where even the quicker answers differ by so much, the cost of a hash could hide in it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How much longer the first of two kinds took, over pairs of measurements taken one right after the other.

    What else a machine or a network does only ever adds to a time, so the quicker answers of each kind are compared.

    Attributes:
        seconds: the difference of the lower quartiles; negative where the second took longer.
        share: that, as a part of the slower kind's lower quartile.
        p: how often chance alone would divide the pairs so unevenly (a two-sided sign test).
        noise_s: by how much the quicker answers of one kind differ: the lower quartile less the minimum.
    """

    seconds: float
    share: float
    p: float
    noise_s: float

    @property
    def is_large(self) -> bool:
        """Whether the gap is worth anything to whoever measures it."""
        return abs(self.seconds) >= LEAST_S and self.share >= LEAST_SHARE

    @property
    def is_shown(self) -> bool:
        """Whether the gap is large, and no accident."""
        return self.is_large and self.p < SIGNIFICANCE and abs(self.seconds) > self.noise_s


def gap_of(pairs: Sequence[tuple[float, float]]) -> Gap:
    """The gap between the firsts and the seconds of at least two pairs of times in seconds."""
    kinds = [first for first, _ in pairs], [second for _, second in pairs]
    quartiles = [statistics.quantiles(times, n=4, method="inclusive")[0] for times in kinds]
    seconds, slower = quartiles[0] - quartiles[1], max(quartiles)
    noise = max(quartile - min(times) for quartile, times in zip(quartiles, kinds, strict=True))
    p = _sign_test([first - second for first, second in pairs], towards=seconds)
    return Gap(seconds, abs(seconds) / slower if slower else 0.0, p, noise)


def compare(measure: Callable[[bool], tuple[float, float]]) -> Gap:
    """Measures a few pairs and, only if they show a gap or too much noise, as many again and more; the last counts.

    Args:
        measure: takes a pair of times; is told whether the second kind goes first, so that what lies in the order,
            or drifts, cancels out.
    """

    def measured(count: int) -> list[tuple[float, float]]:
        return [measure(number % 2 == 1) for number in range(count)]

    first = gap_of(measured(FIRST_PAIRS))
    if not first.is_large and first.noise_s < LEAST_S:
        return first
    pairs = measured(MORE_PAIRS)
    again = gap_of(pairs)
    if not again.is_shown and (again.is_large or again.noise_s > TOO_NOISY_S):
        # A busy machine hides what is there; twice as many pairs show it.
        pairs += measured(MORE_PAIRS)
        again = gap_of(pairs)
    # An accident does not come twice, in the same direction.
    return again if first.seconds * again.seconds > 0 else Gap(again.seconds, again.share, 1.0, again.noise_s)


def _sign_test(differences: Sequence[float], towards: float) -> float:
    """The chance of so many differences of that sign, or of the other, where both are as likely."""
    signs = [difference * towards > 0 for difference in differences if difference]
    count, agreeing = len(signs), sum(signs)
    tail = sum(math.comb(count, index) for index in range(agreeing, count + 1))
    return min(1.0, 2.0 * tail / float(2**count))
