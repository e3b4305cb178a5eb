"""Pairs of servers, one on a version of a library with a published vulnerability, and one on the version without it.

Both are the same few lines; what they stand on is all that differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.running import LAB, Program, read

VULNERABILITIES = LAB / "vulnerabilities"


@dataclass(frozen=True)
class Pair:
    """A published vulnerability.

    Attributes:
        name: its folder.
        facts: its `pair.toml`.
    """

    name: str
    facts: dict[str, Any]

    @property
    def requirements(self) -> list[str]:
        """The requirements that the vulnerable version breaks."""
        return list(self.facts["breaks"])

    @property
    def vulnerable(self) -> Program:
        """The server on the version with the flaw."""
        return self._edition("vulnerable")

    @property
    def patched(self) -> Program:
        """The same server on the version without it."""
        return self._edition("patched")

    def _edition(self, which: str) -> Program:
        folder = VULNERABILITIES / self.name
        shared = VULNERABILITIES / "contract" / self.facts["language"]
        # `pair.toml` and the other edition's folder come along, and change nothing.
        return Program(f"{self.name}-{which}", self.facts, (shared, folder / "app", folder / which))


def pairs() -> dict[str, Pair]:
    """Every pair, by name."""
    found = sorted(VULNERABILITIES.glob("*/pair.toml"))
    return {path.parent.name: Pair(path.parent.name, read(path)) for path in found}
