"""Faults in signing tokens and in checking signatures."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_der_x509_certificate
from flask import request

from reference_server.faults import fault
from reference_server.faults._tools import (
    GullibleVerifier,
    decode_segment,
    encode_segment,
    hmac_fits,
    is_access,
    resigned,
    unverified,
)
from reference_server.tokens import ACCESS, TokenIssuer

if TYPE_CHECKING:
    from reference_server.accounts import Account
    from reference_server.keys import SigningKey


# SIG-01: altered tokens ------------------------------------------------------------------------------------


@fault(
    "verdict-cached-by-signature",
    "SIG-01",
    seen="common where a cache of verified tokens is keyed by the last segment, the shortest one",
)
class CachedBySignature(GullibleVerifier):
    """Accepts an access token with changed claims if its signature was found good on other claims."""

    def __init__(self, key: SigningKey) -> None:
        super().__init__(key)
        self.good: set[str] = set()

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        self.good.add(encoded_token.rpartition(".")[2])
        return claims

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Look into the cache."""
        return self.own(header) and is_access(claims) and token.rpartition(".")[2] in self.good


@fault(
    "empty-signature-accepted",
    "SIG-01",
    seen="CVE-2020-28042: ServiceStack accepted tokens without a signature of a minimum length",
)
class EmptySignature(GullibleVerifier):
    """Accepts an access token whose signature is empty."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Compare nothing with nothing."""
        return self.own(header) and is_access(claims) and token.count(".") == 2 and token.endswith(".")  # noqa: PLR2004 - RFC 7515 §7.1


@fault(
    "zero-signature-accepted",
    "SIG-01",
    seen="CVE-2022-21449: Java's ECDSA took a signature of zeros for a good one",
    algorithm="ES256",
)
class ZeroSignature(GullibleVerifier):
    """Accepts an access token whose ECDSA signature is all zeros."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Leave out that r and s must not be zero."""
        signature = decode_segment(token.rpartition(".")[2])
        return self.own(header) and is_access(claims) and bool(signature) and not any(signature)


@fault(
    "signature-compared-as-far-as-it-goes",
    "SIG-01",
    seen="common where a comparison stops at the end of the shorter text, as zip and strncmp do",
)
class ShortSignature(GullibleVerifier):
    """Accepts an access token whose signature lacks some bytes at its end."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Compare as many bytes as there are, if they are at least half."""
        signed, _, signature = token.rpartition(".")
        given = decode_segment(signature)
        genuine = hashlib.sha256().digest_size // 2
        right = jwt.get_algorithm_by_name("HS256").sign(signed.encode(), self.secret)
        return self.own(header) and is_access(claims) and len(given) >= genuine and right.startswith(given)
