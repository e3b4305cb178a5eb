"""The clock of another process, which libfaketime moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.clock.model import MovedClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class FakedClock(MovedClock):
    """The clock of a process that was started with libfaketime, which reads its shift from a file at every look.

    Whether the process follows has to be seen: one that asks the kernel by itself, as statically linked Go does, does
    not.
    """

    name = "libfaketime"

    def __init__(
        self, file: Path, pause: Callable[[float], None], max_wait_s: float, moved: Callable[[], None]
    ) -> None:
        """Writes a shift of nothing to `file`.

        Args:
            file: where libfaketime looks.
            pause: sleeps for so many seconds.
            max_wait_s: for how long at most.
            moved: is called after each move.
        """
        super().__init__(pause, max_wait_s)
        self._file = file
        self._moved = moved
        self._write()

    def _move(self) -> None:
        self._write()
        self._moved()

    def _write(self) -> None:
        # At once, so that nobody reads half a number.
        draft = self._file.with_suffix(".new")
        draft.write_text(f"+{self._shift_s:.3f}\n", encoding="ascii")
        draft.replace(self._file)

    def close(self) -> None:
        """Gives the process its own time back, where it still runs."""
        self._shift_s = 0.0
        if self._file.parent.is_dir():
            self._write()
