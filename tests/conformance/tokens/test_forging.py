"""What each row of the forging table is made of."""

from __future__ import annotations

import json
from dataclasses import replace

import jwt
import pytest

from conformance.tokens.forging import (
    NONE_SPELLINGS,
    TABLE,
    Material,
    altered,
    broken_copies,
    confused,
    embedded,
    foreign_key,
    unsigned,
)
from conformance.tokens.reading import b64url_decode, b64url_encode
from tests.conformance.support import taken_apart
from tests.conformance.tokens.issuer import ALGORITHMS, issuer

SIGNED_BY_OTHERS = ("PS256", "ES384", "ES256K", "Ed25519", "Ed448", "HS512")
BEYOND_THE_SUITE = ("none", "", "None", "XX999", "HS257", "ML-DSA-44")


def genuine(material: Material) -> str:
    """The token that everything starts from."""
    return ".".join(material.token.segments)


def rows(name: str, algorithm: str) -> list[tuple[str, str]]:
    """The rows of a requirement for a target with this algorithm."""
    return list(TABLE[name](issuer(algorithm).material()))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", TABLE)
def test_no_two_forgeries_are_alike(name: str, algorithm: str) -> None:
    """Every row has a name and a string of its own, and none is the genuine token or one of the other two."""
    material = issuer(algorithm).material()
    assert material.opposite is not None
    made = list(TABLE[name](material))

    assert len({case for case, _ in made}) == len(made)
    assert len({forged for _, forged in made}) == len(made)
    originals = {".".join(token.segments) for token in (material.token, material.other, material.opposite)}
    assert not originals & {forged for _, forged in made}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_table_has_rows_where_it_applies(algorithm: str) -> None:
    """Every requirement of the table has something to try, but for key confusion where there is no public key."""
    without = {name for name in TABLE if not rows(name, algorithm)}

    assert without == ({"SIG-05"} if algorithm == "HS256" else set())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_altered_token_keeps_what_it_does_not_alter(algorithm: str) -> None:
    """Each alteration leaves two of three parts as they were, or alters the payload and empties the signature."""
    material = issuer(algorithm).material()

    for name, forged in altered(material):
        kept = [new == old for new, old in zip(forged.split("."), material.token.segments, strict=True)]
        assert sum(kept) == (1 if "another subject, the signature is empty" in name else 2), name


def test_alterations_are_what_they_are_called() -> None:
    """The changed claims and signatures are those that the rows' names promise."""
    material = issuer("HS256").material()
    made = dict(altered(material))
    old = material.signature

    def claims(case: str) -> dict[str, object]:
        return taken_apart(made[case]).claims

    def signature(case: str) -> bytes:
        return b64url_decode(made[case].rpartition(".")[2])

    assert claims("the payload has another subject, the signature is the old one")["sub"] == "bob"
    assert claims("the payload has an added role, the signature is the old one")["role"] == "admin"
    expiry = claims("the payload has a later expiry, the signature is the old one")["exp"]
    assert isinstance(expiry, int)
    assert expiry > material.token.claims["exp"] + 9 * 365 * 86400
    assert "x-note" in taken_apart(made["the header has an added member, the signature is the old one"]).header
    changed = signature("a character in the middle of the signature is changed")
    assert len(changed) == len(old)
    assert changed[:10] + changed[-10:] == old[:10] + old[-10:]
    assert changed != old
    assert signature("the signature is a byte shorter") == old[:-1]
    assert signature("the signature is empty") == b""
    assert signature("the signature is all zero bytes") == bytes(32)
    assert signature("the signature is that of another token") == b64url_decode(material.other.segments[2])
    assert claims("the payload is that of another token") == material.other.claims


