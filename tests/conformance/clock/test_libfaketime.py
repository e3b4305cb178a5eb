"""Moving the clock of other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from conformance.clock import FakedClock, libfaketime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEEK_S = 7 * 24 * 3600.0
ECHO = "import sys, time\nfor line in sys.stdin: time.sleep(0.001); print(time.time(), time.monotonic(), flush=True)"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """libfaketime, where it is installed."""
    found = libfaketime.find(tmp_path)
    if found is None:
        pytest.skip("libfaketime is not installed: apt-get install libfaketime")
    return found


@contextmanager
def moved(library: Path, folder: Path) -> Iterator[tuple[FakedClock, subprocess.Popen[str], list[str]]]:
    """A clock, a process that tells its time whenever it is asked, and what was done at each move."""
    moves: list[str] = []
    file = folder / libfaketime.TIMESTAMP
    clock = FakedClock(file, time.sleep, 30, moved=lambda: moves.append("moved"))
    env = libfaketime.environment(library, file, os.environ)
    with subprocess.Popen(
        [sys.executable, "-c", ECHO], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield clock, process, moves
        # It ends by itself, and leaves no shared memory behind.
        assert process.stdin
        process.stdin.close()


def shown(process: subprocess.Popen[str]) -> tuple[float, float]:
    """The process's time, and its monotonic clock."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("now\n")
    process.stdin.flush()
    wall, monotonic = map(float, process.stdout.readline().split())
    return wall, monotonic


def test_a_process_follows_at_once(library: Path, tmp_path: Path) -> None:
    """Each move shows at the next look, to the millisecond, as far as weeks; timers keep real seconds."""
    with moved(library, tmp_path) as (clock, process, moves):
        started = shown(process)
        for ahead in (0.25, 900.0, WEEK_S):
            clock.reach(time.time() + ahead)
            assert shown(process)[0] == pytest.approx(clock.now(), abs=1)
            assert clock.now() >= time.time() + ahead - 1
        assert shown(process)[1] - started[1] < 60
        assert moves == ["moved"] * 3
        clock.reach(time.time())
        assert moves == ["moved"] * 3
        clock.close()
        assert shown(process)[0] == pytest.approx(time.time(), abs=1)


def test_the_user_s_environment_stays(tmp_path: Path) -> None:
    """What the user preloads is preloaded still, and what the user asked of libfaketime gives way."""
    preload = libfaketime.PRELOAD
    own = {"HOME": "/home/me", preload: "theirs.so", "FAKETIME": "+1y"}
    env = libfaketime.environment(tmp_path / "lib.so", tmp_path / "shift", own)

    assert env["HOME"] == "/home/me"
    assert env[preload] == f"{tmp_path / 'lib.so'}:theirs.so"
    assert "FAKETIME" not in env
    # A server that restarts when its source has changed would restart at every move.
    assert env["NO_FAKE_STAT"] == "1"


def test_what_is_no_library_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the right name that moves nothing is passed over, unless the user insists."""
    (tmp_path / "lib" / "faketime").mkdir(parents=True)
    file = tmp_path / "lib" / "faketime" / libfaketime.NAME
    file.write_bytes(b"no library")
    monkeypatch.setattr(libfaketime, "FOLDERS", ((str(tmp_path), "lib/faketime"),))

    assert libfaketime.find(tmp_path) is None
    assert libfaketime.find(tmp_path, file) == file
