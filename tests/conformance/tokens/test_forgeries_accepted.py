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

from conformance.tokens.forging import TABLE, Needs
from conformance.tokens.forging.table import encoded
from conformance.tokens.keys import verifies
from conformance.tokens.public_keys import encodings
from conformance.tokens.reading import Jwt, b64url_decode, read_jwt
from tests.conformance.support import SECRET, taken_apart
from tests.conformance.tokens.issuer import ALGORITHMS, issuer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.tokens.issuer import Issuer

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
    algorithm = json.loads(b64url_decode(token.partition(".")[0])).get("alg")
    return isinstance(algorithm, str) and algorithm.strip(" \0").lower() == "none" and token.endswith(".")


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
    made = dict(TABLE["SIG-01"].every(issuer(algorithm).material()))

    assert accepted_by(decodes_only, made) == set(made)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_skips_empty_signatures_is_found(algorithm: str) -> None:
    """A server that has nothing to compare and lets that pass accepts a token for somebody else."""
    made = dict(TABLE["SIG-01"].every(issuer(algorithm).material()))

    assert accepted_by(lets_an_empty_signature_pass, made) == {
        "the signature is empty",
        "the payload has another subject, the signature is empty",
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_honours_none_is_found(algorithm: str) -> None:
    """Each spelling of none is accepted by one who compares without regard to case and space."""
    accepted = accepted_by(honours_none, dict(TABLE["SIG-02"].every(issuer(algorithm).material())))

    assert {name.partition(", an empty signature")[0].partition(", typ")[0] for name in accepted} >= {
        *(f"alg {json.dumps(word)}" for word in ("none", "None", "NONE", "nOnE", "none ", "none\0")),
    }
    assert any(name.startswith("alg none, another subject") for name in accepted)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_with_an_empty_secret_is_found(algorithm: str) -> None:
    """CVE-2019-20933: where nobody set the secret, a token signed with the empty one verifies."""
    made = dict(TABLE["SIG-03"].every(issuer(algorithm).material()))
    symmetric = {name: forged for name, forged in made.items() if taken_apart(forged).algorithm == "HS256"}

    accepted = accepted_by(lambda token: hmac_fits(taken_apart(token), b""), symmetric)

    assert accepted
    assert accepted == {name for name in made if "empty secret" in name}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_verifier_that_takes_the_public_key_for_a_secret_is_found(algorithm: str) -> None:
    """For every encoding, the verifier with exactly these bytes as its secret accepts that row's three tokens only."""
    material = issuer(algorithm).material()
    made = dict(TABLE["SIG-05"].every(material))

    for name, secret in encodings(material.published, material.pem_files):
        accepted = accepted_by(lambda token, key=secret: hmac_fits(taken_apart(token), key), made)  # type: ignore[misc]
        assert accepted == {case for case in made if case.startswith(f"keyed with the {name}, HS")}
        assert accepted


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_verifier_that_trusts_the_header_is_found(algorithm: str) -> None:
    """Every token that carries its key or certificate verifies with that one, whatever the target signs with."""
    made = dict(TABLE["SIG-06"].every(issuer(algorithm).material()))

    assert accepted_by(believes_the_header_key, made) == set(made)
    assert len(made) == 7 * 3


def reads_the_last_parts(token: str) -> bool:
    """Verifies whatever three parts come last, and so a genuine token behind another one."""
    return genuine_by_its_secret(".".join(token.split(".")[-3:]))


def reads_the_first_parts(token: str) -> bool:
    """Verifies the first three parts, whatever comes after."""
    return token.count(".") > 2 and genuine_by_its_secret(".".join(token.split(".")[:3]))


def skips_what_it_does_not_know(token: str) -> bool:
    """Decodes as Python does by default, which drops characters of no alphabet and takes both alphabets."""
    signed, _, signature = token.rpartition(".")
    padded = signature.encode() + b"=="
    try:
        given = base64.urlsafe_b64decode(padded)
    except ValueError:
        return False
    return hmac.digest(SECRET, signed.encode(), hashlib.sha256) == given


def genuine_by_its_secret(token: str) -> bool:
    """Whether the test's secret has signed the token."""
    parts = read_jwt(token)
    return parts is not None and hmac_fits(parts, SECRET)


def test_a_verifier_that_miscounts_is_found() -> None:
    """One who takes the first three parts or the last three accepts some of the rows that have more."""
    made = dict(TABLE["SIG-12"].every(issuer("HS256").material()))

    assert "a fourth part" in accepted_by(reads_the_first_parts, made)
    assert accepted_by(reads_the_last_parts, made) == {"another token before it", "a dot at the start"}


def test_a_lenient_decoder_is_found() -> None:
    """One who skips foreign characters and takes padding and both alphabets accepts the rows made for it."""
    material = issuer("HS256").material()
    made = dict(TABLE["SIG-13"].every(material))
    accepted = accepted_by(skips_what_it_does_not_know, made)

    assert {"the signature is padded", "a quote within the signature", "an asterisk within the signature"} <= accepted


def test_a_polyglot_shows_other_claims_than_it_proves() -> None:
    """The signature in the JSON is genuine, and the claims between the dots are not (CVE-2022-39227)."""
    material = issuer("HS256").material()
    made = {name: token for name, token in TABLE["SIG-11"].every(material) if "polyglot" in name}

    for name, token in made.items():
        assert all(segment in token for segment in material.token.segments), name
        shown = [part for part in token.split(".") if part == encoded(material.promoted)]
        assert len(shown) == 1, name


@pytest.mark.parametrize("name", ["SIG-10", "SIG-14"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_the_target_s_own_key_signs_is_bad_for_another_reason(name: str, algorithm: str) -> None:
    """The signature of every row that needs the signing key fits the text that it stands under."""
    armed = issuer(algorithm).armed()
    needing = {row.name for row in TABLE[name].rows(armed) if row.needs is Needs.SIGNING_KEY}
    assert len(needing) > 7
    for case, token in TABLE[name].every(armed):
        if case in needing:
            signed, _, signature = token.rpartition(".")
            header, _, payload = signed.partition(".")
            whole = Jwt({"alg": algorithm}, {}, (header, payload, signature))
            assert fits(whole, issuer(algorithm)), case


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_another_algorithm_verifies_with_the_right_key(algorithm: str) -> None:
    """A verifier that lets the header choose accepts every row: the key is the right one, the algorithm is not."""
    own = issuer(algorithm)
    for case, token in TABLE["SIG-09"].every(own.armed()):
        parts = taken_apart(token)
        assert parts.algorithm != algorithm
        assert fits(parts, own), case


def fits(parts: Jwt, own: Issuer) -> bool:
    """Whether the issuer's key has signed the token by the algorithm that its header names."""
    return hmac_fits(parts, SECRET) if parts.algorithm.startswith("HS") else verifies(parts, own.public)