def test_unsigned_tokens_say_so_in_every_spelling() -> None:
    """Each spelling of none comes with an empty signature, without the last dot, and with the old signature."""
    material = issuer("RS256").material()
    made = [forged for name, forged in unsigned(material) if "another subject" not in name]

    seen = []
    for forged in made:
        header, payload, *signature = forged.split(".")
        assert payload == material.token.segments[1]
        assert signature in ([""], [], [material.token.segments[2]])
        decoded = json.loads(b64url_decode(header))
        seen.append((decoded.get("alg", "absent"), len(decoded), "".join(signature) != "", len(signature)))
    algs = [*NONE_SPELLINGS, "absent"]
    # With the genuine kid and typ, and once with nothing but alg.
    assert {alg for alg, *_ in seen} == set(algs)
    assert len(made) == 3 * (len(algs) + 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_foreign_key_signs_the_genuine_claims(algorithm: str) -> None:
    """Only the signature is foreign: claims and algorithm are the genuine ones, with and without the `kid`."""
    material = issuer(algorithm).material()
    own = [(name, taken_apart(forged)) for name, forged in foreign_key(material) if not name.startswith("HS256 with")]

    assert {parts.header.get("kid") for _, parts in own} == {"k1", None}
    for name, parts in own:
        assert parts.algorithm == algorithm, name
        assert parts.claims == (material.as_victim if "another subject" in name else material.token.claims)
        assert len(parts.segments[2]) == len(material.token.segments[2]), name


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_key_confusion_is_signed_with_hmac(algorithm: str) -> None:
    """Each encoding of the public key is tried with the three HMAC algorithms, under the genuine `kid`."""
    made = [(name, taken_apart(forged)) for name, forged in confused(issuer(algorithm).material())]

    assert {parts.algorithm for _, parts in made} == {"HS256", "HS384", "HS512"}
    assert all(name.startswith(parts.algorithm) and parts.header["kid"] == "k1" for name, parts in made)


def test_an_embedded_key_is_in_the_header() -> None:
    """A forged token carries its own key as `jwk` or `x5c`, with and without the genuine `kid`; no private half."""
    for name, forged in embedded(issuer("RS256").material()):
        header = taken_apart(forged).header
        assert ("jwk" in header) != ("x5c" in header)
        assert ("kid" in header) == name.endswith("genuine kid")
        if "symmetric" not in name:
            assert not {"d", "p", "q", "k"} & set(header.get("jwk", {})), name


@pytest.mark.parametrize("algorithm", [*SIGNED_BY_OTHERS, *BEYOND_THE_SUITE])
@pytest.mark.parametrize("name", TABLE)
def test_no_algorithm_of_a_target_stops_the_forger(name: str, algorithm: str) -> None:
    """Whatever a target writes into `alg`, the table can be made, and no row is the genuine token."""
    signature = "" if algorithm == "none" else b64url_encode(b"a signature of some length")
    token = taken_apart(
        ".".join(
            [
                b64url_encode(json.dumps({"alg": algorithm}).encode()),
                b64url_encode(json.dumps({"sub": "alice", "exp": 4102444800}).encode()),
                signature,
            ]
        )
    )
    material = Material(token, token, None, "bob")
    made = [forged for _, forged in TABLE[name](material)]

    if name == "SIG-03":
        assert (len(made) > 1) == (algorithm in SIGNED_BY_OTHERS)
    if name != "SIG-01":  # where the token given twice stands in for another one
        assert genuine(material) not in made


def test_a_target_that_does_not_sign_is_not_altered_into_itself() -> None:
    """Where the signature is empty already, emptying it is no forgery."""
    token = taken_apart(jwt.encode({"sub": "alice"}, "", "none"))
    material = replace(issuer("HS256").material(), token=token, other=token, opposite=None)

    assert genuine(material) not in [forged for _, forged in altered(material)]


def test_broken_copies_differ_in_one_place() -> None:
    """A broken copy has one character changed, in the middle of a part; the last copy is cut short."""
    value = genuine(issuer("ES256").material())

    *changed, (_, cut) = broken_copies(value)

    assert len(changed) == 3
    for index, (_, copy) in enumerate(changed):
        differing = [place for place, (new, old) in enumerate(zip(copy, value, strict=True)) if new != old]
        assert len(differing) == 1
        assert value[: differing[0]].count(".") == index
        assert value[differing[0] + 1] != "."
    assert value.startswith(cut)
    assert len(cut) < len(value)


@pytest.mark.parametrize("value", ["0123456789abcdef", "AAAA", "abc", "9b2c1f7e-8d0a-4c55"])
def test_an_opaque_token_is_broken_as_well(value: str) -> None:
    """Of a string without dots there are two broken copies, and neither is the string."""
    copies = [copy for _, copy in broken_copies(value)]

    assert len(copies) == 2
    assert value not in copies
