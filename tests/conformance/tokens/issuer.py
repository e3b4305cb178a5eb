"""Issuers with keys of their own, for a forger to start from."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from conformance.tokens.forging import Material
from tests.conformance.support import SECRET, taken_apart

if TYPE_CHECKING:
    from conformance.tokens.reading import Jwt

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")


@dataclass(frozen=True)
class Issuer:
    """Signs tokens with one algorithm and one key."""

    algorithm: str
    private: Any

    @property
    def public(self) -> Any:
        """What a verifier needs."""
        return self.private if isinstance(self.private, bytes) else self.private.public_key()

    @property
    def private_pem(self) -> bytes:
        """The private key in PEM."""
        pem: bytes = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem

    @property
    def public_pem(self) -> bytes:
        """The public key in PEM."""
        pem: bytes = self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as it would be published."""
        members: dict[str, Any] = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.public, as_dict=True)
        return {**members, "kid": "k1", "use": "sig"}

    def token(self, **claims: Any) -> Jwt:
        """A genuine token, taken apart."""
        now = int(time.time())
        claims = {"sub": "alice", "iat": now, "exp": now + 900, **claims}
        return taken_apart(jwt.encode(claims, self.private, self.algorithm, headers={"kid": "k1"}))

    def material(self) -> Material:
        """Genuine tokens and, where there is one, the public key in both forms."""
        published = () if self.algorithm == "HS256" else (self.jwk,)
        pem_files = () if self.algorithm == "HS256" else (self.public_pem,)
        tokens = self.token(jti="1", type="access"), self.token(jti="2", type="access"), self.token(type="refresh")
        return Material(*tokens, victim="bob", published=published, pem_files=pem_files)

    def armed(self) -> Material:
        """The same with all that a forger could wish for."""
        return replace(
            self.material(), signing_key=self.private, canary="http://127.0.0.1:9/x", origin="http://127.0.0.1:8"
        )


@cache
def issuer(algorithm: str) -> Issuer:
    """The one issuer with this algorithm."""
    keys: dict[str, Any] = {
        "HS": lambda: SECRET,
        "RS": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES": lambda: ec.generate_private_key(ec.SECP256R1()),
        "Ed": ed25519.Ed25519PrivateKey.generate,
    }
    return Issuer(algorithm, keys[algorithm[:2]]())
