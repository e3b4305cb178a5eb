"""What the operator lets the suite do: hooks that work, and every way in which they may not."""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from conformance.catalogue import load as load_catalogue
from conformance.errors import ConfigurationError
from conformance.scenarios import test_cred, test_rate
from conformance.scenarios.conclusion import conclude
from conformance.scenarios.trial import Trial
from conformance.target.hooks import DescribedHooks, HookError, Provisioner
from conformance.target.profile_files import load
from conformance.target.profile_tables import Hook, HookTable
from conformance.verdicts.model import Verdict
from tests.conformance.support import ALICE, BOB, FakeApi, learnt, served, target_of
from tests.conformance.target.raw_server import always, raw, reply
from tests.faults.kill_run import run_suite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.redaction import Redactor
    from conformance.verdicts.model import Outcome

PASSWORD = "s3cret-of-the-new-account"
NEW = {"username": "new", "password": PASSWORD}


def command(script: str, *, timeout: int = 10) -> Hook:
    """A hook that runs this Python program."""
    return Hook(command=(sys.executable, "-c", script), timeout=timeout)


def hooks(provision: Hook) -> DescribedHooks:
    """Hooks of which this one makes accounts and does all else."""
    return DescribedHooks(provision, provision, redact=lambda text: text.replace(PASSWORD, "<password>"))


def failure(hook: Hook, action: str = "create", **details: str) -> str:
    """What the user is told of a hook that does not do what it is asked for."""
    with pytest.raises(HookError) as caught:
        hooks(hook).provision(action, **(details or NEW))
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


# -- Commands ----------------------------------------------------------------------------------------------------------


def test_a_command_is_told_on_its_standard_input(tmp_path: Path) -> None:
    """A command gets one JSON object to read, and its exit code 0 says that it is done, whatever it prints."""
    told = tmp_path / "told.json"
    script = f"import sys, pathlib; pathlib.Path({str(told)!r}).write_text(sys.stdin.read()); print('x' * 100_000)"
    described = hooks(command(script))

    described.provision("create", **NEW)
    assert json.loads(told.read_text()) == {"action": "create", **NEW}

    described.restart({"ACCESS_LIFETIME": "5s"})
    assert json.loads(told.read_text()) == {"action": "restart", "settings": {"ACCESS_LIFETIME": "5s"}}


def test_a_command_that_reads_nothing_may_succeed() -> None:
    """A command need not look at what it is told."""
    hooks(command("pass")).provision("create", **NEW)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit('no database')", "did not create: exit code 1: no database"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "did not create: exit code -11"),
        ("import sys; sys.exit(64)", "did not create: it does not offer that"),
        ("import sys; print(sys.stdin.read()); sys.exit(3)", 'exit code 3: {"action": "create", "username": "new"'),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe'); sys.exit(2)", "exit code 2"),
    ],
)
def test_a_command_that_fails_is_quoted(script: str, words: str) -> None:
    """The message says how the command ended and what it said, in a line of bounded length, and no secret."""
    message = failure(command(script))

    assert words in message
    assert "\n" not in message
    assert len(message) < 300


def test_a_secret_is_not_told_by_halves() -> None:
    """A password that a failing command repeats is taken out before the rest is cut to length."""
    for before in range(180, 215):
        message = failure(command(f"print('.' * {before} + {PASSWORD!r}); raise SystemExit(1)"))

        assert "s3cret" not in message


