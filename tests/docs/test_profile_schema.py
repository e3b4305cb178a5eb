"""The JSON Schema of profiles says what the dataclasses and the loader say."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.errors import ConfigurationError
from conformance.target.profile_files import from_text, shipped
from tests.conformance.target.profile_corpus import MISSHAPEN
from tests.shapes.judging import profile_of
from tests.shapes.test_shapes import SHAPES

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "specs" / "profile.schema.json").read_text(encoding="utf-8"))
LAB = sorted((ROOT / "lab").glob("*/*.toml"))
SHIPPED = shipped()


def complaints(text: str) -> list[str]:
    """What the schema has against a profile."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(tomllib.loads(text))]


def test_the_schema_is_up_to_date() -> None:
    """It is what would be written now."""
    check = subprocess.run(
        [sys.executable, ROOT / "docs" / "profile_schema.py", "--check"], capture_output=True, text=True, check=False
    )

    assert check.stderr == ""
    assert check.returncode == 0


def test_the_schema_is_one() -> None:
    """It keeps to JSON Schema 2020-12, is closed, and describes every key."""
    Draft202012Validator.check_schema(SCHEMA)
    assert open_or_silent(SCHEMA, "profile") == []


def open_or_silent(part: dict[str, Any], place: str) -> list[str]:
    """Tables that take any key, and keys without a description."""
    found = [place] if "properties" in part and part.get("additionalProperties") is not False else []
    for name, inner in part.get("properties", {}).items():
        found += [] if inner.get("description") else [f"{place}.{name}"]
        found += open_or_silent(inner, f"{place}.{name}")
        found += open_or_silent(inner.get("items", {}), f"{place}.{name}")
    return found


def test_units_and_defaults_are_told() -> None:
    """A number says what it counts, and a key what holds where it is not written."""
    tables = SCHEMA["properties"]
    for name in ("access", "refresh", "leeway", "session"):
        assert "seconds" in tables["lifetimes"]["properties"][name]["description"]
    assert "seconds" in tables["refresh"]["properties"]["grace"]["description"]
    assert tables["login"]["properties"]["path"]["default"] == "/login"
    assert tables["refusals"]["properties"]["no_credentials"]["default"] == [401]
    assert tables["protected"]["items"]["required"] == ["path"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_keeps_to_it(name: str) -> None:
    """Each preset, those of the lab's entries among them, is what the schema describes."""
    assert complaints(SHIPPED[name]) == []


def test_every_lab_entry_has_a_profile_that_keeps_to_it() -> None:
    """The preset of each entry ships, so that the test above has seen it."""
    presets = {tomllib.loads(file.read_text(encoding="utf-8"))["preset"] for file in LAB if file.name == "entry.toml"}
    assert presets <= SHIPPED.keys()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_shape_keeps_to_it(shape: Any) -> None:
    """The profiles of the shapes, which use every key, are taken by the schema as they are by the loader."""
    assert complaints(profile_of(shape)) == []


@pytest.mark.parametrize(("text", "_words"), MISSHAPEN)
def test_what_the_loader_refuses_for_its_shape_the_schema_refuses(text: str, _words: list[str]) -> None:
    """One corpus for both: neither is more lenient than the other."""
    if "extends" not in text:
        text = f'extends = "default"\n{text}'
    with pytest.raises(ConfigurationError):
        from_text(text, "mine.toml")

    assert complaints(text)
