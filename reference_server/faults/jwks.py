"""Faults of the key set."""

from __future__ import annotations

import base64
import functools
import secrets
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import get_default_algorithms

from reference_server.faults import fault
from reference_server.faults._tools import unverified
from reference_server.pages import Pages
from reference_server.tokens import ACCESS, TokenIssuer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from reference_server.accounts import Account


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


# The form of the set: JWKS-01


@fault(
    "key-id-used-twice",
    "JWKS-01",
    seen="common where kid is a date or a constant in a configuration file",
    algorithm="ES256",
)
class RepeatedKid(Pages):
    """Publishes a second key under the name of the first."""

    def key_set(self) -> dict[str, Any]:
        """Keep the old key, and the name."""
        other = _public_jwk(generate_private_key(SECP256R1()).public_key(), "ES256")
        return {"keys": [*super().key_set()["keys"], {**other, "kid": (self.key.jwk or {})["kid"]}]}


@fault(
    "key-type-left-out",
    "JWKS-01",
    seen="common in key sets that were written by hand",
    algorithm="ES256",
)
class NoKeyType(Pages):
    """Publishes a further key without its type."""

    def key_set(self) -> dict[str, Any]:
        """Leave `kty` out."""
        other = _public_jwk(generate_private_key(SECP256R1()).public_key(), "ES256")
        del other["kty"]
        return {"keys": [*super().key_set()["keys"], {**other, "kid": "old"}]}


@fault(
    "key-that-contradicts-itself",
    "JWKS-01",
    seen="common where key_ops is copied from the private half, which signs",
    algorithm="ES256",
)
class ContradictoryKey(Pages):
    """Publishes a further key whose use is signatures and whose operations leave verifying out."""

    def key_set(self) -> dict[str, Any]:
        """Write both members."""
        other = _public_jwk(generate_private_key(SECP256R1()).public_key(), "ES256")
        return {"keys": [*super().key_set()["keys"], {**other, "kid": "old", "use": "sig", "key_ops": ["sign"]}]}


# Verifying with it: JWKS-03


@fault(
    "unpublished-key-id",
    "JWKS-03",
    seen="common after a rotation, where issuer and key set read kid from different settings",
    algorithm="ES256",
)
class UnpublishedKid(TokenIssuer):
    """Issues access tokens whose `kid` is not in the key set."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Name another key."""
        token = super().encode(kind, account, claims)
        if kind != ACCESS:
            return token
        _, payload = unverified(token)
        return jwt.encode(payload, self.key.signer, algorithm=self.key.algorithm, headers={"kid": "2024-01"})


@fault(
    "published-algorithm-differs",
    "JWKS-03",
    seen="common where the key set's alg is a constant and the issuer's a setting",
    algorithm="RS256",
)
class OtherAlgorithmPublished(Pages):
    """Publishes the key for RS512, and signs with RS256."""

    def key_set(self) -> dict[str, Any]:
        """Write another `alg`."""
        return {"keys": [{**key, "alg": "RS512"} for key in super().key_set()["keys"]]}


# Strength: JWKS-04


class FurtherKey(Pages):
    """Publishes another RSA or EC key beside its own."""

    def key_set(self) -> dict[str, Any]:
        """Add it."""
        return {"keys": [*super().key_set()["keys"], {**self.further(), "kid": "further", "use": "sig"}]}

    def further(self) -> dict[str, Any]:
        """The key."""
        raise NotImplementedError


@fault(
    "short-rsa-key-published",
    "JWKS-04",
    seen="common where a key of the days of 1024 bits was never taken out of the set",
    algorithm="ES256",
)
class ShortKey(FurtherKey):
    """Publishes an RSA key of 1024 bits."""

    def further(self) -> dict[str, Any]:
        """Make a short one."""
        return _public_jwk(_rsa(1024, 65537), "RS256")


@fault(
    "small-exponent-published",
    "JWKS-04",
    seen="common in keys that old versions of OpenSSL made with the option -3",
    algorithm="ES256",
)
class SmallExponent(FurtherKey):
    """Publishes an RSA key whose exponent is 3."""

    def further(self) -> dict[str, Any]:
        """Make one like that."""
        return _public_jwk(_rsa(2048, 3), "RS256")


@fault(
    "example-key-in-use",
    "JWKS-04",
    seen="the key that RFC 7515 appendix A.3 prints, with its private half",
    algorithm="ES256",
)
class ExampleKey(FurtherKey):
    """Publishes a key that everybody has."""

    def further(self) -> dict[str, Any]:
        """Copy it from the RFC."""
        return {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip


# Metadata: JWKS-05


@fault(
    "issuer-with-a-slash",
    "JWKS-05",
    seen="common in providers whose issuer ends with a slash in one place and not in the other",
    algorithm="ES256",
)
class IssuerWithSlash(Pages):
    """Names another issuer in its metadata than in its tokens."""

    def metadata(self, issuer: str, key_set_url: str) -> dict[str, Any]:
        """Add a slash."""
        return super().metadata(f"{issuer}/", key_set_url)


@fault(
    "key-set-elsewhere",
    "JWKS-05",
    seen="common where the metadata keep the address that the key set had before",
    algorithm="ES256",
)
class KeySetElsewhere(Pages):
    """Sends clients for its keys to where there is nothing."""

    def metadata(self, issuer: str, key_set_url: str) -> dict[str, Any]:
        """Leave out a part of the path."""
        return super().metadata(issuer, key_set_url.replace("/.well-known", ""))


@functools.cache
def _rsa(bits: int, exponent: int) -> RSAPublicKey:
    return generate_rsa_key(public_exponent=exponent, key_size=bits).public_key()


def _public_jwk(key: Any, algorithm: str) -> dict[str, Any]:
    jwk: dict[str, Any] = get_default_algorithms()[algorithm].to_jwk(key, as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"}
