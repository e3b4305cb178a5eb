"""Weak and well-known public keys."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from conformance.tokens.key_strength import KNOWN, has_roca_fingerprint, missing_members, weaknesses
from conformance.tokens.reading import b64url_decode, b64url_encode
from tests.conformance.tokens.issuer import issuer


def jwk_of(key: Any, algorithm: str) -> dict[str, Any]:
    """A public key as it would be published."""
    members: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
    return members


def rsa_jwk(modulus: int, exponent: int = 65537) -> dict[str, Any]:
    """An RSA key of these numbers."""
    return {
        "kty": "RSA",
        "n": b64url_encode(modulus.to_bytes((modulus.bit_length() + 7) // 8)),
        "e": b64url_encode(exponent.to_bytes(4).lstrip(b"\0")),
    }


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_new_key_is_strong(algorithm: str) -> None:
    """A key that a library has made for this purpose is found no fault with."""
    assert list(weaknesses(issuer(algorithm).jwk)) == []
    assert missing_members(issuer(algorithm).jwk) == []


def test_a_short_key_and_a_small_exponent_are_weak() -> None:
    """1024 bits are too few, and 3 is too small."""
    key = rsa.generate_private_key(public_exponent=3, key_size=1024).public_key()  # noqa: S505 - the point
    found = " ".join(weaknesses(jwk_of(key, "RS256")))

    assert "1024 bits" in found
    assert "exponent is 3" in found


def test_close_primes_are_found() -> None:
    """Fermat's method finds primes that differ in their last digits only."""
    numbers = issuer("RS256").private.private_numbers()
    near = next(number for number in range(numbers.p + 2, numbers.p + 10_000, 2) if pow(2, number - 1, number) == 1)

    assert "close together" in " ".join(weaknesses(rsa_jwk(numbers.p * near)))


def test_a_shared_prime_is_found() -> None:
    """Two keys of one set with a prime in common give each other away; a key is not compared with itself."""
    numbers = issuer("RS256").private.private_numbers()
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    shared = rsa_jwk(numbers.p * other.q)

    assert "in common" in " ".join(weaknesses(shared, [issuer("RS256").jwk]))
    assert list(weaknesses(issuer("RS256").jwk, [issuer("RS256").jwk])) == []


def test_the_mark_of_the_flawed_generator() -> None:
    """A product of powers of 65537 has it, and an ordinary modulus has not (CVE-2017-15361)."""
    product = 1
    for prime in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157):
        product *= prime

    assert has_roca_fingerprint(pow(65537, 12345, product) + product * 7)
    assert not any(has_roca_fingerprint(number) for number in (issuer("RS256").public.public_numbers().n, 3 * 5 * 7))


def test_a_point_beside_the_curve_is_no_key() -> None:
    """An EC key whose point is not on its curve is told, and so is another curve than the usual ones."""
    jwk = issuer("ES256").jwk
    wrong = b64url_encode(bytes(31) + b"\5")

    assert "not on the curve" in " ".join(weaknesses({**jwk, "y": wrong}))
    assert missing_members({"kty": "EC", "crv": "P-256", "x": jwk["x"]}) == ["y"]
    assert missing_members({"n": "x"}) == ["kty"]


@pytest.mark.parametrize("member", KNOWN)
def test_an_example_is_recognised(member: str) -> None:
    """Each key of the list decodes to a number of its kind's size, and is found."""
    bits = len(b64url_decode(member)) * 8
    name = "n" if bits > 1024 else "x"

    assert bits in {256, 528, 2048}
    assert any(KNOWN[member] in problem for problem in weaknesses({"kty": "?", name: member}))


def test_the_examples_are_points_of_their_curves() -> None:
    """A slip in copying an EC example would show: its x is that of a point."""
    for member, name in KNOWN.items():
        curve = {"P-256": ec.SECP256R1(), "P-521": ec.SECP521R1()}.get(name.split()[1])
        if curve is not None:
            raw = b64url_decode(member).rjust(66 if "521" in name else 32, b"\0")
            assert ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\2" + raw)
