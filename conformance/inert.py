"""Text from elsewhere, made harmless for a terminal."""

from __future__ import annotations

import re
from typing import Final

# C0 and C1 controls but for the line feed, the marks that turn the direction of text, further line breaks, and halves
# of surrogate pairs, which no terminal can be sent.
_UNSAFE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def inert(text: str) -> str:
    """The text with everything that could steer a terminal written out instead; a line feed stays one."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}" if found[0] < "\u0100" else ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """The text inert, and on one line."""
    return inert(" ".join(text.split()))
