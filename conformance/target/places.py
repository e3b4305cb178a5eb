"""Where a token or another value stands in a message: a member of the body, a cookie, a header, the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from conformance.target.http import Response

Where = Literal["body", "cookie", "header", "query", "location"]
_WHERE = get_args(Where)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a request or an answer, written `cookie:NAME`, `header:NAME SCHEME` and the like.

    Attributes:
        where: which part of the message; `location` is the query of the address that a redirect leads to.
        name: the name of the cookie, header or parameter; of a body the dotted path of the member.
        scheme: the word before the value, such as Bearer, where there is one; `Bearer%20` where a cookie has the space
            escaped.
    """

    where: Where
    name: str
    scheme: str = ""

    def __str__(self) -> str:
        """As it is written in a profile."""
        return f"{self.where}:{self.name}{' ' * bool(self.scheme)}{self.scheme}"

    @property
    def words(self) -> str:
        """In a sentence: where it is, as a user would say it."""
        match self.where:
            case "body":
                return f"at {self.name!r} in the body"
            case "location":
                return f"as {self.name!r} in the address that it redirects to"
            case _:
                return f"in the {self.where} {self.name!r}"

    @property
    def header(self) -> str:
        """The name of the header in which a request has it; an empty string where it is in none."""
        return {"cookie": "Cookie", "header": self.name}.get(self.where, "")

    def written(self, value: str) -> str:
        """The value as it stands there, behind its scheme."""
        return f"{self._prefix}{value}" if self.scheme else value

    def read(self, answer: Response) -> Any:
        """What an answer holds there, of whatever type; None where there is nothing, or another scheme."""
        match self.where:
            case "body":
                value = dig(answer.json, self.name)
            case "cookie":
                value = answer.cookies.get(self.name)
            case "header":
                value = answer.header(self.name)
            case _:
                value = _query(answer.header("Location") or "").get(self.name)
        if not self.scheme or not isinstance(value, str):
            return value
        found = value[: len(self._prefix)].lower() == self._prefix.lower()
        return value[len(self._prefix) :].strip() if found else None

    @property
    def _prefix(self) -> str:
        return self.scheme if self.scheme.endswith("%20") else f"{self.scheme} "


def _query(url: str) -> dict[str, str]:
    """The parameters of an address; none where it is no address, or has more of them than anybody needs."""
    try:
        return dict(parse_qsl(urlsplit(url).query, max_num_fields=100))
    except ValueError:
        return {}


def parse(text: str, bare: Where = "body") -> Place:
    """The place that a profile names.

    Args:
        text: `WHERE:NAME` or `WHERE:NAME SCHEME`.
        bare: where a name stands that is written without `WHERE:`.
    """
    where, colon, rest = text.partition(":")
    found: Any = where if colon and where in _WHERE else bare
    name = rest if found == where and colon else text
    if found in {"header", "cookie"}:
        name, _, scheme = name.partition(" ")
        return Place(found, name, scheme.strip())
    return Place(found, name)


def dig(data: Any, path: str) -> Any:
    """The member at a dotted path of nested JSON objects, or None. A number counts the items of an array from 0."""
    for name in path.split("."):
        if isinstance(data, dict):
            data = data.get(name)
        elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        else:
            return None
    return data


def plant(path: str, value: Any) -> dict[str, Any]:
    """Nested objects with `value` at a dotted path: the inverse of `dig`."""
    first, _, rest = path.partition(".")
    return {first: plant(rest, value) if rest else value}


def merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    """Adds the members of nested objects to nested objects."""
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def remove(data: Any, path: str) -> None:
    """Takes the member at a dotted path away, where there is one."""
    *parents, last = path.split(".")
    for name in parents:
        data = data.get(name, {}) if isinstance(data, dict) else {}
    if isinstance(data, dict):
        data.pop(last, None)
