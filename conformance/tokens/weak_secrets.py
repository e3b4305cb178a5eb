"""Is the secret behind a token one that everybody knows? Answered offline, from the token alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING

from conformance.tokens.reading import Jwt, b64url_decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def find_secret(token: Jwt, *, guesses: Iterable[str] = ()) -> str | None:
    """The known secret that reproduces the token's HMAC, or None.

    Each candidate is tried as text and, where it is base64, base64url or hexadecimal, as the bytes that it stands for.

    Args:
        token: signed with HS256, HS384 or HS512.
        guesses: candidates for this target in particular, tried first.
    """
    message = ".".join(token.segments[:2]).encode()
    try:
        given = b64url_decode(token.segments[2])
        digest = getattr(hashlib, f"sha{token.algorithm[2:]}")
    except (ValueError, AttributeError):
        return None
    for candidate in (*guesses, *known_secrets()):
        for key in _readings(candidate):
            if hmac.digest(key, message, digest) == given:
                return candidate
    return None


def known_secrets() -> Iterator[str]:
    """Every secret of the list that ships with the suite, read line by line; the empty one comes first."""
    yield ""
    with (files("conformance.tokens") / "weak_secrets.txt").open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#") and (secret := line.rstrip("\n")):
                yield secret


def _readings(candidate: str) -> set[bytes]:
    """The bytes that a configuration may make of the text."""
    # A claim that serves as a guess may hold half of a surrogate pair.
    text = candidate.encode("utf-8", "surrogatepass")
    readings = {text}
    padded = text + b"=" * (-len(text) % 4)
    for altchars in (b"+/", b"-_"):
        with suppress(binascii.Error):
            readings.add(base64.b64decode(padded, altchars=altchars, validate=True))
    with suppress(ValueError):
        readings.add(bytes.fromhex(candidate))
    return readings
