"""A target's OpenAPI document: its operations, what they take and give, and which of them declare security."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance.discovery.schemas import Member, Schemas
from conformance.errors import ConfigurationError
from conformance.target.plain_yaml import from_yaml
from conformance.tokens.reading import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS: Final = ("get", "post", "put", "patch", "delete")
MOST_OPERATIONS: Final = 1000
LONGEST_PATH: Final = 300
ENCODINGS: Final = {"application/json": "json", "application/x-www-form-urlencoded": "form"}
_PATH: Final = re.compile(r"/[\w\-./~%:@!$&'()*+,;=]*", re.ASCII)
"""A path that can be asked for as it stands: without a parameter in it, and without anything that no path has."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document.

    Attributes:
        path: below the target's URL.
        is_secured: whether it declares security, and not as optional.
        is_plain: whether it needs no parameter and no body.
        members: what its body holds.
        encodings: how that is sent, as a profile says it.
        answers: what its answer holds where it succeeds.
        words: what it is called, in lower case.
    """

    method: str
    path: str
    is_secured: bool
    is_plain: bool
    members: tuple[Member, ...]
    encodings: tuple[str, ...]
    answers: tuple[Member, ...]
    words: str

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Document:
    """What an OpenAPI document says of a target.

    Attributes:
        origin: where it was found.
        token_urls: the addresses at which a password is traded for a token, as its security schemes have them.
        shown_in: the places in which its security schemes show a token.
    """

    origin: str
    operations: tuple[Operation, ...]
    token_urls: tuple[str, ...] = ()
    shown_in: tuple[str, ...] = ()


def is_path(text: str) -> bool:
    """Whether it can be asked for as it stands."""
    return len(text) <= LONGEST_PATH and _PATH.fullmatch(text) is not None


def parse(text: bytes | str, origin: str) -> dict[str, Any]:
    """A document from its JSON; from its YAML where a library for that is installed.

    Raises:
        ConfigurationError: it is neither, or no OpenAPI document.
    """
    data: Any = None
    try:
        data = parse_json(text)
    except ValueError:
        data = from_yaml(text, origin)
    version = (data.get("openapi") or data.get("swagger")) if isinstance(data, dict) else None
    if not version or not isinstance(data.get("paths"), dict):
        raise ConfigurationError(f"{origin} is no OpenAPI document: it lacks `openapi` or `paths`")
    return dict(data)


def read(data: dict[str, Any], origin: str, base_path: str = "") -> Document:
    """The document of a target whose URL ends with `base_path`."""
    schemas = Schemas(data)
    prefix = _prefix(data, base_path)
    operations = tuple(_operations(data, schemas, prefix, base_path))
    schemas.begin()
    defined = schemas.resolved(data.get("components")).get("securitySchemes") or data.get("securityDefinitions")
    token_urls, shown_in = [], []
    for value in defined.values() if isinstance(defined, dict) else ():
        scheme = schemas.resolved(value)
        shown_in += _place(scheme)
        flow = schemas.resolved(schemas.resolved(scheme.get("flows")).get("password")) or scheme
        if isinstance(url := flow.get("tokenUrl"), str):
            token_urls += _below(url, prefix, base_path)
    return Document(origin, operations, tuple(token_urls), tuple(dict.fromkeys(shown_in)))


def _prefix(data: dict[str, Any], base_path: str) -> str:
    """What comes before every path of the document, below the target's URL."""
    servers = data.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    stated = first.get("url") if isinstance(first, dict) else ""
    stated = stated or data.get("basePath") or ""
    try:
        path = urlsplit(stated).path.rstrip("/") if isinstance(stated, str) else ""
    except ValueError:
        return ""
    return "" if not path.startswith("/") or path == base_path else path.removeprefix(base_path)


def _below(url: str, prefix: str, base_path: str) -> list[str]:
    """The path of an address below the target's URL; one that is relative begins where the document's paths do."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return []
    if not path.startswith("/"):
        path = f"{prefix}/{path.removeprefix('./')}"
    path = path.removeprefix(base_path)
    return [path] if is_path(path) else []


def _place(scheme: dict[str, Any]) -> list[str]:
    kind, name = scheme.get("type"), scheme.get("name")
    if kind in {"oauth2", "openIdConnect"} or (kind == "http" and str(scheme.get("scheme")).lower() == "bearer"):
        return ["header:Authorization Bearer"]
    if kind == "apiKey" and scheme.get("in") in {"header", "cookie"} and re.fullmatch(r"[\w\-.]+", str(name), re.ASCII):
        return [f"{scheme['in']}:{name}"]
    return []


def _operations(data: dict[str, Any], schemas: Schemas, prefix: str, base_path: str) -> Iterator[Operation]:
    count = 0
    for raw, item in data["paths"].items():
        path = f"{prefix}{raw}"
        path = path.removeprefix(base_path) if path.startswith(f"{base_path}/") else path
        if not is_path(path):
            continue
        schemas.begin()
        row = schemas.resolved(item)
        for method in METHODS:
            details = row.get(method)
            if isinstance(details, dict) and count < MOST_OPERATIONS:
                count += 1
                schemas.begin()
                yield _operation(data, schemas, (method.upper(), path), row, details)


def _operation(
    data: dict[str, Any], schemas: Schemas, label: tuple[str, str], row: dict[str, Any], details: dict[str, Any]
) -> Operation:
    parameters = [schemas.resolved(each) for part in (row, details) for each in _list(part.get("parameters"))]
    body = schemas.resolved(details.get("requestBody"))
    contents = schemas.resolved(body.get("content"))
    encodings = [ENCODINGS[name.partition(";")[0]] for name in contents if name.partition(";")[0] in ENCODINGS]
    members = schemas.members(schemas.resolved(next(iter(contents.values()), {})).get("schema"))
    for parameter in parameters:
        # As Swagger 2 says what a body holds.
        if parameter.get("in") == "body":
            members, encodings = schemas.members(parameter.get("schema")), ["json"]
        elif parameter.get("in") == "formData":
            members, encodings = [*members, _parameter(parameter)], ["form"]
    needs_body = body.get("required") is True or any(
        each.get("required") is True for each in parameters if each.get("in") in {"body", "formData"}
    )
    needs_more = any(
        each.get("required") is True and schemas.resolved(each.get("schema")).get("default") is None
        for each in parameters
    )
    security = details.get("security", data.get("security"))
    words = " ".join(str(details.get(name, ""))[:200] for name in ("operationId", "summary", "tags"))
    return Operation(
        *label,
        is_secured=isinstance(security, list) and bool(security) and all(isinstance(e, dict) and e for e in security),
        is_plain=not needs_body and not needs_more,
        members=tuple(members),
        encodings=tuple(dict.fromkeys(encodings)),
        answers=tuple(_answers(schemas, details)),
        words=words.lower(),
    )


def _parameter(parameter: dict[str, Any]) -> Member:
    return Member(str(parameter.get("name", "")), parameter, parameter.get("required") is True)


def _answers(schemas: Schemas, details: dict[str, Any]) -> list[Member]:
    for status, answer in schemas.resolved(details.get("responses")).items():
        if str(status).startswith("2"):
            described = schemas.resolved(answer)
            content = next(iter(schemas.resolved(described.get("content")).values()), described)
            return schemas.members(schemas.resolved(content).get("schema"))
    return []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
