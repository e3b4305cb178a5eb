"""What the faults in signatures are made with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from reference_server.faults._tools import GullibleVerifier, hmac_fits, is_access

if TYPE_CHECKING:
    from reference_server.keys import SigningKey

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class UnsignedVerifier(GullibleVerifier):
    """Accepts unsigned access tokens whose header names one of some algorithms."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Look at the algorithm, and for a signature that is not there."""
        return is_access(claims) and token.endswith(".") and self.is_none(header)

    def is_none(self, header: dict[str, Any]) -> bool:
        """Whether the header says that there is no signature."""
        raise NotImplementedError


class ConfusedVerifier(GullibleVerifier):
    """Accepts an access token signed by HMAC, with the public key's text as the secret."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:  # noqa: ARG002 - any
        """Let the header choose the algorithm, and give it the public key."""
        text = self.public_text()
        return is_access(claims) and (hmac_fits(token, text) or hmac_fits(token, text.rstrip(b"\n")))

    def public_text(self) -> bytes:
        """The public key, as this server has it in its settings."""
        raise NotImplementedError

    def encoded(self, encoding: Encoding, form: PublicFormat) -> bytes:
        """The public key in that encoding."""
        return load_pem_public_key(str(self.key.public).encode()).public_bytes(encoding, form)


class SelfServiceVerifier(GullibleVerifier):
    """Verifies an access token with a key that it brings along."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Take whatever key is there, and the algorithm as well."""
        try:
            key = self.embedded(header)
            jwt.PyJWS().decode_complete(token, key, algorithms=[header["alg"]])
        except (jwt.PyJWTError, LookupError, TypeError, ValueError, AttributeError):
            return False
        return is_access(claims)

    def embedded(self, header: dict[str, Any]) -> Any:
        """The key in the header."""
        raise NotImplementedError


def ecdsa_with_nonce(message: bytes, private_pem: str, nonce: int) -> bytes:
    """An ES256 signature made with this nonce, by hand (FIPS 186-5 §6.4.1): no library offers to choose it."""
    key = load_pem_private_key(private_pem.encode(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    private = key.private_numbers().private_value
    r = derive_private_key(nonce, SECP256R1()).public_key().public_numbers().x % _P256_ORDER
    z = int.from_bytes(hashlib.sha256(message).digest(), "big")
    s = pow(nonce, -1, _P256_ORDER) * (z + r * private) % _P256_ORDER
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def secret_of(key: SigningKey) -> bytes:
    """The server's HMAC secret."""
    assert isinstance(key.private, bytes)
    return key.private
