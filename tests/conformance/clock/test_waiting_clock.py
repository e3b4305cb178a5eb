"""Waiting for the clock of a server that already runs."""

from __future__ import annotations

import pytest

from conformance.clock import WaitingClock, waiting


class Time:
    """A time of the test's own, which passes only where somebody waits.

    Attributes:
        pauses: how long each wait was asked to last.
        early_s: by how much a sleep ends too soon, as a system's may.
    """

    def __init__(self) -> None:
        """Starts at a round number."""
        self.now = 1_000_000.0
        self.pauses: list[float] = []
        self.early_s = 0.0

    def time(self) -> float:
        """Stands in for `time.time`."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Stands in for sleeping."""
        self.pauses.append(seconds)
        self.now += max(seconds - self.early_s, seconds / 2)


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The time that clocks see in this test."""
    passing = Time()
    monkeypatch.setattr(waiting, "time", passing)
    return passing


def test_it_waits_as_long_as_needed_and_no_longer(passing: Time) -> None:
    """One wait of exactly the missing time; none where the moment has come already."""
    clock = WaitingClock(passing.pause, 30)

    clock.reach(1_000_012.5)
    clock.reach(1_000_012.5)
    clock.reach(0)

    assert passing.pauses == [12.5]
    assert clock.now() == 1_000_012.5


def test_a_sleep_that_ends_early_is_made_up_for(passing: Time) -> None:
    """The moment has come when `reach` returns, however inexact the sleep was."""
    passing.early_s = 0.25
    clock = WaitingClock(passing.pause, 30)

    clock.reach(1_000_010)

    assert 1_000_010 - 1e-6 <= clock.now() <= 1_000_010
    assert passing.pauses[:2] == [10.0, 0.25]


@pytest.mark.parametrize(("skew_s", "wait_s"), [(5.0, 15.0), (-5.0, 25.0), (0.0, 20.0)])
def test_the_target_s_clock_counts(passing: Time, skew_s: float, wait_s: float) -> None:
    """A target whose clock is ahead gets there sooner, and one whose clock is behind later."""
    clock = WaitingClock(passing.pause, 30)
    clock.skew_s = skew_s

    assert clock.now() == 1_000_000 + skew_s
    clock.reach(1_000_020)

    assert passing.pauses == [wait_s]


def test_the_user_s_limit_is_kept(passing: Time) -> None:
    """What is further away than the longest wait cannot be reached; the limit itself can."""
    clock = WaitingClock(passing.pause, 30)

    assert clock.can_reach(1_000_030)
    assert not clock.can_reach(1_000_030.5)
    assert clock.can_reach(5)
    clock.skew_s = 100
    assert clock.can_reach(1_000_130)


def test_a_limit_of_nothing_still_reaches_the_present(passing: Time) -> None:
    """With no wait allowed, what is past already can be reached and the next second cannot."""
    clock = WaitingClock(passing.pause, 0)

    assert clock.can_reach(1_000_000)
    assert not clock.can_reach(1_000_001)
    clock.close()
    assert passing.pauses == []
