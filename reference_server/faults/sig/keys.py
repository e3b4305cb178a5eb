"""Faults in the choice of the key (SIG-03 to SIG-08)."""

from __future__ import annotations

import base64
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from reference_server.faults import fault
from reference_server.faults._signatures import (
    ConfusedVerifier,
    SelfServiceVerifier,
)
from reference_server.faults._tools import (
    GullibleVerifier,
    hmac_fits,
    is_access,
)

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
