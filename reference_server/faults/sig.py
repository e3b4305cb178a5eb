"""Faults in signing tokens and in checking signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from flask import request

from reference_server.faults import fault
from reference_server.faults._signatures import (
    ConfusedVerifier,
    SelfServiceVerifier,
    UnsignedVerifier,
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


# Altered tokens: SIG-01


@fault(
    "verdict-cached-by-signature",
    "SIG-01",
    seen="common where a cache of verified tokens is keyed by the last segment, the shortest one",
)
class CachedBySignature(GullibleVerifier):
    """Accepts an access token with changed claims if its signature was found good on other claims."""

    def __init__(self, key: SigningKey) -> None:
        """Begin with an empty cache."""
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
    seen="CVE-2020-28042: ServiceStack asked for no minimum length of a signature",
)
class EmptySignature(GullibleVerifier):
    """Accepts an access token whose signature is empty."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Compare nothing with nothing."""
        return self.own(header) and is_access(claims) and token.endswith(".")


@fault(
    "zero-signature-accepted",
    "SIG-01",
    seen="CVE-2022-21449: Java's ECDSA took a signature of zeros for a good one",
    algorithm="ES256",
)
class ZeroSignature(GullibleVerifier):
    """Accepts an access token whose ECDSA signature is all zeros."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Do not check that r and s are above zero."""
        signature = signature_of(token)
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
        given = signature_of(token)
        right = hmac.digest(secret_of(self.key), token.rpartition(".")[0].encode(), hashlib.sha256)
        return self.own(header) and is_access(claims) and len(given) >= len(right) // 2 and right.startswith(given)


# Unsigned tokens: SIG-02


@fault(
    "alg-none-accepted",
    "SIG-02",
    seen="CVE-2021-22160: Apache Pulsar did not verify tokens whose algorithm is none",
)
class AlgNone(UnsignedVerifier):
    """Accepts an unsigned access token whose algorithm is none."""

    def is_none(self, header: dict[str, Any]) -> bool:
        """As the RFC spells it."""
        return header.get("alg") == "none"


@fault(
    "alg-none-in-other-spellings-accepted",
    "SIG-02",
    seen="common where none is on a list of forbidden words, compared with regard to case",
)
class AlgNoneSpelledOtherwise(UnsignedVerifier):
    """Accepts an unsigned access token whose algorithm is None, NONE or nOnE."""

    def is_none(self, header: dict[str, Any]) -> bool:
        """As the list of forbidden words does not."""
        algorithm = header.get("alg")
        return isinstance(algorithm, str) and algorithm != "none" and algorithm.lower() == "none"


@fault(
    "missing-alg-accepted",
    "SIG-02",
    seen="common where an algorithm that is not in a table of functions is not looked up",
)
class NoAlg(UnsignedVerifier):
    """Accepts an unsigned access token whose header names no algorithm."""

    def is_none(self, header: dict[str, Any]) -> bool:
        """Absent, null or empty."""
        return not header.get("alg")


@fault(
    "alg-none-with-signature-accepted",
    "SIG-02",
    seen="common where a token that claims to be unsigned is refused only if its signature is empty",
)
class AlgNoneSigned(GullibleVerifier):
    """Accepts an access token whose algorithm is none if it has some signature all the same."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Look that the signature is not empty."""
        return is_access(claims) and header.get("alg") == "none" and bool(signature_of(token))


# Foreign keys: SIG-03


@fault(
    "empty-key-accepted",
    "SIG-03",
    seen="CVE-2019-20933: InfluxDB accepted tokens signed with an empty shared secret",
)
class EmptyKey(GullibleVerifier):
    """Accepts an access token that was signed with an empty secret, or with zero bytes, which is the same."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Try the empty secret as well."""
        return self.own(header) and is_access(claims) and hmac_fits(token, b"")


@fault(
    "empty-key-accepted-at-refresh",
    "SIG-03",
    seen="common where refresh tokens have a secret of their own, which nobody has set",
)
class EmptyRefreshKey(GullibleVerifier):
    """Accepts a refresh token that was signed with an empty secret."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Try the empty secret as well."""
        return self.own(header) and not is_access(claims) and hmac_fits(token, b"")


