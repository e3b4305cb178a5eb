"""The clock of a server in this process, which freezegun moves."""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from conformance.clock.model import MovedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from freezegun.api import TickingDateTimeFactory

REAL_MODULES: Final = [
    # These keep the true time while the clock is moved: the suite itself, and what runs and reports it. freezegun
    # looks five calls up for one of them.
    "conformance.",
    "_pytest.",
    "pytest.",
    "pluggy.",
    "xdist.",
    "execnet.",
    "requests.",
    "urllib3.",
    # Of freezegun's own list only those of which an attribute cannot be asked for. Not `threading`, below which an
    # application of few calls runs in a thread pool; nor `gi`, with which the name of somebody's module may begin. Nor
    # waitress, which calls an application directly.
    "six.moves",
    "django.utils.six.moves",
]


class FrozenClock(MovedClock):
    """The clock of a server that runs in this process: freezegun moves it.

    Only from the first move on is anything patched at all.
    """

    name = "freezegun"

    def __init__(self, pause: Callable[[float], None] | None = None, max_wait_s: float = 0.0) -> None:
        """Leaves the clock alone until `reach` is called."""
        super().__init__(pause, max_wait_s)
        self._undo = ExitStack()
        self._factory: TickingDateTimeFactory | None = None

    def _move(self) -> None:
        if self._factory is None:
            with ExitStack() as undo:
                undo.enter_context(_loops_left_alone())
                self._factory = _started(undo)
                self._undo = undo.pop_all()
        # Not by a distance: starting takes a moment, and to tick forgets what has passed since the last move.
        moved = datetime.fromtimestamp(time.time() + self._shift_s, UTC)
        self._factory.move_to(moved.replace(tzinfo=None))

    def close(self) -> None:
        """Gives the process its own time back."""
        self._undo.close()
        self._factory = None
        self._shift_s = 0.0


@contextmanager
def _loops_left_alone() -> Iterator[None]:
    """Has the timers of event loops count real seconds.

    Not by freezegun's `real_asyncio`, which sees to that last: a loop that runs meanwhile, in a server's thread, would
    set its timers by the other time and then sleep for ever.
    """
    from asyncio import BaseEventLoop  # noqa: PLC0415 - only where time is moved

    usual = BaseEventLoop.time
    BaseEventLoop.time = lambda self: monotonic()  # type: ignore[method-assign] # noqa: ARG005 - its name is the method's
    try:
        yield
    finally:
        BaseEventLoop.time = usual  # type: ignore[method-assign]


def _started(undo: ExitStack) -> TickingDateTimeFactory:
    """What moves the time from now on; where a module cannot be looked through, without that module."""
    try:
        return _start(REAL_MODULES, undo)
    except Exception:  # noqa: BLE001 - a module may raise anything when it is asked for an attribute
        return _start([*REAL_MODULES, *_unreadable(sys.modules.items())], undo)


def _start(ignore: list[str], undo: ExitStack) -> TickingDateTimeFactory:
    from freezegun import config, configure, freeze_time  # noqa: PLC0415 - as above

    usual = config.settings.default_ignore_list
    configure(default_ignore_list=[])
    try:
        freezer: Any = freeze_time(datetime.now(UTC), tick=True, ignore=ignore)
    finally:
        configure(default_ignore_list=usual)

    def stop() -> None:
        # Modules that were loaded since are looked through again.
        new = sys.modules.keys() - freezer.modules_at_start
        freezer.ignore += tuple(_unreadable((name, sys.modules[name]) for name in new))
        freezer.stop()

    try:
        factory: TickingDateTimeFactory = freezer.start()
    except BaseException:
        freezer.stop()
        raise
    undo.callback(stop)
    return factory


def _unreadable(modules: Iterable[tuple[str, ModuleType]]) -> list[str]:
    """The names of modules that raise, when they are asked for an attribute, what freezegun does not expect."""
    names = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, module in list(modules):
            try:
                for attribute in dir(module):
                    with suppress(ImportError, AttributeError, TypeError):
                        getattr(module, attribute)
            except Exception:  # noqa: BLE001 - that is the question
                names.append(name)
    return names
