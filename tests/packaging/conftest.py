"""What is built from the checkout, and an installation of it."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from tests.packaging.processes import CHECKOUT, run_well

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Distribution:
    """A built file, and what is in it: sizes by path, counted from the project's top."""

    file: Path
    contents: Mapping[PurePosixPath, int]


@dataclass(frozen=True)
class Installation:
    """A virtual environment which holds the wheel and what it depends on, and nothing else, not even pip."""

    scripts: Path

    def __truediv__(self, name: str) -> Path:
        """The path of an installed command."""
        return self.scripts / name


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive of the checkout, and the wheel that is built from that archive."""
    folder = tmp_path_factory.mktemp("dist")
    run_well(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT],
        cwd=folder,
        timeout=120,
    )
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Distribution:
    """The wheel."""
    (file,) = built.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return Distribution(file, {PurePosixPath(item.filename): item.file_size for item in archive.infolist()})


@pytest.fixture(scope="session")
def sdist(built: Path) -> Distribution:
    """The source archive."""
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        return Distribution(
            file,
            {PurePosixPath(*PurePosixPath(item.name).parts[1:]): item.size for item in archive if item.isfile()},
        )


@pytest.fixture(scope="session")
def installation(wheel: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel, installed as a user would from the configured package index."""
    home = tmp_path_factory.mktemp("installation")
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    # Without a pip of its own, for a system's Python may lack ensurepip; ours installs from outside.
    run_well([sys.executable, "-m", "venv", "--without-pip", home], cwd=home)
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet"]
    run_well([*pip, wheel.file], cwd=home, timeout=600)
    return Installation(scripts)