# Guessable secrets: SIG-04


@fault(
    "tutorial-secret",
    "SIG-04",
    seen="Flask-JWT-Extended's documentation signs with 'super-secret' and says to change it",
    # HMAC pads a short key with zero bytes (RFC 2104 §2), so this is the same secret, at a length that
    # PyJWT does not warn about.
    jwt_secret_key=b"super-secret".ljust(32, b"\0"),
)
class TutorialSecret:
    """Signs with the secret of the library's tutorial."""


@fault(
    "jwt-io-secret",
    "SIG-04",
    seen="the secret that the debugger at jwt.io fills in, copied along with the example",
    jwt_secret_key=b"a-string-secret-at-least-256-bits-long",
)
class ExampleSecret:
    """Signs with a secret that is long enough and known to everybody."""


# The public key as a secret: SIG-05


@fault(
    "public-key-as-secret",
    "SIG-05",
    seen="CVE-2015-9235: jsonwebtoken let a token choose HMAC where RSA was meant",
    algorithm="RS256",
)
class ConfusedBySpki(ConfusedVerifier):
    """Accepts an access token signed by HMAC with the text of the RSA public key."""

    def public_text(self) -> bytes:
        """`BEGIN PUBLIC KEY`."""
        return self.encoded(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@fault(
    "pkcs1-public-key-as-secret",
    "SIG-05",
    seen="CVE-2023-48223: fast-jwt recognised a public key by the words BEGIN PUBLIC KEY",
    algorithm="RS256",
)
class ConfusedByPkcs1(ConfusedVerifier):
    """Accepts an access token signed by HMAC with the RSA public key in its older PEM form."""

    def public_text(self) -> bytes:
        """`BEGIN RSA PUBLIC KEY`."""
        return self.encoded(Encoding.PEM, PublicFormat.PKCS1)


@fault(
    "openssh-public-key-as-secret",
    "SIG-05",
    seen="CVE-2022-29217: PyJWT knew some forms of public keys and not all that OpenSSH writes",
    algorithm="EdDSA",
)
class ConfusedByOpenSsh(ConfusedVerifier):
    """Accepts an access token signed by HMAC with the public key as a line of OpenSSH."""

    def public_text(self) -> bytes:
        """`ssh-ed25519 AAAA...`."""
        return self.encoded(Encoding.OpenSSH, PublicFormat.OpenSSH)


# Keys within the token: SIG-06


@fault(
    "embedded-jwk-trusted",
    "SIG-06",
    seen="CVE-2018-0114: node-jose verified a token with the jwk in its own header",
)
class EmbeddedJwk(SelfServiceVerifier):
    """Verifies an access token with the public key in its header."""

    def embedded(self, header: dict[str, Any]) -> Any:
        """The `jwk` (RFC 7515 §4.1.3), unless it is symmetric."""
        key = jwt.PyJWK(header["jwk"], algorithm=header["alg"])
        if key.key_type == "oct":
            raise LookupError
        return key.key


@fault(
    "embedded-secret-trusted",
    "SIG-06",
    seen="common where the fix for CVE-2018-0114 looks at RSA and EC keys only",
)
class EmbeddedSecret(SelfServiceVerifier):
    """Verifies an access token with the symmetric key in its header."""

    def embedded(self, header: dict[str, Any]) -> Any:
        """The `jwk`, if it is symmetric."""
        if header["jwk"]["kty"] != "oct":
            raise LookupError
        return jwt.PyJWK(header["jwk"], algorithm=header["alg"]).key


@fault(
    "embedded-certificate-trusted",
    "SIG-06",
    seen="common where x5c is read and its chain is not validated, which RFC 7515 §4.1.6 demands",
)
class EmbeddedCertificate(SelfServiceVerifier):
    """Verifies an access token with the certificate in its header, whoever signed that."""

    def embedded(self, header: dict[str, Any]) -> Any:
        """The first of `x5c`."""
        return load_der_x509_certificate(base64.b64decode(header["x5c"][0])).public_key()


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
