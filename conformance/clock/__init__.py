"""The ways to let time pass: move the clock of a server in this process or of one that was launched, or wait."""

from conformance.clock.faked import FakedClock
from conformance.clock.frozen import REAL_MODULES, FrozenClock
from conformance.clock.model import Clock, MovedClock
from conformance.clock.waiting import WaitingClock

__all__ = ["REAL_MODULES", "Clock", "FakedClock", "FrozenClock", "MovedClock", "WaitingClock"]
