"""Faults in taking a token that was encrypted for one that was signed (SIG-15)."""

from __future__ import annotations

import json
import struct
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from flask import current_app

from reference_server.app import services_of
from reference_server.faults import fault
from reference_server.faults._signatures import RewritingReader, resigned_access
from reference_server.faults._tools import decode_segment, unverified

PARTS = 5


class DecryptingReader(RewritingReader):
    """Takes an encrypted access token, since it decrypts."""

    def meant(self, value: str) -> str | None:
        """Decrypt it with the key that signs."""
        parts = value.split(".")
        if len(parts) != PARTS:
            return None
        try:
            header = json.loads(decode_segment(parts[0]))
            _, encrypted_key, vector, body, tag = map(decode_segment, parts)
            key = self.content_key(header, encrypted_key)
            return self.believed(AESGCM(key).decrypt(vector, body + tag, parts[0].encode()))
        except (ValueError, LookupError, TypeError, RecursionError, InvalidTag):
            return None

    def content_key(self, header: dict[str, Any], encrypted_key: bytes) -> bytes:
        """The key of the content."""
        raise NotImplementedError

    def believed(self, text: bytes) -> str | None:
        """A token for what was decrypted: claims."""
        return resigned_access(json.loads(text))


class RsaReader(DecryptingReader):
    """Decrypts with an RSA key."""

    def content_key(self, header: dict[str, Any], encrypted_key: bytes) -> bytes:
        """RFC 7518 §4.3."""
        hashes: dict[str, HashAlgorithm] = {"RSA-OAEP": SHA1(), "RSA-OAEP-256": SHA256()}  # noqa: S303 - the RFC's
        algorithm = hashes[header["alg"]]
        key = services_of(current_app).issuer.key.signer
        assert isinstance(key, RSAPrivateKey)
        return key.decrypt(encrypted_key, OAEP(MGF1(algorithm), algorithm, None))


@fault(
    "token-encrypted-to-the-rsa-key-accepted",
    "SIG-15",
    seen="CVE-2023-51774: json-jwt decoded whatever came, signed or encrypted",
    algorithm="RS256",
)
class EncryptedClaims(RsaReader):
    """Accepts an access token's claims that were encrypted to the server's RSA key."""


@fault(
    "unsigned-token-within-an-encrypted-one-accepted",
    "SIG-15",
    seen="common where what was decrypted counts as verified, so that the inner token's alg is not looked at",
    algorithm="RS256",
)
class EncryptedUnsigned(RsaReader):
    """Accepts an unsigned access token that was encrypted to the server's RSA key."""

    def believed(self, text: bytes) -> str | None:
        """Read the token within."""
        return resigned_access(unverified(text.decode())[1]) if text.startswith(b"ey") else None


@fault(
    "token-encrypted-to-the-ec-key-accepted",
    "SIG-15",
    seen="jose-jwt issue 236 (C#): Decode tells signed from encrypted tokens by their looks alone",
    algorithm="ES256",
)
class EncryptedByAgreement(DecryptingReader):
    """Accepts an access token's claims that were encrypted by key agreement with the server's EC key."""

    def content_key(self, header: dict[str, Any], encrypted_key: bytes) -> bytes:  # noqa: ARG002 - there is none
        """RFC 7518 §4.6."""
        if header["alg"] != "ECDH-ES":
            raise LookupError
        key = services_of(current_app).issuer.key.signer
        assert isinstance(key, EllipticCurvePrivateKey)
        x, y = (int.from_bytes(decode_segment(header["epk"][name])) for name in ("x", "y"))
        shared = key.exchange(ECDH(), EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key())
        size = {"A128GCM": 16, "A256GCM": 32}[header["enc"]]
        name = header["enc"].encode()
        info = struct.pack(">I", len(name)) + name + bytes(8) + struct.pack(">I", size * 8)
        return ConcatKDFHash(SHA256(), size, info).derive(shared)
