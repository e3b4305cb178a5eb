"""Is the secret behind a token one that everybody knows? Answered offline, from the token alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from conformance.tokens.reading import Jwt, b64url_decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


LONGEST_WORD: Final = 16
"""Up to so many characters a secret counts as a word, which people vary."""

BEGINNINGS: Final = ("my", "my-", "my_", "the", "jwt", "jwt-", "jwt_", "app-", "app_", "api-", "api_", "dev-", "dev_",
                     "test-", "test_", "super", "super-", "super_", "new-", "prod-")  # fmt: skip
ENDINGS: Final = ("1", "12", "123", "1234", "12345", "123456", "!", "!!", "!1", "123!", "@123", "#1", "2023", "2024",
                  "2025", "2026", "2027", "key", "Key", "-key", "_key", "secret", "Secret", "-secret", "_secret",
                  "-jwt", "_jwt", "-token", "_token", "-dev", "_dev", "-test", "_test", "-prod", "_prod", "-api",
                  "_api", "-app", "_app", "-secret-key", "_secret_key", "SecretKey", "-jwt-secret", "_jwt_secret",
                  "-2025", "-2026", "_2025", "_2026", "-change-me", "_change_me", "-please-change", ".", "?", "$", "==",
                  "0", "00", "000", "99", "777", "-local", "_local", "-staging", "-v1", "-v2")  # fmt: skip


def find_secret(token: Jwt, *, guesses: Iterable[str] = ()) -> str | None:
    """The known secret that reproduces the token's HMAC, or None.

    Each candidate is tried as text and, where it is base64, base64url or hexadecimal, as the bytes that it stands for;
    the variants of a word as text only.

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
    own = tuple(guesses)
    for candidate in (*own, *known_secrets()):
        for key in _readings(candidate):
            if hmac.digest(key, message, digest) == given:
                return candidate
    # One after another, as they are made: all of them at once would be megabytes.
    for candidate in itertools.chain.from_iterable(map(variants, itertools.chain(own, known_secrets()))):
        if hmac.digest(candidate.encode("utf-8", "surrogatepass"), message, digest) == given:
            return candidate
    return None


def variants(word: str) -> Iterator[str]:
    """What people make of a word in order that it be another one; nothing of what is too long to be one."""
    if not word or len(word) > LONGEST_WORD:
        return
    capital = word[0].upper() + word[1:]
    yield from (capital, word.upper(), word.lower(), word + word, word[::-1])
    yield from (beginning + word for beginning in BEGINNINGS)
    yield from (word + ending for ending in ENDINGS)
    if capital != word:
        yield from (capital + ending for ending in ENDINGS[:20])


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
