"""Installs and starts what the lab has: each from its own manifest, in a cache, in a process of its own.

    python lab/running.py NAME        installs the entry, starts it, prints its URL, and stops it at Ctrl-C

The cache is `.tox/lab` in the checkout, or LAB_CACHE. An entry is installed anew when one of its files has changed,
other than those that only people and tests read.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).parent
CACHE = Path(os.environ.get("LAB_CACHE") or LAB.parent / ".tox" / "lab")
START_LIMIT_S = 90.0
STOP_LIMIT_S = 10.0
PORTS = range(20_000, 32_768)
INSTALL = {
    "requirements.txt": [
        [sys.executable, "-m", "venv", "venv"],
        ["venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
    ],
    "package.json": [["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]],
    "go.mod": [["go", "build", "-o", "server", "."]],
    "Cargo.toml": [["cargo", "build", "--locked", "--quiet"]],
    "pom.xml": [["mvn", "-q", "-B", "package"]],
}
"""What installs an entry, by its manifest; run in a copy of its folder."""
LEFT_BEHIND = ("venv", ".venv", "node_modules", "dist", "target", "server", "__pycache__")
"""What somebody who follows an entry's README leaves in its folder, and is none of its files."""
READ_ONLY = frozenset({"README.md", "entry.toml", "expected.toml"})
"""Files that an installation does not depend on; of `entry.toml` the build counts apart, and so it does of a pair's."""


class LabError(Exception):
    """An entry cannot be installed or started; the message ends with what its tools said."""


@dataclass(frozen=True)
class Program:
    """Something of the lab that is installed and started.

    Attributes:
        name: what its installation is called.
        facts: its TOML file: how it is built and started, among other things.
        sources: the folders that it is made of; of two files with one name the later counts.
    """

    name: str
    facts: dict[str, Any]
    sources: tuple[Path, ...]

    @property
    def language(self) -> str:
        """What it is written in."""
        return str(self.facts["language"])

    @property
    def manifest(self) -> Path:
        """The file that names what it stands on."""
        return next(path for source in self.sources for name in INSTALL if (path := source / name).exists())

    @property
    def tool(self) -> str:
        """The program without which it cannot be installed."""
        return INSTALL[self.manifest.name][0][0]

    def installed(self) -> Path:
        """A folder in which it is ready to start, from the cache or new.

        Raises:
            LabError: a tool is missing, or fails.
        """
        folder = CACHE / f"{self.name}-{self._digest()}"
        done = folder / ".installed"
        if done.exists():
            return folder
        for old in CACHE.glob(f"{self.name}-" + "?" * 12):
            shutil.rmtree(old, ignore_errors=True)
        for source in self.sources:
            shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND), dirs_exist_ok=True)
        for step in [*INSTALL[self.manifest.name], *self.facts.get("build", [])]:
            _run(step, folder)
        done.touch()
        return folder

    def _digest(self) -> str:
        """What an installation depends on, in twelve characters."""
        digest = hashlib.sha256(repr(self.facts.get("build", [])).encode())
        for source in self.sources:
            for path in sorted(path for path in source.rglob("*") if path.is_file()):
                inside = path.relative_to(source)
                if not set(inside.parts) & {*LEFT_BEHIND, *READ_ONLY}:
                    digest.update(f"{inside}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:12]


class Entry(Program):
    """One implementation of the lab: a folder, and its `entry.toml`."""

    @property
    def preset(self) -> str:
        """The shipped profile that speaks to it."""
        return str(self.facts["preset"])

    @property
    def options(self) -> dict[str, str]:
        """What a run on it has to be given, as environment variables."""
        (first, password), (second, other), *_ = self.facts["accounts"].items()
        given = {"username": first, "password": password, "second_username": second, "second_password": other}
        for which, (client, secret) in zip(("", "second_"), self.facts.get("clients", {}).items(), strict=False):
            given |= {f"{which}client_id": client, f"{which}client_secret": secret}
        given["target_profile"] = self.preset
        return {f"CONFORMANCE_{name.upper()}": value for name, value in given.items() if value}

    @property
    def is_slow_to_install(self) -> bool:
        """Whether installing it takes too long for a run that only wants to know whether all is well."""
        return bool(self.facts["slow_to_install"])


def read(path: Path) -> dict[str, Any]:
    """A TOML file of the lab."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def entries() -> dict[str, Entry]:
    """Every entry with an `entry.toml`, by name."""
    found = {}
    for path in sorted(LAB.glob("*/entry.toml")):
        found[path.parent.name] = Entry(path.parent.name, read(path), (path.parent,))
    return found


@contextmanager
def serving(entry: Program, **settings: str) -> Iterator[str]:
    """The program, started and stopped: its base URL.

    Args:
        entry: what to start.
        settings: environment variables for it.

    Raises:
        LabError: it cannot be installed, ends at once, or never listens.
    """
    folder = entry.installed()
    with tempfile.TemporaryDirectory(prefix="lab-") as data:
        port = _free_port()
        env = {**_environment(folder), "PORT": str(port), "LAB_DATA": data, **settings}
        log = Path(data) / "log.txt"
        words = entry.facts["start"]
        program = shutil.which(words[0], path=env["PATH"]) or str(folder / words[0])
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, *words[1:]], cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                _wait_for(port, process, log, entry.name)
                yield f"http://127.0.0.1:{port}"
            finally:
                _stop(process)


def _environment(folder: Path) -> dict[str, str]:
    """The machine's environment with the entry's own Python and Node tools first."""
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    tools = [folder / "venv" / "bin", folder / "node_modules" / ".bin"]
    return {**env, "PATH": os.pathsep.join([*(str(path) for path in tools if path.is_dir()), env.get("PATH", "")])}


def _run(step: list[str], folder: Path) -> None:
    program = step[0] if "/" not in step[0] or Path(step[0]).is_absolute() else str(folder / step[0])
    try:
        ended = subprocess.run(
            [program, *step[1:]], cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        raise LabError(f"{step[0]} is not installed, which {folder.name} needs") from None
    if ended.returncode:
        raise LabError(f"{' '.join(step)} failed for {folder.name}:\n{(ended.stdout + ended.stderr)[-2000:]}")


def _free_port() -> int:
    """A port that nobody listens on, of those that systems do not give away by themselves.

    One of the others might be somebody else's before the program has it, and be taken for the program's.
    """
    for port in random.sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise LabError("no port is free")


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path, name: str) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabError(f"{name} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise LabError(f"{name} did not listen within {START_LIMIT_S:.0f} s:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_LIMIT_S)
            return


def main() -> int:
    """Start one entry for a person."""
    known = entries()
    if len(sys.argv) != 2 or sys.argv[1] not in known:  # noqa: PLR2004 - the program and a name
        sys.stderr.write(f"usage: python lab/running.py NAME; NAME is one of {', '.join(known)}\n")
        return 2
    entry = known[sys.argv[1]]
    try:
        with serving(entry) as url, suppress(KeyboardInterrupt):
            accounts = "; ".join(f"{name} {password}" for name, password in entry.facts["accounts"].items())
            sys.stdout.write(f"{url}  (--target-profile {entry.preset}; accounts: {accounts})\n")
            signal.pause()
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
