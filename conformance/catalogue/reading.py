"""From the catalogue's TOML files to values; whatever they must not say is refused here."""

import enum
import itertools
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from .model import Area, Catalogue, CatalogueError, Hindrance, Level, NotTestable, Requirement, Tier, Vocabulary

_VOCABULARY = "_vocabulary.toml"
_NOT_TESTABLE = "_not_testable.toml"
_AREA_KEYS = {"title": str, "order": int, "requirement": list}
_TEXTS = ("id", "title", "level", "tier", "how", "accepts", "why", "fix")
_REQUIREMENT_KEYS = dict.fromkeys(_TEXTS, str) | {"sources": list, "needs": list, "intrusive": bool}
_STATEMENT_KEYS = dict.fromkeys(("id", "statement", "kind", "reason"), str) | {"sources": list, "nearest": list}
_TYPE_NAMES = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
    list: "an array",
    dict: "a table",
}


def read(directory: Traversable) -> Catalogue:
    """Read the vocabulary and every area in a directory.

    Raises:
        CatalogueError: a file is malformed; the message names it, and the requirement where there is one.
    """
    vocabulary = _read_vocabulary(directory / _VOCABULARY)
    files = sorted(
        (file for file in directory.iterdir() if file.name.endswith(".toml") and not file.name.startswith("_")),
        key=lambda file: file.name,
    )
    areas = tuple(_read_area(file, vocabulary) for file in files)
    others = directory / _NOT_TESTABLE
    return Catalogue.of(areas, vocabulary, _read_not_testable(others) if others.is_file() else ())


def _read_vocabulary(file: Traversable) -> Vocabulary:
    document = parse(file)
    check_keys(document, {"tiers": dict, "capabilities": dict}, file.name)
    if list(document["tiers"]) != [tier.value for tier in Tier]:
        raise CatalogueError(f"{file.name}: [tiers] must explain {_listed(Tier)}, in this order")
    for table in ("tiers", "capabilities"):
        check_keys(document[table], dict.fromkeys(document[table], str), f"{file.name}: [{table}]")
    tiers = {Tier(name): meaning for name, meaning in document["tiers"].items()}
    return Vocabulary(tiers=MappingProxyType(tiers), capabilities=MappingProxyType(document["capabilities"]))


def _read_area(file: Traversable, vocabulary: Vocabulary) -> Area:
    name = file.name.removesuffix(".toml")
    document = parse(file)
    check_keys(document, _AREA_KEYS, file.name)
    requirements = tuple(
        _requirement(entry, position, name, vocabulary)
        for position, entry in enumerate(document["requirement"], start=1)
    )
    twice = [i for i, count in Counter(requirement.id for requirement in requirements).items() if count > 1]
    if twice:
        raise CatalogueError(f"{file.name}: {twice[0]} is declared more than once")
    return Area(name=name, title=document["title"], order=document["order"], requirements=requirements)


def _read_not_testable(file: Traversable) -> tuple[NotTestable, ...]:
    document = parse(file)
    check_keys(document, {"statement": list}, file.name)
    return tuple(
        _statement(entry, position, file.name) for position, entry in enumerate(document["statement"], start=1)
    )


def _statement(entry: Any, position: int, file: str) -> NotTestable:
    if not isinstance(entry, dict):
        raise CatalogueError(f"{file}: statement {position} must be a table")
    where = f"{file}: {entry.get('id', f'statement {position}')}"
    check_keys(entry, _STATEMENT_KEYS, where)
    if entry["kind"] not in {member.value for member in Hindrance}:
        raise CatalogueError(f"{where}: kind is {entry['kind']!r}, which is none of {_listed(Hindrance)}")
    _check_lists(entry, ("sources", "nearest"), where)
    return NotTestable(
        id=entry["id"],
        sources=tuple(entry["sources"]),
        statement=entry["statement"].strip(),
        kind=Hindrance(entry["kind"]),
        reason=entry["reason"].strip(),
        nearest=tuple(entry["nearest"]),
    )


def _requirement(entry: Any, position: int, area: str, vocabulary: Vocabulary) -> Requirement:
    file = f"{area}.toml"
    if not isinstance(entry, dict):
        raise CatalogueError(f"{file}: requirement {position} must be a table")
    where = f"{file}: {entry.get('id', f'requirement {position}')}"
    check_keys(entry, _REQUIREMENT_KEYS, where)
    if not re.fullmatch(rf"{re.escape(area.upper())}-[0-9]{{2}}", entry["id"]):
        raise CatalogueError(f"{where}: an id in this file reads {area.upper()}-01, {area.upper()}-02 and so on")
    for key, known in (("level", Level), ("tier", Tier)):
        if entry[key] not in {member.value for member in known}:
            raise CatalogueError(f"{where}: {key} is {entry[key]!r}, which is none of {_listed(known)}")
    _check_lists(entry, ("sources", "needs"), where)
    for need in entry["needs"]:
        if need not in vocabulary.capabilities:
            raise CatalogueError(f"{where}: {need!r} is no capability that {_VOCABULARY} knows")
    texts = {key: entry[key].strip() for key in _TEXTS}
    return Requirement(
        **{**texts, "level": Level(texts["level"]), "tier": Tier(texts["tier"])},
        sources=tuple(entry["sources"]),
        needs=tuple(entry["needs"]),
        intrusive=entry["intrusive"],
        area=area,
    )


def parse(file: Traversable) -> dict[str, Any]:
    """Return what a TOML file says; raises CatalogueError, naming the file, where it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{file.name}: cannot be read: {error}") from error


def check_keys(table: dict[str, Any], expected: Mapping[str, type], where: str) -> None:
    """Raise CatalogueError unless a table has just these keys, of these types, and no empty text."""
    for key in table:
        if key not in expected:
            raise CatalogueError(f"{where}: unknown key {key!r}")
    for key, kind in expected.items():
        if key not in table:
            raise CatalogueError(f"{where}: {key!r} is missing")
        # Not isinstance: to Python, true is a whole number.
        if type(table[key]) is not kind:
            raise CatalogueError(f"{where}: {key!r} must be {_TYPE_NAMES[kind]}")
        if kind is str and not table[key].strip():
            raise CatalogueError(f"{where}: {key!r} is empty")


def _check_lists(entry: dict[str, Any], names: tuple[str, str], where: str) -> None:
    if not entry["sources"]:
        raise CatalogueError(f"{where}: sources must name at least one")
    for item in itertools.chain.from_iterable(entry[name] for name in names):
        if not isinstance(item, str) or not item.strip():
            raise CatalogueError(f"{where}: {' and '.join(names)} hold strings, not {item!r}")


def _listed(names: type[enum.Enum]) -> str:
    return ", ".join(str(member.value) for member in names)
