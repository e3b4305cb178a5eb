"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """What the doctor says of one thing.

    Attributes:
        text: in words.
        hint: what to change, where it looks as if the profile were wrong; the target may be, which the run shows.
    """

    text: str
    hint: str = ""

    def __str__(self) -> str:
        """The words, and the hint on a line of its own."""
        return f"{self.text}\n  hint: {self.hint}" if self.hint else self.text
