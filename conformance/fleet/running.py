"""Runs the suite against one target, in a process that disturbs nobody: it may crash, or hang."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from conformance.credentials import redactor_for
from conformance.errors import ConfigurationError
from conformance.fleet.child import GRACE_S
from conformance.fleet.entry import BY_NAME
from conformance.fleet.outcome import Finished, Outcome
from conformance.options import NO_FILES, settled
from conformance.target.environment import VARIABLE
from conformance.verdicts.verdict_set import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.fleet.entry import Entry
    from conformance.redaction import Redactor

POLL_S: Final = 0.02
MOST_READ: Final = 1 << 15
"""Bytes of its output that are looked at, from the end."""
LONGEST_REASON: Final = 1000
_PROBLEM: Final = re.compile(r"^(?:ERROR|jwt-conformance): (.*(?:\n  hint: .*)?)", re.MULTILINE)
_RESULTS: Final = {
    ExitCode.CONFORMANT: Outcome.CONFORMANT,
    ExitCode.BROKEN: Outcome.BROKEN,
    ExitCode.USAGE: Outcome.MISCONFIGURED,
    ExitCode.INCOMPLETE: Outcome.INCOMPLETE,
    ExitCode.SUITE_FAULT: Outcome.SUITE_FAULT,
}


class StoppedError(Exception):
    """The run was ended before its time, since nobody wants its result any more."""


def run(entry: Entry, timeout_s: float, unwanted: Callable[[], bool], scratch: str | None = None) -> Finished:
    """One run to its end. Whatever happens in it is a result.

    Args:
        entry: the target.
        timeout_s: seconds after which the run is ended; what is left of it after five more is killed.
        unwanted: whether to end it at once; asked fifty times a second.
        scratch: a folder for its files, which are gone afterwards; where the system has them unless given.

    Raises:
        StoppedError: it was unwanted.
    """
    try:
        options = entry.resolved(os.environ)
        redactor = redactor_for(settled(options, strict=entry.strict))
    except ConfigurationError as error:
        return Finished(entry.name, Outcome.MISCONFIGURED, str(error))
    for name in VARIABLE.findall(entry.options.get("launch", "")):
        redactor.add(os.environ[name], name)
    try:
        return _finished(entry, options, redactor, timeout_s, unwanted, scratch)
    except OSError as error:
        # No process, no memory, no room on the disk: that of this machine, which may be another's for the next.
        return Finished(entry.name, Outcome.CRASHED, f"the run cannot be started here: {error.strerror}")


def _finished(
    entry: Entry,
    options: dict[str, str],
    redactor: Redactor,
    timeout_s: float,
    unwanted: Callable[[], bool],
    scratch: str | None,
) -> Finished:
    with tempfile.TemporaryDirectory(prefix="jwt-conformance-", dir=scratch, ignore_cleanup_errors=True) as folder:
        report, said = Path(folder, "report.json"), Path(folder, "output")
        command, environment = _command(entry), _environment(options, report)
        started = time.monotonic()
        with said.open("wb") as output:
            code, was_late = _to_its_end(command, environment, entry.folder, output, timeout_s, unwanted)
        seconds = round(time.monotonic() - started, 3)
        text = redactor.text(_end_of(said))
        written = report.read_bytes() if report.is_file() else b""
    outcome, reason, written = _judged(code, text, written, timeout_s if was_late else None)
    return Finished(entry.name, outcome, _cut(redactor, reason), seconds, written)


def _command(entry: Entry) -> list[str]:
    # Without the folder in which it starts on the path, where the names of modules are those of others.
    command = [sys.executable, "-P", "-m", "conformance.fleet.child", "run", "--quiet"]
    command += ["--strict"] if entry.strict else []
    return command + (["-k", entry.keyword] if entry.keyword else [])


def _environment(options: dict[str, str], report: Path) -> dict[str, str]:
    """Everything that the run is told; nothing of it is on a command line, which others can read."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONFORMANCE_")}
    given = {BY_NAME[name].variable: value for name, value in {**options, "report-json": str(report)}.items()}
    return {**kept, **given, NO_FILES: "1"}


def _to_its_end(
    command: list[str],
    environment: dict[str, str],
    folder: str,
    output: Any,
    timeout_s: float,
    unwanted: Callable[[], bool],
) -> tuple[int, bool]:
    """The exit code, and whether the process had to be ended; of its group nothing is left.

    Raises:
        StoppedError: it was unwanted.
    """
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, env=environment, cwd=folder or None, stdin=subprocess.PIPE, stdout=output,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    deadline = time.monotonic() + timeout_s
    was_late = False
    try:
        while not _has_ended(process.pid) and not was_late:
            if unwanted():
                raise StoppedError
            was_late = time.monotonic() > deadline
            time.sleep(POLL_S)
    finally:
        if was_late or not _has_ended(process.pid):
            # As whoever cancels a job does: the run reports what is known so far, and stops what it has launched.
            process.terminate()
            grace = time.monotonic() + GRACE_S
            while not _has_ended(process.pid) and time.monotonic() < grace:
                time.sleep(POLL_S)
        # Before it is waited for: until then the number is its own.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdin.close()
        process.wait()
    return process.returncode, was_late


def _has_ended(pid: int) -> bool:
    """Whether a child of this process has ended; it is not waited for, and keeps its number."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _judged(code: int, said: str, report: bytes, late_after_s: float | None) -> tuple[Outcome, str, bytes]:
    """What became of the run, why, and the report if there is one to be kept."""
    is_complete = _is_complete(report)
    if late_after_s is not None and not is_complete:
        return Outcome.HUNG, f"not at its end after {late_after_s:g} s, and ended", report
    if code not in set(ExitCode):
        how = f"ended by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        return Outcome.CRASHED, _with_last_line(f"the run's process was {how}", said), b""
    outcome = _RESULTS[ExitCode(code)]
    if outcome in {Outcome.CONFORMANT, Outcome.BROKEN} and not is_complete:
        return Outcome.CRASHED, _with_last_line(f"the run's process ended with {code}, and without a report", said), b""
    if is_complete and outcome is not Outcome.MISCONFIGURED:
        return outcome, "", report
    problem = _PROBLEM.search(said)
    return (
        outcome,
        problem[1].replace("\n  hint:", "; hint:") if problem else _with_last_line(outcome.words, said),
        report,
    )


def _signal(number: int) -> str:
    known = {int(each): each.name for each in signal.Signals}
    return known.get(number, f"signal {number}")


def _is_complete(report: bytes) -> bool:
    try:
        return json.loads(report)["run"]["complete"] is True
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _with_last_line(words: str, said: str) -> str:
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    return f"{words}: {last}" if last else words


def _end_of(file: Path) -> str:
    with file.open("rb") as said:
        size = said.seek(0, os.SEEK_END)
        said.seek(max(0, size - MOST_READ))
        if size > MOST_READ:
            # Half a secret would not be recognised.
            said.readline()
        return said.read().decode("utf-8", "replace")


def _cut(redactor: Redactor, reason: str) -> str:
    words = redactor.text(reason)
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]}..."
