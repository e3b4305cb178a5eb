"""What the text at a key of a profile looks like, for the loader and for `specs/profile.schema.json` alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z\-]+"
"""A "token" of RFC 9110 §5.6.2, which the names of headers and of cookies are."""
_PLACES: Final = {
    "body": r"body:[^\r\n]*\S",
    "cookie": rf"cookie:{_NAME}( +\S+)?",
    "header": rf"header:{_NAME}( +\S+)?",
    "query": r"query:\S+",
    "location": r"location:\S+",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern for a whole text.

    Attributes:
        pattern: what matches, from the first character to the last.
        hint: what to write.
        places: where the text may say that something stands, if it names a place.
    """

    pattern: str
    hint: str
    places: tuple[str, ...] = ()

    def allows(self, text: str) -> bool:
        """Whether the text keeps to it."""
        return re.fullmatch(self.pattern, text) is not None


def _place(*allowed: str, bare: str | None = None) -> Rule:
    """A place in one of these parts of a message, or a text that says no part."""
    ways = [*(_PLACES[name] for name in allowed), *([bare] if bare is not None else [])]
    return Rule("|".join(ways), f"write one of {', '.join(f'{name}:NAME' for name in allowed)}", allowed)


_ANY_PATH: Final = Rule(r"(/[^\s#]*)?", "a path begins with /, and has neither spaces nor a #")
_SOME_PATH: Final = Rule(r"/[^\s#]*", "a path begins with /, and has neither spaces nor a #")
_METHOD: Final = Rule(r"[A-Z][A-Z\-]*", "a method is written in capitals, such as POST")
_SENT: Final = _place("body", "cookie", "header", "query", bare="")
_FOUND: Final = _place("body", "cookie", "header", bare=r"[^:\r\n]*")
_COOKIE: Final = Rule(rf"({_NAME}( +\S+)?)?", "write the cookie's name, and the word before its value if there is one")
_CSRF: Final = _place("body", "cookie", "header", bare=rf"({_NAME})?")

_TEXTS: Final = {
    "login.path": _ANY_PATH,
    "refresh.path": _ANY_PATH,
    "logout.path": _ANY_PATH,
    "capabilities.jwks": _ANY_PATH,
    "oauth.token": _ANY_PATH,
    "oauth.revocation": _ANY_PATH,
    "oauth.introspection": _ANY_PATH,
    "protected.path": _SOME_PATH,
    "login.before.path": _SOME_PATH,
    "login.after.path": _SOME_PATH,
    "access.sent_in": _SENT,
    "refresh.sent_in": _SENT,
    "logout.sent_in": _SENT,
    "login.access": _FOUND,
    "login.refresh": _FOUND,
    "refresh.access": _FOUND,
    "refresh.refresh": _FOUND,
    "cookies.access": _COOKIE,
    "cookies.refresh": _COOKIE,
    "cookies.access_csrf": _CSRF,
    "cookies.refresh_csrf": _CSRF,
    "cookies.csrf_header": Rule(rf"({_NAME})?", "write the header's name"),
}
HEADER_NAME: Final = Rule(_NAME, "the name of a header has letters, digits and hyphens")
HEADER_VALUE: Final = Rule(r"[^\x00-\x08\x0a-\x1f\x7f]*", "the value of a header is one line")
CAPTURED: Final = _place("body", "cookie", "header", "location")
NUMBERS: Final[dict[str, tuple[int, int | None]]] = {
    "refusals": (100, 599),
    "tls.plain_port": (0, 65535),
}
"""The least and the most of a number; 0 and no limit where nothing else is said."""


def general(place: str) -> str:
    """A dotted place without the numbers of tables in an array."""
    return re.sub(r"\[\d+\]", "", place)


def rule_of(place: str) -> Rule | None:
    """What the text at a dotted place has to look like; None where any will do."""
    place = general(place)
    table, _, name = place.rpartition(".")
    if name == "method":
        return _METHOD
    if table.rpartition(".")[2] == "headers" or table == "headers":
        return HEADER_VALUE
    return CAPTURED if table.rpartition(".")[2] == "capture" else _TEXTS.get(place)


def limits_of(place: str) -> tuple[int, int | None]:
    """The least and the most of a number at a dotted place."""
    place = general(place)
    return NUMBERS.get(place) or NUMBERS.get(place.partition(".")[0], (0, None))
