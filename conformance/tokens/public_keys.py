"""The encodings of a public key that flawed servers have taken for an HMAC secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from conformance.tokens.reading import b64url_decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def encodings(jwks: Iterable[dict[str, Any]], pem_files: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every distinct secret that a public key could be mistaken for, with its name.

    Args:
        jwks: public keys as JWKs (RFC 7517).
        pem_files: public keys in PEM as they were given, byte for byte.
    """
    seen: set[bytes] = set()
    for name, secret in (*_of_files(pem_files), *_of_jwks(jwks)):
        if secret and secret not in seen:
            seen.add(secret)
            yield name, secret


def _of_files(pem_files: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    for content in pem_files:
        yield "key file, byte for byte", content
        try:
            yield from _of_key(load_pem_public_key(content))
        except ValueError:
            continue


def _of_jwks(jwks: Iterable[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    for jwk in jwks:
        yield "JWK as JSON", json.dumps(jwk).encode()
        yield "JWK as JSON without spaces", json.dumps(jwk, separators=(",", ":")).encode()
        yield "JWK Set as JSON", json.dumps({"keys": [jwk]}).encode()
        for member in ("n", "x", "y"):
            if isinstance(jwk.get(member), str):
                yield f"member {member} as text", jwk[member].encode()
                try:
                    yield f"member {member}, decoded", b64url_decode(jwk[member])
                except ValueError:
                    continue
        try:
            yield from _of_key(jwt.PyJWK(jwk).key)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue


def _of_key(key: Any) -> Iterator[tuple[str, bytes]]:
    forms = [("SPKI", PublicFormat.SubjectPublicKeyInfo)]
    if isinstance(key, RSAPublicKey):
        forms.append(("PKCS#1", PublicFormat.PKCS1))
    for name, form in forms:
        pem = key.public_bytes(Encoding.PEM, form)
        yield f"{name} PEM", pem
        yield f"{name} PEM without its last line break", pem.rstrip(b"\n")
        yield f"{name} PEM with CRLF", pem.replace(b"\n", b"\r\n")
        yield f"{name} PEM without line breaks", pem.replace(b"\n", b"")
        der = key.public_bytes(Encoding.DER, form)
        yield f"{name} DER", der
        yield f"{name} DER in base64", base64.b64encode(der)
    yield "OpenSSH line", key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    raw = getattr(key, "public_bytes_raw", None)
    if raw is not None:
        yield "raw key", raw()
