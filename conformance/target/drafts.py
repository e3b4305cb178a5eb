"""A request in the making: values are put into places, and the encoding decides how those become bytes."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode

from conformance.target.http import Request
from conformance.target.places import Place, merge, plant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.target.http import Headers
    from conformance.target.session import Account

JSON_TYPE: Final[Headers] = (("Content-Type", "application/json"),)
FORM_TYPE: Final[Headers] = (("Content-Type", "application/x-www-form-urlencoded"),)
NULL: Final = "{null}"
"""How a profile writes the null of JSON, which TOML has not."""


@dataclass(slots=True)
class Draft:
    """A request that is being filled in.

    Attributes:
        encoding: how members become a body: `json` or `form`; with `query` they go into the address.
    """

    method: str
    path: str
    encoding: str = "json"
    members: dict[str, Any] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[tuple[str, str]] = field(default_factory=list)
    query: list[tuple[str, str]] = field(default_factory=list)

    def put(self, place: Place, value: Any) -> None:
        """Puts a value where the place says; in a body it may be of any JSON type."""
        match place.where:
            case "body":
                merge(self.members, plant(place.name, value))
            case "cookie":
                self.cookies.append((place.name, place.written(value)))
            case "header":
                self.headers.append((place.name, place.written(value)))
            case _:
                self.query.append((place.name, value))

    def add(self, members: Mapping[str, Any]) -> None:
        """Adds members, or parameters."""
        merge(self.members, copy.deepcopy(dict(members)))

    def authenticate(self, client: Account, how: str) -> None:
        """Adds what a client says of itself (RFC 6749 §2.3.1); one without a secret gives its name only."""
        if how == "basic" and client.password:
            self.headers.append(("Authorization", f"Basic {basic(client)}"))
            return
        self.members["client_id"] = client.username
        if client.password:
            self.members["client_secret"] = client.password

    def request(self, headers: Headers = ()) -> Request:
        """The request as it is sent, with further headers at its end; one of the same name takes another's place."""
        named = {name.lower() for name, _ in headers}
        lines = [pair for pair in self.headers if pair[0].lower() not in named]
        if self.cookies and "cookie" not in named:
            lines.insert(0, ("Cookie", cookie_line(self.cookies)))
        query, body = list(self.query), b""
        media_type: Headers = ()
        if self.members and self.encoding == "query":
            query += flat(self.members)
        elif self.members and self.encoding == "form":
            body, media_type = urlencode(flat(self.members)).encode(), FORM_TYPE
        elif self.members:
            body, media_type = json.dumps(self.members).encode(), JSON_TYPE
        if "content-type" not in named | {name.lower() for name, _ in lines}:
            lines += media_type
        separator = "&" if "?" in self.path else "?"
        path = f"{self.path}{separator}{urlencode(query)}" if query else self.path
        return Request(self.method, path, (*lines, *headers), body)


def cookie_line(cookies: Iterable[tuple[str, str]]) -> str:
    """The value of the header Cookie."""
    return "; ".join(f"{name}={value}" for name, value in cookies)


def flat(members: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Members as the parameters of a form; nested ones by their dotted path, and lists as one parameter an item."""
    return [pair for name, value in members.items() for pair in _pairs(f"{prefix}{name}", value)]


def _pairs(name: str, value: Any) -> Iterable[tuple[str, str]]:
    match value:
        case dict():
            return flat(value, f"{name}.")
        case list():
            return [pair for item in value for pair in _pairs(name, item)]
        case bool():
            return [(name, "true" if value else "false")]
        case None:
            return [(name, "")]
        case str():
            # What UTF-8 cannot say is sent as the bytes that it would be.
            return [(name, value.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))]
        case _:
            return [(name, str(value))]


def basic(client: Account) -> str:
    """A client's credentials for HTTP Basic, each form-encoded first (RFC 6749 §2.3.1)."""
    return encoded(quote_plus(client.username), quote_plus(client.password))


def encoded(name: str, password: str) -> str:
    """A name and a password for HTTP Basic (RFC 7617 §2)."""
    return base64.b64encode(f"{name}:{password}".encode("utf-8", "surrogatepass")).decode()


def filled(value: Any, words: Mapping[str, str]) -> Any:
    """A value of a profile with `{name}` replaced by the words of that name, within objects and lists as well."""
    match value:
        case dict():
            return {key: filled(item, words) for key, item in value.items()}
        case list():
            return [filled(item, words) for item in value]
        case str() if value == NULL:
            return None
        case str():
            for name, word in words.items():
                value = value.replace(f"{{{name}}}", word)
            return value
        case _:
            return value
