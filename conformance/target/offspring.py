"""Everything that a launched command has started, and its end.

A process belongs to a launch that is in its session, that descends from one that belongs, or that carries the mark of
the launch in its environment, as does what has left both, a daemon for instance.

Run as a program, this waits until the suite is gone, for whatever reason, and then ends what it has left behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = "JWT_CONFORMANCE_LAUNCH"
GRACE_S: Final = 10.0
"""So long a process may take to end by itself, as `docker stop` allows."""
_ROUNDS: Final = 20
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where POSIX shared memory is on Linux


def family(mark: str, leader: int) -> list[psutil.Process]:
    """Every process of the launch that runs."""
    everybody = {process.pid: process for process in psutil.process_iter() if process.pid != os.getpid()}
    members = {pid for pid, process in everybody.items() if _belongs(process, mark, leader)}
    parents = dict(_parents(everybody))
    while born := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= born
    return [everybody[pid] for pid in sorted(members)]


def _runs(process: psutil.Process) -> bool:
    """Whether it has not ended; where nobody asks how, as in a container, it keeps its number after that."""
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _is_running(pid: int) -> bool:
    with suppress(psutil.Error):
        return _runs(psutil.Process(pid))
    return False


def _belongs(process: psutil.Process, mark: str, leader: int) -> bool:
    # Processes end while they are looked at, and those of others may not be.
    with suppress(psutil.Error, OSError):
        return _runs(process) and (os.getsid(process.pid) == leader or process.environ().get(MARK) == mark)
    return False


def _parents(processes: dict[int, psutil.Process]) -> Iterator[tuple[int, int]]:
    for pid, process in processes.items():
        with suppress(psutil.Error):
            if _runs(process):
                yield pid, process.ppid()


def end(mark: str, leader: int, *, started: float, grace_s: float = GRACE_S) -> None:
    """Asks every process of the launch to end, and kills what has not ended after the grace.

    Args:
        mark: of the launch.
        leader: the launched command's own process, whose number is that of its session.
        started: when it was launched.
        grace_s: in seconds.
    """
    _signal(family(mark, leader), signal.SIGTERM, grace_s)
    for _ in range(_ROUNDS):
        # Looked for anew: what was asked to end may have started something.
        if not (left := family(mark, leader)):
            break
        _signal(left, signal.SIGKILL, 1.0)
    _clear_shared_memory(started)


def _signal(processes: list[psutil.Process], number: int, patience_s: float) -> None:
    """Sends a signal to each, and returns when all have ended, or after so many seconds."""
    for process in processes:
        with suppress(psutil.Error, OSError):
            process.send_signal(number)
    deadline = time.monotonic() + patience_s
    while any(_runs(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)


def _clear_shared_memory(started: float) -> None:
    """Removes what libfaketime leaves behind where a process is ended by a signal: names end with its number."""
    for file in SHARED_MEMORY.glob("*faketime_s*_*"):
        with suppress(OSError, ValueError):
            # The time of a file is taken from a coarser clock.
            is_ours = file.stat().st_uid == os.getuid() and file.stat().st_mtime > started - 1
            if is_ours and not _is_running(int(file.name.rpartition("_")[2])):
                file.unlink()


class Warden:
    """A process beside the suite, which ends a launch if the suite cannot: it was killed, or has crashed."""

    def __init__(self, mark: str, folder: Path) -> None:
        """Starts it; `folder` is removed in the end."""
        # Not as a module, since the package may be importable from the suite's own folder only; and not with this
        # folder on its path, where the names of modules are those of others.
        command = [sys.executable, "-P", __file__, mark, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - our own

    def watch(self, leader: int, started: float) -> None:
        """Tells it which process was launched, and when."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{leader} {started}\n".encode())
            self._process.stdin.flush()

    def dismiss(self) -> None:
        """Lets it end, once there is nothing left to do."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def _keep_watch(mark: str, folder: str) -> None:
    # The pipe ends with the suite, however that ends.
    # If it has told of no leader, there is still the mark.
    leader, started = (sys.stdin.read() or f"-1 {time.time()}").split()
    end(mark, int(leader), started=float(started))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep_watch(*sys.argv[1:])
