"""What each row of the forging table is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlsplit

import jwt
import pytest

from conformance.tokens.forging import TABLE, Material, Needs, broken_copies, listed
from conformance.tokens.forging.alterations import NONE_SPELLINGS, ODD_SPELLINGS
from conformance.tokens.keys import sign
from conformance.tokens.reading import b64url_decode, b64url_encode
from tests.conformance.support import taken_apart
from tests.conformance.tokens.issuer import ALGORITHMS, issuer

SIGNED_BY_OTHERS = ("PS256", "ES384", "ES256K", "Ed25519", "Ed448", "HS512")
BEYOND_THE_SUITE = ("none", "", "None", "XX999", "HS257", "ML-DSA-44")


CORE = ("SIG-01", "SIG-02", "SIG-03", "SIG-05", "SIG-06")
NOT_FOR = {
    "SIG-05": {"HS256"},
    "SIG-09": {"EdDSA"},
    "SIG-15": {"HS256", "EdDSA"},
    "SIG-17": {"HS256", "RS256", "EdDSA"},
}
"""Algorithms for which a requirement's rows do not exist."""


def rows(name: str, algorithm: str) -> list[tuple[str, str]]:
    """The rows of a requirement for a target with this algorithm, in every combination of their factors."""
    return list(TABLE[name].every(issuer(algorithm).armed()))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", TABLE)
def test_no_two_forgeries_are_alike(name: str, algorithm: str) -> None:
    """Every row has a name and a string of its own, and none is the genuine token or one of the other two."""
    material = issuer(algorithm).armed()
    assert material.opposite is not None
    made = list(TABLE[name].every(material))

    assert len({case for case, _ in made}) == len(made)
    if not TABLE[name].varies_kid:  # with which the rows that are about the kid coincide
        assert len({forged for _, forged in made}) == len(made)
    originals = {".".join(token.segments) for token in (material.token, material.other, material.opposite)}
    assert not originals & {forged for _, forged in made}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_family_has_rows_where_it_applies(algorithm: str) -> None:
    """Every requirement of the table has something to try, but where the algorithm rules it out."""
    without = {name for name in TABLE if not rows(name, algorithm)}

    assert without == {name for name, algorithms in NOT_FOR.items() if algorithm in algorithms}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_row_says_what_a_forger_needs_for_it(algorithm: str) -> None:
    """Without the signing key, the public key or the canary there are exactly the rows that need none of them."""
    armed = issuer(algorithm).armed()
    with_all = list(listed(armed))
    with_nothing = list(listed(replace(armed, signing_key=None, published=(), pem_files=(), served=(), canary="")))

    assert with_nothing == [row for row in with_all if row[2] is Needs.NOTHING]
    assert {need for _, _, need in with_all} >= {Needs.NOTHING, Needs.CANARY, Needs.SIGNING_KEY}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_altered_token_keeps_what_it_does_not_alter(algorithm: str) -> None:
    """Each alteration leaves two of three parts as they were, or alters the payload and empties the signature."""
    material = issuer(algorithm).material()

    for name, forged in TABLE["SIG-01"].every(material):
        kept = [new == old for new, old in zip(forged.split("."), material.token.segments, strict=True)]
        assert sum(kept) == (1 if "another subject, the signature is empty" in name else 2), name


