"""Tokens whose content or signature was altered after signing, and tokens that are not signed at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.forging.table import Choice, Material, Row, encoded, fixed, flipped
from conformance.tokens.reading import b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE_SPELLINGS: Final[tuple[Any, ...]] = ("none", "None", "NONE", "nOnE")
ODD_SPELLINGS: Final[tuple[Any, ...]] = ("none ", "none\0", "", None, False, 0, ["none"], {})
SIGNATURE_FORMS: Final = ("an empty signature", "no last dot", "the genuine signature")
TYP_FORMS: Final = ("typ kept", "no typ")


def altered(material: Material) -> Iterator[Row]:
    """SIG-01: the content or the signature was changed after signing."""
    # Where the target does not sign at all, an empty signature is no alteration.
    return (fixed(name, token) for name, token in _alterations(material) if token != material.genuine)


def _alterations(material: Material) -> Iterator[tuple[str, str]]:
    token, (header, payload, signature) = material.token, material.token.segments
    for name, claims in (
        ("another subject", material.as_victim),
        ("an added role", material.promoted),
        ("a later expiry", {**token.claims, "exp": int(material.now) + 10 * 365 * 86400}),
    ):
        yield (
            f"the payload has {name}, the signature is the old one",
            f"{header}.{encoded(claims)}.{signature}",
        )
    changed_header = encoded({**token.header, "x-note": "changed"})
    yield (
        "the header has an added member, the signature is the old one",
        f"{changed_header}.{payload}.{signature}",
    )
    if raw := material.signature:
        changed = {
            "the first byte of the signature is changed": bytes([raw[0] ^ 0x55]) + raw[1:],
            "the last byte of the signature is changed": raw[:-1] + bytes([raw[-1] ^ 0x55]),
            "the signature is a byte shorter": raw[:-1],
            "the signature is a byte longer": raw + b"\0",
        }
        yield "a character in the middle of the signature is changed", f"{header}.{payload}.{flipped(signature)}"
        for name, other in changed.items():
            yield name, f"{header}.{payload}.{b64url_encode(other)}"
        yield "the signature is empty", f"{header}.{payload}."
    yield "the signature is all zero bytes", f"{header}.{payload}.{b64url_encode(bytes(len(material.signature)))}"
    yield "the signature is that of another token", f"{header}.{payload}.{material.other.segments[2]}"
    yield "the payload is that of another token", f"{header}.{material.other.segments[1]}.{signature}"
    if material.opposite:
        yield (
            "the signature is that of the other kind of token",
            f"{header}.{payload}.{material.opposite.segments[2]}",
        )
    yield (
        "the payload has another subject, the signature is empty",
        f"{header}.{encoded(material.as_victim)}.",
    )


def unsigned(material: Material) -> Iterator[Row]:
    """SIG-02: `alg` is none, in any spelling and of any type, or there is no `alg` at all."""
    algorithms = {f"alg {json.dumps(spelling)}": {"alg": spelling} for spelling in NONE_SPELLINGS}
    for name, members in {**algorithms, "no alg": {}}.items():
        for form in SIGNATURE_FORMS:
            yield Row(f"{name}, {form}", _unsigned(material, members, material.token.claims, form))
    for spelling in ODD_SPELLINGS:
        name = f"alg {json.dumps(spelling)}, {SIGNATURE_FORMS[0]}"
        yield Row(name, _unsigned(material, {"alg": spelling}, material.token.claims, SIGNATURE_FORMS[0]))
    yield Row("alg none, another subject", _unsigned(material, {"alg": "none"}, material.as_victim, SIGNATURE_FORMS[0]))


def _unsigned(material: Material, algorithm: dict[str, Any], claims: dict[str, Any], form: str) -> Any:
    endings = dict(zip(SIGNATURE_FORMS, (".", "", f".{material.token.segments[2]}"), strict=True))
    payload = material.token.segments[1] if claims == material.token.claims else encoded(claims)

    def forge(choice: Choice) -> str:
        left_out = {"alg", "typ"} if choice["typ"] == TYP_FORMS[1] else {"alg"}
        kept = {name: value for name, value in material.header(choice).items() if name not in left_out}
        return f"{encoded({**kept, **algorithm})}.{payload}{endings[form]}"

    return forge


def broken_copies(value: str) -> Iterator[tuple[str, str]]:
    """A token with one character in the middle of each part changed, and one cut short; for opaque tokens too."""
    parts = value.split(".")
    for index, part in enumerate(parts):
        if len(part) > 2:  # noqa: PLR2004 - there has to be a middle
            changed = [*parts[:index], flipped(part), *parts[index + 1 :]]
            name = f"part {index + 1} of it" if len(parts) > 1 else "it"
            yield f"a refresh token with a character in the middle of {name} changed", ".".join(changed)
    yield "a refresh token cut short", value[: len(value) * 3 // 4]
