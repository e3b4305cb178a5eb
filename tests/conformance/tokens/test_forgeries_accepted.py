"""Each known kind of flawed verifier accepts the rows made for it: a forgery that nobody takes proves nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography import x509

from conformance.tokens.forging import altered, confused, embedded, foreign_key, unsigned
from conformance.tokens.public_keys import encodings
from conformance.tokens.reading import b64url_decode
from tests.conformance.support import taken_apart
from tests.conformance.tokens.issuer import ALGORITHMS, issuer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.tokens.reading import Jwt

    Verifier = Callable[[str], bool]


def accepted_by(verifier: Verifier, made: dict[str, str]) -> set[str]:
    """The names of the rows that the verifier accepts."""
    return {name for name, forged in made.items() if verifier(forged)}


def hmac_fits(parts: Jwt, secret: bytes) -> bool:
    """Whether an HMAC verifier with this secret accepts the token."""
    digest = getattr(hashlib, f"sha{parts.algorithm[2:]}")
    expected = hmac.new(secret, ".".join(parts.segments[:2]).encode(), digest).digest()
    return hmac.compare_digest(expected, b64url_decode(parts.segments[2]))


def decodes_only(token: str) -> bool:
    """Reads the payload and verifies nothing."""
    return bool(jwt.decode(token, options={"verify_signature": False}))


def lets_an_empty_signature_pass(token: str) -> bool:
    """CVE-2020-28042: no signature, nothing to verify."""
    return token.count(".") == 2 and token.endswith(".")


def honours_none(token: str) -> bool:
    """Takes the algorithm from the token and thinks of none in lower case only as forbidden (CVE-2022-23540)."""
    header = json.loads(b64url_decode(token.partition(".")[0]))
    return (header.get("alg") or "").strip().lower() == "none" and token.endswith(".")


def believes_the_header_key(token: str) -> bool:
    """CVE-2018-0114: verifies with the key that the token brings along."""
    header = jwt.get_unverified_header(token)
    if "jwk" in header:
        key = jwt.PyJWK(header["jwk"], header["alg"]).key
    else:
        key = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0])).public_key()
    return bool(jwt.decode(token, key, algorithms=[header["alg"]]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_only_decodes_accepts_every_alteration(algorithm: str) -> None:
    """All of the altered tokens still decode, so that a server that does not verify is found by each."""
    made = dict(altered(issuer(algorithm).material()))

    assert accepted_by(decodes_only, made) == set(made)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_skips_empty_signatures_is_found(algorithm: str) -> None:
    """A server that has nothing to compare and lets that pass accepts a token for somebody else."""
    made = dict(altered(issuer(algorithm).material()))

    assert accepted_by(lets_an_empty_signature_pass, made) == {
        "the signature is empty",
        "the payload has another subject, the signature is empty",
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_honours_none_is_found(algorithm: str) -> None:
    """Each spelling of none is accepted by one who compares without regard to case and space."""
    accepted = accepted_by(honours_none, dict(unsigned(issuer(algorithm).material())))

    assert accepted == {
        *(f'alg "{word}", an empty signature' for word in ("none", "None", "NONE", "nOnE", "none ")),
        "alg none and nothing else, an empty signature",
        "alg none, another subject",
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_with_an_empty_secret_is_found(algorithm: str) -> None:
    """CVE-2019-20933: where nobody set the secret, a token signed with the empty one verifies."""
    made = dict(foreign_key(issuer(algorithm).material()))
    symmetric = {name: forged for name, forged in made.items() if taken_apart(forged).algorithm == "HS256"}

    accepted = accepted_by(lambda token: hmac_fits(taken_apart(token), b""), symmetric)

    assert accepted
    assert accepted == {name for name in made if "empty secret" in name}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_verifier_that_takes_the_public_key_for_a_secret_is_found(algorithm: str) -> None:
    """For every encoding, the verifier with exactly these bytes as its secret accepts that row's three tokens only."""
    material = issuer(algorithm).material()
    made = dict(confused(material))

    for name, secret in encodings(material.published, material.pem_files):
        accepted = accepted_by(lambda token, key=secret: hmac_fits(taken_apart(token), key), made)  # type: ignore[misc]
        assert accepted == {f"HS{bits} keyed with the {name}" for bits in (256, 384, 512)}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_trusts_the_header_is_found(algorithm: str) -> None:
    """Every token that carries its key or certificate verifies with that one, whatever the target signs with."""
    made = dict(embedded(issuer(algorithm).material()))

    assert accepted_by(believes_the_header_key, made) == set(made)
    assert len(made) == 14