@pytest.mark.parametrize("action", ["change_password", "disable", "delete"])
def test_the_message_names_what_was_not_done(action: str) -> None:
    """Each action is told by its name."""
    assert f"the hook provision did not {action.replace('_', ' ')}: " in failure(command("raise SystemExit(1)"), action)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """After the hook's timeout nothing of it is left running, not even what a shell has put into the background."""
    numbers = tmp_path / "pids"
    shell = f"sleep 60 & echo $! > {shlex.quote(str(numbers))}; echo $$ >> {shlex.quote(str(numbers))}; sleep 60"
    started = time.monotonic()

    message = failure(Hook(command=("/bin/sh", "-c", shell), timeout=1))

    assert "it was not done after 1 s" in message
    assert time.monotonic() - started < 10
    pids = [int(number) for number in numbers.read_text().split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 5
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_what_a_command_leaves_running_is_left_alone(tmp_path: Path) -> None:
    """A command that starts a server in the background is done when it ends, and the server goes on."""
    number = tmp_path / "pid"
    shell = f"sleep 60 & echo $! > {shlex.quote(str(number))}"
    started = time.monotonic()

    hooks(Hook(command=("/bin/sh", "-c", shell), timeout=20)).restart({})

    server = psutil.Process(int(number.read_text()))
    assert time.monotonic() - started < 10
    assert server.status() != psutil.STATUS_ZOMBIE
    server.kill()


@pytest.mark.parametrize("mode", [None, 0o644])
def test_a_command_that_cannot_be_run_is_named(tmp_path: Path, mode: int | None) -> None:
    """Whether it is not there or may not be executed, the message names the command."""
    file = tmp_path / "provision"
    if mode:
        file.write_text("#!/bin/sh\n")
        file.chmod(mode)

    message = failure(Hook(command=(str(file),)))

    assert f"{str(file)!r} cannot be run: {'Permission denied' if mode else 'No such file'}" in message


# -- Calls -------------------------------------------------------------------------------------------------------------


def test_a_call_is_told_in_its_body() -> None:
    """A URL gets one JSON object by POST, and a 2xx says that it is done."""
    with raw(always(reply("204 No Content", body=b""))) as server:
        hooks(Hook(url=f"{server.url}/hook")).provision("create", **NEW)

    head, _, body = server.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook HTTP/1.1")
    assert b"application/json" in head
    assert json.loads(body) == {"action": "create", **NEW}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply("500 Oops", body=b"no\n  database"), "did not create: status 500: no database"),
        (reply("501 Not Implemented"), "did not create: it does not offer that"),
        (reply("404 Not Found"), "status 404"),
        (reply("422 No", body=json.dumps(NEW).encode()), 'status 422: {"username": "new"'),
        (reply("500 Oops", body=b"\xff" * 9000), "status 500"),
        (b"", "the call failed: ConnectionError"),
        (b"nonsense\r\n\r\n", "the call failed: ConnectionError"),
    ],
)
def test_a_call_that_fails_is_quoted(answer: bytes, words: str) -> None:
    """The message says what came back, in a line of bounded length, and no secret."""
    with raw(always(answer)) as server:
        message = failure(Hook(url=server.url, timeout=5))

    assert words in message
    assert "\n" not in message
    assert len(message) < 300


def test_a_call_is_not_redirected() -> None:
    """A password is not sent to wherever the hook points; a redirect is no success."""
    with raw(always(reply())) as elsewhere, raw(always(reply("307 Away", f"Location: {elsewhere.url}"))) as server:
        message = failure(Hook(url=server.url))

    assert "status 307" in message
    assert elsewhere.received == []


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((30.0,), id="silence"),
        pytest.param((b"HTTP/1.1 200 OK\r\n", *(b"X", 0.2) * 60), id="headers by bytes"),
        pytest.param((b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n", *(b"x", 0.2) * 60), id="a body by bytes"),
    ],
)
def test_a_call_that_hangs_is_given_up(steps: tuple[bytes | float, ...]) -> None:
    """The hook's timeout bounds the whole call, not only each piece of it."""
    started = time.monotonic()

    with raw(always(*steps)) as server:
        message = failure(Hook(url=server.url, timeout=1))
        took = time.monotonic() - started

    assert "no answer within 1 s" in message
    assert took < 5


def test_a_call_that_nobody_answers_is_told() -> None:
    """A port on which nothing listens is a failed call."""
    with raw(always(reply())) as server:
        url = server.url

    assert "the call failed: ConnectionError" in failure(Hook(url=url))


