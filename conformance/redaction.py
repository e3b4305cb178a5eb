"""Keeps secrets out of everything that leaves the process: evidence, reports, tracebacks, logs."""

from __future__ import annotations

import base64
import html
import json
import re
from functools import cache
from html.entities import codepoint2name
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.reading import b64url_decode, parse_json, strings_in

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_SECRET: Final = 3
"""Shorter strings are not replaced: doing so would garble ordinary words without hiding anything."""

SHORTEST_FRAGMENT: Final = 8
"""As above, for what is left of a secret that base64 has joined with its neighbours."""

_TOKEN: Final = re.compile(r"(?:(?<![\w-])|(?<=%[0-9A-Fa-f]{2}))e(?:y[A-DI-L]|w[k-r0-3])[\w-]{6,}\.[\w-]{2,}\.[\w-]*")
"""A compact JWS, in a URL as well: its header begins with a brace, and a quotation mark or white space."""

_SHAPES: Final = (
    (re.compile(r"\$(?:argon2\w{0,2}|2[abxy]?|scrypt|pbkdf2[\w-]{0,20})\$[\w$./+=,\\-]+"), "<password hash>"),
    (re.compile(r"\b(?:pbkdf2[:_]sha\d{1,3}|scrypt)[:$]\d[\w$:./+=-]+"), "<password hash>"),
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        "<private key>",
    ),
)
"""Secrets that nobody told the suite, and that a target may give away all the same."""

# What JSON, URLs and HTML leave as it is; and what a text holds in which something was escaped.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]+")
_ESCAPE: Final = re.compile(r"[\\%&+]")
_SLASH: Final = r"(?:\\|%(?:25){0,3}5c)"
MOST_SLASHES: Final = 8
"""JSON in JSON in JSON doubles a backslash three times."""


