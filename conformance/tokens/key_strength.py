"""Is a public key one that others can compute the private half of, or simply know?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from conformance.tokens.public_keys import public_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAST_RSA_BITS: Final = 2048
ADVISED_RSA_BITS: Final = 3072
LEAST_EXPONENT: Final = 65537
FERMAT_STEPS: Final = 1000
CURVES: Final = {"secp256r1", "secp384r1", "secp521r1", "secp256k1"}

_JWT_IO_N: Final = (
    "u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u-qKhbwKfBstIs-bMY2Zkp18gnTxK"
    "LxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW_VDL5AaWTg0nLVkjRo9z-40RQzuVaE8AkAFmxZzow3x-VJYKdjykkJ0iT9wCS0DRTX"
    "u269V264Vf_3jvredZiKRkgwlL9xNAwxXFg0x_XFw005UWVRIkdgcKWTjpBP2dPwVZ4WWC-9aGVd-Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbj"
    "Xfbcmw"
)
_RFC_7517_N: Final = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
    "nqDKgw"
)

KNOWN: Final = {
    _RFC_7517_N: "the RSA key of RFC 7517 appendix A",
    _JWT_IO_N: "the RSA key that jwt.io fills in",
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU": "the P-256 key of RFC 7515 appendix A.3",
    "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk":
        "the P-521 key of RFC 7515 appendix A.4",
    "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4": "the P-256 key of RFC 7517 appendix A",
    "EVs_o5-uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf84": "the P-256 key that jwt.io fills in",
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo": "the Ed25519 key of RFC 8037 appendix A",
}  # fmt: skip
"""Published private keys, by the member `n` or `x` of their public halves."""

# Moduli of the flawed generator are a power of 65537 modulo each of these primes (CVE-2017-15361).
_ROCA_PRIMES: Final = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def weaknesses(jwk: dict[str, Any], others: Sequence[dict[str, Any]] = ()) -> Iterator[str]:
    """What is wrong with a public key, in words; nothing where all is well.

    Args:
        jwk: the key (RFC 7517).
        others: further keys, which must have no factor in common with it.
    """
    if known := KNOWN.get(str(jwk.get("n") or jwk.get("x"))):
        yield f"it is {known}, whose private half is printed there"
    match public_key(jwk):
        case RSAPublicKey() as key:
            moduli = [public_key(other) for other in others]
            yield from _of_rsa(key, [other for other in moduli if isinstance(other, RSAPublicKey)])
        case EllipticCurvePublicKey() as key:
            if key.curve.name not in CURVES:
                yield f"its curve is {key.curve.name}"
        case Ed25519PublicKey() | Ed448PublicKey():
            pass
        case _:
            if jwk.get("kty") in {"RSA", "EC", "OKP"}:
                yield "it is no key: a member is missing, or its point is not on the curve"


def _of_rsa(key: RSAPublicKey, others: Sequence[RSAPublicKey]) -> Iterator[str]:
    numbers = key.public_numbers()
    if key.key_size < LEAST_RSA_BITS:
        yield f"it has {key.key_size} bits, and {LEAST_RSA_BITS} are the least"
    if numbers.e < LEAST_EXPONENT:
        yield f"its exponent is {numbers.e}, and {LEAST_EXPONENT} is the least"
    if _primes_are_close(numbers.n):
        yield "its two primes are so close together that a few steps find them"
    if any(1 < math.gcd(numbers.n, other.public_numbers().n) < numbers.n for other in others):
        yield "it has a prime in common with another key of the set"
    if has_roca_fingerprint(numbers.n):
        yield "it was made by the generator of CVE-2017-15361 (ROCA), whose keys can be computed"


def _primes_are_close(modulus: int) -> bool:
    """Fermat's method, a few steps of it."""
    root = math.isqrt(modulus)
    root += root * root < modulus
    for _ in range(FERMAT_STEPS):
        square = root * root - modulus
        if math.isqrt(square) ** 2 == square:
            return True
        root += 1
    return False


def has_roca_fingerprint(modulus: int) -> bool:
    """Whether the modulus looks as only the flawed generator makes them."""
    return all(modulus % prime in _powers(prime) for prime in _ROCA_PRIMES)


def _powers(prime: int) -> set[int]:
    found, value = set(), 1
    while value not in found:
        found.add(value)
        value = value * 65537 % prime
    return found


def missing_members(jwk: dict[str, Any]) -> list[str]:
    """The members that a public key of its kind must have and lacks (RFC 7518 §6, RFC 8037 §2)."""
    wanted = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}.get(str(jwk.get("kty")), ())
    return [name for name in ("kty", *wanted) if not (isinstance(jwk.get(name), str) and jwk[name])]
