"""The source archive is the checkout: whoever has it can build and test.

That it builds is shown by the wheel of these tests, which is built from it.
"""

from __future__ import annotations

import tarfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from tests.packaging.test_wheel import sources

if TYPE_CHECKING:
    from tests.packaging.conftest import Distribution


@pytest.mark.parametrize("folder", ["conformance", "reference_server", "specs", "tests", "lab", "benchmarks"])
def test_every_file_of_a_folder_is_in_the_archive(sdist: Distribution, folder: str) -> None:
    """No part of the project is left out."""
    assert sources(folder).items() <= sdist.contents.items()


@pytest.mark.parametrize(
    "name",
    [
        ".ci/run",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "conftest.py",
        "pyproject.toml",
        "tox.ini",
        "toxw",
    ],
)
def test_the_archive_has_what_building_and_testing_take(sdist: Distribution, name: str) -> None:
    """The files at the top that the build and `./toxw` read are there."""
    assert PurePosixPath(name) in sdist.contents


@pytest.mark.parametrize("name", ["toxw", ".ci/run", "lab/flask_jwt_extended_lesson/start"])
def test_what_is_started_by_name_can_be_started_by_name(sdist: Distribution, name: str) -> None:
    """The entry commands are executable in the archive as they are in the checkout."""
    with tarfile.open(sdist.file) as archive:
        (mode,) = (item.mode for item in archive if item.name.split("/", 1)[-1] == name)
    assert mode & 0o111 == 0o111


def test_leftovers_of_tools_are_not_in_the_archive(sdist: Distribution) -> None:
    """Caches, environments and builds of the checkout stay there."""
    leftovers = {"__pycache__", ".tox", ".git", ".venv", ".pytest_cache", ".hypothesis", "build", "dist"}
    assert not [path for path in sdist.contents if leftovers & set(path.parts)]
