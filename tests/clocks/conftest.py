"""Servers that the suite starts by itself, and what it needs to move their clocks."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conformance.clock import libfaketime

TARGETS = Path(__file__).parent / "targets"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory that holds the targets."""
    shutil.copytree(TARGETS, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


@pytest.fixture(scope="session")
def faketime() -> Path:
    """libfaketime, which moves the clock of other processes; CI installs it where it is missing."""

    def found() -> Path | None:
        with tempfile.TemporaryDirectory() as folder:
            return libfaketime.find(Path(folder))

    if found() is None:
        _install("libfaketime")
    library = found()
    if library is None:
        pytest.skip("libfaketime is not installed: apt-get install libfaketime")
    return library


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js; CI installs it where it is missing."""
    if shutil.which("node") is None:
        _install("nodejs")
    command = shutil.which("node")
    if command is None:
        pytest.skip("Node.js is not installed: apt-get install nodejs")
    return command


@pytest.fixture(scope="session")
def python() -> str:
    """This Python."""
    return sys.executable


def _install(package: str) -> None:
    """Installs a package of the system's, in CI only, where nobody minds."""
    if not os.environ.get("CI") or shutil.which("apt-get") is None:
        return
    # Another process of pytest-xdist may want to do the same.
    with (Path(tempfile.gettempdir()) / "jwt-conformance-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", *command], check=False, capture_output=True, env=env, timeout=600)
