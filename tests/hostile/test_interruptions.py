"""Ctrl-C and SIGTERM, at any moment: a report of what is known so far, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clocks.running import Traces, eventually
from tests.hostile.command import clean, start
from tests.hostile.corpus import GOOD, PROFILE, SETTINGS
from tests.hostile.servers import Server, after, answers, hangs
from tests.shapes.api import Api

if TYPE_CHECKING:
    from collections.abc import Callable

BOUND_S = 20
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
PUTS_OFF = answers("429 Too Many Requests", "{}", Retry_After="25")
RINGS = """
import os, signal
import conformance.reports.{module} as chosen
def rings(*args, own=chosen.{name}, **more):
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    return own(*args, **more)
chosen.{name} = rings
"""
"""A plugin in which a function of the reports is interrupted as it begins."""


class Interrupted:
    """A run in a session of its own, which a signal can be sent to as a terminal does: to all of it."""

    def __init__(self, folder: Path, *options: str, plugin: str = "") -> None:
        """Starts it."""
        self.traces = Traces(folder, PYTHONPATH=str(folder))
        is_bundled = not any(option.startswith("http://") for option in options)
        self.traces.env.update(dict.fromkeys(SETTINGS, "") if is_bundled else SETTINGS)
        self.report, self._printed = folder / "report.json", folder / "printed"
        (folder / "profile.toml").write_text(PROFILE, encoding="utf-8")
        (folder / "ringing.py").write_text(plugin, encoding="utf-8")
        command = [str(Path(sys.executable).with_name("jwt-conformance")), "run", *options]
        command += ["--report-json", str(self.report), "--", "-p", "ringing"]
        with self._printed.open("wb") as out:
            self._run = subprocess.Popen(
                command, cwd=folder, env=self.traces.env, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        """What it has printed."""
        return self._printed.read_text(encoding="utf-8", errors="replace")

    def when(self, holds: Callable[[], bool]) -> None:
        """Waits until something has come to pass."""
        assert eventually(lambda: holds() or self._run.poll() is not None, BOUND_S), self.said
        assert self._run.poll() is None, self.said

    def end(self, number: signal.Signals | None = None) -> int:
        """Sends the signal; returns the exit code, once nothing is left of the run."""
        began = time.monotonic()
        if number is not None:
            # Ctrl-C reaches every process of the terminal, and what cancels a job only the one that it has started.
            (os.killpg if number == signal.SIGINT else os.kill)(self._run.pid, number)
        try:
            code = self._run.wait(BOUND_S)
        finally:
            self._run.kill()
        assert time.monotonic() - began < BOUND_S
        assert "Traceback" not in self.said, self.said
        assert self.traces.are_gone(5), (self.traces.processes(), self.traces.files())
        assert list(self.report.parent.glob("*.part")) == []
        return code

    def written(self) -> dict[str, Any]:
        """The report."""
        data: dict[str, Any] = json.loads(self.report.read_text(encoding="utf-8"))
        return data


def profile(folder: Path) -> tuple[str, str]:
    """The option that names the profile of the API."""
    return "--target-profile", str(folder / "profile.toml")


def test_a_command_that_is_being_loaded_ends_at_once(tmp_path: Path) -> None:
    """While Python still imports it, Ctrl-C is told in a line."""
    (tmp_path / "click.py").write_text(
        "import os\nimport signal\nos.kill(os.getpid(), signal.SIGINT)\n", encoding="utf-8"
    )
    ended = start("jwt-conformance", "run", folder=tmp_path, env=clean(PYTHONPATH=str(tmp_path)))
    assert ended.code == 3
    assert ended.said == "interrupted before anything was judged\n"


@BOTH
def test_a_run_that_has_hardly_begun_ends_at_once(number: signal.Signals, tmp_path: Path) -> None:
    """While pytest is loaded, an interruption is told, and not taken for something broken."""
    run = Interrupted(tmp_path, "http://127.0.0.1:9", plugin=f"import os\nos.kill(os.getpid(), {number:d})\n")
    assert run.end() == 3, run.said
    assert "interrupted before anything was judged" in run.said
    assert not run.report.exists()


@BOTH
def test_an_examination_that_is_interrupted_has_judged_nothing(number: signal.Signals, tmp_path: Path) -> None:
    """While the doctor waits for an answer the run ends, as incomplete and without a verdict."""
    with Server(after(3, hangs), Api()) as server:
        run = Interrupted(tmp_path, server.url, *profile(tmp_path))
        run.when(lambda: server.connections > 3)
        assert run.end(number) == 3, run.said
    assert run.written()["run"]["complete"] is False
    assert run.written()["requirements"] == []


@BOTH
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_scenarios_that_are_interrupted_leave_what_was_judged(
    number: signal.Signals, workers: tuple[str, ...], tmp_path: Path
) -> None:
    """While a scenario waits for an answer the run ends, and reports the verdicts before it."""
    with Server(after(2 * GOOD, hangs), Api()) as server:
        run = Interrupted(tmp_path, server.url, *profile(tmp_path), "-v", *workers)
        run.when(lambda: server.connections > 2 * GOOD and "PASSED" in run.said)
        assert run.end(number) == 3, run.said
    assert run.written()["run"]["complete"] is False
    assert run.written()["result"] == "incomplete"
    assert {row["verdict"] for row in run.written()["requirements"]} >= {"passed"}
    assert "failed" not in {row["verdict"] for row in run.written()["requirements"]}


@BOTH
def test_a_pause_that_is_interrupted_is_not_waited_for(number: signal.Signals, tmp_path: Path) -> None:
    """A run that obeys a long Retry-After ends at once, and reports."""
    with Server(after(GOOD, PUTS_OFF), Api()) as server:
        run = Interrupted(tmp_path, server.url, *profile(tmp_path))
        run.when(lambda: "waiting for 25 s" in run.said)
        assert run.end(number) == 3, run.said
    assert run.written()["run"]["complete"] is False


@BOTH
def test_the_bundled_server_ends_with_the_run(number: signal.Signals, tmp_path: Path) -> None:
    """A run without a target stops the server that it has started for itself."""
    run = Interrupted(tmp_path, "-v")
    run.when(lambda: "::test_login_01" in run.said)
    assert run.end(number) == 3, run.said
    assert run.written()["run"]["complete"] is False


@pytest.mark.parametrize(("module", "name"), [("writing", "write"), ("json_report", "to_json")])
def test_a_report_that_is_being_written_is_written(module: str, name: str, tmp_path: Path) -> None:
    """Whoever interrupts a run at its very end gets the whole report all the same."""
    with Server(app=Api()) as server:
        run = Interrupted(
            tmp_path, server.url, *profile(tmp_path), "-k", "access_01", plugin=RINGS.format(module=module, name=name)
        )
        assert run.end() == 0, run.said
    assert run.written()["run"]["complete"] is True
    assert [row["verdict"] for row in run.written()["requirements"]] == ["passed"]
