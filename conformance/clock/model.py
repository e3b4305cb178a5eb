"""What a clock is: the target's time, and the ways in which it passes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(ABC):
    """The target's clock, in seconds since the epoch.

    Attributes:
        name: how time passes, in words for a report.
        moves: whether the clock is moved, so that any moment is reached at once and for nothing.
        skew_s: how far the target's clock is ahead of the suite's, apart from all moves.
    """

    name: ClassVar[str]
    moves: ClassVar[bool]
    skew_s: float = 0.0

    @property
    def covers_stores(self) -> bool:
        """Whether time passes for everything that the target relies on: its database and cache, its limits."""
        return True

    @property
    def how(self) -> str:
        """How time passes, and why in this way, where another was wanted."""
        return self.name

    @property
    def remedy(self) -> str:
        """What to give for a clock that can be moved; an empty string where this one can, or nothing would help."""
        return ""

    @abstractmethod
    def now(self) -> float:
        """What the target's clock shows."""

    @abstractmethod
    def can_reach(self, moment: float) -> bool:
        """Whether `reach` would get there."""

    @abstractmethod
    def reach(self, moment: float) -> None:
        """Returns once the target's clock shows at least `moment`."""

    @abstractmethod
    def can_let_pass(self, seconds: float) -> bool:
        """Whether `let_pass` may be asked for so much."""

    @abstractmethod
    def let_pass(self, seconds: float) -> None:
        """Returns once so much time has passed for the target and for everything that it relies on."""

    def close(self) -> None:  # noqa: B027 - most clocks hold nothing
        """Gives back what the clock holds, and the target its own time."""


class MovedClock(Clock):
    """A clock that is moved at once, as far as needed, and goes on ticking from there.

    What is not the application itself keeps its own time: a database, a cache, a limit that counts real seconds. So
    where there may be such things, a token's end is reached by a move, and all else by waiting.
    """

    moves = True

    def __init__(self, pause: Callable[[float], None] | None = None, max_wait_s: float = 0.0) -> None:
        """Moves nothing yet.

        Args:
            pause: sleeps for so many seconds, where the target may rely on what this clock does not move.
            max_wait_s: for how long at most.
        """
        self._pause = pause
        self._max_wait_s = max_wait_s
        self._shift_s = 0.0

    @property
    def covers_stores(self) -> bool:
        """Whether everything there is moves along."""
        return self._pause is None

    def now(self) -> float:
        """The true time, plus the skew and all moves so far."""
        return time.time() + self._shift_s + self.skew_s

    def can_reach(self, moment: float) -> bool:  # noqa: ARG002 - any moment will do
        """Always."""
        return True

    def reach(self, moment: float) -> None:
        """Moves the clock, never back."""
        ahead = moment - self.now()
        if ahead > 0:
            self._shift_s += ahead
            self._move()

    def can_let_pass(self, seconds: float) -> bool:
        """Whether the wait is no longer than the user allows, where there is one."""
        return self._pause is None or seconds <= self._max_wait_s

    def let_pass(self, seconds: float) -> None:
        """Moves the clock where that moves everything, and sleeps elsewhere."""
        if self._pause is not None:
            self._pause(seconds)
        elif seconds > 0:
            self.reach(self.now() + seconds)

    @abstractmethod
    def _move(self) -> None:
        """Has the target's clock show `now`."""
