"""Fleets on the workers of a Dask scheduler: what is lost is begun anew, and what nobody waits for is ended."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clocks.running import eventually
from tests.conformance.fleet.fleets import Fleet, fleet, outcomes, report, target, written
from tests.hostile.command import PASSWORD, clean
from tests.hostile.servers import Server, after, hangs, reference_app

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_HERE = {"FLEET_PASSWORD": ""}
"""The password is where the workers are."""


class Cluster:
    """A scheduler, and workers as they are started; each in a process of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Starts the scheduler."""
        self._folder, self._stack, self._number = folder, stack, 0
        self.folder = folder / "workers"
        self.folder.mkdir()
        # The directory of a worker would be the working directory's, and what it leaves would be the test's to tell.
        self.scheduler, log = self._start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
        self.address = self._found(log, r"Scheduler at: +(tcp://[\d.:]+)", self.scheduler)

    def worker(self, **settings: str) -> subprocess.Popen[bytes]:
        """One more, on which the password is known."""
        options = ("--nthreads", "2", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        process, log = self._start("worker", self.address, *options, FLEET_PASSWORD=PASSWORD, **settings)
        self._found(log, r"(Registered to)", process)
        return process

    def _start(self, *words: str, **settings: str) -> tuple[subprocess.Popen[bytes], Path]:
        self._number += 1
        log = self._folder / f"{words[0]}-{self._number}.log"
        command = [str(Path(sys.executable).with_name("dask")), *words]
        output = self._stack.enter_context(log.open("wb"))
        process = subprocess.Popen(
            command, cwd=self.folder, env=clean(**settings), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process, log

    @staticmethod
    def _found(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> str:
        assert eventually(lambda: re.search(pattern, log.read_text()) or process.poll() is not None, 30)
        found = re.search(pattern, log.read_text())
        assert found, log.read_text()
        return found[1]


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A scheduler without workers."""
    with ExitStack() as stack:
        yield Cluster(folder, stack)


def test_workers_judge_with_what_is_theirs(tmp_path: Path) -> None:
    """Their variables and files count, and no secret is sent to them or comes back; reports do."""
    with ExitStack() as stack:
        urls = [
            stack.enter_context(Server(app=stack.enter_context(reference_app(fault)))).url
            for fault in ("", "refresh-token-opens-everything")
        ]
        workers = stack.enter_context(cluster(tmp_path))
        workers.worker()
        (workers.folder / "theirs").write_text(PASSWORD)
        written(
            tmp_path,
            target("good", base_url=urls[0], password="@theirs"),
            target("bad", base_url=urls[1]),
            target("unknown", base_url=urls[0], password="${NOT_THERE_EITHER}"),
        )
        ended = fleet(tmp_path, "--scheduler", workers.address, "--report-json", "all.json", env=NOT_HERE)
        again = fleet(tmp_path, "--scheduler", workers.address, env=NOT_HERE)
    assert ended.code == 1, ended.said
    assert outcomes(tmp_path) == {"good": "conformant", "bad": "broken", "unknown": "misconfigured"}
    assert report(tmp_path, "bad")["requirements"][-1]["verdict"] == "failed"
    assert "password wants the environment variable NOT_THERE_EITHER, and it is not set" in ended.out
    assert [line.split()[1] for line in again.out.splitlines() if line.startswith("[")] == ["unknown"]
    assert PASSWORD not in ended.said + "".join(log.read_text() for log in tmp_path.glob("*.log"))


def test_what_a_lost_worker_was_at_is_begun_anew(tmp_path: Path) -> None:
    """On another worker; of the run that was under way nothing is left."""
    with reference_app() as app, Server(after(3, hangs), app) as server, cluster(tmp_path) as workers:
        written(tmp_path, target("slow", base_url=server.url))
        first = workers.worker(TRACE_OF="first")
        running = Fleet(tmp_path, "--scheduler", workers.address, "--report-json", "all.json", env=NOT_HERE)
        running.when(lambda: server.connections > 3)
        server.choose = lambda _number: None
        workers.worker()
        first.kill()
        first.wait()
        ended = running.ended()
        assert ended.code == 0, ended.said
        assert outcomes(tmp_path) == {"slow": "conformant"}
        assert eventually(lambda: server.connections > 6, 5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_what_nobody_waits_for(number: signal.Signals, tmp_path: Path) -> None:
    """The fleet was interrupted, or killed."""
    with reference_app() as app, Server(after(3, hangs), app) as server, cluster(tmp_path) as workers:
        written(tmp_path, target("slow", base_url=server.url), target("away", base_url="http://127.0.0.1:9"))
        worker = workers.worker()
        running = Fleet(tmp_path, "--scheduler", workers.address, env=NOT_HERE)
        running.when(lambda: server.connections > 3 and "away" in running.said)
        assert children(worker.pid) != []
        if number == signal.SIGKILL:
            running.process.kill()
            running.process.wait()
        else:
            ended = running.ended(number)
            assert ended.code == 3, ended.said
            assert "interrupted: 1 of 2 targets are finished" in ended.err
        assert eventually(lambda: children(worker.pid) == [], 10), children(worker.pid)
        # It goes on working.
        server.choose = lambda _number: None
        ended = fleet(tmp_path, "--scheduler", workers.address, env=NOT_HERE)
        assert "slow  conformant: 3 passed" in ended.out


def children(pid: int) -> list[str]:
    """The runs that a worker has under way."""
    listed = subprocess.run(["ps", "-o", "args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if "conformance.fleet.child" in line]


def test_a_scheduler_that_is_lost_is_told(tmp_path: Path) -> None:
    """What was finished is kept, and the same command goes on once there is one again."""
    with reference_app() as app, Server(after(3, hangs), app) as server, cluster(tmp_path) as workers:
        written(tmp_path, target("slow", base_url=server.url), target("away", base_url="http://127.0.0.1:9"))
        workers.worker()
        running = Fleet(tmp_path, "--scheduler", workers.address, env=NOT_HERE)
        running.when(lambda: server.connections > 3 and "away" in running.said)
        workers.scheduler.kill()
        ended = running.ended()
    assert ended.code == 3, ended.said
    assert "the scheduler is lost: 1 of 2 targets are finished; the same command goes on" in ended.err


def test_an_address_where_nobody_schedules_is_told(tmp_path: Path) -> None:
    """Within seconds, in a sentence."""
    written(tmp_path, target("one"), defaults="")
    for address, words in (
        ("tcp://127.0.0.1:9", "no scheduler answers at 'tcp://127.0.0.1:9'"),
        ("tpc://x", "'tpc://x' is no address; did you mean 'tcp'?"),
    ):
        ended = fleet(tmp_path, "--scheduler", address)
        assert ended.code == 2, ended.said
        assert words in ended.err
        assert ended.seconds < 20


def test_without_dask_the_command_to_install_it_is_told(tmp_path: Path) -> None:
    """And a fleet on this machine does without."""
    (tmp_path / "distributed.py").write_text("raise ImportError('not here')\n")
    written(tmp_path, target("one"), defaults="")
    without = {"PYTHONPATH": str(tmp_path)}
    ended = fleet(tmp_path, "--scheduler", "tcp://127.0.0.1:9", env=without)
    assert ended.code == 2, ended.said
    assert "pip install 'jwt-conformance[fleet]'" in ended.err
    assert fleet(tmp_path, keyword="login_01", env=without).code == 0
