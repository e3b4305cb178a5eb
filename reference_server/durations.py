"""Lengths of time as people write them: `45`, `45s`, `15m`, `1h`, `2 days`, `1 week`."""

from __future__ import annotations

import difflib
import re
from datetime import timedelta

# A token that lives longer is a mistake in a setting rather than a wish.
LONGEST = timedelta(days=400)

_UNITS = {
    "seconds": ("", "s", "sec", "secs", "second", "seconds"),
    "minutes": ("m", "min", "mins", "minute", "minutes"),
    "hours": ("h", "hr", "hrs", "hour", "hours"),
    "days": ("d", "day", "days"),
    "weeks": ("w", "wk", "wks", "week", "weeks"),
}
_UNIT_OF = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_WORDS = [spelling for spelling in _UNIT_OF if len(spelling) > 1]
_DURATION = re.compile(r"\s*([0-9]{1,99})\s*([A-Za-z]*)\s*", re.ASCII)


class DurationError(ValueError):
    """The text is no duration; the message says why and what would be one."""


def parse_duration(text: str) -> timedelta:
    """The length of time that `text` names; a number without a unit counts seconds.

    Raises:
        DurationError: if it is no duration, is zero, or is longer than `LONGEST`.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise DurationError(f"{text!r} is no duration; write for instance '45s', '15m', '1h' or '2 days'")
    number, unit = match.group(1), match.group(2).lower()
    if unit not in _UNIT_OF:
        nearest = difflib.get_close_matches(unit, _WORDS, n=1, cutoff=0.4) or ["seconds"]
        raise DurationError(f"{text!r} has an unknown unit; did you mean '{number} {nearest[0]}'?")
    one = timedelta(**{_UNIT_OF[unit]: 1})
    if int(number) == 0:
        raise DurationError(f"{text!r} is no time at all; the nearest valid value is '1s'")
    if int(number) > LONGEST // one:
        raise DurationError(f"{text!r} is too long; the nearest valid value is '{LONGEST.days} days'")
    return int(number) * one
