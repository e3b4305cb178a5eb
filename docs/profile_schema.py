"""Writes `specs/profile.schema.json` from the dataclasses of a profile, their docstrings, and the rules of its texts.

python docs/profile_schema.py            writes the schema
python docs/profile_schema.py --check    fails if it is not what would be written
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import itertools
import json
import sys
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from conformance.target import profile, profile_tables
from conformance.target.profile_rules import CAPTURED, HEADER_NAME, HEADER_VALUE, limits_of, rule_of

FILE: Final = Path(__file__).parents[1] / "specs" / "profile.schema.json"
FREE: Final = {"$ref": "#/$defs/json"}
JSON: Final = {
    "description": "A value of JSON; the text {null} stands for its null, which TOML has not.",
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "items": FREE},
        {"type": "object", "additionalProperties": FREE},
    ],
}
URL: Final = "^(https?://.*)?$"


def schema() -> dict[str, Any]:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A profile of jwt-conformance",
        **_table(profile.Profile, ""),
        # The name is the file's, unless it is said.
        "required": [],
        "$defs": {"json": JSON},
    }


def _table(kind: type[Any], place: str) -> dict[str, Any]:
    """A dataclass as an object."""
    assert dataclasses.is_dataclass(kind)
    hints, said = get_type_hints(kind), _said_of_fields(kind)
    properties, required = {}, []
    for each in dataclasses.fields(kind):
        where = f"{place}.{each.name}".lstrip(".")
        about = {"description": said[each.name]} if each.name in said else {}
        properties[each.name] = {**about, **_value(hints[each.name], where), **_default(each)}
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            required.append(each.name)
    found: dict[str, Any] = {"description": _prose(kind.__doc__), "type": "object", "properties": properties}
    return {**found, "required": required, "additionalProperties": False}


def _value(hint: Any, place: str) -> dict[str, Any]:
    """What may stand at a place."""
    arguments = get_args(hint)
    match get_origin(hint):
        case None:
            return _table(hint, place) if dataclasses.is_dataclass(hint) else _scalar(hint, place)
        case origin if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        case origin if origin is tuple:
            return {"type": "array", "items": _value(arguments[0], place)}
        case origin if origin is MappingProxyType:
            return _free(arguments[1], place)
        case _:
            # None is where nothing is said, for which TOML has no value.
            return _value(*(each for each in arguments if each is not NoneType), place)


def _scalar(hint: Any, place: str) -> dict[str, Any]:
    if hint is bool:
        return {"type": "boolean"}
    if hint is int:
        least, most = limits_of(place)
        return {"type": "integer", "minimum": least} | ({"maximum": most} if most is not None else {})
    assert hint is str, hint
    rule = rule_of(place)
    pattern = URL if place.endswith(".url") else f"^(?:{rule.pattern})$" if rule else ""
    return {"type": "string"} | ({"pattern": pattern} if pattern else {})


def _free(kind: Any, place: str) -> dict[str, Any]:
    """A table whose keys are the user's."""
    found: dict[str, Any] = {"type": "object", "additionalProperties": FREE if kind is Any else {"type": "string"}}
    match place.rpartition(".")[2]:
        case "headers":
            found["propertyNames"] = {"pattern": f"^(?:{HEADER_NAME.pattern})$"}
            found["additionalProperties"] = {"type": "string", "pattern": f"^(?:{HEADER_VALUE.pattern})$"}
        case "capture":
            found["additionalProperties"] = {"type": "string", "pattern": f"^(?:{CAPTURED.pattern})$"}
    return found


def _default(each: dataclasses.Field[Any]) -> dict[str, Any]:
    value = each.default
    if value is dataclasses.MISSING and each.default_factory is not dataclasses.MISSING:
        value = each.default_factory()
    if value in (dataclasses.MISSING, None) or dataclasses.is_dataclass(value):
        return {}
    if isinstance(value, tuple):
        return {"default": list(value)}
    return {"default": dict(value) if isinstance(value, MappingProxyType) else value}


@cache
def _classes() -> dict[str, ast.ClassDef]:
    modules = [ast.parse(inspect.getsource(module)) for module in (profile, profile_tables)]
    return {node.name: node for module in modules for node in module.body if isinstance(node, ast.ClassDef)}


def _said_of_fields(kind: type[Any]) -> dict[str, str]:
    """What the text below each field says of it."""
    body = _classes()[kind.__name__].body
    said = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            said[field.target.id] = _prose(ast.literal_eval(text.value))
    return said


def _prose(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").split())


def text() -> str:
    """The file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the JSON Schema of profiles.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the schema is out of date")
    if not parser.parse_args().check:
        FILE.write_text(text(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text():
        sys.stderr.write(f"specs/{FILE.name} is out of date: run python docs/profile_schema.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
