"""Runs that start their target, and what they leave behind."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from tests.hostile.command import CREDENTIALS, clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.command import Ended

BOUND_S = 120


class Traces:
    """Finds what a run has left: processes by a variable that all of them inherit, and temporary files.

    Attributes:
        env: the environment of the run.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        """Nothing is left yet."""
        self._mark = f"TRACE={secrets.token_hex(8)}"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        name, _, value = self._mark.partition("=")
        self.env = clean(**CREDENTIALS) | {name: value, "TMPDIR": str(self.temporary)} | settings

    def processes(self) -> list[str]:
        """The commands that still run."""
        name, _, value = self._mark.partition("=")
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(name) == value:
                    found.append(" ".join(process.cmdline()))
        return found

    def files(self) -> list[str]:
        """The temporary files that are still there."""
        return [path.name for path in self.temporary.iterdir()]

    def are_gone(self, within_s: float = 0.0) -> bool:
        """Whether nothing is left, at the latest after so many seconds."""
        return eventually(lambda: not self.processes() and not self.files(), within_s)


def eventually(holds: Callable[[], bool], within_s: float) -> bool:
    """Whether something holds within so many seconds."""
    deadline = time.monotonic() + within_s
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def reasons(ended: Ended) -> dict[str, str]:
    """The reason of each verdict."""
    return {row["id"]: row["reason"] for row in ended.report["requirements"]}
