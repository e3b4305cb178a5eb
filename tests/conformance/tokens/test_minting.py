"""Keys: the suite's own, and the one that the user hands over."""

from __future__ import annotations

import itertools
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conformance.errors import ConfigurationError
from conformance.tokens import keys
from conformance.tokens.reading import Jwt, b64url_decode
from tests.conformance.support import SECRET, taken_apart
from tests.conformance.tokens.issuer import ALGORITHMS, Issuer, issuer


def right_key(algorithm: str) -> bytes:
    """The key as a user would give it: the secret, or the private key in PEM."""
    return SECRET if algorithm == "HS256" else issuer(algorithm).private_pem


def verified(token: str, algorithm: str) -> dict[str, object]:
    """The claims of a token that the issuer's own verifier accepts."""
    claims: dict[str, object] = jwt.decode(token, issuer(algorithm).public, algorithms=[algorithm])
    return claims


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_right_key_mints(algorithm: str) -> None:
    """With the target's key a minted token is one that the target would accept, changed as asked."""
    genuine = issuer(algorithm).token(jti="first", type="access")
    later = int(time.time()) + 60

    minted = keys.minter(right_key(algorithm), genuine).mint(genuine, exp=later)

    claims = verified(minted, algorithm)
    assert claims["exp"] == later
    assert claims["jti"] not in {"first", None}
    assert {**claims, "exp": 0, "jti": 0} == {**genuine.claims, "exp": 0, "jti": 0}
    assert taken_apart(minted).header == genuine.header


def test_a_minted_token_has_no_jti_that_the_genuine_one_lacks() -> None:
    """Nothing is added to the claims: a target without `jti` gets none."""
    genuine = issuer("HS256").token()

    assert "jti" not in verified(keys.minter(SECRET, genuine).mint(genuine), "HS256")


def test_the_secret_may_be_text() -> None:
    """A secret given as text is taken as its UTF-8 bytes."""
    genuine = taken_apart(jwt.encode({"sub": "alice"}, "schlüssel-".encode() * 4, "HS256"))

    assert keys.minter("schlüssel-" * 4, genuine).key == "schlüssel-".encode() * 4


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_key_of_the_same_kind_does_not_fit(algorithm: str) -> None:
    """A key that did not sign the genuine token is refused, and the message says so without showing it."""
    other = Issuer(algorithm, keys.own_key(algorithm) if algorithm != "HS256" else keys.own_secret())
    given = keys.own_secret() if algorithm == "HS256" else other.private_pem

    with pytest.raises(ConfigurationError, match=f"does not reproduce|not the one that signs.*{algorithm}") as error:
        keys.minter(given, issuer(algorithm).token())

    assert str(given) not in str(error.value)


@pytest.mark.parametrize(("algorithm", "other"), [*itertools.permutations(ALGORITHMS, 2)])
def test_a_key_of_another_kind_does_not_fit(algorithm: str, other: str) -> None:
    """A secret for a key pair, or a key of another family, is a mistake in the configuration and no crash."""
    with pytest.raises(ConfigurationError, match="signing key"):
        keys.minter(right_key(other), issuer(algorithm).token())


def test_a_key_on_another_curve_does_not_fit() -> None:
    """Neither P-384 for ES256 nor Ed448 for an Ed25519 signature passes for the target's key."""
    for algorithm, key in (
        ("ES256", ec.generate_private_key(ec.SECP384R1())),
        ("EdDSA", ed448.Ed448PrivateKey.generate()),
    ):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(ConfigurationError):
            keys.minter(pem, issuer(algorithm).token())


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize(
    "given",
    ["", "garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff\x00", "the public key"],
)
def test_what_is_no_private_key_is_a_mistake(algorithm: str, given: str | bytes) -> None:
    """Garbage, half a PEM file or the public key is told as such."""
    if given == "the public key":
        given = issuer(algorithm).public_pem

    with pytest.raises(ConfigurationError, match="not a private key in PEM"):
        keys.minter(given, issuer(algorithm).token())


@pytest.mark.parametrize("algorithm", ["none", "", "XX999"])
def test_an_algorithm_beyond_the_suite_cannot_be_minted(algorithm: str) -> None:
    """Where tokens are unsigned or signed by something unknown, no key fits."""
    genuine = issuer("HS256").token()
    strange = Jwt({**genuine.header, "alg": algorithm}, genuine.claims, genuine.segments)

    with pytest.raises(ConfigurationError):
        keys.minter(issuer("RS256").private_pem, strange)


@pytest.mark.parametrize("algorithm", ["Ed25519", "Ed448"])
def test_edwards_curves_go_by_their_newer_names(algorithm: str) -> None:
    """A target that says Ed25519 or Ed448 (RFC 9864) instead of EdDSA is minted for like any other."""
    key = keys.own_key(algorithm)
    token = taken_apart(keys.sign({"alg": algorithm}, {"sub": "alice"}, key, algorithm))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    minted = taken_apart(keys.minter(pem, token).mint(token, sub="bob"))

    signed = ".".join(minted.segments[:2]).encode()
    key.public_key().verify(b64url_decode(minted.segments[2]), signed)
    assert minted.claims["sub"] == "bob"


def test_a_minter_does_not_show_its_key() -> None:
    """Printing a minter shows its algorithm and not its key."""
    assert SECRET.decode() not in repr(keys.Minter(SECRET, "HS256"))


@pytest.mark.parametrize(
    "algorithm",
    ["HS256", "HS384", "HS512", "RS256", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448"],
)
def test_the_suite_has_a_key_for_every_usual_algorithm(algorithm: str) -> None:
    """For each algorithm that a target may rightly use, the suite can sign with a key of its own."""
    assert keys.can_sign(algorithm)
    key = keys.foreign_key_for(algorithm)

    assert keys.foreign_key_for(algorithm) is key
    parts = taken_apart(keys.sign({"alg": algorithm}, {"sub": "alice"}, key, algorithm))
    known = {"Ed25519": "EdDSA", "Ed448": "EdDSA"}.get(algorithm, algorithm)
    public = key if isinstance(key, bytes) else key.public_key()
    message = ".".join(parts.segments[:2]).encode()
    assert jwt.get_algorithm_by_name(known).verify(message, public, b64url_decode(parts.segments[2]))


@pytest.mark.parametrize("algorithm", ["none", "", "None", "HS1", "XX999"])
def test_the_suite_knows_what_it_cannot_sign(algorithm: str) -> None:
    """An unknown algorithm, and `none`, are not among those that the suite signs with."""
    assert not keys.can_sign(algorithm)


def test_the_suite_s_keys_come_in_both_wrappings() -> None:
    """The JWK and the certificate of a family hold one and the same public key, and no private member."""
    for family, algorithm in (("RS", "RS256"), ("ES", "ES256"), ("Ed", "EdDSA")):
        jwk = keys.own_public_jwk(family)
        assert not {"d", "p", "q", "dp", "dq", "qi", "key_ops"} & set(jwk)
        assert jwt.PyJWK(jwk, algorithm).key == keys.own_key(family).public_key()
