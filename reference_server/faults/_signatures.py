"""What the faults in signatures are made with."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from flask import current_app

from reference_server.app import services_of
from reference_server.credentials import RequestReader
from reference_server.faults._tools import GullibleVerifier, decode_segment, hmac_fits, is_access, resigned

if TYPE_CHECKING:
    from flask import Request

    from reference_server.keys import SigningKey

ES256_LENGTH = 64  # bytes
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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


class RewritingReader(RequestReader):
    """Reads some things as tokens that are none, by making tokens of them before anybody looks."""

    def bearer_token(self, request: Request) -> str | None:
        """The token that is meant by what was sent."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        meant = self.meant(value) if scheme.lower() == "bearer" else None
        return meant or super().bearer_token(request)

    def meant(self, value: str) -> str | None:
        """The well-formed token to read for it; None to leave it as it is."""
        raise NotImplementedError


def fits(signed: str, signature: str) -> bool:
    """Whether the server's secret has signed the text, whatever it holds."""
    secret = services_of(current_app).issuer.key.private
    assert isinstance(secret, bytes)
    try:
        given = decode_segment(signature)
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(secret, signed.encode(), hashlib.sha256), given)


def resigned_access(claims: Any) -> str | None:
    """A good token with these claims, if they are an access token's."""
    return resigned(claims) if isinstance(claims, dict) and is_access(claims) else None


def ecdsa_with_nonce(message: bytes, private_pem: str, nonce: int) -> bytes:
    """An ES256 signature made with this nonce, by hand (FIPS 186-5 §6.4.1): no library offers to choose it."""
    key = load_pem_private_key(private_pem.encode(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    private = key.private_numbers().private_value
    r = derive_private_key(nonce, SECP256R1()).public_key().public_numbers().x % P256_ORDER
    z = int.from_bytes(hashlib.sha256(message).digest(), "big")
    s = pow(nonce, -1, P256_ORDER) * (z + r * private) % P256_ORDER
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def secret_of(key: SigningKey) -> bytes:
    """The server's HMAC secret."""
    assert isinstance(key.private, bytes)
    return key.private
