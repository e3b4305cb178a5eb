"""Faults in how tokens are signed, and in what else the right key may sign (SIG-09, 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from flask import request

from reference_server.faults import fault
from reference_server.faults._signatures import (
    ES256_LENGTH,
    ecdsa_with_nonce,
    secret_of,
)
from reference_server.faults._tools import (
    GullibleVerifier,
    encode_segment,
    hmac_fits,
    is_access,
    signature_of,
    unverified,
)
from reference_server.tokens import ACCESS, TokenIssuer

if TYPE_CHECKING:
    from reference_server.accounts import Account
    from reference_server.keys import SigningKey


# How tokens are signed: SIG-18

_NONCE = 0x0123456789ABCDEF0123456789ABCDEF


@fault(
    "ecdsa-nonce-repeated",
    "SIG-18",
    seen="Sony signed all of the PlayStation 3's software with one nonce, shown at 27C3 in 2010",
    algorithm="ES256",
)
class RepeatedNonce(TokenIssuer):
    """Signs every token with the same ECDSA nonce, from which anyone can compute the private key."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Sign again, with that nonce."""
        signed = super().encode(kind, account, claims).rpartition(".")[0]
        return f"{signed}.{encode_segment(ecdsa_with_nonce(signed.encode(), str(self.key.private), _NONCE))}"


class OtherHashVerifier(GullibleVerifier):
    """Accepts HS512 beside HS256."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:  # noqa: ARG002 - any
        """Verify with the server's own secret."""
        return header.get("alg") == "HS512" and hmac_fits(token, secret_of(self.key))


@fault(
    "refreshed-token-signed-otherwise",
    "SIG-18",
    "SIG-09",
    seen="common where the refresh issues its tokens by another code path than the login",
    also=(OtherHashVerifier,),
)
class OtherHash(TokenIssuer):
    """Signs access tokens with HS256 at the login and with HS512 at the refresh."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Sign again."""
        token = super().encode(kind, account, claims)
        if kind == ACCESS and request.path == "/refresh":
            return jwt.encode(unverified(token)[1], secret_of(self.key).ljust(64, b"\0"), algorithm="HS512")
        return token


# Other algorithms with the right key: SIG-09


@fault(
    "hs512-accepted-beside-hs256",
    "SIG-09",
    seen="common where the list of algorithms is that of the library, or that of a tutorial, and not one's own",
)
class AnyHash(OtherHashVerifier):
    """Accepts an access token that the server's own secret signed with HS512, where HS256 is meant."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Let the header choose the hash."""
        return is_access(claims) and super().believes(token, header, claims)


@fault(
    "pss-accepted-beside-pkcs1",
    "SIG-09",
    seen="jsonwebtoken without the option algorithms takes RS256 to PS512 for an RSA key",
    algorithm="RS256",
)
class AnyPadding(GullibleVerifier):
    """Accepts an access token that the server's own RSA key signed by PSS, where PKCS #1 v1.5 is meant."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Let the header choose the padding."""
        return is_access(claims) and str(header.get("alg")).startswith("PS") and verified(token, header, self.key)


@fault(
    "longer-hashes-accepted-with-a-p256-key",
    "SIG-09",
    seen="common where a curve is not tied to its hash, as it is by RFC 7518 §3.4",
    algorithm="ES256",
)
class AnyEcdsaHash(GullibleVerifier):
    """Accepts an access token that the server's own P-256 key signed with the hash of ES384."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Let the header choose the hash."""
        if not is_access(claims) or header.get("alg") != "ES384" or len(signature_of(token)) != ES256_LENGTH:
            return False
        signature = signature_of(token)
        numbers = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        assert isinstance(self.key.verifier, EllipticCurvePublicKey)
        try:
            self.key.verifier.verify(numbers, token.rpartition(".")[0].encode(), ECDSA(SHA384()))
        except InvalidSignature:
            return False
        return True


def verified(token: str, header: dict[str, Any], key: SigningKey) -> bool:
    """Whether the server's own key verifies the token by the algorithm that it names."""
    try:
        jwt.PyJWS().decode_complete(token, key.verifier, algorithms=[header["alg"]])
    except jwt.PyJWTError:
        return False
    return True
