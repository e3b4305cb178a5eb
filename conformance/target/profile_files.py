"""Reading profiles: the shipped ones by name, the user's from TOML; errors name the line and the nearest key."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from conformance.errors import ConfigurationError, nearest
from conformance.target.profile import Profile
from conformance.target.profile_rules import HEADER_NAME, limits_of, rule_of
from conformance.target.profile_tables import Protected, Step
from conformance.tokens.reading import Kind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, for messages about what is in it."""

    origin: str
    lines: dict[str, int]

    def problem(self, place: str, says: str, hint: str = "") -> ConfigurationError:
        """An error about what stands at a dotted place."""
        probe = place
        while probe and probe not in self.lines:
            probe = re.sub(r"[.\[][^.\[]*$", "", probe) if re.search(r"[.\[]", probe) else ""
        line = f", line {self.lines[probe]}," if probe else ""
        return ConfigurationError(f"the profile {self.origin}{line} {says}", hint)


def load(name_or_file: str) -> Profile:
    """A shipped profile by name, or the user's own from a TOML file.

    Raises:
        ConfigurationError: no such profile, no such file, or a key or value in it that means nothing.
    """
    return _load(name_or_file, ())


def _load(name_or_file: str, heirs: tuple[str, ...]) -> Profile:
    if name_or_file in heirs:
        raise ConfigurationError(f"the profile {name_or_file} extends itself, through {' and '.join(heirs)}")
    heirs = (*heirs, name_or_file)
    if name_or_file in shipped():
        return _from_text(shipped()[name_or_file], name_or_file, heirs)
    path = Path(name_or_file)
    if path.suffix == ".toml" or path.exists():
        try:
            return _from_text(path.read_text(encoding="utf-8"), str(path), heirs)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the profile {name_or_file} cannot be read: {error}") from None
    raise ConfigurationError(
        f"no profile is named {name_or_file!r}{nearest(name_or_file, shipped())}",
        f"shipped profiles: {', '.join(sorted(shipped()))}; or give the path of a .toml file",
    )


@cache
def shipped() -> dict[str, str]:
    """The text of every profile that comes with the suite, by name."""
    folder = files("conformance.target") / "profiles"
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


def from_text(text: str, origin: str) -> Profile:
    """A profile from its TOML.

    Raises:
        ConfigurationError: a key or value in it means nothing; `origin` says where it is from.
    """
    return _from_text(text, origin, (origin,))


def _from_text(text: str, origin: str, heirs: tuple[str, ...]) -> Profile:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the profile {origin} is no TOML: {error}") from None
    source = _Source(origin, lines_of(text))
    data.setdefault("name", Path(origin).stem)
    parent = data.get("extends", "")
    base = Profile(name="")
    if isinstance(parent, str) and parent:
        # A file that is named in a file lies beside it.
        beside = Path(origin).parent / parent
        base = _load(str(beside) if parent not in shipped() and beside.is_file() else parent, heirs)
        # What the parent was checked against says nothing of the heir.
        base = replace(base, summary="", checked_against="")
    profile = _build(base, data, source, "")
    _check(profile, source)
    if not profile.protected and origin != "bare":
        raise ConfigurationError(f"the profile {origin} names no protected route", "add [[protected]] with a path")
    return profile


