"""The wheel is the product: all of it, and no more."""

from __future__ import annotations

import configparser
import re
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from tests.packaging.processes import CHECKOUT

if TYPE_CHECKING:
    from tests.packaging.conftest import Distribution

PACKAGES = ("conformance", "reference_server")


def sources(folder: str) -> dict[PurePosixPath, int]:
    """Sizes of the files under a folder of the checkout, without what Python leaves behind."""
    return {
        PurePosixPath(path.relative_to(CHECKOUT).as_posix()): path.stat().st_size
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def metadata(wheel: Distribution, name: str) -> str:
    """The text of a file in the wheel's dist-info."""
    (path,) = (path for path in wheel.contents if path.parts[0].endswith(".dist-info") and path.name == name)
    with zipfile.ZipFile(wheel.file) as archive:
        return archive.read(str(path)).decode()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_the_packages_is_in_the_wheel(wheel: Distribution, package: str) -> None:
    """What a package has in the checkout it has when installed: code, type marker and data."""
    assert sources(package).items() <= wheel.contents.items()


@pytest.mark.parametrize(
    ("pattern", "at_least"),
    [
        ("conformance/py.typed", 1),
        ("reference_server/py.typed", 1),
        ("conformance/catalogue/*.toml", 12),
        ("conformance/target/profiles/*.toml", 3),
        ("conformance/scenarios/test_*.py", 12),
        ("conformance/**/weak_secrets.txt", 1),
        ("reference_server/faults/*.py", 10),
    ],
)
def test_the_wheel_has_what_the_suite_reads(wheel: Distribution, pattern: str, at_least: int) -> None:
    """Each kind of data is there at all: none of them can vanish from checkout and wheel together."""
    wanted = re.compile(re.escape(pattern).replace(r"\*\*/", ".*").replace(r"\*", "[^/]*"))
    assert sum(bool(wanted.fullmatch(str(path))) for path in wheel.contents) >= at_least


def test_the_specifications_are_installed_with_the_suite(wheel: Distribution) -> None:
    """The contract in machine form lies in the checkout's `specs`, and installed in `conformance/specs`."""
    shipped = {PurePosixPath("conformance", path): size for path, size in sources("specs").items()}
    assert PurePosixPath("conformance/specs/openapi.yaml") in shipped
    assert shipped.items() <= wheel.contents.items()


def test_nothing_but_the_packages_is_in_the_wheel(wheel: Distribution) -> None:
    """The project's own tests, lab and benchmarks, and leftovers of its tools, stay at home."""
    assert {path.parts[0] for path in wheel.contents} - set(PACKAGES) == {f"jwt_conformance-{version()}.dist-info"}
    assert not [path for path in wheel.contents if path.suffix == ".pyc" or "__pycache__" in path.parts]


def test_the_command_and_the_plugin_are_registered(wheel: Distribution) -> None:
    """An installation has the command `jwt-conformance`, and pytest finds the plugin without being told."""
    entry_points = configparser.ConfigParser(delimiters="=")
    entry_points.read_string(metadata(wheel, "entry_points.txt"))
    assert dict(entry_points["console_scripts"]) == {"jwt-conformance": "conformance.__main__:main"}
    assert dict(entry_points["pytest11"]) == {"conformance.plugin": "conformance.plugin"}


def test_the_metadata_tells_what_an_index_shows(wheel: Distribution) -> None:
    """Name, version, licence, oldest Python and the README as the long description are there."""
    told = Parser().parsestr(metadata(wheel, "METADATA"))
    assert (told["Name"], told["Version"]) == ("jwt-conformance", version())
    assert (told["License-Expression"], told["License-File"]) == ("Apache-2.0", "LICENSE")
    assert told["Requires-Python"] == ">=3.11"
    assert told["Description-Content-Type"] == "text/markdown"
    assert told.get_payload() == (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_no_file_in_the_wheel_names_the_place_it_was_built_in(wheel: Distribution) -> None:
    """A path of the machine that built the wheel tells nobody else anything."""
    with zipfile.ZipFile(wheel.file) as archive:
        assert not [name for name in archive.namelist() if str(Path(CHECKOUT)).encode() in archive.read(name)]


def version() -> str:
    """The version that the package itself names."""
    found = re.search(r'^__version__ = "(.+)"$', (CHECKOUT / "conformance/__init__.py").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]
