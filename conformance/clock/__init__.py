"""The ways to let time pass: move the bundled server's clock, or wait."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezegun.api import TickingDateTimeFactory

REAL_MODULES: Final = [
    # These keep the true time while the clock is moved: the suite itself, and what runs and reports it.
    "conformance.",
    "_pytest.",
    "pytest.",
    "pluggy.",
    "xdist.",
    "execnet.",
    "requests.",
    "urllib3.",
    # Not waitress: freezegun looks a few frames up, so an application that is called by it directly would not move.
]


class Clock(ABC):
    """The target's clock, in seconds since the epoch.

    Attributes:
        name: how time passes, in words for a report.
    """

    name: str

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
    def let_pass(self, seconds: float) -> None:
        """Returns once so much time has passed for the target."""

    def close(self) -> None:  # noqa: B027 - most clocks hold nothing
        """Gives back what the clock holds."""


class WaitingClock(Clock):
    """The clock of a server that already runs: nothing moves it, so the suite waits, `max_wait_s` at most.

    `skew_s` is how far the target's clock is ahead of the suite's.
    """

    name = "waiting"

    def __init__(self, pause: Callable[[float], None], max_wait_s: float) -> None:
        """Waits by calling `pause` with a number of seconds."""
        self._pause = pause
        self.max_wait_s = max_wait_s
        self.skew_s = 0.0

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

    def let_pass(self, seconds: float) -> None:
        """Sleeps."""
        self._pause(seconds)


class FrozenClock(Clock):
    """The clock of a server that runs in this process: freezegun moves it at once, as far as needed.

    Time goes on ticking after a move, and only from the first move on is anything patched at all.
    """

    name = "freezegun"

    def __init__(self) -> None:
        """Leaves the clock alone until `reach` is called."""
        self._stop: Callable[[], None] | None = None
        self._factory: TickingDateTimeFactory | None = None
        self._shift_s = 0.0

    def now(self) -> float:
        """The true time plus all moves so far."""
        return time.time() + self._shift_s

    def can_reach(self, moment: float) -> bool:  # noqa: ARG002 - any moment will do
        """Always."""
        return True

    def let_pass(self, seconds: float) -> None:
        """Moves the clock, where there is anything to move."""
        if seconds > 0:
            self.reach(self.now() + seconds)

    def reach(self, moment: float) -> None:
        """Moves the clock, never back."""
        ahead = moment - self.now()
        if ahead <= 0:
            return
        if self._factory is None:
            from freezegun import freeze_time  # noqa: PLC0415 - only where time is moved

            freezer = freeze_time(datetime.now(UTC), tick=True, ignore=REAL_MODULES)
            # freezegun types the factories of all its modes as one union.
            self._factory = freezer.start()  # type: ignore[assignment]
            self._stop = freezer.stop
        assert self._factory is not None
        self._shift_s += ahead
        # Not simply `ahead`: starting takes a moment, and what is moved must show what `now` says.
        self._factory.tick(datetime.fromtimestamp(self.now(), UTC).replace(tzinfo=None) - self._factory())

    def close(self) -> None:
        """Gives the process its own time back."""
        if self._stop:
            self._stop()
        self._stop = self._factory = None
        self._shift_s = 0.0