_TABLE: Final = re.compile(r"\s*(\[\[?)\s*([\w.\-\" ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(r"\s*([\w.\-\"]+)\s*=")


def lines_of(text: str) -> dict[str, int]:
    """The line of each key by its dotted place; within an inline table, or a text of several lines, that of the key."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _numbered(header[2].replace('"', "").replace(" ", ""), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = f"{table}[{counts[table]}]"
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            name = key[1].replace('"', "")
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


def _numbered(table: str, counts: dict[str, int]) -> str:
    """The table's place, where it belongs to the last table of an array: `login.before[0].capture`."""
    first, _, rest = table.rpartition(".")
    if not first:
        return table
    first = _numbered(first, counts)
    return f"{first}[{counts[first]}].{rest}" if first in counts else f"{first}.{rest}"


def _check(profile: Profile, source: _Source) -> None:
    """What single values do not show."""
    for name in ("provision", "reconfigure"):
        if problem := getattr(profile.hooks, name).problem:
            raise source.problem(f"hooks.{name}", f"has hooks.{name}, which {problem}")
    shown = profile.sent_in(Kind.REFRESH)
    if profile.refresh.with_access and profile.has_refresh_token and shown == profile.sent_in(Kind.ACCESS):
        raise source.problem(
            "refresh.with_access",
            f"has refresh.with_access, and both tokens stand {shown.words}",
            "set refresh.sent_in to where the refresh token stands, such as body:refresh_token",
        )


def _build(base: T, data: dict[str, Any], source: _Source, where: str) -> T:
    """A copy of the dataclass `base` with the members of `data` in place of its own."""
    hints = get_type_hints(type(base))
    values: dict[str, Any] = {}
    for key, value in data.items():
        place = f"{where}.{key}" if where else key
        if key not in hints:
            raise source.problem(place, f"has an unknown key {place!r}{_moved(place) or nearest(key, hints)}")
        values[key] = _convert(getattr(base, key, None), hints[key], value, source, place)
    return replace(base, **values)  # type: ignore[type-var] # always one of the dataclasses of a profile


def _moved(place: str) -> str:
    """Where to write what stands in a table that it does not belong to, and often is looked for in."""
    return {
        "capabilities.logout": "; write `path` under [logout]",
        "capabilities.refresh": "; write `path` under [refresh]",
        "capabilities.login": "; write `path` under [login]",
    }.get(place, "")


_TABLES: Final[dict[Any, Any]] = {tuple[Protected, ...]: Protected, tuple[Step, ...]: Step}
"""Arrays of tables, and what a table of each is."""


def _convert(current: Any, hint: Any, value: Any, source: _Source, place: str) -> Any:
    """The value as the field wants it."""
    if is_dataclass(current) and isinstance(value, dict):
        return _build(current, value, source, place)
    if hint in _TABLES and _is_list_of((dict,), value):
        return tuple(_item(_TABLES[hint], item, source, f"{place}[{index}]") for index, item in enumerate(value))
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is MappingProxyType and isinstance(value, dict):
        for key, item in value.items():
            if place.rpartition(".")[2] == "headers" and not HEADER_NAME.allows(key):
                raise source.problem(place, f"has the header {key!r} at {place!r}", HEADER_NAME.hint)
            _check_item(arguments[1], item, source, f"{place}.{key}")
        return MappingProxyType(value)
    if kind is tuple and hint not in _TABLES and _is_list_of(arguments, value):
        for item in value:
            _check_value(item, source, place)
        return tuple(value)
    if value in arguments if kind is Literal else type(value) in (arguments if kind in {Union, UnionType} else (hint,)):
        _check_value(value, source, place)
        return value
    meant = nearest(str(value), arguments) if kind is Literal else ""
    raise source.problem(place, f"has {value!r} at {place!r}, which wants {_wanted(hint)}{meant}")


def _check_value(value: Any, source: _Source, place: str) -> None:
    """Raises where a text, or a number, is none that means something there."""
    if type(value) is int:
        least, most = limits_of(place)
        if value < least or (most is not None and value > most):
            bounds = f"{least} or more" if most is None else f"{least} to {most}"
            raise source.problem(place, f"has {value} at {place!r}, which wants {bounds}")
    rule = rule_of(place) if isinstance(value, str) else None
    if rule is None or rule.allows(value):
        return
    where, colon, rest = value.partition(":")
    says = ""
    if rule.places and not value:
        says = ", which names no place"
    elif rule.places and (not colon or where not in rule.places):
        says = f", which is no place{nearest(where, rule.places)}"
    elif rule.places and not rest.strip():
        says = ", which names nothing"
    raise source.problem(place, f"has {value!r} at {place!r}{says}", rule.hint)


def _is_list_of(kinds: tuple[Any, ...], value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is kinds[0] for item in value)


def _check_item(hint: Any, value: Any, source: _Source, place: str) -> None:
    """Raises where a member of a free table is none that the suite can use."""
    if hint is str and not isinstance(value, str):
        raise source.problem(place, f"has {value!r} at {place!r}, which wants {_wanted(str)}")
    if hint is str:
        _check_value(value, source, place)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise source.problem(place, f"has {value!r} at {place!r}, which JSON cannot say") from None


def _item(kind: type[T], item: dict[str, Any], source: _Source, place: str) -> T:
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]  # type: ignore[arg-type]
    for name in needed:
        if name not in item:
            raise source.problem(place, f"lacks {place}.{name}")
    return _build(kind(**dict.fromkeys(needed, "")), item, source, place)


def _wanted(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    words = {
        str: "a string",
        bool: "true or false",
        int: "a whole number",
        int | None: "a whole number",
        tuple[int, ...]: "a list of numbers",
        tuple[str, ...]: "a list of strings",
    }
    return words.get(hint, "an array of tables" if hint in _TABLES else "a table")
