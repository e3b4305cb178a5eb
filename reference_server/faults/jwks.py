"""Faults of the key set."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import get_default_algorithms

from reference_server.faults import fault
from reference_server.pages import Pages


@fault(
    "private-key-published",
    "JWKS-02",
    seen="onc-certification-g10-test-kit issue 123: private key being returned in JWKS endpoint",
    algorithm="RS256",
)
class PrivateKeySet(Pages):
    """Publishes the private key along with the public one."""

    def key_set(self) -> dict[str, Any]:
        """Serialise the key that signs."""
        private = load_pem_private_key(str(self.key.private).encode(), password=None)
        whole = get_default_algorithms()[self.key.algorithm].to_jwk(private, as_dict=True)
        whole.pop("key_ops", None)
        return {"keys": [{**whole, **(self.key.jwk or {})}]}


@fault(
    "symmetric-key-published",
    "JWKS-02",
    seen="lestrrat-go/jwx pull request 1827: an HMAC secret was silently copied into the public set",
    algorithm="ES256",
)
class SymmetricKeySet(Pages):
    """Publishes a secret beside the public key."""

    def key_set(self) -> dict[str, Any]:
        """Add an `oct` key, such as one that signs cookies."""
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        return {"keys": [*super().key_set()["keys"], {"kty": "oct", "kid": "cookies", "alg": "HS256", "k": secret}]}
