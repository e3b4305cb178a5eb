"""The lives of a session's tokens as a picture: where each line, mark and word of it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

LEFT, WIDTH, ROW, TOP = 90, 860, 34, 30
_TICKS: Final = {
    0: "0",
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3600: "1 h",
    86_400: "1 d",
    864_000: "10 d",
    8_640_000: "100 d",
}
_FATES: Final = {"rotation": "rotated", "logout": "logged out", "refused": "found dead", "": "expires"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot on a token's line: where, of what kind, and what it says."""

    x: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A token's line. `rest` is where its life would have ended by itself, if something ended it before; else 0."""

    name: str
    kind: str
    y: int
    start: float
    end: float
    rest: float
    fate: str
    told: str
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on the scale."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture; without rows there is nothing to see."""

    rows: list[Line] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    width: int = LEFT + WIDTH + 90
    height: int = 0


def drawn(lives: list[dict[str, Any]]) -> Drawing:
    """The picture of a report's `timeline`."""
    moments = [
        moment
        for life in lives
        for moment in (life["issued_s"], life["expires_s"], life["ended_s"], *life["used_s"])
        if moment is not None
    ]
    if not moments:
        return Drawing()
    last = max(*moments, 1.0)

    def at(moment: float) -> float:
        """Logarithmic, since a login takes a second and a refresh token lives for days."""
        return round(LEFT + WIDTH * math.log1p(max(moment, 0.0)) / math.log1p(last), 1)

    rows = [_line(life, TOP + ROW * number + ROW // 2, last, at) for number, life in enumerate(lives)]
    ticks = [Tick(at(moment), label) for moment, label in _TICKS.items() if moment <= last]
    return Drawing(rows, ticks, height=TOP + ROW * len(rows))


def _line(life: dict[str, Any], y: int, last: float, at: Any) -> Line:
    natural = life["expires_s"] if life["expires_s"] is not None else last
    end = natural if life["ended_s"] is None else life["ended_s"]
    marks = [Mark(at(life["issued_s"]), "issued", f"issued at {life['issued_s']:g} s by the {life['how']}")]
    marks += [Mark(at(moment), "used", f"used at {moment:g} s") for moment in life["used_s"]]
    fate = _FATES[life["ended_by"]] if life["expires_s"] is not None or life["ended_by"] else "no end is told"
    marks.append(Mark(at(end), "ended", f"{fate} at {end:g} s"))
    told = f"{life['token']}: issued at {life['issued_s']:g} s by the {life['how']}, used {len(life['used_s'])} times, "
    return Line(
        life["token"],
        str(life["token"]).partition(" ")[0],
        y,
        at(life["issued_s"]),
        at(end),
        at(natural) if life["ended_s"] is not None and natural > end else 0.0,
        fate,
        f"{told}{fate} at {end:g} s.",
        marks,
    )
