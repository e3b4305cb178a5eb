"""Finding libfaketime, and the environment in which a process obeys it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDERS: Final = (
    ("/usr/lib", "*/faketime"),
    ("/usr", "lib*/faketime"),
    ("/usr/local", "lib*/faketime"),
    (os.environ.get("HOMEBREW_PREFIX") or "/opt/homebrew", "lib/faketime"),
    ("/opt/local", "lib/faketime"),
)
"""Where Debian, Fedora, Alpine, Homebrew and MacPorts put it, and its own `make install`."""

NAME: Final = "libfaketime.1.dylib" if sys.platform == "darwin" else "libfaketimeMT.so.1"
PRELOAD: Final = "DYLD_INSERT_LIBRARIES" if sys.platform == "darwin" else "LD_PRELOAD"
TIMESTAMP: Final = "timestamp"

_TRIAL: Final = "import time; print(time.time(), flush=True); time.sleep(0.001)"
_DAY_S: Final = 86_400
_TRIAL_S: Final = 10.0


def find(folder: Path, named: Path | None = None) -> Path | None:
    """The library to use, where there is one that moves the time of this Python.

    Args:
        folder: an empty folder, to try it in; a mended copy may be left there.
        named: the user's own choice, which is used even where this Python does not obey it.
    """
    for library in [named] if named else _installed():
        moves, sleeps = _tried(library, folder)
        if sleeps:
            return library
        if moves:
            mended = _mended(library, folder)
            if all(_tried(mended, folder)):
                return mended
    return named


def environment(library: Path, timestamp: Path, own: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, with what makes a process take its time from a file."""
    preloaded = [str(library), *([own[PRELOAD]] if own.get(PRELOAD) else [])]
    return {name: value for name, value in own.items() if not name.startswith("FAKETIME")} | {
        PRELOAD: ":".join(preloaded),
        "FAKETIME_TIMESTAMP_FILE": str(timestamp),
        # Every look at the time reads the file, and not only one in ten seconds.
        "FAKETIME_NO_CACHE": "1",
        # Timers and timeouts count real seconds.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Otherwise a wait for another thread until a moment of that clock ends at once, and threads spin.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        # Files keep their times, or a server that restarts when its source has changed would do so at every move.
        "NO_FAKE_STAT": "1",
        "FAKETIME_DISABLE_SHM": "1",
    }


def _installed() -> Iterator[Path]:
    for root, pattern in FOLDERS:
        for place in sorted(Path(root).glob(pattern)):
            if (place / NAME).is_file():
                yield place / NAME


def _tried(library: Path, folder: Path) -> tuple[bool, bool]:
    """Whether this Python's time moves under the library, and whether it can sleep besides."""
    timestamp = folder / TIMESTAMP
    timestamp.write_text(f"+{_DAY_S}\n", encoding="ascii")
    try:
        tried = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, "-I", "-S", "-c", _TRIAL],
            env=environment(library, timestamp, os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRIAL_S,
            check=False,
        )
        moves = float(tried.stdout) - time.time() > _DAY_S / 2
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False, False
    return moves, moves and tried.returncode == 0


def _mended(library: Path, folder: Path) -> Path:
    """A copy in which one function goes by a name that nobody calls, so that the system's own is called instead.

    Up to libfaketime 0.9.10, which Debian 12 and Ubuntu 24.04 have, a sleep until a moment of the monotonic clock fails
    where that clock is left alone: https://github.com/wolfcw/libfaketime/issues/426. CPython 3.11 and later sleeps so.
    """
    copy = folder / library.name
    copy.write_bytes(library.read_bytes().replace(b"\0clock_nanosleep\0", b"\0xlock_nanosleep\0"))
    return copy