# -- Descriptions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('url = "provision.example/hook"', "hooks.provision, which has the URL 'provision.example/hook'"),
        ('url = "file:///etc/passwd"', "which is none of http or https"),
        ('url = "http://x/"\ncommand = ["y"]', "names a command and a URL"),
        ('command = "make account"', "hooks.provision.command', which wants a list of strings"),
        ('command = ["make", 1]', "which wants a list of strings"),
        ('command = [""]', "names a command that cannot be one"),
        ('command = ["a\\u0000b"]', "names a command that cannot be one"),
        ('command = ["x"]\ntimeout = 0', "has a timeout of 0 s"),
        ('command = ["x"]\ntimeout = "1m"', "which wants a whole number"),
        ('comand = ["x"]', "unknown key 'hooks.provision.comand'; did you mean 'command'?"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """A profile that describes a hook wrongly is refused before anything is sent, with the key that is wrong."""
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "default"\n[hooks.provision]\n{text}\n')

    with pytest.raises(ConfigurationError) as caught:
        load(str(file))

    assert words in str(caught.value)


def test_a_hook_that_is_not_described_is_asked_for() -> None:
    """A call of a hook that the profile does not describe says so, with what to add."""
    assert "describe hooks.provision in the target profile" in failure(Hook())


# -- Accounts ----------------------------------------------------------------------------------------------------------


class Book(DescribedHooks):
    """Hooks that note what they are asked for, and fail at some actions."""

    def __init__(self, *failing: str) -> None:
        """Fails at these."""
        super().__init__(Hook(), Hook())
        self.failing, self.done = failing, []

    failing: tuple[str, ...]
    done: list[tuple[str, str]]

    def provision(self, action: str, **details: str) -> None:
        """Notes it."""
        if action in self.failing:
            raise HookError("no")
        self.done.append((action, details["username"]))


def test_what_was_made_is_removed_in_the_end() -> None:
    """Each account that is still there is deleted once, however often it was changed, and those deleted are not."""
    book = Book()
    provisioner = Provisioner(book, lambda _secret, _label: None)
    kept, gone = provisioner.create(), provisioner.create()
    provisioner.change_password(kept)
    provisioner.disable(kept)
    provisioner.delete(gone)
    book.done.clear()

    provisioner.close()
    provisioner.close()

    assert book.done == [("delete", kept.username)]


def test_a_hook_that_cannot_delete_does_not_keep_a_run_from_ending() -> None:
    """What cannot be removed is left."""
    provisioner = Provisioner(Book("delete"), lambda _secret, _label: None)
    provisioner.create()

    provisioner.close()


def test_what_was_not_made_is_not_removed() -> None:
    """An account that the hook failed to make is nobody's to delete."""
    book = Book("create")
    provisioner = Provisioner(book, lambda _secret, _label: None)
    with pytest.raises(HookError):
        provisioner.create(username="alice")

    provisioner.close()

    assert book.done == []


def test_a_password_is_a_secret_before_the_hook_knows_it() -> None:
    """Whatever the hook does with a new password, it is hidden by then."""
    secrets: list[str] = []
    provisioner = Provisioner(hooks(command("raise SystemExit(1)")), lambda secret, _label: secrets.append(secret))

    with pytest.raises(HookError):
        provisioner.create(password=PASSWORD)

    assert secrets == [PASSWORD]


# -- Verdicts ----------------------------------------------------------------------------------------------------------

LIAR = command("pass")
NEEDY: dict[str, Callable[[Trial], None]] = {
    "CRED-03": test_cred.test_cred_03,
    "CRED-05": test_cred.test_cred_05,
    "RATE-01": test_rate.test_rate_01,
    "RATE-03": test_rate.test_rate_03,
}


def judged(name: str, scenario: Callable[[Trial], None], hook: Hook) -> tuple[Outcome | None, Redactor]:
    """The outcome of a scenario against a healthy API whose profile describes this hook, and what knows the secrets."""
    profile = replace(load("default"), hooks=HookTable(provision=hook))
    target = learnt(target_of(FakeApi(ALICE, BOB), profile=profile))
    trial = Trial(target, load_catalogue().get(name))
    error: Exception | None = None
    try:
        scenario(trial)
    except Exception as raised:  # noqa: BLE001 - as pytest does
        error = raised
    return conclude(trial, trial.requirement, error), target.redactor


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        pytest.param(LIAR, "said that it made an account|does not log in", id="lies"),
        pytest.param(
            command("raise SystemExit('no')"), "the hook provision did not create: exit code 1: no", id="fails"
        ),
        pytest.param(command("raise SystemExit(64)"), "it does not offer that", id="does not offer it"),
        pytest.param(command("import sys; sys.exit(sys.stdin.read())"), "exit code 1: .*<password>", id="quotes"),
        pytest.param(command("import time; time.sleep(60)", timeout=1), "it was not done after 1 s", id="hangs"),
        pytest.param(Hook(command=("./no-such-command",)), "cannot be run: No such file", id="cannot be found"),
        pytest.param(Hook(), "give .*hooks.provision in the profile", id="is not described"),
    ],
)
@pytest.mark.parametrize("name", NEEDY)
def test_a_hook_that_does_not_do_its_work_leaves_a_requirement_untested(name: str, hook: Hook, words: str) -> None:
    """Whatever is wrong with the hook, the requirement is untested, for that reason, and without a secret."""
    outcome, redactor = judged(name, NEEDY[name], hook)

    assert outcome is not None, "a crash of the suite"
    assert outcome.verdict is Verdict.UNTESTED
    assert outcome.findings == []
    assert outcome.reason == redactor.text(outcome.reason)
    assert re.search(words, outcome.reason), outcome.reason


def test_the_rest_of_the_run_goes_on(tmp_path: Path) -> None:
    """With a hook that lies, what needs no account is judged as ever, and the run is not said to be conformant."""
    profile = tmp_path / "mine.toml"
    profile.write_text(
        f'extends = "default"\n[hooks.provision]\ncommand = [{json.dumps(sys.executable)}, "-c", "pass"]\n'
    )
    with served(password_memory=8) as url:
        result = run_suite(tmp_path, url, *_options(profile))

    verdicts: dict[str, Any] = result.verdicts
    assert {name: verdicts[name] for name in ("CRED-01", "CRED-02", "CRED-03", "CRED-05")} == {
        "CRED-01": "passed",
        "CRED-02": "passed",
        "CRED-03": "untested",
        "CRED-05": "untested",
    }, result.printed
    assert "the account does not log in: POST /login answered 401" in result.reasons["CRED-03"]
    assert ALICE.password not in result.printed + json.dumps(result.report)


def _options(profile: Path) -> list[str]:
    credentials = [
        part
        for prefix, account in (("", ALICE), ("second-", BOB))
        for part in (f"--{prefix}username", account.username, f"--{prefix}password", account.password)
    ]
    chosen = "test_cred_01 or test_cred_02 or test_cred_03 or test_cred_05"
    return [*credentials, "--target-profile", str(profile), "--", "-k", chosen]
