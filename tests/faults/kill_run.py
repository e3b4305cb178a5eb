"""Runs the suite against the bundled server in a process of its own, started from one that has everything loaded."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import multiprocessing
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

LONGEST_RUN_S = 120


@dataclass(frozen=True)
class Result:
    """A run's exit code, its report and what it printed."""

    exit_code: int
    report: dict[str, Any]
    printed: str

    def having(self, *verdicts: str) -> set[str]:
        """The ids of the requirements that got one of these verdicts."""
        return {item["id"] for item in self.report["requirements"] if item["verdict"] in verdicts}

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each requirement."""
        return {item["id"]: item["verdict"] for item in self.report["requirements"]}

    @property
    def reasons(self) -> dict[str, str]:
        """Why, by requirement."""
        return {item["id"]: f"{item['verdict']}: {item['reason']}" for item in self.report["requirements"]}


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # A run spends as long on imports as on its requests; children of this server have them done.
    context.set_forkserver_preload(["tests.faults.preloaded"])
    return context


def run_suite(folder: Path, *args: str, **settings: str) -> Result:
    """`jwt-conformance run ARGS` against the bundled server.

    Args:
        folder: an empty folder, the run's working directory.
        args: of the command.
        settings: `REFERENCE_*` variables, named without the prefix in lower case.
    """
    receive, send = _context().Pipe(duplex=False)
    variables = {f"REFERENCE_{name.upper()}": value for name, value in settings.items()}
    process = _context().Process(target=_run, args=(send, str(folder), list(args), variables), daemon=True)
    process.start()
    send.close()
    try:
        if not receive.poll(LONGEST_RUN_S):
            raise TimeoutError(f"no verdict within {LONGEST_RUN_S} s")
        code, printed = receive.recv()
    finally:
        process.kill()
        process.join()
        receive.close()
    report = folder / "report.json"
    return Result(code, json.loads(report.read_text()) if report.exists() else {"requirements": []}, printed)


def _run(send: Any, folder: str, args: list[str], variables: dict[str, str]) -> None:
    from conformance.cli import main  # noqa: PLC0415 - in the child, where it is loaded already

    # A process that lives for seconds need not look for garbage.
    gc.disable()
    os.chdir(folder)
    for name in list(os.environ):
        if name.startswith(("CONFORMANCE_", "REFERENCE_")):
            del os.environ[name]
    os.environ.update(variables)
    printed = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            main(["run", "--quiet", "--tier", "strict", "--report-json", "report.json", "--fuzz-time", "0", *args])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    send.send((code, printed.getvalue()))
    send.close()
