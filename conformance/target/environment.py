"""What a profile leaves to the environment, so that no secret need stand in a file."""

from __future__ import annotations

import os
import re
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from conformance.errors import ConfigurationError
from conformance.target.profile_rules import HEADER_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.target.http import Headers
    from conformance.target.profile import Profile

VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
TABLES: Final = frozenset({"headers", "extra", "json"})
"""The tables whose texts may name a variable."""


def resolved(profile: Profile, keep_secret: Callable[[str, str], None]) -> Profile:
    """The profile with what the environment holds in place of each `${NAME}`.

    Args:
        profile: as it was read.
        keep_secret: is told each value, and the variable's name.

    Raises:
        ConfigurationError: a variable is not set, or holds what no header can.
    """
    found: Profile = _resolved(profile, "", keep_secret)
    return found


def headers_of(profile: Profile, base_url: str) -> Headers:
    """The headers of every request to a target, of a profile that is resolved."""
    return tuple((name, text.replace("{base_url}", base_url)) for name, text in profile.headers.items())


def _resolved(value: Any, place: str, keep_secret: Callable[[str, str], None]) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for each in fields(value):
            inner = getattr(value, each.name)
            where = f"{place}.{each.name}".lstrip(".")
            if each.name in TABLES and isinstance(inner, MappingProxyType):
                changed[each.name] = MappingProxyType(_filled(dict(inner), where, keep_secret))
            elif is_dataclass(inner) or isinstance(inner, tuple):
                changed[each.name] = _resolved(inner, where, keep_secret)
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_resolved(item, f"{place}[{number}]", keep_secret) for number, item in enumerate(value))
    return value


def _filled(value: Any, place: str, keep_secret: Callable[[str, str], None]) -> Any:
    match value:
        case dict():
            return {name: _filled(item, f"{place}.{name}", keep_secret) for name, item in value.items()}
        case list():
            return [_filled(item, place, keep_secret) for item in value]
        case str():
            return VARIABLE.sub(lambda match: _value(match[1], place, keep_secret), value)
        case _:
            return value


def _value(variable: str, place: str, keep_secret: Callable[[str, str], None]) -> str:
    value = os.environ.get(variable, "")
    if not value:
        # CI systems set what they do not know to nothing.
        raise ConfigurationError(
            f"the profile wants the environment variable {variable} at {place}, and it is not set", f"set {variable}"
        )
    keep_secret(value, variable)
    if ".headers." in f".{place}" and not HEADER_VALUE.allows(value):
        raise ConfigurationError(
            f"the environment variable {variable} holds a line break, which no header can", "set it to one line"
        )
    return value
