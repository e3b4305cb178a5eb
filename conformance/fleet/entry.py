"""One target of a fleet, as its file has it, and what of it a run is given."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from conformance import __version__
from conformance.errors import ConfigurationError
from conformance.options import BASE_URL, OPTIONS, Option
from conformance.target.environment import VARIABLE
from conformance.target.profile_files import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BY_NAME: Final = {option.name: option for option in (BASE_URL, *OPTIONS)}
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a target may be called: its report is a file of that name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A target and the options of its run, as they are written: variables and files have not been looked at.

    Attributes:
        name: unique in its fleet.
        options: by name; a switch that is off is not among them, nor is what is empty.
        strict: whether a broken SHOULD fails the run.
        keyword: chooses scenarios, as `-k` does; empty for all.
        folder: where its files are and its programs start; empty for wherever the worker was started.
    """

    name: str
    options: Mapping[str, str]
    strict: bool = False
    keyword: str = ""
    folder: str = ""

    @property
    def secrets(self) -> Iterator[tuple[Option, str]]:
        """The options that nobody may see, with what is written."""
        return ((BY_NAME[name], text) for name, text in self.options.items() if BY_NAME[name].secret)

    @property
    def digest(self) -> str:
        """What the verdicts follow from, as far as it is known here: with another digest a target is judged anew.

        Nothing in it lets anybody guess a secret: of one it only counts that it is given.
        """
        shown = {name: "" if BY_NAME[name].secret else text for name, text in sorted(self.options.items())}
        contents = {}
        for name in shown:
            file = self._file(BY_NAME[name], self.options[name])
            if file and not BY_NAME[name].secret and Path(file).is_file():
                contents[name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        known = [__version__, shown, self.strict, self.keyword, contents]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def resolved(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The options with what the environment holds in place of each `${NAME}`, and with files where they lie.

        Raises:
            ConfigurationError: a variable is not set.
        """
        found = {}
        for name, text in self.options.items():
            value = VARIABLE.sub(lambda match, name=name: _value(environ, match[1], name), text)  # type: ignore[misc]
            at = "@" if value.startswith("@") else ""
            file = self._file(BY_NAME[name], value)
            found[name] = f"{at}{file}" if file else value
        return found

    def _file(self, option: Option, value: str) -> str:
        """The path of the file that a value names; empty where it names none, or nobody here can know."""
        if not self.folder or "${" in value or "FILE" not in option.metavar:
            return ""
        if "@FILE" in option.metavar:
            return str(Path(self.folder, value[1:])) if value.startswith("@") else ""
        path = Path(self.folder, value)
        if option.metavar == "NAME|FILE" and (value in shipped() or not (path.suffix == ".toml" or path.exists())):
            return ""
        return str(path)


def _value(environ: Mapping[str, str], variable: str, option: str) -> str:
    value = environ.get(variable, "")
    if not value:
        # CI systems set what they do not know to nothing.
        raise ConfigurationError(f"{option} wants the environment variable {variable}, and it is not set")
    return value
