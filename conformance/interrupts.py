"""Ctrl-C and SIGTERM: both end a run with a report of what is known so far, and neither spoils the report."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Interrupts:
    """What a run does about the signals that ask it to end."""

    _before: dict[signal.Signals, Any] = field(default_factory=dict)

    def obey(self) -> None:
        """Has SIGTERM, by which CI systems cancel a job, end the run as Ctrl-C does; unless somebody else sees to it."""
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._set(signal.SIGTERM, signal.default_int_handler)

    def put_off(self) -> None:
        """Lets neither break in any more: the run is over but for its report, and would leave half of one."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._set(number, signal.SIG_IGN)

    def restore(self) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _set(self, number: signal.Signals, handler: Any) -> None:
        # Elsewhere Python does not allow it, and whoever runs pytest in a thread handles signals by himself.
        if threading.current_thread() is threading.main_thread():
            self._before.setdefault(number, signal.signal(number, handler))
