"""Reads the file that names the targets of a fleet; every mistake in it is told at once, before anything runs."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Final

from conformance.credentials import check_given
from conformance.errors import ConfigurationError, nearest
from conformance.fleet.entry import BY_NAME, NAME, Entry
from conformance.options import REPORTS, SWITCH_WORDS, settled
from conformance.target import environment
from conformance.target.http import check_base_url
from conformance.target.profile_files import lines_of, load, shipped

TABLES: Final = ("defaults", "target")
KEYS: Final = frozenset({*BY_NAME, "strict", "name"})
NEVER: Final = {
    "plan": "a fleet judges; ask for the plan of one target with jwt-conformance run --plan",
    "report-json": "the fleet writes one for each target, into the folder of --out",
    "update-baseline": "bring a baseline up to date with jwt-conformance run, for one target",
}
"""Options of a run that a fleet has no use for, and what to do instead."""
ONE_EACH: Final = tuple(option for option in REPORTS if option not in NEVER)
"""Files that are written by a target, so that all of them cannot have the same."""


def read(file: str, *, keyword: str = "", remote: bool = False) -> tuple[Entry, ...]:
    """The targets in a file, in its order.

    Args:
        file: TOML, as `specs/targets.schema.json` describes it.
        keyword: chooses scenarios in every run.
        remote: whether variables and files are those of another machine, and cannot be looked at here.

    Raises:
        ConfigurationError: it cannot be read, or something in it means nothing. All mistakes are told.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{file!r} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file!r} is no TOML: {error}") from None
    reader = _Reader(file, lines_of(text), keyword, remote=remote)
    entries = reader.entries(data)
    if reader.mistakes:
        count = len(reader.mistakes)
        lines = "".join(f"\n  {mistake}" for mistake in reader.mistakes)
        raise ConfigurationError(f"{file!r} has {count} mistake{'s' if count > 1 else ''}:{lines}")
    return tuple(entries)


