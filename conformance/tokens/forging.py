"""The forging table: every way to alter or forge a token, each row with its name and the requirement it serves.

A row makes one string out of genuine material. Whatever it makes must buy nothing. When a signature is altered, a
character in its middle is: the last one of base64url may hold unused bits, and six decoders in the wild rightly read a
changed one as the same bytes.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens import keys
from conformance.tokens.public_keys import encodings
from conformance.tokens.reading import Jwt, b64url_decode, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HMAC_KEY_OF_ZEROS: Final = bytes(32)
"""HMAC pads a key with zero bytes, so this is the empty key as well (RFC 2104 §2)."""

NONE_SPELLINGS: Final[tuple[Any, ...]] = ("none", "None", "NONE", "nOnE", "none ", "", None)


@dataclass(frozen=True, slots=True)
class Material:
    """What a forgery is made of.

    Attributes:
        token: the genuine token, taken apart.
        other: another genuine token of the same kind.
        opposite: the genuine token of the other kind from the same session, where it is a JWT.
        victim: the `sub` of somebody else, or a made-up one.
        published: public keys of the server, as JWKs.
        pem_files: public keys as the user gave them, byte for byte.
    """

    token: Jwt
    other: Jwt
    opposite: Jwt | None
    victim: Any
    published: tuple[dict[str, Any], ...] = ()
    pem_files: tuple[bytes, ...] = ()
    now: float = field(default_factory=time.time)

    @property
    def signature(self) -> bytes:
        """The genuine signature."""
        return b64url_decode(self.token.segments[2])

    @property
    def as_victim(self) -> dict[str, Any]:
        """The claims, for somebody else."""
        return {**self.token.claims, "sub": self.victim}


def altered(material: Material) -> Iterator[tuple[str, str]]:
    """SIG-01: the content or the signature was changed after signing."""
    genuine = ".".join(material.token.segments)
    # Where the target does not sign at all, an empty signature is no alteration.
    return ((name, forged) for name, forged in _alterations(material) if forged != genuine)


def _alterations(material: Material) -> Iterator[tuple[str, str]]:
    token, (header, payload, signature) = material.token, material.token.segments
    for name, claims in (
        ("another subject", material.as_victim),
        ("an added role", {**token.claims, "role": "admin", "roles": ["admin"], "is_admin": True}),
        ("a later expiry", {**token.claims, "exp": int(material.now) + 10 * 365 * 86400}),
    ):
        yield (
            f"the payload has {name}, the signature is the old one",
            f"{header}.{_encoded(claims)}.{signature}",
        )
    changed_header = _encoded({**token.header, "x-note": "changed"})
    yield (
        "the header has an added member, the signature is the old one",
        f"{changed_header}.{payload}.{signature}",
    )
    if signature:
        yield "a character in the middle of the signature is changed", f"{header}.{payload}.{_flipped(signature)}"
        yield "the signature is a byte shorter", f"{header}.{payload}.{b64url_encode(material.signature[:-1])}"
        yield "the signature is empty", f"{header}.{payload}."
    yield (
        "the signature is all zero bytes",
        f"{header}.{payload}.{b64url_encode(bytes(len(material.signature)))}",
    )
    yield "the signature is that of another token", f"{header}.{payload}.{material.other.segments[2]}"
    yield "the payload is that of another token", f"{header}.{material.other.segments[1]}.{signature}"
    if material.opposite:
        yield (
            "the signature is that of the other kind of token",
            f"{header}.{payload}.{material.opposite.segments[2]}",
        )
    yield (
        "the payload has another subject, the signature is empty",
        f"{header}.{_encoded(material.as_victim)}.",
    )


def unsigned(material: Material) -> Iterator[tuple[str, str]]:
    """SIG-02: `alg` is none, in any spelling, or there is no `alg` at all."""
    _, payload, signature = material.token.segments
    without = {key: value for key, value in material.token.header.items() if key != "alg"}
    headers = [(f"alg {json.dumps(spelling)}", {**without, "alg": spelling}) for spelling in NONE_SPELLINGS]
    headers += [("no alg", without), ("alg none and nothing else", {"alg": "none"})]
    for name, members in headers:
        header = _encoded(members)
        yield f"{name}, an empty signature", f"{header}.{payload}."
        yield f"{name}, no last dot", f"{header}.{payload}"
        yield f"{name}, the genuine signature", f"{header}.{payload}.{signature}"
    yield (
        "alg none, another subject",
        f"{_encoded({**without, 'alg': 'none'})}.{_encoded(material.as_victim)}.",
    )


def foreign_key(material: Material) -> Iterator[tuple[str, str]]:
    """SIG-03: correctly signed, with a key that the server does not own."""
    token, algorithm = material.token, material.token.algorithm
    unnamed = {key: value for key, value in token.header.items() if key != "kid"}
    named = [("", token.header)] if unnamed == token.header else [
        (", with the genuine kid", token.header), (", without a kid", unnamed)]  # fmt: skip
    for suffix, header in named:
        if algorithm in keys.HMAC_ALGORITHMS:
            yield f"a random secret{suffix}", keys.sign(header, token.claims, keys.own_secret(), algorithm)
            yield f"an empty secret{suffix}", keys.sign(header, token.claims, HMAC_KEY_OF_ZEROS, algorithm)
        else:
            if keys.can_sign(algorithm):
                yield (
                    f"a new key pair{suffix}",
                    keys.sign(header, token.claims, keys.own_key(algorithm), algorithm),
                )
            symmetric = {**header, "alg": "HS256"}
            yield (
                f"HS256 with an empty secret{suffix}",
                keys.sign(symmetric, token.claims, HMAC_KEY_OF_ZEROS, "HS256"),
            )
    if keys.can_sign(algorithm):
        victim = keys.sign(token.header, material.as_victim, keys.foreign_key_for(algorithm), algorithm)
        yield "a key of the suite's own, another subject", victim


def confused(material: Material) -> Iterator[tuple[str, str]]:
    """SIG-05: the server's public key, in each encoding, as an HMAC secret."""
    token = material.token
    for name, secret in encodings(material.published, material.pem_files):
        for algorithm in ("HS256", "HS384", "HS512"):
            header = {**token.header, "alg": algorithm}
            yield f"{algorithm} keyed with the {name}", keys.sign(header, token.claims, secret, algorithm)


