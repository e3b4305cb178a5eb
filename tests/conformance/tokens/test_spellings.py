"""Other spellings of a token."""

from __future__ import annotations

import base64
import re

import jwt
import pytest

from conformance.tokens.keys import own_key, sign
from conformance.tokens.reading import read_jwt
from conformance.tokens.spellings import ORDERS, spellings, twin_signature, with_other_unused_bits
from tests.conformance.support import SECRET, taken_apart

CLAIMS = {"sub": "alice", "jti": "1"}


def token(algorithm: str) -> str:
    """A token of this algorithm."""
    key = SECRET if algorithm.startswith("HS") else own_key(algorithm)
    return sign({"alg": algorithm}, CLAIMS, key, algorithm)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "RS256", "ES256", "ES512", "EdDSA"])
def test_a_forgiving_decoder_reads_the_same_signature(algorithm: str) -> None:
    """Each spelling differs from the token, and is the token to a decoder that passes over what it does not know."""
    plain = token(algorithm)
    parts = dict(spellings(plain))
    twin = parts.pop("the twin of the ECDSA signature", None)

    assert (twin is not None) == algorithm.startswith("ES")
    assert {"padding added", "a character outside the alphabet", "a fourth, empty segment"} <= set(parts)
    for name, spelling in parts.items():
        assert spelling != plain
        assert spelling.isascii()
        assert not set(spelling) & set(' ";,\\'), name
        signature = spelling.split(".")[2].replace("+", "-").replace("/", "_")
        known = re.sub(r"[^A-Za-z0-9_-]", "", signature)
        assert base64.urlsafe_b64decode(known + "=" * (-len(known) % 4)) == base64.urlsafe_b64decode(
            taken_apart(plain).segments[2] + "=="
        ), name


@pytest.mark.parametrize("algorithm", sorted(ORDERS))
def test_the_twin_verifies_as_well(algorithm: str) -> None:
    """Whoever has one ECDSA signature has two."""
    parts = taken_apart(token(algorithm))
    forged = ".".join([*parts.segments[:2], twin_signature(parts)])

    assert forged != ".".join(parts.segments)
    assert jwt.decode(forged, own_key(algorithm).public_key(), algorithms=[algorithm]) == CLAIMS


@pytest.mark.parametrize(("segment", "other"), [("QQ", "QR"), ("QUE", "QUF"), ("QUFB", ""), ("", ""), ("Q=", "")])
def test_unused_bits_are_where_there_are_some(segment: str, other: str) -> None:
    """Two characters of base64 leave four bits unused, three leave two, and four leave none."""
    assert with_other_unused_bits(segment) == other


def test_an_opaque_token_has_spellings_too() -> None:
    """What is no JWT may be padded, or be looked up without regard to case."""
    assert dict(spellings("Ab-1")) == {"padding added": "Ab-1=", "the letters in the other case": "aB-1"}
    assert dict(spellings("1234")) == {"padding added": "1234="}
    assert read_jwt("Ab-1") is None
