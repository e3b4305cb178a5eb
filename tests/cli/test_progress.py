"""What is seen while a run goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hostile.command import clean, jwt_conformance

COMMAND = str(Path(sys.executable).with_name("jwt-conformance"))
BAR = re.compile(r"\d+/3\b")
CHOSEN = ("run", "-k", "access_01 or access_03 or login_01")


def on_a_terminal(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Runs the command on a terminal of its own; its exit code, and everything that was drawn."""
    ours, theirs = pty.openpty()
    env = clean(TERM="xterm-256color", COLUMNS="140", LINES="40", **variables)
    process = subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, env=env, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL
    )
    os.close(theirs)
    drawn = bytearray()
    with suppress(OSError):  # the terminal ends with its program
        while chunk := os.read(ours, 65536):
            drawn += chunk
    os.close(ours)
    return process.wait(), drawn.decode()


def test_a_terminal_shows_a_bar_with_counts(tmp_path: Path) -> None:
    """How many of how many, which one, and how they fared; afterwards it is gone, and pytest's letters never came."""
    code, drawn = on_a_terminal(tmp_path, *CHOSEN)
    assert code == 0
    assert BAR.search(drawn)
    assert "ACCESS-03" in drawn
    assert re.search(r"\d passed", drawn)
    assert "[100%]" not in drawn
    last = drawn.rpartition("target    ")[2]
    assert "conformant" in last
    assert not BAR.search(last)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_plain_terminal_gets_no_colours(variables: dict[str, str], tmp_path: Path) -> None:
    """Whoever says so, or has a terminal that has none."""
    env = {"TERM": "xterm-256color", **variables}
    ours, theirs = pty.openpty()
    process = subprocess.Popen([COMMAND, *CHOSEN], cwd=tmp_path, env=clean(**env), stdout=theirs, stderr=theirs)
    os.close(theirs)
    drawn = bytearray()
    with suppress(OSError):
        while chunk := os.read(ours, 65536):
            drawn += chunk
    os.close(ours)
    assert process.wait() == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[1-6]m", drawn)


def test_a_wait_is_told(tmp_path: Path) -> None:
    """For how long nothing will be sent."""
    lives = {"REFERENCE_ACCESS_LIFETIME": "3s", "REFERENCE_REFRESH_LIFETIME": "6s"}
    code, drawn = on_a_terminal(tmp_path, "run", "-k", "expiry_01", "--clock", "waiting", **lives)
    assert code == 0, drawn
    assert re.search(r"waiting \d s", drawn)


def test_elsewhere_there_are_plain_lines(tmp_path: Path) -> None:
    """In a pipe or a file: pytest's letters, and nothing that steers a terminal."""
    ended = jwt_conformance(*CHOSEN, folder=tmp_path, env=clean())
    assert "..." in ended.out
    assert "\x1b" not in ended.out


def test_with_v_each_requirement_has_its_line(tmp_path: Path) -> None:
    """Then there is no bar: both would get into each other's way."""
    _, drawn = on_a_terminal(tmp_path, *CHOSEN, "-v")
    assert not BAR.search(drawn)
    assert "test_access_03" in drawn
