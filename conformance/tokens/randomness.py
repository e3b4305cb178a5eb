"""How much a handful of opaque strings varies, as far as one can see from outside.

Only gross weakness shows: a counter, a clock, or too few characters that change. That strings look random says nothing
of the generator.
"""

from __future__ import annotations

import itertools
import math
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ENOUGH: Final = 6
"""So many different strings are wanted: a hexadecimal digit that stays the same in all of them does so on purpose."""

_UUID: Final = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?([1-8])[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}", re.IGNORECASE
)
_BY_THE_CLOCK: Final = frozenset("126")
_ALPHABETS: Final = (
    (frozenset(string.digits), 10),
    (frozenset(string.digits + "abcdef"), 16),
    (frozenset(string.digits + "ABCDEF"), 16),
    (frozenset(string.digits + string.ascii_lowercase), 36),
    (frozenset(string.digits + string.ascii_uppercase), 36),
)
_LARGEST_STEP: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Variation:
    """What a row of strings has shown.

    Attributes:
        bits: an upper bound on what an attacker has to guess who has seen some of them.
        pattern: what they are made of, in words, where that shows.
    """

    bits: int
    pattern: str = ""


def variation(strings: Sequence[str]) -> Variation:
    """How much the strings vary, given in the order in which they were issued and all different."""
    changing = _changing(strings)
    seen = frozenset("".join(changing))
    size = next((size for characters, size in _ALPHABETS if seen <= characters), 64)
    bits = math.floor(len(changing) * math.log2(size))
    versions = {found[1] if (found := _UUID.fullmatch(text)) else "" for text in strings}
    if len(versions) == 1 and versions <= _BY_THE_CLOCK:
        return Variation(bits, f"UUIDs of version {versions.pop()}, made of the time and the machine")
    if _counts(["".join(column[row] for column in changing) for row in range(len(strings))]):
        return Variation(bits, "a number that goes up from one to the next")
    return Variation(bits, "random UUIDs" if versions == {"4"} else "")


def _changing(strings: Sequence[str]) -> list[str]:
    """The columns, of the strings written below each other, in which not all characters are the same."""
    # Numbers grow to the left, everything else to the right.
    aligned = [text.rjust(max(map(len, strings)), "0") for text in strings] if _are_numbers(strings) else strings
    return ["".join(column) for column in zip(*aligned, strict=False) if len(set(column)) > 1]


def _are_numbers(strings: Sequence[str]) -> bool:
    return all(text.isascii() and text.isdigit() for text in strings)


def _counts(texts: Sequence[str]) -> bool:
    """Whether the texts, read as numbers, go up in small steps."""
    for base, digits in ((10, string.digits), (16, string.hexdigits)):
        if all(text and set(text) <= set(digits) for text in texts):
            numbers = [int(text, base) for text in texts]
            return all(0 < later - earlier < _LARGEST_STEP for earlier, later in itertools.pairwise(numbers))
    return False
