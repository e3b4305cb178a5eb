"""Keys: those the suite makes up, and the one the user may hand over so that tokens can be minted."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from jwt.algorithms import get_default_algorithms

from conformance.errors import ConfigurationError
from conformance.tokens.reading import HMAC_ALGORITHMS, Jwt, b64url_decode, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
    "ES256K": ec.SECP256K1,
}

# Named by their curve since RFC 9864; PyJWT knows both by the older name.
_EDWARDS: dict[str, str] = {"Ed25519": "EdDSA", "Ed448": "EdDSA"}


def own_key(algorithm: str) -> Any:
    """A private key that the suite made for this run, so that no server can rightly trust it.

    Args:
        algorithm: the name of an asymmetric algorithm (RFC 7518 §3.1), or its first two letters.
    """
    if algorithm.startswith("ES"):
        return _own_key(algorithm if algorithm in _CURVES else "ES")
    if algorithm == "Ed448":
        return _own_key(algorithm)
    return _own_key({"PS": "RS"}.get(algorithm[:2], algorithm[:2]))


@cache
def _own_key(family: str) -> Any:
    if family == "RS":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if family.startswith("ES"):
        return ec.generate_private_key(_CURVES.get(family, ec.SECP256R1)())
    if family == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return ed25519.Ed25519PrivateKey.generate()


def own_public_jwk(family: str) -> dict[str, Any]:
    """The public half of `own_key` as a JWK (RFC 7517)."""
    public = own_key(family).public_key()
    algorithm = {"RS": "RS256", "PS": "RS256", "ES": "ES256"}.get(family, "EdDSA")
    jwk: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(public, as_dict=True)
    return {key: value for key, value in jwk.items() if key != "key_ops"}


@cache
def own_secret() -> bytes:
    """An HMAC secret that the suite made for this run."""
    return secrets.token_bytes(64)


@cache
def own_certificate(family: str) -> str:
    """A self-signed certificate of `own_key`, in base64 as `x5c` wants it (RFC 7515 §4.1.6)."""
    key = own_key(family)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jwt-conformance")])
    # The class is looked up late: while freezegun moves the clock, only its own one will do.
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, None if family == "Ed" else SHA256())
    )
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def can_sign(algorithm: str) -> bool:
    """Whether the suite can make a signature of this algorithm at all; it cannot for a new or made-up one."""
    if algorithm in HMAC_ALGORITHMS:
        return True
    return algorithm != "none" and _EDWARDS.get(algorithm, algorithm) in get_default_algorithms()


def foreign_key_for(algorithm: str) -> Any:
    """A key of the suite's own that fits an algorithm of the target."""
    return own_secret() if algorithm in HMAC_ALGORITHMS else own_key(algorithm)


def sign(header: dict[str, Any], claims: dict[str, Any], key: Any, algorithm: str) -> str:
    """A compact JWS whose signature fits its parts.

    Unlike a library's encoder it neither judges the key (a public key as an HMAC secret is what an attacker uses)
    nor adds members to the header.
    """
    signed = f"{b64url_encode(_json(header))}.{b64url_encode(_json(claims))}"
    return f"{signed}.{b64url_encode(signature(signed.encode(), key, algorithm))}"


def signature(message: bytes, key: Any, algorithm: str) -> bytes:
    """A signature by PyJWT's implementation of the algorithm; HMAC takes any bytes as its key, even none."""
    if algorithm in HMAC_ALGORITHMS:
        return hmac.new(key, message, getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    return jwt.get_algorithm_by_name(_EDWARDS.get(algorithm, algorithm)).sign(message, key)


def verifies(token: Jwt, key: Any) -> bool:
    """Whether a public key verifies the token's signature by the algorithm that its header names."""
    try:
        implementation = jwt.get_algorithm_by_name(_EDWARDS.get(token.algorithm, token.algorithm))
        signed = ".".join(token.segments[:2]).encode()
        return bool(implementation.verify(signed, implementation.prepare_key(key), b64url_decode(token.segments[2])))
    except (ValueError, TypeError, NotImplementedError, AttributeError, jwt.InvalidKeyError):
        return False


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Minter:
    """Makes tokens as the target would, with the signing key that the user gave."""

    key: Any = field(repr=False)
    algorithm: str
    told: Callable[[str], None] = field(default=lambda _token: None, repr=False, compare=False)
    """Is told of every token: it is as good as the target's own, and to be kept as well."""

    def mint(self, like: Jwt, **changes: Any) -> str:
        """A token with the header and claims of a genuine one, a fresh `jti`, and the changes.

        Its `alg` is that of the key, whatever the genuine one was signed with. Times are seconds since the epoch.
        """
        claims = {**like.claims, **changes}
        if "jti" in claims:
            claims["jti"] = str(uuid.uuid4())
        token = sign({**like.header, "alg": self.algorithm}, claims, self.key, self.algorithm)
        self.told(token)
        return token


def minter(secret_or_pem: str | bytes, genuine: Jwt) -> Minter:
    """A minter whose key is shown to be the target's: it reproduces, or verifies, the signature of a genuine token.

    Raises:
        ConfigurationError: the key is of another kind than the token's algorithm, or simply another key.
    """
    algorithm = genuine.algorithm
    given_key = secret_or_pem.encode() if isinstance(secret_or_pem, str) else secret_or_pem
    signed = ".".join(genuine.segments[:2]).encode()
    given = b64url_decode(genuine.segments[2])
    key: bytes | PrivateKeyTypes
    if algorithm in HMAC_ALGORITHMS:
        key = given_key
        if signature(signed, key, algorithm) != given:
            raise ConfigurationError(f"the signing key does not reproduce the target's {algorithm} signature")
        return Minter(key, algorithm)
    try:
        key = load_pem_private_key(given_key, password=None)
        implementation = jwt.get_algorithm_by_name(_EDWARDS.get(algorithm, algorithm))
        fits = implementation.verify(signed, implementation.prepare_key(key).public_key(), given)
    except (ValueError, TypeError, NotImplementedError, AttributeError, jwt.InvalidKeyError):
        raise ConfigurationError(
            f"the signing key is not a private key in PEM for the target's algorithm, {algorithm}"
        ) from None
    if not fits:
        raise ConfigurationError(f"the signing key is not the one that signs the target's {algorithm} tokens")
    return Minter(key, algorithm)
