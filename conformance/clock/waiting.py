"""The clock of a server that nothing moves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from conformance.clock.model import Clock

if TYPE_CHECKING:
    from collections.abc import Callable


class WaitingClock(Clock):
    """The clock of a server that keeps its own time, so that the suite waits, `max_wait_s` at most."""

    name = "waiting"
    moves = False

    def __init__(
        self, pause: Callable[[float], None], max_wait_s: float, *, because: str = "", remedy: str = ""
    ) -> None:
        """Waits by calling `pause` with a number of seconds.

        Args:
            pause: sleeps.
            max_wait_s: for how long at most.
            because: why the clock is not moved, where it was to be.
            remedy: what to give for one that can be moved.
        """
        self._pause = pause
        self.max_wait_s = max_wait_s
        self._because = because
        self._remedy = remedy

    @property
    def how(self) -> str:
        """The name, and why nothing moves the clock."""
        return f"{self.name}, since {self._because}" if self._because else self.name

    @property
    def remedy(self) -> str:
        """What to give for a clock that can be moved."""
        return self._remedy

    def now(self) -> float:
        """The suite's own time plus the skew."""
        return time.time() + self.skew_s

    def can_reach(self, moment: float) -> bool:
        """Whether the wait is no longer than the user allows."""
        return moment - self.now() <= self.max_wait_s

    def reach(self, moment: float) -> None:
        """Sleeps."""
        while (left := moment - self.now()) > 0:
            self._pause(left)

    def can_let_pass(self, seconds: float) -> bool:
        """Whether the wait is no longer than the user allows."""
        return seconds <= self.max_wait_s

    def let_pass(self, seconds: float) -> None:
        """Sleeps."""
        self._pause(seconds)
