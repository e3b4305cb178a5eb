"""Faults in judging a signature: altered, unsigned and degenerate ones (SIG-01, 02, 17)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from reference_server.faults import fault
from reference_server.faults._signatures import (
    ES256_LENGTH,
    P256_ORDER,
    UnsignedVerifier,
    secret_of,
)
from reference_server.faults._tools import (
    GullibleVerifier,
    encode_segment,
    is_access,
    is_genuine,
    signature_of,
)

if TYPE_CHECKING:
    from reference_server.keyring import Keyring


# Altered tokens: SIG-01


@fault(
    "verdict-cached-by-signature",
    "SIG-01",
    seen="common where a cache of verified tokens is keyed by the last segment, the shortest one",
)
class CachedBySignature(GullibleVerifier):
    """Accepts an access token with changed claims if its signature was found good on other claims."""

    def __init__(self, keys: Keyring) -> None:
        """Begin with an empty cache."""
        super().__init__(keys)
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
    "SIG-17",
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
    "SIG-13",
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
    "REVOKE-03",
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


# Degenerate and oddly written ECDSA signatures: SIG-17


@fault(
    "out-of-range-signature-accepted",
    "SIG-17",
    seen="CVE-2022-21449: Java's ECDSA compared r with a point that the arithmetic had made zero as well",
    algorithm="ES256",
)
class OutOfRange(GullibleVerifier):
    """Accepts an access token whose ECDSA signature has the curve's order for r and s, which counts as zero."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Compute modulo n and forget to look at the range."""
        signature = signature_of(token)
        halves = {int.from_bytes(signature[:32]) % P256_ORDER, int.from_bytes(signature[32:]) % P256_ORDER}
        return (
            self.own(header)
            and is_access(claims)
            and len(signature) == ES256_LENGTH
            and halves == {0}
            and any(signature)
        )


@fault(
    "der-signature-accepted",
    "SIG-17",
    seen="common where a verifier takes both encodings, since OpenSSL's own is DER",
    algorithm="ES256",
)
class DerSignature(GullibleVerifier):
    """Accepts an access token whose ECDSA signature is genuine and written in DER."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Turn it into the other form."""
        try:
            r, s = decode_dss_signature(signature_of(token))
        except ValueError:
            return False
        signed = token.rpartition(".")[0]
        if not self.own(header) or not is_access(claims) or not (r and s):
            return False
        return is_genuine(f"{signed}.{encode_segment(r.to_bytes(32) + s.to_bytes(32))}")


@fault(
    "signature-of-another-length-accepted",
    "SIG-17",
    seen="common where r and s are cut out by halves, whatever the length, which RFC 7518 §3.4 fixes",
    algorithm="ES256",
)
class AnyLength(GullibleVerifier):
    """Accepts an access token whose ECDSA signature is genuine, with zero bytes before each half."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Read two numbers of any length."""
        signature = signature_of(token)
        middle, signed = len(signature) // 2, token.rpartition(".")[0]
        halves = (signature[:middle].lstrip(b"\0"), signature[middle:].lstrip(b"\0"))
        if len(signature) <= ES256_LENGTH or max(map(len, halves)) > ES256_LENGTH // 2:
            return False
        raw = b"".join(half.rjust(32, b"\0") for half in halves)
        return self.own(header) and is_access(claims) and is_genuine(f"{signed}.{encode_segment(raw)}")
