"""What a run does about signals, in a process that goes on afterwards."""

from __future__ import annotations

import signal

from conformance.interrupts import Interrupts


def test_the_signals_are_given_back() -> None:
    """Who had them before has them afterwards."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts().obeyed():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_many_runs_in_one_process_cost_no_more_each() -> None:
    """Python prints a handler to see what it is: each may hold the one before, and no two of them twice as much."""
    runs = [Interrupts() for _ in range(40)]
    for run in runs:
        run.obey()
    assert len(repr(signal.getsignal(signal.SIGTERM))) < 1000
    for run in reversed(runs):
        run.restore()
