"""Tokens as the suite sees them: decoded where they are JWTs, and never verified."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

JWT_SHAPE: Final = re.compile(r"(?<![\w-])e[\w-]{8,}\.[\w-]{2,}\.[\w-]*")
"""What a compact JWS looks like in a text: base64url of `{"` starts with `ey`."""

DEEPEST: Final = 100
"""So many objects and arrays in each other are read as JSON: what is nested for sense is not deeper."""

HMAC_ALGORITHMS: Final = frozenset({"HS256", "HS384", "HS512"})


class Kind(StrEnum):
    """The two kinds of token that a login gives."""

    ACCESS = "access"
    REFRESH = "refresh"

    @property
    def with_article(self) -> str:
        """Its name after an article, for a sentence about one token."""
        return f"{'an' if self is Kind.ACCESS else 'a'} {self}"


@dataclass(frozen=True)
class Jwt:
    """A compact JWS (RFC 7515 §7.1) taken apart."""

    header: dict[str, Any]
    claims: dict[str, Any]
    segments: tuple[str, str, str] = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The `alg` of the header, or an empty string where it is absent or no string."""
        algorithm = self.header.get("alg")
        return algorithm if isinstance(algorithm, str) else ""

    def number(self, claim: str) -> float | None:
        """A claim as a number, or None where it is absent, of another type, or too large to reckon with."""
        return finite(self.claims.get(claim))

    @property
    def lifetime_s(self) -> float | None:
        """`exp` minus `iat` in seconds, where both are there."""
        expires, issued = self.number("exp"), self.number("iat")
        return None if expires is None or issued is None else finite(expires - issued)


@dataclass(frozen=True)
class Token:
    """A token that the target issued.

    Attributes:
        value: what is sent; never printed.
        kind: what it was issued as.
        received_at: the target's clock when it came, in seconds since the epoch.
        stated_lifetime_s: what the answer says of its life in seconds, if anything.
        declared_lifetime_s: what the profile says, if anything.
        is_opaque: whether the profile says that it is no JWT, whatever it looks like.
    """

    value: str = field(repr=False)
    kind: Kind
    received_at: float = 0.0
    stated_lifetime_s: float | None = None
    declared_lifetime_s: float | None = None
    is_opaque: bool = False

    @cached_property
    def jwt(self) -> Jwt | None:
        """The token taken apart, or None where it is opaque."""
        return None if self.is_opaque else read_jwt(self.value)

    @property
    def expires_at(self) -> float | None:
        """When it ends, in seconds since the epoch on the target's clock; None where nothing tells."""
        if self.jwt and (expires := self.jwt.number("exp")) is not None:
            return expires
        return None if self.lifetime_s is None else self.received_at + self.lifetime_s

    @property
    def told_lifetime_s(self) -> float | None:
        """How long it lives in seconds by its own word or its answer's; None where the target tells nothing."""
        return (self.jwt.lifetime_s if self.jwt else None) or self.stated_lifetime_s

    @property
    def lifetime_s(self) -> float | None:
        """How long it lives in seconds, as far as the target or the profile tells; None where nothing does."""
        return self.told_lifetime_s or self._seen_lifetime_s or self.declared_lifetime_s

    @property
    def _seen_lifetime_s(self) -> float | None:
        """From its coming to its own end, where it does not tell when it was issued."""
        end = self.jwt.number("exp") if self.jwt else None
        return None if end is None else round(end - self.received_at)


def finite(value: Any) -> float | None:
    """A JSON number as a float; None where it is none (`true` is not), or is infinite, NaN or as good as that."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def parse_json(text: str | bytes) -> Any:
    """The value of a text in JSON that somebody else wrote.

    Raises:
        ValueError: it is no JSON, or nested so deeply that whoever goes through it would come to grief.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    brackets = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    # Most texts have no more brackets than that, let alone in each other.
    if sum(map(text.count, brackets)) > DEEPEST and _is_too_deep(value):  # type: ignore[arg-type]
        raise ValueError("nested too deeply")
    return value


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for items in inner for item in items]
    return any(isinstance(item, dict | list) for item in level)


def b64url_encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(segment: str) -> bytes:
    """The bytes of a base64url segment; padding and the two characters of plain base64 are tolerated.

    Raises:
        ValueError: the segment is not base64url.
    """
    padded = segment.replace("-", "+").replace("_", "/") + "=" * (-len(segment) % 4)
    try:
        return base64.b64decode(padded, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def read_jwt(value: str) -> Jwt | None:
    """A token taken apart, or None where it is no compact JWS.

    Dots are not counted on: signed session cookies have two as well. The header must decode to an object with `alg`,
    and the signature be base64url.
    """
    segments = value.split(".")
    if len(segments) != 3:  # noqa: PLR2004 - RFC 7515 §3.1
        return None
    try:
        header, claims, _ = (*(parse_json(b64url_decode(part)) for part in segments[:2]), b64url_decode(segments[2]))
    except ValueError:
        return None
    if not isinstance(header, dict) or "alg" not in header or not isinstance(claims, dict):
        return None
    return Jwt(header, claims, (segments[0], segments[1], segments[2]))


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a JSON value, names of members included, each character as itself and not escaped."""
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield str(key)
                yield from strings_in(item)
        case list():
            for item in value:
                yield from strings_in(item)
