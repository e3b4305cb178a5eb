"""Whoever follows the guide to a first verdict, line by line, sees what it says."""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.packaging.processes import CHECKOUT, free_port, run, serving, with_our_commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUIDE = CHECKOUT / "docs" / "guides" / "first-verdict.md"
FENCE = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALL = "python -m pip install jwt-conformance"
PASSWORD = "tea-with-the-hatter-71"


@dataclass(frozen=True)
class Block:
    """A block of the guide: its language, a word beside that, and what it holds."""

    language: str
    word: str
    text: str


BLOCKS = [Block(*match.groups()) for match in FENCE.finditer(GUIDE.read_text(encoding="utf-8"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shop, its key, and the two files that the guide has its reader write."""
    shutil.copy(GUIDE.parent / "shop.py", tmp_path)
    (tmp_path / "shop.key").write_text(secrets.token_hex(32))
    profile, options = (block.text for block in BLOCKS if block.language == "toml")
    (tmp_path / "shop.toml").write_text(profile)
    (tmp_path / "options.toml").write_text(options)
    return tmp_path


@contextmanager
def shop(folder: Path, **settings: str) -> Iterator[str]:
    """The shop's URL."""
    env = with_our_commands(SHOP_SECRET=(folder / "shop.key").read_text(), **settings)
    command = ["flask", "--app", "shop", "run", "--port", "0"]
    with serving(command, cwd=folder, log=folder / "shop.log", env=env) as url:
        yield url


def test_every_command_does_what_the_guide_says(folder: Path) -> None:
    """The commands, one after another; what the guide shows of an output is in it, in that order."""
    exports: list[str] = []
    said = ""
    with shop(folder) as broken, shop(folder, SHOP_FIXED="1") as fixed:
        for block in BLOCKS:
            url = fixed if block.word == "fixed" else broken
            if block.language == "text":
                assert_shown(block.text, said.replace(url, "http://localhost:8000"))
            if block.language != "sh" or block.text.strip() == INSTALL:
                continue
            if block.text.startswith("export"):
                exports.append(block.text)
                continue
            script = "".join(exports) + block.text.replace("http://localhost:8000", url)
            ended = run(["bash", "-c", script], cwd=folder, env=with_our_commands())
            said = ended.stdout + ended.stderr
            assert ended.returncode == expected_code(block), said


def expected_code(block: Block) -> int:
    """How a command of the guide ends: the shop is wrong at first, and so is the profile."""
    if "doctor" in block.text:
        return 0 if "--target-profile" in block.text else 2
    return 1 if "run http" in block.text and not block.word else 0


def assert_shown(lines: str, output: str) -> None:
    """Each line is in the output, after the one before it."""
    rest = output
    for line in lines.splitlines():
        assert line in rest, f"{line!r} is not, or not there, in\n{output}"
        rest = rest.partition(line)[2]


def test_the_profile_is_short() -> None:
    """An API with names of its own takes fewer than ten lines."""
    profile = next(block.text for block in BLOCKS if block.language == "toml")
    assert len(profile.splitlines()) < 10


@pytest.mark.parametrize(("fixed", "code"), [("", 1), ("1", 0)], ids=["broken", "fixed"])
def test_the_gate_opens_to_a_right_shop_alone(folder: Path, fixed: str, code: int) -> None:
    """The step of the CI's job fails for the broken shop, passes for the right one, and leaves its reports."""
    (folder / "options.toml").rename(folder / "conformance.toml")
    job = yaml.safe_load(next(block.text for block in BLOCKS if block.language == "yaml"))["jobs"]["login"]
    *before, step = [step for step in job["steps"] if "run" in step]
    assert [each["run"] for each in before] == [INSTALL]
    assert set(step["env"].values()) == {"${{ secrets.SHOP_PASSWORD }}"}
    secret = dict.fromkeys(step["env"], PASSWORD)
    script = step["run"].replace("8000", str(free_port()))
    ended = run(
        ["bash", "-ec", f"trap 'kill %1' EXIT\n{script}"], cwd=folder, env=with_our_commands(SHOP_FIXED=fixed, **secret)
    )

    assert ended.returncode == code, ended.stdout + ended.stderr
    assert (folder / "report.xml").exists()
    assert (folder / "report.json").exists()
