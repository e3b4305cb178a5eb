"""The tables and keys of a profile, read from the dataclasses that hold one, and from their docstrings."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from types import MappingProxyType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from conformance.target import profile
from conformance.target.profile_files import from_text, shipped


@dataclass(frozen=True)
class Key:
    """A key: what it takes, what holds where it is absent, and what it means."""

    name: str
    takes: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table of a profile, as its header is written, with what it is about."""

    headers: tuple[str, ...]
    meaning: str
    keys: tuple[Key, ...]

    @property
    def title(self) -> str:
        """The headers in a heading; the keys above all tables have none."""
        return ", ".join(f"`{header}`" for header in self.headers) or "Above all tables"


@dataclass(frozen=True)
class Preset:
    """A profile that comes with the suite."""

    name: str
    summary: str
    checked_against: str
    is_ours: bool


def tables() -> list[Table]:
    """Every table that has keys, in the order in which a profile holds them."""
    found: dict[type, Table] = {}
    _add(found, profile.Profile, "")
    return [table for table in found.values() if table.keys]


def _add(found: dict[type, Table], kind: Any, header: str) -> None:
    """Adds a dataclass, and those in it; one that is in several places has one row of keys."""
    place = header.strip("[]")
    before = found.pop(kind) if kind in found else None
    hints, meanings = get_type_hints(kind), _meanings(kind)
    inner = {field.name: _table_in(hints[field.name]) for field in fields(kind)}
    keys = [
        Key(field.name, _takes(hints[field.name]), _default(field), meanings.get(field.name, ""))
        for field in fields(kind)
        if not inner[field.name]
    ]
    headers = (*(before.headers if before else ()), *((header,) if header else ()))
    found[kind] = Table(headers, " ".join((inspect.getdoc(kind) or "").split()), tuple(keys))
    for name, table in inner.items():
        if table:
            path = f"{place}.{name}".lstrip(".")
            _add(found, table, f"[[{path}]]" if get_origin(hints[name]) is tuple else f"[{path}]")


def _table_in(hint: Any) -> Any:
    """The dataclass that a field holds, or holds an array of; None for a plain value."""
    inside = get_args(hint)[0] if get_origin(hint) is tuple else hint
    return inside if is_dataclass(inside) else None


def _meanings(kind: type) -> dict[str, str]:
    """The docstring below each field."""
    body = next(node for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)).body
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _takes(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in arguments)
    if origin is tuple:
        return "numbers" if int in arguments else "strings"
    if origin is MappingProxyType:
        return "table of strings" if arguments[1] is str else "table"
    return {str: "string", bool: "`true`, `false`"}.get(hint, "number" if _is_number(hint) else str(hint))


def _is_number(hint: Any) -> bool:
    return hint is int or (isinstance(hint, UnionType) and int in get_args(hint))


def _default(field: Field[Any]) -> str:
    if field.name == "name":
        return "the file's name"
    if field.default is MISSING:
        return "has to be given" if field.default_factory is MISSING else "`{}`"
    if field.default is None:
        return "not declared"
    return f"`{json.dumps(field.default)}`"


def presets() -> list[Preset]:
    """Every shipped profile, by name."""
    found = []
    for name, text in sorted(shipped().items()):
        read = from_text(text, name)
        # Those that the bundled server speaks, and the one that all others begin with.
        is_ours = name in {"default", "bare"} or read.extends == "default"
        found.append(Preset(name, read.summary, read.checked_against, is_ours))
    return found
