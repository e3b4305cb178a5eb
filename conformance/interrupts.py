"""Ctrl-C and SIGTERM: both end a run with a report of what is known so far, and neither spoils the report."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)
_DEFAULTS: Final = (signal.SIG_DFL, signal.default_int_handler)


@dataclass(slots=True, eq=False)
class Interrupts:
    """What a run does about the signals that ask it to end.

    Attributes:
        came: whether one of them did. The exception that it raised may have been lost: Python makes another of it while
            a class is made, for instance, and prints those of callbacks.
        waits: whether it breaks in only where that is safe. pytest does not survive it everywhere.
    """

    waits: bool = False
    came: bool = False
    _may_break_in: bool = False
    # What was there before may be another of these, with what was there before it: Python prints handlers when asked.
    _before: dict[signal.Signals, Any] = field(default_factory=dict, repr=False)

    def obey(self) -> None:
        """Has SIGTERM, by which CI systems cancel a job, do what Ctrl-C does; unless somebody else sees to them."""
        for number in _NUMBERS:
            now = signal.getsignal(number)
            if now in _DEFAULTS or isinstance(getattr(now, "__self__", None), Interrupts):
                self._set(number, self._interrupt)

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """Obeys, and gives the signals back."""
        self.obey()
        try:
            yield
        finally:
            self.restore()

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """Here it may break in.

        Raises:
            KeyboardInterrupt: it has come, be it before.
        """
        self._may_break_in = True
        try:
            self.check()
            yield
        finally:
            self._may_break_in = False

    def check(self) -> None:
        """Makes good for an interruption that was put off, or lost.

        Raises:
            KeyboardInterrupt: there was one.
        """
        if self.came:
            raise KeyboardInterrupt

    def put_off(self) -> None:
        """Lets neither break in any more: the run is over but for its report, and would leave half of one."""
        for number in _NUMBERS:
            self._set(number, signal.SIG_IGN)

    def restore(self) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _interrupt(self, _number: int, _frame: object) -> None:
        self.came = True
        if self._may_break_in or not self.waits:
            raise KeyboardInterrupt

    def _set(self, number: signal.Signals, handler: Any) -> None:
        # Elsewhere Python does not allow it, and whoever runs pytest in a thread handles signals by himself.
        if threading.current_thread() is threading.main_thread():
            self._before.setdefault(number, signal.signal(number, handler))
