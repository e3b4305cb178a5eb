"""ECDSA signatures that no signer makes, and genuine ones in another encoding (RFC 7518 §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from conformance.tokens.forging.table import Material, Row, encoded, fixed
from conformance.tokens.reading import b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterator


class Curve(NamedTuple):
    """The order of a curve's base point, and how many bytes a number below it has."""

    order: int
    size: int


CURVES: Final = {
    "ES256": Curve(0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551, 32),
    "ES384": Curve(
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973, 48
    ),
    "ES512": Curve(
        0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
        66,
    ),
    "ES256K": Curve(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141, 32),
}


def degenerate(material: Material) -> Iterator[Row]:
    """SIG-17: r or s out of range under other claims; the genuine signature written otherwise."""
    curve = CURVES.get(material.token.algorithm)
    if curve is None:
        return
    order, size = curve
    header = material.token.segments[0]
    # Of the same person: a server that keeps sessions would refuse another subject for that alone.
    changed = f"{header}.{encoded(material.promoted)}"
    pairs = {"r and s are 0": (0, 0), "r is 0": (0, 1), "s is 0": (1, 0), "r and s are n": (order, order),
             "r is n, s is 1": (order, 1), "r is 1, s is n": (1, order), "r and s are 1": (1, 1)}  # fmt: skip
    for name, (r, s) in pairs.items():
        yield fixed(f"{name}, other claims", f"{changed}.{b64url_encode(r.to_bytes(size) + s.to_bytes(size))}")
    for name, (r, s) in {"0": (0, 0), "n": (order, order)}.items():
        yield fixed(
            f"r and s are {name} in DER, other claims", f"{changed}.{b64url_encode(encode_dss_signature(r, s))}"
        )
    if len(material.signature) != 2 * size:
        return  # The genuine one is in another form already; SIG-18's concern, if anybody's.
    signed = ".".join(material.token.segments[:2])
    halves = material.signature[:size], material.signature[size:]
    r, s = (int.from_bytes(half) for half in halves)
    forms = {
        "the genuine signature in DER": encode_dss_signature(r, s),
        "the genuine signature without its first byte": material.signature[1:],
        "the genuine signature with a zero byte before each half": b"\0" + halves[0] + b"\0" + halves[1],
        "the genuine signature with zero bytes after it": material.signature + bytes(size),
    }
    for name, raw in forms.items():
        yield fixed(name, f"{signed}.{b64url_encode(raw)}")
    # Both satisfy the equation, and RFC 7518 does not choose: a second spelling of one token, and no forgery.
    other = halves[0] + (order - s).to_bytes(size)
    yield fixed("the genuine signature with n - s for s", f"{signed}.{b64url_encode(other)}", held_against=False)
