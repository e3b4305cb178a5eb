"""The command `load`: prepares the target and the workers, lets the load happen and reports."""

from __future__ import annotations

# First, since it changes what the modules after it import.
from conformance.load import swarm  # isort: skip

import socket
import subprocess
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from locust.util.timespan import parse_timespan

from conformance.errors import ConfigurationError, SuiteFaultError
from conformance.load import accounts, report
from conformance.load.ground import Ground
from conformance.reports import json_report
from conformance.reports.writing import write
from conformance.run import open_target
from conformance.target.policy import learn
from conformance.verdicts.verdict_set import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.options import RunSettings
    from conformance.run import Run

EXIT_CODES: Final = {
    "kept": ExitCode.CONFORMANT,
    "broken": ExitCode.BROKEN,
    "incomplete": ExitCode.INCOMPLETE,
    "suite_fault": ExitCode.SUITE_FAULT,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user gave, beside the target: see the command's own help.

    Attributes:
        workers: processes on this machine.
        expect: workers on other machines.
    """

    users: int
    duration: str
    spawn_rate: float | None
    think_s: float
    workers: int
    expect: int
    bind: str
    worker_of: str
    accounts: str
    allow_unavailable: bool


def run(settings: RunSettings, wanted: Wanted, tell: Callable[[str], None], again: Sequence[str]) -> int:
    """Puts load on the target, or helps another process to; returns the exit code.

    Args:
        settings: the target.
        wanted: the load.
        tell: is given each line for the user.
        again: the command line that starts another worker, without `--worker-of`; secrets are in the environment.

    Raises:
        ConfigurationError: the options do not fit the target, or one another.
        TargetError: the target cannot be judged, or the workers do not come.
    """
    plan = _plan(wanted)
    with ExitStack() as stack:
        opened = open_target(settings)
        stack.callback(opened.close)
        if not opened.target.client.is_local and not settings.intrusive:
            raise ConfigurationError(
                "the target is not on this machine, and load may harm it", "give --intrusive, if it is yours to load"
            )
        ground = _ground(opened, wanted)
        stack.callback(ground.close)
        if wanted.worker_of:
            swarm.follow(plan, ground)
            return int(ExitCode.CONFORMANT)
        if plan.workers and wanted.workers > 1:
            stack.enter_context(_workers(again, plan.address, wanted.workers))
        started = time.time()
        course = swarm.lead(plan, ground, tell)
        found = report.to_json(plan, ground, course, started)
        for line in report.told(found):
            tell(line)
        _write(found, settings)
        return int(EXIT_CODES[found["result"]])


def _write(found: dict[str, Any], settings: RunSettings) -> None:
    for file, render in (
        (settings.report_json, json_report.render),
        (settings.report_html, lambda one, _: report.page(one)),
    ):
        if file:
            try:
                write(render(found, file), file)
            except OSError as error:
                raise ConfigurationError(f"{file!r} cannot be written: {error.strerror}") from None
            except Exception as error:  # noqa: BLE001 - a crash here would show what it quotes
                raise SuiteFaultError(error) from None


def _plan(wanted: Wanted) -> swarm.Plan:
    try:
        duration_s = parse_timespan(wanted.duration)
    except ValueError:
        duration_s = 0
    if duration_s <= 0:
        raise ConfigurationError(f"--duration {wanted.duration!r} is no time", "write for instance 90s, 5m or 1h30m")
    address = _address("--worker-of", wanted.worker_of) if wanted.worker_of else ("127.0.0.1", 0)
    workers = (wanted.workers if wanted.workers > 1 else 0) + wanted.expect
    if workers and not wanted.worker_of:
        # Only those that are started here find a port that nobody has named.
        address = _address("--bind", wanted.bind) if wanted.expect else ("127.0.0.1", _free_port())
    return swarm.Plan(
        wanted.users, duration_s, wanted.spawn_rate or max(1.0, wanted.users / 10), wanted.think_s, workers, address
    )


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ConfigurationError(f"{option} {text!r} is no address", "write HOST:PORT, such as 192.0.2.1:5557")
    return host, int(port)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ground(opened: Run, wanted: Wanted) -> Ground:
    target = opened.target
    for _line in opened.examine():
        pass
    people = accounts.read(wanted.accounts) if wanted.accounts else [
        account for account in (target.account, target.second_account) if account
    ]  # fmt: skip
    policy = learn(target)
    apart = [
        words
        for words, harms in (
            ("a login", policy.login_ends_others),
            ("a logout", policy.logout_ends_others),
            ("a replay", policy.replay_ends_others),
        )
        if harms
    ]
    if apart and wanted.users > len(people):
        raise ConfigurationError(
            f"{' and '.join(apart)} ends the other sessions of its user here, so that users cannot share an account",
            f"give one for each of the {wanted.users} users: --accounts FILE",
        )
    return Ground(target, policy, people, may_be_unavailable=wanted.allow_unavailable)


@contextmanager
def _workers(again: Sequence[str], address: tuple[str, int], number: int) -> Iterator[None]:
    """Workers on this machine, which end with this process's part in the load."""
    command = [*again, "--worker-of", f"{address[0]}:{address[1]}"]
    # Apart from this terminal: of Ctrl-C the master tells them.
    processes = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        for _ in range(number)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
