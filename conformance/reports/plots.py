"""Figures over time as a picture: where each line and word of it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEFT, TOP, WIDTH, HEIGHT = 60, 12, 860, 160
_STEPS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure's line: `points` as SVG wants them, and what it is called."""

    name: str
    points: str
    most: float


@dataclass(frozen=True, slots=True)
class Plot:
    """The picture. `across` and `up` are the marks of its scales, each with where it stands."""

    title: str
    curves: list[Curve]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    left: int = LEFT
    right: int = LEFT + WIDTH
    bottom: int = TOP + HEIGHT
    width: int = LEFT + WIDTH + 20
    height: int = TOP + HEIGHT + 24


def plot(title: str, rows: Sequence[Mapping[str, Any]], figures: Mapping[str, str]) -> Plot:
    """The picture of some figures.

    Args:
        title: what is drawn, with its unit.
        rows: each with `at_s`, in seconds, and the figures.
        figures: the figure's key in a row, and what its line is called.
    """
    last = max((row["at_s"] for row in rows), default=0) or 1
    most = max((row[key] for row in rows for key in figures), default=0) or 1
    top = _rounded_up(most)

    def x(at_s: float) -> float:
        return round(LEFT + WIDTH * at_s / last, 1)

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (1 - value / top), 1)

    step = _rounded_up(last / 6)
    return Plot(
        title,
        [
            Curve(
                name,
                " ".join(f"{x(row['at_s'])},{y(row[key])}" for row in rows),
                max((row[key] for row in rows), default=0),
            )
            for key, name in figures.items()
        ],
        [(x(number * step), f"{number * step:g} s") for number in range(int(last / step) + 1)],
        [(y(top * part), f"{top * part:g}") for part in (0, 0.5, 1)],
    )


def _rounded_up(value: float) -> float:
    """The next number that begins with 1, 2 or 5."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in _STEPS if step * size >= value * 0.999)
