"""Finding a secret that everybody knows, offline."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import pytest

from conformance.tokens.keys import sign
from conformance.tokens.reading import Jwt
from conformance.tokens.weak_secrets import find_secret, known_secrets, variants
from tests.conformance.support import taken_apart
from tests.conformance.tokens.issuer import issuer


def signed_with(key: bytes, algorithm: str = "HS256") -> Jwt:
    """A token whose HMAC key is this one."""
    return taken_apart(sign({"alg": algorithm, "typ": "JWT"}, {"sub": "alice"}, key, algorithm))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("secret", ["secret", "changeme", "your-256-bit-secret", "super-secret", "jwt-secret-key"])
def test_a_tutorial_s_secret_is_found(secret: str, algorithm: str) -> None:
    """A secret of the list is found, whichever HMAC it is used with."""
    assert find_secret(signed_with(secret.encode(), algorithm)) == secret


def test_the_empty_secret_is_found() -> None:
    """A key that nobody set, and one of zero bytes, which HMAC cannot tell from it, count as the empty secret."""
    assert find_secret(signed_with(b"")) == ""
    assert find_secret(signed_with(bytes(32))) == ""


@pytest.mark.parametrize(
    ("candidate", "key"),
    [
        ("WmVwcGVsaW4tMSE=", b"Zeppelin-1!"),
        ("WmVwcGVsaW4tMSE", b"Zeppelin-1!"),
        ("-_-_", b"\xfb\xff\xbf"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("00ff10", b"\x00\xff\x10"),
        ("WmVwcGVsaW4tMSE=", b"WmVwcGVsaW4tMSE="),
        ("schlüssel", "schlüssel".encode()),
        ("half a pair: \ud800", b"half a pair: \xed\xa0\x80"),
    ],
)
def test_a_candidate_is_tried_in_every_reading(candidate: str, key: bytes) -> None:
    """A guess counts as text, base64 with or without padding, base64url and hexadecimal."""
    token = signed_with(key)

    assert find_secret(token) is None
    assert find_secret(token, guesses=["nonsense", candidate]) == candidate


def test_a_published_key_is_found_decoded() -> None:
    """The key of RFC 7515 appendix A.1, which is base64url there and bytes in use, is found."""
    published = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

    assert find_secret(signed_with(base64.urlsafe_b64decode(published + "=="))) == published


def test_a_random_secret_is_not_found() -> None:
    """32 random bytes are in no list, nor the guesses that do not fit."""
    assert find_secret(signed_with(secrets.token_bytes(32)), guesses=["localhost", "alice", ""]) is None


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_signature_of_a_key_pair_has_no_secret(algorithm: str) -> None:
    """A token that is not signed with HMAC is asked in vain, and without a crash."""
    assert find_secret(issuer(algorithm).token()) is None


@pytest.mark.parametrize("algorithm", ["HS", "HS1x", "HSnew", "none", ""])
def test_an_unknown_hash_has_no_secret(algorithm: str) -> None:
    """An `alg` whose hash nobody knows yields nothing."""
    token = signed_with(b"secret")

    assert find_secret(Jwt({"alg": algorithm}, token.claims, token.segments)) is None


def test_the_list_is_one_of_secrets() -> None:
    """The list holds no comment, no blank and nothing twice; the empty secret comes first."""
    first, *rest = known_secrets()

    assert first == ""
    assert len(rest) > 500
    assert len(set(rest)) == len(rest)
    assert all(secret == secret.strip() and secret and not secret.startswith("#") for secret in rest)


def test_the_judgement_is_that_of_hmac() -> None:
    """The secret that is reported reproduces the signature by Python's own HMAC."""
    token = signed_with(b"changeme")
    found = find_secret(token)

    assert found is not None
    mac = hmac.new(found.encode(), ".".join(token.segments[:2]).encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(mac).rstrip(b"=").decode() == token.segments[2]


@pytest.mark.parametrize("secret", ["Secret123", "shop-jwt-secret", "my-changeme", "SECRETSECRET", "supersecret2026"])
def test_a_variant_of_a_word_is_found(secret: str) -> None:
    """A known word, or one that only this target suggests, is found with what people put before or after it."""
    assert find_secret(signed_with(secret.encode()), guesses=["shop"]) == secret


def test_only_words_are_varied() -> None:
    """What is too long to be a word has no variants, and neither has nothing; those of a word differ."""
    assert list(variants("")) == []
    assert list(variants("a-string-secret-at-least-256-bits-long")) == []
    made = list(variants("secret"))
    assert len(made) > 80
    assert len(made) - len(set(made)) <= 3


def test_there_are_many_candidates() -> None:
    """A dictionary of a hundred thousand candidates is made from a short list as it is read."""
    assert sum(1 for word in known_secrets() for _ in variants(word)) + len(list(known_secrets())) > 100_000
