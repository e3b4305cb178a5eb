"""Launches that come to nothing: each is told in a sentence with a hint, ends with 2, and leaves nothing running."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clocks.running import BOUND_S, Traces, eventually
from tests.hostile.command import CREDENTIALS, PASSWORD, assert_told, clean, jwt_conformance, plain_pytest
from tests.hostile.servers import Server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.command import Ended

SILENT_S = 30
DAEMON = """
import os, sys, time
if os.fork():
    sys.exit(1)
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(300)
"""
"""Leaves its group, its session and its parent, as daemons do."""

# The command, what the message says, and what the hint says.
COMMANDS = {
    "it ends with an error": ("sh -c 'exit 3'", "has ended with exit code 3, before anything answered", "by itself"),
    "it ends well": ("true", "has ended with exit code 0", "must stay in the foreground"),
    "it is killed": ("sh -c 'kill -9 $$'", "has ended with signal SIGKILL", "try it by itself"),
    "it is not there": ("no-such-server --port 1", "'no-such-server' cannot be run: No such file", "on the PATH?"),
    "it is no program": ("./tokens.py", "'./tokens.py' cannot be run: Permission denied", "is it spelt right"),
    "it needs a shell": ("PORT=1 node server.js", "'PORT=1' cannot be run", "write sh -c '...'"),
    "it is not quoted well": ("sh -c 'exit", "--launch cannot be read: no closing quotation", "quote it"),
    "it has no words": ("  ", "--launch names no command", ""),
    "it leaves a child behind": ("sh -c 'sleep 300 & exit 1'", "has ended with exit code 1", ""),
    "it leaves a session behind": ("sh -c 'setsid sleep 300 & exit 1'", "has ended with exit code 1", ""),
    "it leaves a daemon behind": (f"{sys.executable} -c {shlex.quote(DAEMON)}", "has ended with exit code 1", ""),
}


def told(command: str, port: int, folder: Path, *options: str) -> Ended:
    """What the doctor says of a launch that comes to nothing."""
    traces = Traces(folder)
    url = f"http://127.0.0.1:{port}"
    ended = jwt_conformance("doctor", url, "--launch", command, *options, folder=folder, env=traces.env, bound=BOUND_S)
    assert traces.are_gone(), (traces.processes(), traces.files())
    return ended


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_that_comes_to_nothing_is_told(case: str, folder: Path, port: int) -> None:
    """The message says what has become of it, and the hint what to do."""
    command, words, hint = COMMANDS[case]
    ended = told(command, port, folder)
    assert_told(ended, 2, words)
    assert hint in ended.err


def test_its_last_words_are_shown_without_secrets(folder: Path, port: int) -> None:
    """The last lines of its output say why it ended; passwords are taken out of them, also out of URLs."""
    said = f"for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; echo {PASSWORD} postgres://me:Swordfish-1932@db/x >&2"
    ended = told(f'sh -c "{said}; exit 1"', port, folder)
    assert_told(ended, 2, "has ended with exit code 1")
    assert "\n    | line 9\n    | <password> postgres://...@db/x\n" in ended.err
    assert "line 1\n" not in ended.err
    assert PASSWORD not in ended.said
    assert "Swordfish" not in ended.said


def test_a_command_that_never_listens_is_told(folder: Path, port: int) -> None:
    """After the time that it is allowed, it is stopped."""
    ended = told("sleep 300", port, folder, "--launch-timeout", "1")
    assert_told(ended, 2, f"nothing answers at http://127.0.0.1:{port} 1 s after the launch")
    assert "a longer --launch-timeout" in ended.err


def test_a_command_that_listens_elsewhere_is_told(python: str, folder: Path, port: int) -> None:
    """The hint names the port."""
    command = f"{python} -m http.server --bind 127.0.0.1 0"
    ended = told(command, port, folder, "--launch-timeout", "3")
    assert_told(ended, 2, "nothing answers at")
    assert "the command listens at port " in ended.err


def test_a_command_that_listens_and_never_answers_is_told(python: str, folder: Path, port: int) -> None:
    """To be connected is not to be answered."""
    listening = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(300)"
    ended = told(f'{python} -c "{listening}"', port, folder, "--launch-timeout", "1")
    assert_told(ended, 2, "nothing answers at")


def test_a_port_that_somebody_has_is_told_before_the_launch(folder: Path) -> None:
    """Otherwise somebody else's server would be judged."""
    with Server() as server:
        number = int(server.url.rpartition(":")[2])
        ended = told("touch launched", number, folder)
    assert_told(ended, 2, f"something listens at {server.url} already")
    assert not (folder / "launched").exists()


def test_what_the_doctor_finds_stops_the_server_as_well(python: str, folder: Path, port: int) -> None:
    """A wrong path is told of as with a URL alone."""
    (folder / "mine.toml").write_text("extends = 'default'\n[login]\npath = '/nowhere'\n")
    ended = told(f"{python} python_server.py {port}", port, folder, "--target-profile", "mine.toml")
    assert_told(ended, 2, "POST /nowhere answers 404")


def test_plain_pytest_tells_the_same(folder: Path, port: int) -> None:
    """Without the command it is a usage error of pytest's."""
    traces = Traces(folder)
    options = ("--base-url", f"http://127.0.0.1:{port}", "--launch", "sh -c 'exit 3'")
    ended = plain_pytest(*options, folder=folder, env=traces.env, bound=BOUND_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, "has ended with exit code 3")
    assert traces.are_gone()


def test_one_server_is_not_shared_by_several_processes(python: str, folder: Path, port: int) -> None:
    """Each of them would move the clock of the others."""
    traces = Traces(folder)
    options = ("--launch", f"{python} python_server.py {port}", "-n", "2", "-k", "expiry")
    url = f"http://127.0.0.1:{port}"
    ended = jwt_conformance("run", url, *options, folder=folder, env=traces.env, bound=BOUND_S)
    assert ended.code == 2
    assert "--launch starts one server, and -n starts several processes" in ended.said
    assert eventually(lambda: not traces.processes(), 5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--launch", "true"), "--launch needs the URL at which the server is going to answer"),
        (("http://127.0.0.1:9", "--launch", "true", "--app", "a:b"), "--app and --launch name two targets"),
        (("http://127.0.0.1:9", "--app", "a:b"), "--app and --base-url name two targets"),
        (("http://127.0.0.1:9", "--launch", "true", "--launch-timeout", "1m"), "--launch-timeout '1m' is no number of"),
        (("http://127.0.0.1:9", "--launch", "true", "--clock", "fast"), "--clock 'fast' is none of auto, waiting"),
        (("http://127.0.0.1:9", "--launch", "true", "--libfaketime", "gone.so"), "there is no file 'gone.so'"),
    ],
)
def test_options_that_do_not_go_together_are_told(options: tuple[str, ...], words: str, folder: Path) -> None:
    """Nothing is started before they are checked."""
    traces = Traces(folder)
    ended = jwt_conformance("doctor", *options, folder=folder, env=traces.env, bound=SILENT_S)
    assert_told(ended, 2, words)
    assert traces.are_gone()


def test_a_launch_needs_an_account(folder: Path) -> None:
    """As a URL does."""
    options = ("http://127.0.0.1:9", "--launch", "true")
    env = {name: value for name, value in clean().items() if name not in CREDENTIALS}
    assert_told(jwt_conformance("doctor", *options, folder=folder, env=env), 2, "a target needs an account")
