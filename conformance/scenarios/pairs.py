"""Few combinations in which every two values of different factors meet.

Most flaws show where two things come together: this forgery at that route, that spelling under an unknown key name.
All combinations of four factors are thousands of requests; those that bring every two values together are as many as
the two largest factors have in common, or a few more. Where a flaw shows only if everything else is as it should be,
two values are not enough: such combinations are asked for by name.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Value = tuple[str, str]
"""A factor's name and one of its values."""


def covering(
    factors: Mapping[str, Sequence[str]],
    impossible: Collection[frozenset[Value]] = (),
    beginnings: Iterable[Mapping[str, str]] = (),
) -> list[dict[str, str]]:
    """Combinations of one value of each factor, such that every two values of different factors are in one of them.

    Greedy and deterministic: each combination starts from the first two values that have not met, and takes of every
    further factor the value that brings the most new meetings, the least used one where several do.

    Args:
        factors: the values of each factor.
        impossible: pairs of values that cannot be combined.
        beginnings: values of some factors that are to be together in a combination, whatever else they meet.
    """
    if len(factors) < 2:  # noqa: PLR2004 - two of them meet
        return [{name: value} for name, values in factors.items() for value in values]
    values = {name: [(name, value) for value in options] for name, options in factors.items()}
    missing = {
        frozenset(pair): pair
        for one, other in itertools.combinations(values, 2)
        for pair in itertools.product(values[one], values[other])
        if frozenset(pair) not in impossible
    }
    used: Counter[Value] = Counter()
    chosen: list[dict[str, str]] = []

    def add(seed: Sequence[Value]) -> None:
        rest = [name for name in values if name not in dict(seed)]
        found = _completed(list(seed), rest, values, missing, used, impossible)
        if found is not None:
            for pair in itertools.combinations(found, 2):
                missing.pop(frozenset(pair), None)
            used.update(found)
            chosen.append({name: dict(found)[name] for name in factors})

    for beginning in beginnings:
        add(tuple(beginning.items()))
    while missing:
        key, seed = next(iter(missing.items()))
        add(seed)
        # Two values that nothing else goes with are not met, which only a wrong list of what is impossible can cause.
        missing.pop(key, None)
    return chosen


def _completed(
    taken: list[Value],
    rest: list[str],
    values: Mapping[str, list[Value]],
    missing: Collection[frozenset[Value]],
    used: Mapping[Value, int],
    impossible: Collection[frozenset[Value]],
) -> list[Value] | None:
    """The values taken so far with one of each further factor; None where nothing fits them."""
    if not rest:
        return taken

    def gain(value: Value) -> tuple[int, int]:
        return -sum(frozenset({value, other}) in missing for other in taken), used[value]

    for value in sorted(values[rest[0]], key=gain):
        if not any(frozenset({value, other}) in impossible for other in taken):
            found = _completed([*taken, value], rest[1:], values, missing, used, impossible)
            if found is not None:
                return found
    return None
