"""The guide to fleets: its file is taken, its commands do what it says, and its schema is what the loader takes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from conformance.fleet.outcome import Outcome
from tests.conformance.fleet.test_target_files import MISTAKES, NAMES
from tests.docs.test_profile_pages import DOCS, blocks
from tests.hostile.command import PASSWORD, USERNAME, clean, jwt_conformance
from tests.hostile.servers import Server, reference_app
from tests.packaging.processes import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = DOCS / "guides" / "fleet.md"
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "specs" / "targets.schema.json").read_text(encoding="utf-8"))
# What no schema can tell: two entries that do not go together, or what stands elsewhere.
BEYOND = {"a name again", "one page for two", "no account", "no URL", "a variable that is not set", "no such profile",
          "no such file", "a NUL", "a text for a switch"}  # fmt: skip


def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    """On the guide's own file, with servers of this machine in the place of its own; the second goes on."""
    ((_, text),) = blocks(GUIDE, "toml")
    (tmp_path / "orders.toml").write_text('extends = "default"\n')
    (tmp_path / "known-next.toml").write_text("")
    with reference_app() as app, Server(app=app) as server:
        for url in ("https://shop.example", "https://next.shop.example", "http://localhost:3000"):
            text = text.replace(url, server.url)
        text = text.replace("conformance@shop.example", USERNAME).replace('launch = "node orders.js"\n', "")
        (tmp_path / "targets.toml").write_text(text)
        said = []
        for _, command in (block for block in blocks(GUIDE, "sh") if block[0] != "remote"):
            program, *words = shlex.split(command)
            assert program == "jwt-conformance"
            ended = jwt_conformance(*words, "-k", "login_01", folder=tmp_path, env=clean(SHOP_PASSWORD=PASSWORD))
            assert ended.code == 0, ended.said
            said.append(ended.out)
    assert "[3/3]" in said[0]
    assert "3 of 3 targets are finished already" in said[1]
    assert {path.name for path in (tmp_path / "fleet").glob("*.json")} == {"shop.json", "shop-next.json", "orders.json"}
    assert (tmp_path / "fleet.html").exists()
    assert (tmp_path / "fleet.json").exists()


def test_every_outcome_is_told_of() -> None:
    """Whoever meets one finds it in the guide."""
    guide = GUIDE.read_text(encoding="utf-8")
    assert [outcome for outcome in Outcome if f"`{outcome}`" not in guide] == []


def test_the_schema_is_up_to_date() -> None:
    """It is what would be written now, and is one."""
    command = [sys.executable, CHECKOUT / "docs" / "targets_schema.py", "--check"]
    check = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (check.returncode, check.stderr) == (0, "")
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_takes_the_file_of_the_guide() -> None:
    """And so does whoever writes by it."""
    ((_, text),) = blocks(GUIDE, "toml")
    assert complaints(text) == []


@pytest.mark.parametrize("mistake", sorted(MISTAKES.keys() - BEYOND))
def test_what_the_loader_refuses_for_its_shape_the_schema_refuses(mistake: str) -> None:
    """One corpus for both."""
    assert complaints(MISTAKES[mistake][0])


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_takes_no_name_that_the_loader_does_not(name: str) -> None:
    """The pattern of a name is one."""
    assert list(Draft202012Validator(SCHEMA).iter_errors({"target": [{"name": name}]})) != []


def complaints(text: str) -> list[str]:
    """What the schema has against a file."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(tomllib.loads(text))]
