"""The document that requests are made up from: the suite's own, the target's, or one that the profile amounts to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance.errors import ConfigurationError, TargetError
from conformance.target.http import Request
from conformance.target.places import merge, parse, plant
from conformance.target.plain_yaml import from_yaml
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.target.target import Target

METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
SAFE: Final = frozenset({"get", "head"})
FORM: Final = "application/x-www-form-urlencoded"
ANYTHING: Final = {"name": "q", "in": "query", "schema": {"type": "string"}}
"""A parameter that nobody asks for, so that there is something to make up."""
ANSWERS: Final = {"default": {"description": "Not said."}}


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document.

    Attributes:
        raw: what it holds.
        origin: what it is, in words.
        prefix: what comes before its paths, below the target's URL.
        binding: whether the target's answers have to be as it says.
        complete: whether it means to name every status.
        left_out: the operations that are not tried, since they may change what nobody has allowed to be changed.
    """

    raw: dict[str, Any] = field(repr=False)
    origin: str
    prefix: str = ""
    binding: bool = False
    complete: bool = False
    left_out: tuple[str, ...] = ()


def document_for(target: Target) -> Document:
    """What to make requests up from.

    Raises:
        ConfigurationError: `--openapi-url` leads to no document that can be used.
        TargetError: it does not answer.
    """
    if target.fuzzing.openapi_url:
        return _own(target)
    if target.bundled and not target.profile.uses_cookies:
        return Document(_contract(target), "specs/openapi.yaml", binding=True, complete=True)
    return Document(_from_profile(target), "specs/openapi.yaml, as the profile has it")


# -- The suite's own ---------------------------------------------------------------------------------------------------


def _contract(target: Target) -> dict[str, Any]:
    """The contract, without what the bundled server does not offer with its settings."""
    package = Path(str(files("conformance")))
    file = next(folder / "specs" / "openapi.yaml" for folder in (package, package.parent)
                if (folder / "specs" / "openapi.yaml").exists())  # fmt: skip
    raw = _read(file.read_bytes(), file.name)
    for path in list(raw["paths"]):
        absent = (
            (path.startswith("/.well-known/") and not target.offers("jwks"))
            or (path == "/logout" and target.logout_door is None)
            or (path.startswith("/oauth/") and (target.logout_door is None or not target.clients))
        )
        if absent:
            del raw["paths"][path]
    return raw


def _from_profile(target: Target) -> dict[str, Any]:
    """The contract's operations at the paths, and with the members, that the profile names; of answers nothing."""
    profile = target.profile
    paths: dict[str, dict[str, Any]] = {}

    def add(method: str, path: str, members: dict[str, Any], encoding: str, *, is_secured: bool) -> None:
        if "{" in path or "?" in path or not path:
            return
        operation: dict[str, Any] = {"responses": ANSWERS, "security": [{"token": []}] if is_secured else []}
        if method.lower() in SAFE:
            operation["parameters"] = [ANYTHING]
        else:
            media = FORM if encoding == "form" else "application/json"
            schema = _schema_of(members)
            operation["requestBody"] = {"required": bool(members), "content": {media: {"schema": schema}}}
        paths.setdefault(path, {})[method.lower()] = operation

    for door in target.protected_doors:
        add(door.method, door.path, {}, "json", is_secured=True)
    if profile.has_refresh_token and profile.refresh.path:
        add(target.refresh_door.method, profile.refresh.path, _shown_in_body(target), profile.refresh.encoding,
            is_secured=True)  # fmt: skip
    if target.logout_door:
        add(target.logout_door.method, target.logout_door.path, {}, profile.logout.encoding, is_secured=True)
    if profile.has_login and profile.login.encoding in {"json", "form"} and not profile.login.before:
        login: dict[str, Any] = {}
        for name in (profile.login.username, profile.login.password):
            if name:
                merge(login, plant(name, ""))
        add(profile.login.method, profile.login.path, login, profile.login.encoding, is_secured=False)
    return {
        "openapi": "3.1.0",
        "info": {"title": "What the profile says", "version": "1"},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


def _shown_in_body(target: Target) -> dict[str, Any]:
    place = target.refresh_door.place(Kind.REFRESH)
    return plant(parse(str(place)).name, "") if place.where == "body" else {}


def _schema_of(members: dict[str, Any]) -> dict[str, Any]:
    properties = {
        name: _schema_of(value) if isinstance(value, dict) else {"type": "string"} for name, value in members.items()
    }
    return {"type": "object", "properties": properties, "required": list(members)}


# -- The target's own --------------------------------------------------------------------------------------------------


def _own(target: Target) -> Document:
    path = _path_of(target, target.fuzzing.openapi_url)
    response = target.send(Request("GET", path)).response
    if not response.is_success or response.truncated:
        raise TargetError(f"--openapi-url: {path} answered {response.status}" + ", too long" * response.truncated)
    raw = _read(response.body, path)
    if not isinstance(raw.get("paths"), dict) or not {"openapi", "swagger"} & set(raw):
        raise ConfigurationError(f"--openapi-url: {path} is no OpenAPI document")
    if _leads_away(raw):
        raise ConfigurationError(f"--openapi-url: {path} refers to other documents, which are not fetched")
    left_out = [] if target.may_intrude else _keep_harmless(raw, target)
    return Document(raw, path, _prefix(raw, target.client.base_url), binding=True, left_out=tuple(left_out))


def _path_of(target: Target, url: str) -> str:
    if url.startswith("/"):
        return url
    if not f"{url}/".startswith(f"{target.client.base_url}/") and not url.startswith(f"{target.client.base_url}?"):
        raise ConfigurationError("--openapi-url is not below the target's URL", "write a path, such as /openapi.json")
    return url.removeprefix(target.client.base_url)


def _keep_harmless(raw: dict[str, Any], target: Target) -> list[str]:
    """Takes out what may change anything but the suite's own sessions, which only `--intrusive` allows."""
    prefix = _prefix(raw, target.client.base_url)
    doors = (target.login_door, target.refresh_door, target.logout_door)
    named = {(door.method.lower(), door.path) for door in doors if door}
    left_out = []
    for path, item in raw["paths"].items():
        for method in [name for name in item if name in METHODS] if isinstance(item, dict) else ():
            if method not in SAFE and (method, prefix + path) not in named:
                left_out.append(f"{method.upper()} {path}")
                del item[method]
    return left_out


def _prefix(raw: dict[str, Any], base_url: str) -> str:
    """What comes before the document's paths, where the target's URL does not hold it already."""
    servers = raw.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = str(first.get("url") or raw.get("basePath") or "")
    path = "" if "{" in url else urlsplit(url).path.rstrip("/")
    return "" if urlsplit(base_url).path.rstrip("/").endswith(path) else path


def _leads_away(node: Any) -> bool:
    if isinstance(node, dict):
        reference = node.get("$ref")
        away = isinstance(reference, str) and not reference.startswith("#")
        return away or any(map(_leads_away, node.values()))
    return isinstance(node, list) and any(map(_leads_away, node))


def _read(text: bytes, name: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = from_yaml(text, name)
    except RecursionError:
        data = None
    if not isinstance(data, dict):
        raise ConfigurationError(f"{name} is no OpenAPI document")
    return data