class _Reader:
    """Makes entries of what TOML has made of a file, and keeps what is wrong.

    Attributes:
        mistakes: a line each.
    """

    def __init__(self, file: str, lines: dict[str, int], keyword: str, *, remote: bool) -> None:
        self.mistakes: list[str] = []
        self._lines, self._keyword, self._remote = lines, keyword, remote
        self._folder = "" if remote else str(Path(file).resolve().parent)
        self._names: dict[str, str] = {}
        self._files: dict[str, str] = {}

    def entries(self, data: dict[str, Any]) -> list[Entry]:
        """The targets that are free of mistakes."""
        for key in data:
            if key not in TABLES:
                known = [f"{table}.{name}" for table in TABLES for name in KEYS]
                meant = f"; write it under [defaults] or [[target]], where {key!r} belongs" if key in KEYS else ""
                self._wrong(key, f"{key!r} is no table of it{meant or nearest(key, [*TABLES, *known])}")
        defaults, targets = data.get("defaults", {}), data.get("target", [])
        if not isinstance(defaults, dict):
            self._wrong("defaults", "defaults is no table: write [defaults]")
            defaults = {}
        if not isinstance(targets, list) or not all(isinstance(item, dict) for item in targets):
            self._wrong("target", "target is no array of tables: write [[target]]")
            targets = []
        elif not targets:
            self._wrong("", "it names no target: write [[target]] with a name")
        usual = self._options(defaults, "defaults")
        found = [self._entry(usual, item, f"target[{number}]") for number, item in enumerate(targets)]
        return [entry for entry in found if entry]

    def _wrong(self, place: str, says: str) -> None:
        line = self._lines.get(place) or self._lines.get(place.rpartition(".")[0])
        # One mistake is one line, whatever it quotes.
        self.mistakes.append((f"line {line}: " if line else "") + " ".join(says.split()))

    def _entry(self, usual: dict[str, str | bool], item: dict[str, Any], place: str) -> Entry | None:
        known = len(self.mistakes)
        name = self._name(item, place)
        options = {**usual, **self._options(item, place)}
        strict = options.pop("strict", False) is True
        # A switch that is off, like a text that is empty, takes back what the defaults say.
        given = {key: "on" if value is True else str(value) for key, value in options.items() if value}
        entry = Entry(name, given, strict, self._keyword, self._folder)
        for option in ONE_EACH:
            if file := given.get(option):
                other = self._files.setdefault(os.path.normpath(file), name)
                if other != name:
                    self._wrong(f"{place}.{option}", f"{option} {file!r} of {name!r} is written by {other!r} as well")
        if len(self.mistakes) == known:
            try:
                check_elsewhere(entry) if self._remote else check(entry)
            except ConfigurationError as error:
                message = str(error).replace("\n  hint:", "; hint:").replace("--base-url", "base-url")
                self._wrong(place, f"{name!r}: {message}")
        return entry if len(self.mistakes) == known else None

    def _name(self, item: dict[str, Any], place: str) -> str:
        name = item.get("name", "")
        if not isinstance(name, str) or not name:
            self._wrong(place, "a target has no name: its report is called after it")
        elif not NAME.fullmatch(name) or name.endswith("."):
            hint = "letters, digits, '.', '_' and '-', the first a letter or a digit, 100 at most"
            self._wrong(f"{place}.name", f"{name!r} is no name for a file: {hint}")
        elif (other := self._names.setdefault(name.casefold(), place)) != place:
            line = self._lines.get(f"{other}.name")
            self._wrong(
                f"{place}.name", f"{name!r} is the name of two targets" + (f": see line {line}" if line else "")
            )
        return str(name)

    def _options(self, table: dict[str, Any], place: str) -> dict[str, str | bool]:
        """The options of a table that can be used."""
        keys = KEYS if place != "defaults" else KEYS - {"name"}
        found: dict[str, str | bool] = {}
        for key, value in table.items():
            where = f"{place}.{key}"
            if key == "name" and "name" in keys:
                continue
            if key not in keys:
                self._wrong(where, f"{key!r} is no option{nearest(key, keys - NEVER.keys())}")
            elif key in NEVER:
                self._wrong(where, f"{key} cannot be given here: {NEVER[key]}")
            elif place == "defaults" and key in ONE_EACH:
                self._wrong(
                    where, f"{key} would be one file for all targets: give it under [[target]], or to the fleet"
                )
            elif key == "strict" or BY_NAME[key].is_switch:
                self._switch(found, key, value, where)
            elif isinstance(value, bool) or not isinstance(value, str | int | float):
                self._wrong(where, f"{key} wants a text or a number")
            elif "\0" in str(value):
                self._wrong(where, f"{key} holds a NUL, which no option can")
            else:
                found[key] = str(value)
        return found

    def _switch(self, found: dict[str, str | bool], key: str, value: Any, where: str) -> None:
        word = SWITCH_WORDS.get(str(value).lower()) if isinstance(value, str | bool) else None
        if word is None:
            self._wrong(where, f"{key} is true or false")
        else:
            found[key] = word


def check(entry: Entry) -> None:
    """What a run on this machine would complain about before it asks its target anything.

    Raises:
        ConfigurationError: the first such thing.
    """
    settings = settled(entry.resolved(os.environ), strict=entry.strict)
    if settings.base_url:
        check_base_url(settings.base_url)
    profile = load(settings.target_profile)
    environment.resolved(profile, lambda _value, _name: None)
    check_given(profile, settings)


def check_elsewhere(entry: Entry) -> None:
    """What can be told of a run on another machine: nothing is known of its variables and its files.

    Raises:
        ConfigurationError: a secret would have to travel, or an option means nothing.
    """
    for option, text in entry.secrets:
        if not text.startswith(("@", "${")):
            raise ConfigurationError(
                f"{option.name} would be sent to the scheduler as it is",
                "write ${NAME} or @FILE, and set the variable or keep the file where the workers are",
            )
    plain = {
        # What is not known is something, and not the same as anything else.
        name: f"unknown {name}" if "${" in text or text.startswith("@") else text
        for name, text in entry.options.items()
        if name != "public-key" and ("${" not in text or BY_NAME[name].default is None)
    }
    for number in ("rate", "concurrency"):
        if "${" in entry.options.get(number, ""):
            del plain[number]
    settings = settled(plain, strict=entry.strict)
    if settings.base_url and "${" not in entry.options["base-url"]:
        check_base_url(settings.base_url)
    name = settings.target_profile
    if name not in shipped() and not name.endswith(".toml") and os.sep not in name:
        load(name)
