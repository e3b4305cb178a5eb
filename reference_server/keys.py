"""The key that signs tokens, and the public half that anyone may have."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import get_default_algorithms

from reference_server.settings import Settings, SettingsError

_TYPE_OF_KEY = {"RS256": RSAPrivateKey, "ES256": EllipticCurvePrivateKey, "EdDSA": Ed25519PrivateKey}
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
SMALLEST_RSA_KEY = 2048  # bits; RFC 7518 §3.3


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs and what verifies; for HS256 the two are one secret.

    Attributes:
        algorithm: the one JWS algorithm that this key is used with (RFC 8725 §3.1).
        private: the HMAC secret, or the PEM text of the private key.
        public: the HMAC secret, or the PEM text of the public key.
        signer: `private` as what signs: parsing the text for each token would take longer than signing it.
        verifier: `public`, likewise.
        kid: names the key in token headers; None for a secret, which nobody looks up.
        jwk: the public key as a JWK (RFC 7517); None for a secret.
    """

    algorithm: str
    private: bytes | str = field(repr=False)
    public: bytes | str = field(repr=False)
    signer: bytes | PrivateKey = field(repr=False)
    verifier: bytes | PublicKey = field(repr=False)
    kid: str | None = None
    jwk: dict[str, Any] | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The key that the settings give, or a new one of the kind their algorithm needs.

        Raises:
            SettingsError: the key given is unreadable, or of another kind.
        """
        if settings.algorithm == "HS256":
            return cls.secret(settings.jwt_secret_key or secrets.token_bytes(64))
        return cls.pair(settings.algorithm, _load(settings) if settings.jwt_private_key else make(settings.algorithm))

    @classmethod
    def secret(cls, secret: bytes, kid: str | None = None) -> Self:
        """A secret for HS256, which has a name only where there are several."""
        return cls("HS256", private=secret, public=secret, signer=secret, verifier=secret, kid=kid)

    @classmethod
    def pair(cls, algorithm: str, key: PrivateKey) -> Self:
        """A private key and its public half, named after the latter."""
        public = key.public_key()
        jwk = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
        members = {name: value for name, value in jwk.items() if name != "key_ops"}
        kid = _thumbprint(members)
        return cls(
            algorithm,
            private=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            public=public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            signer=key,
            verifier=public,
            kid=kid,
            jwk={**members, "use": "sig", "alg": algorithm, "kid": kid},
        )


def make(algorithm: str) -> PrivateKey:
    """A new private key for this algorithm, which is not HS256."""
    if algorithm == "RS256":
        return generate_rsa_key(public_exponent=65537, key_size=3072)
    if algorithm == "ES256":
        return generate_private_key(SECP256R1())
    return Ed25519PrivateKey.generate()


def _load(settings: Settings) -> PrivateKey:
    variable = "REFERENCE_JWT_PRIVATE_KEY"
    try:
        key = load_pem_private_key((settings.jwt_private_key or "").encode(), password=None)
    except (ValueError, TypeError):
        # The library's message may quote the key.
        raise SettingsError(f"{variable}: this is no unencrypted private key in PEM form") from None
    wrong = SettingsError(f"{variable}: the key does not suit {settings.algorithm}")
    if not isinstance(key, PrivateKey) or not isinstance(key, _TYPE_OF_KEY[settings.algorithm]):
        raise wrong
    if isinstance(key, EllipticCurvePrivateKey) and not isinstance(key.curve, SECP256R1):
        raise wrong
    if isinstance(key, RSAPrivateKey) and key.key_size < SMALLEST_RSA_KEY:
        raise SettingsError(f"{variable}: {key.key_size} bits; the least is {SMALLEST_RSA_KEY} (RFC 7518 §3.3)")
    return key


def _thumbprint(jwk: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint: a name that follows from the key and from nothing else."""
    required = {name: jwk[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in jwk}
    digest = hashlib.sha256(json.dumps(required, sort_keys=True, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