def embedded(material: Material) -> Iterator[tuple[str, str]]:
    """SIG-06: a key or certificate of the forger's own inside the token's header."""
    token = material.token
    unnamed = {key: value for key, value in token.header.items() if key not in {"kid", "alg"}}
    kids: list[tuple[str, dict[str, Any]]] = [("", {})]
    if "kid" in token.header:
        kids.append((", with the genuine kid", {"kid": token.header["kid"]}))
    for suffix, kid in kids:
        for family, algorithm in (("RS", "RS256"), ("ES", "ES256"), ("Ed", "EdDSA")):
            own, jwk = keys.own_key(family), keys.own_public_jwk(family)
            members: dict[str, dict[str, Any]] = {
                f"an {algorithm} jwk": {"jwk": {**jwk, **kid}},
                f"an {algorithm} certificate as x5c": {"x5c": [keys.own_certificate(family)]},
            }
            for name, member in members.items():
                header = {**unnamed, **kid, "alg": algorithm, **member}
                yield f"{name}{suffix}", keys.sign(header, token.claims, own, algorithm)
        secret = keys.own_secret()
        jwk = {"kty": "oct", "k": b64url_encode(secret), **kid}
        header = {**unnamed, **kid, "alg": "HS256", "jwk": jwk}
        yield f"a symmetric jwk{suffix}", keys.sign(header, token.claims, secret, "HS256")


TABLE: Final[dict[str, Callable[[Material], Iterator[tuple[str, str]]]]] = {
    "SIG-01": altered,
    "SIG-02": unsigned,
    "SIG-03": foreign_key,
    "SIG-05": confused,
    "SIG-06": embedded,
}
"""Forgeries by the requirement that they serve."""


def broken_copies(value: str) -> Iterator[tuple[str, str]]:
    """A token with one character in the middle of each part changed, and one cut short; for opaque tokens too."""
    parts = value.split(".")
    for index, part in enumerate(parts):
        if len(part) > 2:  # noqa: PLR2004 - there has to be a middle
            changed = [*parts[:index], _flipped(part), *parts[index + 1 :]]
            name = f"part {index + 1} of it" if len(parts) > 1 else "it"
            yield f"a refresh token with a character in the middle of {name} changed", ".".join(changed)
    yield "a refresh token cut short", value[: len(value) * 3 // 4]


def _flipped(text: str) -> str:
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


def _encoded(value: dict[str, Any]) -> str:
    return b64url_encode(json.dumps(value, separators=(",", ":")).encode())
