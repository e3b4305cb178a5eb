"""Tokens that are meant to cost the server something before it refuses them."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Final

from conformance.tokens.forging.encrypted import Agreement, agree, assembled
from conformance.tokens.forging.table import Material, encoded, flipped
from conformance.tokens.public_keys import public_keys
from conformance.tokens.reading import b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterator

ITERATIONS: Final = (8_000_000, 2**31 - 1)
"""The first costs seconds; a server that computes it is not asked for more."""

BOMB_SIZES: Final = (4 << 20, 150 << 20)
"""Bytes that a small token and one of the largest that a server may read swell to."""

KIB: Final = 1024
BLOCK: Final = bytes([0x20]) * (1 << 20)


def iterating(material: Material, count: int) -> Iterator[tuple[str, str]]:
    """A token whose key is to be derived from a password in so many steps (RFC 7518 §4.8)."""
    salt, wrapped = b64url_encode(os.urandom(16)), os.urandom(24)
    members = {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": salt, "p2c": count, **material.kid({})}
    agreed = Agreement(os.urandom(16), wrapped, {})
    yield f"a p2c of {count:,}", assembled(encoded(members), agreed, "A128GCM", b"{}")


def bombs(material: Material, size: int) -> Iterator[tuple[str, str]]:
    """Tokens whose content swells to so many bytes: a JWS, and a JWE where there is a public key to encrypt to."""
    packed = _packed(size)
    name = f"that swells to {size >> 20} MiB"
    header = {**material.token.header, "zip": "DEF"}
    yield f"a signed token {name}", f"{encoded(header)}.{b64url_encode(packed)}.{material.token.segments[2]}"
    for key in public_keys(material.published, material.pem_files):
        algorithm = "RSA-OAEP-256" if hasattr(key, "encrypt") else "ECDH-ES" if hasattr(key, "curve") else ""
        if algorithm:
            agreed = agree(key, algorithm, "A256GCM")
            named = encoded({"alg": algorithm, "enc": "A256GCM", "zip": "DEF", **material.kid({}), **agreed.members})
            yield f"an encrypted token {name}", assembled(named, agreed, "A256GCM", packed)
        return


def _packed(size: int) -> bytes:
    """So many bytes of spaces and an object, by DEFLATE (RFC 1951)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # After a full flush nothing is remembered, so that a block can be repeated instead of packed again.
    block = packer.compress(BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (size // len(BLOCK)) + packer.compress(b"{}") + packer.flush()


def giants(material: Material) -> Iterator[tuple[str, str, str]]:
    """SIG-19: tokens of many bytes, and of many parts; each with a small one of the same shape."""
    header, payload, signature = material.token.segments
    small = f"{header}.{payload}.{flipped(signature)}"
    for size in (8, 64, 1024):
        text = os.urandom(size * KIB // 2).hex()
        yield f"{size} KiB of letters and digits", text, text[:32]
    filled = encoded({**material.token.header, "x-filler": "x" * 48 * KIB})
    yield "a header of 64 KiB", f"{filled}.{payload}.{signature}", small
    yield (
        "a payload of 64 KiB",
        f"{header}.{encoded({**material.token.claims, 'x': 'x' * 48 * KIB})}.{signature}",
        small,
    )
    yield "60,000 dots", "." * 60_000, "......"
    yield "100,000 dots after a genuine token", material.genuine + "." * 100_000, material.genuine + "......"