class Redactor:
    """Knows the run's secrets and takes them out of texts.

    A JWT keeps its header and payload and loses its signature; every other known secret is replaced by its label.
    """

    def __init__(self) -> None:
        """Starts without secrets; JWTs are recognised by their shape from the start."""
        self._labels: dict[str, str] = {}
        self._escaped: dict[str, tuple[str, str]] = {}
        self._whole: dict[str, str] = {}
        self._by_label: dict[str, str] = {}

    def add(self, secret: str, label: str) -> None:
        """Hides `secret`, in each spelling in which it could travel, behind `<label>`."""
        if len(secret) < SHORTEST_SECRET:
            return
        self._by_label.setdefault(label, secret)
        shown = f"<{label}>"
        for spelling in _encoded(secret):
            self._labels.setdefault(spelling, shown)
        # The second is what becomes of UTF-8 in a header, whose bytes are read as Latin-1.
        for reading in (secret, secret.encode("utf-8", "surrogatepass").decode("latin-1")):
            self._labels.setdefault(reading, shown)
            if not _PLAIN.fullmatch(reading):
                self._escaped.setdefault(reading, (_anchor(reading), shown))
        if _TOKEN.search(secret):
            # An opaque token, a JWE for instance, of which removing a signature would leave a part.
            self._whole.setdefault(secret, shown)

    def known_as(self, label: str) -> str:
        """The first secret that goes by that label, or an empty string."""
        return self._by_label.get(label, "")

    def text(self, text: str) -> str:
        """The text without secrets."""
        for shape, label in _SHAPES:
            text = shape.sub(label, text)
        for secret in sorted(filter(text.__contains__, self._whole), key=len, reverse=True):
            text = text.replace(secret, self._whole[secret])
        return self._known(_TOKEN.sub(self._without_signature, text))

    def value(self, value: Any) -> Any:
        """A JSON value without secrets, in its strings and in its member names."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case _:
                return value

    def _known(self, text: str) -> str:
        # Most texts hold no secret, so only what is there goes into the pattern.
        found = {re.escape(spelling): label for spelling, label in self._labels.items() if spelling in text}
        if _ESCAPE.search(text):
            # A pattern takes long to compile, so only those that have a chance are. HTML may number any character.
            readings = text + html.unescape(text)
            for secret, (anchor, label) in self._escaped.items():
                if anchor in readings and re.search(pattern := _any_spelling(secret), text):
                    found[pattern] = label
        if not found:
            return text
        # The longest comes first, since one secret may begin with another.
        patterns = sorted(found, key=len, reverse=True)
        labels = [found[pattern] for pattern in patterns]
        together = "|".join(f"({pattern})" for pattern in patterns)
        return re.sub(together, lambda match: labels[(match.lastindex or 1) - 1], text)

    def _without_signature(self, match: re.Match[str]) -> str:
        header, payload, signature = match[0].split(".", 2)
        for segment in (header, payload):
            try:
                plain = b64url_decode(segment).decode("utf-8", "replace")
            except ValueError:
                continue
            # A payload that holds a password would otherwise carry it out in base64, and JSON's escapes with it.
            if any(self._known(reading) != reading for reading in (plain, _unescaped(plain))):
                return "<token withheld: its readable part holds a secret>"
        return f"{header}.{payload}.{'<signature removed>' if signature else ''}"


def _unescaped(text: str) -> str:
    """JSON as Python writes its values, each character for itself; an empty string where it is none."""
    try:
        return "\n".join(strings_in(parse_json(text)))
    except ValueError:
        return ""


def _anchor(secret: str) -> str:
    """The longest part of a secret that escaping leaves as it is, but for numbers in HTML."""
    return max(_PLAIN.findall(secret), key=len, default="")


@cache
def _any_spelling(secret: str) -> str:
    """A pattern for a secret as JSON, Python, URLs and HTML may spell it, even one upon another.

    Every repetition is bounded, so that no text can make the search endless.
    """
    patterns = []
    for part in re.findall(r"\\+|[^\\]", secret):
        coded, count = "|".join(_codes(part[0])), len(part)
        if part[0] == "\\":
            patterns.append(rf"(?i:{_SLASH}{{{count},{MOST_SLASHES * count}}}|(?:{coded}){{{count}}})")
        else:
            # Hexadecimal digits come in both cases; the character itself does not.
            patterns.append(rf"(?:(?i:{_SLASH}){{0,{MOST_SLASHES}}}{re.escape(part)}|(?i:{coded}))")
    return "".join(patterns)


def _codes(character: str) -> Iterator[str]:
    """Patterns for the ways to write a character by its number or name."""
    point = ord(character)
    raw = character.encode("utf-8", "surrogatepass")
    units = character.encode("utf-16-be", "surrogatepass").hex()
    escape, ampersand = rf"{_SLASH}{{1,{MOST_SLASHES}}}", "&(?:amp;){0,3}"
    yield "".join(rf"{escape}u{units[index : index + 4]}" for index in range(0, len(units), 4))
    yield "".join(rf"{escape}x{byte:02x}" for byte in raw)
    yield rf"{escape}(?:x{point:02x}|u{point:08x})"
    if character != "\\":  # Which a slash is already.
        yield rf"{_SLASH}{{0,{MOST_SLASHES}}}" + "".join(rf"%(?:25){{0,3}}{byte:02x}" for byte in raw)
    yield rf"{ampersand}\#(?:0{{0,5}}{point}|x0{{0,5}}{point:x});"
    if point in codepoint2name:
        yield f"{ampersand}{codepoint2name[point]};"
    if character == " ":
        yield r"\+"


def _encoded(secret: str) -> Iterator[str]:
    """The secret in base64 and hexadecimal, by itself and as a part of something longer."""
    for text in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
        raw = text.encode("utf-8", "surrogatepass")
        yield raw.hex()
        yield raw.hex().upper()
        for shift in range(3):
            # What precedes the secret decides how it falls into groups of three bytes. Characters that hold bits of
            # a neighbour are left out.
            first, last = -(-8 * shift // 6), 8 * (shift + len(raw)) // 6
            plain = base64.b64encode(b"\0" * shift + raw).decode()
            for fragment in (plain[first:last], plain[first:last].replace("+", "-").replace("/", "_")):
                if len(fragment) >= SHORTEST_FRAGMENT:
                    yield fragment
        yield base64.b64encode(raw).decode()
        yield base64.urlsafe_b64encode(raw).decode()