def test_alterations_are_what_they_are_called() -> None:
    """The changed claims and signatures are those that the rows' names promise."""
    material = issuer("HS256").material()
    made = dict(TABLE["SIG-01"].every(material))
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
    """Each usual spelling comes with an empty signature, without the last dot, and with the old signature."""
    material = issuer("RS256").material()
    seen: dict[str, set[str]] = {}
    for name, forged in TABLE["SIG-02"].every(material):
        if "another subject" in name:
            continue
        header, payload, *signature = forged.split(".")
        assert payload == material.token.segments[1]
        assert signature in ([""], [], [material.token.segments[2]])
        algorithm = json.dumps(json.loads(b64url_decode(header)).get("alg", "absent"))
        seen.setdefault(algorithm, set()).add(str(signature))

    plain = {json.dumps(alg) for alg in (*NONE_SPELLINGS, "absent")}
    assert set(seen) == plain | {json.dumps(alg) for alg in ODD_SPELLINGS}
    assert {len(seen[alg]) for alg in plain} == {3}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_foreign_key_signs_the_genuine_claims(algorithm: str) -> None:
    """Only the signature is foreign: claims and algorithm are the genuine ones, under each way to name the key."""
    material = issuer(algorithm).material()
    made = [(name, taken_apart(forged)) for name, forged in TABLE["SIG-03"].every(material)]
    own = [(name, parts) for name, parts in made if not name.startswith("HS256 with")]

    assert {parts.header.get("kid") for _, parts in own} == {"k1", "conformance-unknown", None}
    for name, parts in own:
        assert parts.algorithm == algorithm, name
        assert parts.claims == (material.as_victim if "another subject" in name else material.token.claims)
        assert len(parts.segments[2]) == len(material.token.segments[2]), name


@pytest.mark.parametrize("secret", ["null", "undefined", ""])
def test_a_target_s_own_weak_secret_is_no_foreign_key(secret: str) -> None:
    """What a target really signs with is left to SIG-04, so that one mistake is one finding."""
    signed = taken_apart(sign({"alg": "HS256"}, {"sub": "alice"}, secret.encode(), "HS256"))
    material = replace(issuer("HS256").material(), token=signed)

    for name, forged in TABLE["SIG-03"].every(material):
        assert taken_apart(forged).segments[2] != signed.segments[2], name


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_key_confusion_is_signed_with_hmac(algorithm: str) -> None:
    """Each encoding of the public key is tried with the three HMAC algorithms."""
    made = [taken_apart(forged) for _, forged in TABLE["SIG-05"].every(issuer(algorithm).material())]

    assert {parts.algorithm for parts in made} == {"HS256", "HS384", "HS512"}
    assert {parts.header.get("kid") for parts in made} == {"k1", "conformance-unknown", None}


def test_an_embedded_key_is_in_the_header() -> None:
    """A forged token carries its own key as `jwk` or `x5c`, and no private half."""
    for name, forged in TABLE["SIG-06"].every(issuer("RS256").material()):
        header = taken_apart(forged).header
        assert ("jwk" in header) != ("x5c" in header)
        if "symmetric" not in name:
            assert not {"d", "p", "q", "k"} & set(header.get("jwk", {})), name


def test_every_url_leads_to_the_canary() -> None:
    """No forged token names a place where anybody but the suite would be called."""
    material = issuer("RS256").armed()
    for name, forged in TABLE["SIG-07"].every(material):
        parts = taken_apart(forged)
        texts = [*map(str, parts.header.values()), *map(str, parts.claims.values())]
        urls = [urlsplit(text) for text in texts if "://" in text]
        assert urls, name
        assert {url.netloc.rpartition("@")[2] for url in urls} == {urlsplit(material.canary).netloc}, name


@pytest.mark.parametrize("algorithm", [*SIGNED_BY_OTHERS, *BEYOND_THE_SUITE])
@pytest.mark.parametrize("name", CORE)
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
    made = [forged for _, forged in TABLE[name].every(material)]

    if name == "SIG-03":
        own = [forged for forged in made if taken_apart(forged).algorithm == algorithm]
        assert bool(own) == (algorithm in SIGNED_BY_OTHERS)
    if name != "SIG-01":  # where the token given twice stands in for another one
        assert material.genuine not in made


def test_a_target_that_does_not_sign_is_not_altered_into_itself() -> None:
    """Where the signature is empty already, emptying it is no forgery."""
    token = taken_apart(jwt.encode({"sub": "alice"}, "", "none"))
    material = replace(issuer("HS256").material(), token=token, other=token, opposite=None)

    assert material.genuine not in [forged for _, forged in TABLE["SIG-01"].every(material)]


def test_broken_copies_differ_in_one_place() -> None:
    """A broken copy has one character changed, in the middle of a part; the last copy is cut short."""
    value = issuer("ES256").material().genuine

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
