"""Other ways to write the same token: what a list of revoked strings does not recognise."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from conformance.tokens.reading import Jwt, b64url_decode, b64url_encode, read_jwt

if TYPE_CHECKING:
    from collections.abc import Iterator

ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# RFC 7518 §3.4, RFC 8812 §3.2, and the order of each curve's group (SEC 2 §2).
ORDERS: Final = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "ES512": int(
        "1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "A51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}


def spellings(value: str) -> Iterator[tuple[str, str]]:
    """Other spellings of a token, each with its name, that some decoder takes for the token itself.

    No spelling holds a character that a header or a cookie cannot carry.
    """
    parts = read_jwt(value)
    if parts is None:
        yield "padding added", f"{value}="
        if value.swapcase() != value:
            yield "the letters in the other case", value.swapcase()
        return
    header, payload, signature = parts.segments
    signed = f"{header}.{payload}."
    yield "padding added", f"{value}{'=' * (-len(signature) % 4 or 4)}"
    if other := with_other_unused_bits(signature):
        yield "other unused bits in the last character", signed + other
    if set(signature) & set("-_"):
        yield "the alphabet of plain base64", signed + signature.replace("-", "+").replace("_", "/")
    yield "a character outside the alphabet", f"{signed}{signature[:-2]}~{signature[-2:]}"
    yield "a fourth, empty segment", f"{value}."
    if twin := twin_signature(parts):
        yield "the twin of the ECDSA signature", signed + twin


def with_other_unused_bits(segment: str) -> str:
    """A base64url segment with the unused bits of its last character changed, or "" where it has none (RFC 4648 §3.5).

    Args:
        segment: without padding.
    """
    unused = {2: 4, 3: 2}.get(len(segment) % 4)
    return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) ^ 1] if unused and segment[-1] in ALPHABET else ""


def twin_signature(token: Jwt) -> str:
    """The other signature (r, n-s) that verifies wherever (r, s) does; "" where the algorithm is not ECDSA."""
    order, signature = ORDERS.get(token.algorithm), b64url_decode(token.segments[2])
    if order is None or not signature:
        return ""
    half = len(signature) // 2
    s = order - int.from_bytes(signature[half:])
    return b64url_encode(signature[:half] + s.to_bytes(len(signature) - half)) if s >= 0 else ""
