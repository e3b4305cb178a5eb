"""How a target speaks: a TOML file says where its doors are and how tokens come and go."""

from __future__ import annotations

import difflib
import json
import tomllib
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from conformance.errors import ConfigurationError

DEFAULT: Final = "default"
PATHS: Final = frozenset({"path", "logout", "jwks"})
"""Keys whose values are joined to the target's URL."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """The first door: an account's name and password for two tokens.

    `access` and `refresh` are dotted paths into the JSON answer, or cookie names where `transport` is cookie.
    """

    path: str = "/login"
    method: str = "POST"
    username: str = "username"
    password: str = "password"  # noqa: S105 - the member's name
    access: str = "access_token"
    refresh: str = "refresh_token"
    expires_in: str = "expires_in"
    refresh_expires_in: str = "refresh_expires_in"
    extra: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Refresh:
    """The third door: a refresh token for a new access token."""

    path: str = "/refresh"
    method: str = "POST"
    access: str = "access_token"
    refresh: str = "refresh_token"
    expires_in: str = "expires_in"
    refresh_expires_in: str = "refresh_expires_in"


@dataclass(frozen=True, slots=True)
class Protected:
    """A route that wants an access token. `identity` is the dotted path of what names the user, where there is one."""

    path: str
    method: str = "GET"
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names used where tokens travel in cookies; the CSRF value is read from a second cookie and sent as a header."""

    access: str = "access_token_cookie"
    refresh: str = "refresh_token_cookie"
    csrf_header: str = "X-CSRF-TOKEN"
    access_csrf: str = "csrf_access_token"
    refresh_csrf: str = "csrf_refresh_token"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """What the operator declares, in seconds; None where nothing is declared. `leeway` is tolerated after expiry."""

    access: int | None = None
    refresh: int | None = None
    leeway: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the target offers beside the core; an empty path means that it does not."""

    logout: str = ""
    jwks: str = ""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Statuses that count as an answer to a request without credentials."""

    no_credentials: tuple[int, ...] = (401,)


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything the suite knows of a target before it has met it."""

    name: str
    summary: str = ""
    extends: str = ""
    transport: Literal["bearer", "cookie"] = "bearer"
    login: Login = field(default_factory=Login)
    refresh: Refresh = field(default_factory=Refresh)
    protected: tuple[Protected, ...] = ()
    cookies: Cookies = field(default_factory=Cookies)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    capabilities: Capabilities = field(default_factory=Capabilities)
    refusals: Refusals = field(default_factory=Refusals)
    bundled: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Settings of the bundled server that make it speak this profile."""


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


def nearest(name: str, candidates: Any) -> str:
    """`; did you mean 'x'?` where a candidate comes close, else an empty string."""
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _from_text(text: str, origin: str, heirs: tuple[str, ...]) -> Profile:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the profile {origin} is no TOML: {error}") from None
    data.setdefault("name", Path(origin).stem)
    parent = data.get("extends", "")
    base = Profile(name="")
    if isinstance(parent, str) and parent:
        # A file that is named in a file lies beside it.
        beside = Path(origin).parent / parent
        base = _load(str(beside) if parent not in shipped() and beside.is_file() else parent, heirs)
    profile = _build(base, data, origin, "")
    if not profile.protected:
        raise ConfigurationError(f"the profile {origin} names no protected route", "add [[protected]] with a path")
    return profile


def _build(base: T, data: dict[str, Any], origin: str, where: str) -> T:
    """A copy of the dataclass `base` with the members of `data` in place of its own."""
    hints = get_type_hints(type(base))
    values: dict[str, Any] = {}
    for key, value in data.items():
        place = f"{where}.{key}" if where else key
        if key not in hints:
            raise ConfigurationError(f"the profile {origin} has an unknown key {place!r}{nearest(key, hints)}")
        values[key] = _convert(getattr(base, key, None), hints[key], value, origin, place)
    return replace(base, **values)  # type: ignore[type-var] # always one of the dataclasses above


def _convert(current: Any, hint: Any, value: Any, origin: str, place: str) -> Any:
    if is_dataclass(current) and isinstance(value, dict):
        return _build(current, value, origin, place)
    if place == "protected" and isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return tuple(_route(item, origin, f"{place}[{index}]") for index, item in enumerate(value))
    if get_origin(hint) is MappingProxyType and isinstance(value, dict):
        for key, item in value.items():
            _check_item(get_args(hint)[1], item, origin, f"{place}.{key}")
        return MappingProxyType(value)
    if hint == tuple[int, ...] and isinstance(value, list) and all(type(item) is int for item in value):
        return tuple(value)
    if get_origin(hint) is Literal and value in get_args(hint):
        return value
    allowed = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    if type(value) in allowed:
        if place.rpartition(".")[2] in PATHS and value and not value.startswith("/"):
            raise ConfigurationError(f"the profile {origin} has {value!r} at {place!r}", "a path begins with /")
        return value
    raise ConfigurationError(f"the profile {origin} has {value!r} at {place!r}, which wants {_wanted(hint)}")


def _check_item(hint: Any, value: Any, origin: str, place: str) -> None:
    """Raises where a member of a free table is none that the suite can use."""
    if hint is str and not isinstance(value, str):
        raise ConfigurationError(f"the profile {origin} has {value!r} at {place!r}, which wants {_wanted(str)}")
    try:
        json.dumps(value)
    except TypeError:
        raise ConfigurationError(f"the profile {origin} has {value!r} at {place!r}, which JSON cannot say") from None


def _route(item: dict[str, Any], origin: str, place: str) -> Protected:
    for required in fields(Protected):
        if required.default is MISSING and required.name not in item:
            raise ConfigurationError(f"the profile {origin} lacks {place}.{required.name}")
    return _build(Protected(path=""), item, origin, place)


def _wanted(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    words = {
        str: "a string",
        int: "a whole number",
        int | None: "a whole number",
        tuple[int, ...]: "a list of numbers",
    }
    return words.get(hint, "a table" if hint != tuple[Protected, ...] else "an array of tables")
