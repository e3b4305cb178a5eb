"""Faults that let a token cost the server something before it is refused (SIG-16, SIG-19)."""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from typing import TYPE_CHECKING, Any

from reference_server.faults import fault
from reference_server.faults._signatures import RewritingReader
from reference_server.faults._tools import decode_segment
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from flask import Request

MOST_ITERATIONS = 10_000_000
LONGEST = 60 * 1024
MANY_DOTS = 50_000


def header_of(value: str) -> dict[str, Any]:
    """The header of whatever has one; an empty object for what has none."""
    try:
        header = json.loads(decode_segment(value.partition(".")[0]))
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


# What takes computing or memory: SIG-16


@fault(
    "password-based-encryption-computed-as-asked",
    "SIG-16",
    seen="common where PBES2 is among the algorithms by default and p2c has no bound, which RFC 7518 §8.6 warns of",
)
class Iterating(RewritingReader):
    """Derives a key from a password in as many steps as the token says."""

    def meant(self, value: str) -> str | None:
        """Compute, up to a bound that keeps this server alive."""
        header = header_of(value)
        if str(header.get("alg")).startswith("PBES2"):
            hashlib.pbkdf2_hmac("sha256", b"password", b"salt", min(int(header.get("p2c", 1)), MOST_ITERATIONS))
        return None


@fault(
    "content-unpacked-before-it-is-verified",
    "SIG-16",
    seen="CVE-2025-62706: Authlib unpacked zip=DEF without a bound",
)
class Unpacking(RewritingReader):
    """Unpacks what a token calls packed, however large it becomes, and reads it."""

    def meant(self, value: str) -> str | None:
        """Unpack first."""
        if header_of(value).get("zip") == "DEF":
            try:
                text = zlib.decompress(decode_segment(value.split(".")[1]), -15)
                json.loads(text)
            except (zlib.error, ValueError, RecursionError):
                return None
        return None


# What is large: SIG-19


@fault(
    "long-token-crashes",
    "SIG-19",
    seen="common where what was presented is written to a column of limited length before it is checked",
)
class LongToken(TokenVerifier):
    """Answers 500 to a token of more than 60 KiB."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        if len(encoded_token) > LONGEST:
            raise OverflowError
        claims: dict[str, Any] = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        return claims


@fault(
    "many-dots-are-slow",
    "SIG-19",
    seen="CVE-2025-30204: golang-jwt split a token at every dot, with memory for each",
)
class ManyDots(RewritingReader):
    """Takes long over a token with tens of thousands of dots."""

    def bearer_token(self, request: Request) -> str | None:
        """Do something with every part, twice a second's worth."""
        if request.headers.get("Authorization", "").count(".") > MANY_DOTS:
            time.sleep(1.5)
        return super().bearer_token(request)

    def meant(self, value: str) -> str | None:  # noqa: ARG002 - nothing is made of it
        """Read tokens as ever."""
        return None
