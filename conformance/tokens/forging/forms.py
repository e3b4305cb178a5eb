"""Genuine content in a form that is no compact JWS (RFC 7515 §7.1): a forger needs no key for most of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from conformance.tokens.forging.table import Material, Needs, Row, encoded, fixed
from conformance.tokens.reading import b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterator

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FOREIGN: Final = {"a space": " ", "a tab": "\t", "a quote": '"', "an asterisk": "*", "a character beyond ASCII": "é"}
"""Characters of no base64 alphabet, as far as a header can carry them."""


def serialised(material: Material) -> Iterator[Row]:
    """SIG-11: JSON serialisations, and polyglots that one parser reads as JSON and another as compact."""
    header, payload, signature = material.token.segments
    members = {"payload": payload, "protected": header, "signature": signature}
    flattened = json.dumps(members, separators=(",", ":"))
    one = {"protected": header, "signature": signature}
    general = json.dumps({"payload": payload, "signatures": [one]}, separators=(",", ":"))
    for name, text in {"flattened": flattened, "general": general}.items():
        yield fixed(f"the {name} JSON serialisation", text)
        yield fixed(f"the {name} JSON serialisation, URL-encoded", quote(text, safe=""))
    yield fixed("the flattened JSON serialisation in base64url", b64url_encode(flattened.encode()))
    # Of the same person: a server that keeps sessions would refuse another subject for that alone.
    forged = encoded(material.promoted)
    rest = json.dumps(members, separators=(",", ":"))[1:]
    # One who splits at dots reads the genuine header, other claims, and whatever comes last (CVE-2022-39227).
    yield fixed("a polyglot whose first name holds other claims", f'{{"{header}.{forged}.":"",{rest}')
    yield fixed("a polyglot with the header written out", f'{{"  {header}.{forged}.{signature}":1,{rest}')
    yield fixed("a polyglot that ends as a compact token", f'{rest[:-1]},"x":"{header}.{forged}.{signature}"}}')


def miscounted(material: Material) -> Iterator[Row]:
    """SIG-12: parts are missing, added or appended."""
    header, payload, signature = material.token.segments
    genuine, other = material.genuine, ".".join(material.other.segments)
    made = {
        "the header is missing": f"{payload}.{signature}",
        "the payload is missing": f"{header}.{signature}",
        "the payload is empty": f"{header}..{signature}",
        "the header is empty": f".{payload}.{signature}",
        "the signature is missing, with its dot": f"{header}.{payload}",
        "a dot at the end": f"{genuine}.",
        "a dot at the start": f".{genuine}",
        "a fourth part": f"{genuine}.junk",
        "the signature is there twice": f"{genuine}.{signature}",
        "two further parts": f"{genuine}.{payload}.{signature}",
        "two empty parts at the end": f"{genuine}..",
        "another token before it": f"{other}.{genuine}",
        "junk between payload and signature": f"{header}.{payload}.junk.{signature}",
        "an escaped NUL at the end": f"{genuine}%00",
        "a fragment at the end": f"{genuine}#x",
    }
    return (fixed(name, text) for name, text in made.items() if text != genuine)


def respelt(material: Material) -> Iterator[Row]:
    """SIG-13: the same bytes in another spelling than strict base64url."""
    header, payload, signature = material.token.segments
    middle = len(signature) // 2
    for text in (padding,) if (padding := "=" * (-len(signature) % 4)) else ():
        yield fixed("the signature is padded", f"{header}.{payload}.{signature}{text}")
    if (standard := _standard(signature)) != signature:
        yield fixed("the signature is in the standard alphabet", f"{header}.{payload}.{standard}")
    for name, character in FOREIGN.items():
        foreign = signature[:middle] + character + signature[middle:]
        yield fixed(f"{name} within the signature", f"{header}.{payload}.{foreign}")
    if (unused := _other_unused_bits(signature)) != signature:
        yield fixed("unused bits of the signature are set", f"{header}.{payload}.{unused}", held_against=False)
    if material.signing_key is None:
        return
    # With a last member, the payload needs padding and holds both characters in which the alphabets differ.
    fillers = (encoded({**material.token.claims, "x": f"~~~???{end}"}) for end in ("", "?", "??"))
    odd = next(text for text in fillers if len(text) % 4)
    for name, spelt in {
        "padded": odd + "=" * (-len(odd) % 4),
        "in the standard alphabet": _standard(odd),
        "with a space in it": f"{odd[:-8]} {odd[-8:]}",
        "with a quote in it": f'{odd[:-8]}"{odd[-8:]}',
    }.items():
        if spelt != odd:
            yield fixed(f"the payload is {name}, correctly signed", material.signed(header, spelt), Needs.SIGNING_KEY)
    spaced = encoded({**material.token.header, "x": "~~~???"})
    yield fixed("the header is in the standard alphabet, correctly signed",
                material.signed(_standard(spaced), payload), Needs.SIGNING_KEY)  # fmt: skip


def _standard(segment: str) -> str:
    return segment.replace("-", "+").replace("_", "/")


def _other_unused_bits(segment: str) -> str:
    """The segment with its last unused bit set; itself where every bit is used (RFC 4648 §3.5)."""
    if len(segment) % 4 in {0, 1}:
        return segment
    return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) ^ 1]
