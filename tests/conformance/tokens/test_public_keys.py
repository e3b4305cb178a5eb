"""The encodings of a public key that could be taken for a secret."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.tokens import keys
from conformance.tokens.public_keys import encodings
from conformance.tokens.reading import b64url_decode
from tests.conformance.tokens.issuer import issuer

PAIRS = ("RS256", "ES256", "EdDSA")
SPKI = PublicFormat.SubjectPublicKeyInfo


def named(jwks: list[dict[str, Any]], pem_files: list[bytes]) -> dict[str, bytes]:
    """The secrets by name."""
    return dict(encodings(jwks, pem_files))


@pytest.mark.parametrize("algorithm", PAIRS)
def test_encodings_of_a_key_are_distinct_and_named(algorithm: str) -> None:
    """No secret comes twice, none is empty, and each has a name of its own, from whichever form the key was known."""
    one = issuer(algorithm)
    two = {**keys.own_public_jwk(algorithm[:2]), "kid": "k2"}
    for jwks, pem_files in (([one.jwk], []), ([], [one.public_pem]), ([one.jwk, two], [one.public_pem])):
        made = list(encodings(jwks, pem_files))
        assert len({name for name, _ in made}) == len(made)
        assert len({secret for _, secret in made}) == len(made)
        assert all(secret for _, secret in made)


@pytest.mark.parametrize("algorithm", PAIRS)
def test_a_published_key_comes_in_every_promised_encoding(algorithm: str) -> None:
    """PEM with and without its last line break and with CRLF, DER, the JWK's text, its members and the OpenSSH line."""
    one = issuer(algorithm)
    pem, der = one.public_pem, one.public.public_bytes(Encoding.DER, SPKI)
    secrets = set(named([one.jwk], []).values())

    assert {pem, pem.rstrip(b"\n"), pem.replace(b"\n", b"\r\n"), der} <= secrets
    assert {json.dumps(one.jwk).encode(), json.dumps(one.jwk, separators=(",", ":")).encode()} <= secrets
    assert {b64url_decode(one.jwk[name]) for name in ("n", "x", "y") if name in one.jwk} <= secrets
    assert {one.jwk[name].encode() for name in ("n", "x", "y") if name in one.jwk} <= secrets
    assert one.public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) in secrets


def test_an_rsa_key_comes_in_its_older_form_too() -> None:
    """PKCS#1 is how older libraries write an RSA key."""
    made = named([issuer("RS256").jwk], [])

    assert made["PKCS#1 PEM"].startswith(b"-----BEGIN RSA PUBLIC KEY-----\n")
    assert {"PKCS#1 DER", "PKCS#1 PEM without its last line break", "PKCS#1 PEM with CRLF"} <= set(made)


@pytest.mark.parametrize("algorithm", PAIRS)
def test_a_key_file_yields_what_a_published_key_would(algorithm: str) -> None:
    """From the PEM file alone come the file byte for byte and the encodings that a JWK's text does not take part in."""
    one = issuer(algorithm)
    odd = one.public_pem.replace(b"\n", b"\r\n") + b"\r\n"
    from_file = named([], [odd])

    assert from_file["key file, byte for byte"] == odd
    published = {secret for name, secret in encodings([one.jwk], []) if "JSON" not in name}
    assert published <= set(from_file.values())


@pytest.mark.parametrize("algorithm", PAIRS)
def test_a_certificate_counts_as_the_key_in_it(algorithm: str) -> None:
    """A certificate in a JWK's `x5c` or in a file is tried itself, and so is its public key."""
    family = algorithm[:2]
    text = keys.own_certificate(family)
    jwk = {**keys.own_public_jwk(family), "x5c": [text]}
    pem = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n".encode()
    spki = keys.own_key(family).public_key().public_bytes(Encoding.PEM, SPKI)

    for made in (named([jwk], []), named([], [pem])):
        assert made["certificate's PEM"].startswith(b"-----BEGIN CERTIFICATE-----\n")
        assert made["certificate's DER in base64"] == text.encode()
        assert spki in made.values()


def test_a_key_pair_that_was_published_whole_counts_by_its_public_half() -> None:
    """A server that publishes its private key has a public key all the same, and stops nobody."""
    one = issuer("RS256")
    whole = jwt.get_algorithm_by_name("RS256").to_jwk(one.private, as_dict=True)

    assert one.public_pem in named([whole], []).values()


@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "none", "RS999"])
def test_the_algorithm_beside_a_key_does_not_hide_it(algorithm: str) -> None:
    """A key that is published for another purpose is a public key as well."""
    one = issuer("RS256")

    assert one.public_pem in named([{**one.jwk, "alg": algorithm}], []).values()


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": 5},
        {"kty": ["RSA"]},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "oct"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "n": "!!!", "e": "AQAB"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQ"},
        {"kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": {}},
        {"kty": "EC", "crv": "P-256", "x": "\ud800", "y": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": None},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"x5c": "no list"},
        {"x5c": [None, 5, "AAAA", "!", {}]},
    ],
)
def test_a_stranger_s_jwk_stops_nothing(jwk: dict[str, Any]) -> None:
    """Whatever a target publishes, its text is tried, and the next key is looked at as well."""
    one = issuer("ES256")
    made = named([jwk, one.jwk], [])

    assert json.dumps(jwk).encode() in made.values()
    assert one.public_pem in made.values()


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                                     b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])  # fmt: skip
def test_a_file_that_is_no_key_is_tried_as_it_stands(content: bytes) -> None:
    """A file that cannot be read as a key is a candidate byte for byte, and nothing else."""
    assert list(encodings([], [content])) == ([("key file, byte for byte", content)] if content else [])


def test_a_key_that_openssh_does_not_know_has_the_other_encodings() -> None:
    """For want of an OpenSSH line nothing else is left out: the raw key is there."""
    for key in (ed448.Ed448PrivateKey.generate(), x25519.X25519PrivateKey.generate()):
        public = key.public_key()
        made = named([], [public.public_bytes(Encoding.PEM, SPKI)])
        assert public.public_bytes_raw() in made.values()
        assert "OpenSSH line" not in made
    curve = ec.generate_private_key(ec.SECP256K1()).public_key()
    numbers = curve.public_numbers()
    made = named([], [curve.public_bytes(Encoding.PEM, SPKI)])
    assert {numbers.x.to_bytes(32), numbers.y.to_bytes(32)} <= set(made.values())
