"""Other programs that a test runs: once, or for as long as it needs a server."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHECKOUT = Path(__file__).resolve().parents[2]
_OURS = ("CONFORMANCE_", "REFERENCE_", "FLASK_", "PYTEST_", "PYTHON", "TOX_")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without what steers the suite, the server or Python, and with `settings`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | settings


def with_our_commands(**settings: str) -> dict[str, str]:
    """The same, with the commands that are installed beside this Python first in the path."""
    env = environment(**settings)
    return {**env, "PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])}


def run(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """The command's end, with its output as text; it reads nothing."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment() if env is None else env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_well(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 300
) -> str:
    """What the command printed on standard output; that it fails is an error that shows all it said."""
    ended = run(command, cwd=cwd, env=env, timeout=timeout)
    assert ended.returncode == 0, f"exit {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@contextmanager
def serving(
    command: Sequence[str | Path], *, cwd: Path, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The URL that a server prints when it listens; it is stopped afterwards. What it says goes to `log`."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=environment() if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield _url(process, log)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _url(process: subprocess.Popen[bytes], log: Path, patience: float = 30) -> str:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"https?://[\w.\[\]:-]+:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no URL from {process.args!r}:\n{log.read_text()}")
