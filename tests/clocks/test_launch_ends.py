"""However a run ends, what it has launched ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from conformance.target import offspring
from tests.clocks.running import BOUND_S, Traces, eventually
from tests.hostile.command import judge

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def run_until(scenario: str, traces: Traces, folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A run that has come to this scenario; the launched server has started a child that left its group."""
    script = f"setsid sleep 300 & exec {sys.executable} python_server.py {port}"
    command = [str(Path(sys.executable).with_name("jwt-conformance")), "run", f"http://127.0.0.1:{port}"]
    command += ["--launch", f"sh -c '{script}'", "-v"]
    with subprocess.Popen(
        command, cwd=folder, env=traces.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        while scenario not in (line := process.stdout.readline()):
            assert line, "the run ended too early"
        assert any("python_server" in command for command in traces.processes())
        assert any(command.startswith("sleep") for command in traces.processes())
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_its_server(number: signal.Signals, folder: Path, port: int) -> None:
    """After Ctrl-C, and when a CI job is cancelled: what was judged is reported, and nothing is left."""
    traces = Traces(folder)
    with run_until("test_login_03", traces, folder, port) as process:
        process.send_signal(number)
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 3, said
    assert "LOGIN-01" in said
    assert "Traceback" not in said
    assert traces.are_gone(), (traces.processes(), traces.files())


def test_a_run_that_is_killed_leaves_nothing_either(folder: Path, port: int) -> None:
    """The suite cannot do anything any more, and its warden does."""
    traces = Traces(folder)
    with run_until("test_login_01", traces, folder, port) as process:
        process.kill()
    assert traces.are_gone(20), (traces.processes(), traces.files())


def test_a_server_that_dies_on_the_way_is_told_of(folder: Path, port: int) -> None:
    """The run is incomplete, no requirement is failed, and the server's last words are shown."""
    (folder / "mortal.py").write_text(
        "import os, sys, threading, python_server\n"
        "def answer(*args, own=python_server.answer, seen=[]):\n"
        "    seen.append(args)\n"
        "    if len(seen) > 60:\n"
        "        print('out of memory', flush=True)\n"
        "        os._exit(7)\n"
        "    return own(*args)\n"
        "python_server.answer = answer\n"
        "python_server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), python_server.Handler).serve_forever()\n"
    )
    traces = Traces(folder)
    command = ("--launch", f"{sys.executable} mortal.py {port}")
    ended = judge(f"http://127.0.0.1:{port}", *command, folder=folder, env=traces.env, bound=BOUND_S)
    assert ended.code == 3, ended.said
    assert "the launched command has ended with exit code 7 during the run" in ended.out
    assert "    | out of memory" in ended.out
    assert "failed" not in ended.verdicts.values()
    assert traces.are_gone()


# -- Everything that a command has started ---------------------------------------------------------------------------

MARK = "a-mark-of-this-test"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"
)


def start(*command: str, **env: str) -> subprocess.Popen[str]:
    """A process in a session of its own, which has printed a line."""
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_what_does_not_end_by_itself_is_killed() -> None:
    """A process has some time to end, and no more."""
    with start(sys.executable, "-c", STUBBORN) as process:
        started = time.monotonic()
        offspring.end(MARK, process.pid, started=time.time(), grace_s=0.3)
        assert 0.3 <= time.monotonic() - started < 10
        assert not psutil.pid_exists(process.pid) or process.poll() is not None


def test_strangers_are_left_alone() -> None:
    """What neither descends from the command nor carries its mark goes on."""
    with start("sh", "-c", "echo up; sleep 300") as stranger, start("sh", "-c", "echo up; sleep 300") as own:
        offspring.end(MARK, own.pid, started=time.time())
        assert own.poll() is not None
        assert stranger.poll() is None
        assert stranger.pid in [process.pid for process in offspring.family(MARK, stranger.pid)]
        offspring.end("", stranger.pid, started=time.time())


def test_a_daemon_is_found_by_its_mark() -> None:
    """It has left its session and its parent, and keeps its environment."""
    with start("sh", "-c", "setsid sleep 300 & echo up", **{offspring.MARK: MARK}) as gone:
        gone.wait()
        assert eventually(lambda: len(offspring.family(MARK, gone.pid)) == 1, 5)
        offspring.end(MARK, gone.pid, started=time.time())
        assert offspring.family(MARK, gone.pid) == []


@pytest.mark.skipif(not offspring.SHARED_MEMORY.is_dir(), reason="shared memory is no folder here")
def test_shared_memory_of_the_dead_is_cleared() -> None:
    """What libfaketime leaves behind where a process is ended by a signal is removed; what the living use stays."""
    with start("sh", "-c", "echo up") as gone:
        gone.wait()
    files = {pid: offspring.SHARED_MEMORY / f"faketime_shm_{pid}" for pid in (gone.pid, os.getpid())}
    started = time.time()
    try:
        for file in files.values():
            file.touch(exist_ok=False)
        offspring.end(MARK, gone.pid, started=started)
        assert [file.exists() for file in files.values()] == [False, True]
    finally:
        for file in files.values():
            file.unlink(missing_ok=True)
