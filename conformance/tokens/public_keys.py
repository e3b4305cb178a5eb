"""The encodings of a public key that flawed servers have taken for an HMAC secret."""

from __future__ import annotations

import base64
import json
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from conformance.tokens.reading import b64url_decode, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def encodings(
    jwks: Iterable[dict[str, Any]], pem_files: Iterable[bytes], served: Iterable[bytes] = ()
) -> Iterator[tuple[str, bytes]]:
    """Every distinct secret that a public key could be mistaken for, with a name that no other has.

    Args:
        jwks: public keys as JWKs (RFC 7517).
        pem_files: public keys or certificates in PEM as they were given, byte for byte.
        served: JWK Sets as they were published, byte for byte.
    """
    seen: set[bytes] = set()
    named: Counter[str] = Counter()
    as_served = [("JWK Set as it is served", body) for body in served]
    for name, secret in (*_of_files(pem_files), *as_served, *_of_jwks(jwks)):
        if secret and secret not in seen:
            seen.add(secret)
            named[name] += 1
            yield name if named[name] == 1 else f"{name} (no. {named[name]})", secret


def public_keys(jwks: Iterable[dict[str, Any]], pem_files: Iterable[bytes]) -> Iterator[Any]:
    """The keys themselves, as far as they can be read."""
    for content in pem_files:
        if (key := read_pem(content)) is not None:
            yield key
    for jwk in jwks:
        if jwk.get("use") != "enc" and (key := public_key(jwk)) is not None:
            yield key


def read_pem(content: bytes) -> Any:
    """The public key in a PEM file, be it a certificate; None where there is none."""
    with suppress(ValueError, UnsupportedAlgorithm):
        if b"-----BEGIN CERTIFICATE-----" in content:
            return x509.load_pem_x509_certificate(content).public_key()
        return load_pem_public_key(content)
    return None


def _of_files(pem_files: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    for content in pem_files:
        yield "key file, byte for byte", content
        if b"-----BEGIN CERTIFICATE-----" in content:
            with suppress(ValueError, UnsupportedAlgorithm):
                yield from _of_certificate(x509.load_pem_x509_certificate(content))
        else:
            with suppress(ValueError, UnsupportedAlgorithm):
                yield from _of_key(load_pem_public_key(content))


def _of_jwks(jwks: Iterable[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    for jwk in jwks:
        yield "JWK as JSON", json.dumps(jwk).encode()
        yield "JWK as JSON without spaces", json.dumps(jwk, separators=(",", ":")).encode()
        yield "JWK Set as JSON", json.dumps({"keys": [jwk]}).encode()
        yield "JWK Set as JSON without spaces", json.dumps({"keys": [jwk]}, separators=(",", ":")).encode()
        for member in ("n", "x", "y"):
            if isinstance(text := jwk.get(member), str):
                yield f"member {member} as text", text.encode("utf-8", "surrogatepass")
                with suppress(ValueError):
                    yield f"member {member}, decoded", b64url_decode(text)
        if (key := public_key(jwk)) is not None:
            yield from _of_key(key)
        chain = jwk.get("x5c")
        for text in chain if isinstance(chain, list) else ():
            with suppress(ValueError, TypeError, UnsupportedAlgorithm):
                yield from _of_certificate(x509.load_der_x509_certificate(base64.b64decode(text)))


def public_key(jwk: dict[str, Any]) -> Any:
    """The key of a JWK, or None; of a key pair that was published whole, the public half."""
    try:
        # Without its algorithm: one that PyJWT cannot sign with would hide the key.
        key = jwt.PyJWK({name: value for name, value in jwk.items() if name != "alg"}).key
    except Exception:  # noqa: BLE001 - whatever a stranger's JWK makes the library raise
        return None
    return key.public_key() if hasattr(key, "public_key") else key if hasattr(key, "public_bytes") else None


def _of_certificate(certificate: x509.Certificate) -> Iterator[tuple[str, bytes]]:
    pem, der = certificate.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.DER)
    yield "certificate's PEM", pem
    yield "certificate's PEM without its last line break", pem.rstrip(b"\n")
    yield "certificate's DER", der
    yield "certificate's DER in base64", base64.b64encode(der)
    yield from _of_key(certificate.public_key())


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
        yield f"{name} PEM's body with its line breaks", b"\n".join(pem.splitlines()[1:-1])
        if isinstance(key, EllipticCurvePublicKey):
            yield f"{name} PEM that is called an EC PUBLIC KEY", pem.replace(b"PUBLIC KEY", b"EC PUBLIC KEY")
    for member, raw in _numbers(key):
        yield f"member {member} as text", b64url_encode(raw).encode()
        yield f"member {member}, decoded", raw
        yield f"member {member} in base64", base64.b64encode(raw)
    # OpenSSH knows fewer kinds of key than JOSE.
    with suppress(ValueError, UnsupportedAlgorithm):
        yield "OpenSSH line", key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def _numbers(key: Any) -> Iterator[tuple[str, bytes]]:
    """What a JWK of the key would hold, as bytes (RFC 7518 §6, RFC 8037 §2)."""
    if isinstance(key, RSAPublicKey):
        yield "n", key.public_numbers().n.to_bytes((key.key_size + 7) // 8)
    elif isinstance(key, EllipticCurvePublicKey):
        numbers, size = key.public_numbers(), (key.key_size + 7) // 8
        yield "x", numbers.x.to_bytes(size)
        yield "y", numbers.y.to_bytes(size)
    elif (raw := getattr(key, "public_bytes_raw", None)) is not None:
        yield "x", raw()
