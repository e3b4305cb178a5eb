"""Tokens that the target's own key has signed, and that are no good all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens import keys
from conformance.tokens.forging.table import Choice, Material, Needs, Row, encoded, fixed, flipped, sealed
from conformance.tokens.reading import HMAC_ALGORITHMS, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Iterator

RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC_ALGORITHMS: Final = ("ES256", "ES384", "ES512")
DEEP: Final = 1500
LONG_PAST_S: Final = 3600.0


def another_algorithm(material: Material) -> Iterator[Row]:
    """SIG-09: the right key under another algorithm that it can serve."""
    if material.signing_key is None:
        return
    own = material.token.algorithm
    kinds: tuple[tuple[str, ...], ...] = (tuple(sorted(HMAC_ALGORITHMS)), RSA_ALGORITHMS, EC_ALGORITHMS)
    for algorithm in next((kind for kind in kinds if own in kind), ()):
        if algorithm != own:
            yield Row(f"{algorithm} with the key for {own}", _under(material, algorithm), Needs.SIGNING_KEY)


def _under(material: Material, algorithm: str) -> Any:
    def forge(choice: Choice) -> str:
        return keys.sign(material.header(choice, alg=algorithm), material.token.claims, material.signing_key, algorithm)

    return forge


def critical(material: Material) -> Iterator[Row]:
    """SIG-10: the header lists what must be understood, and nobody could understand it."""
    if material.signing_key is None:
        return
    payload = material.token.segments[1]

    def row(name: str, members: dict[str, Any], *, held_against: bool = True) -> Row:
        header = encoded({**material.token.header, **members})
        return fixed(name, material.signed(header, payload), Needs.SIGNING_KEY, held_against=held_against)

    extension = "x-conformance"
    yield row("crit lists an unknown member", {"crit": [extension], extension: True})
    yield row("crit lists an unknown member beside a known one", {"crit": ["alg", extension], extension: True})
    yield row("crit lists an unknown member that is absent", {"crit": [extension]})
    yield row("crit lists exp, which stands in the header", {"crit": ["exp"], "exp": 4102444800})
    yield row("crit lists b64, which is false, and the payload is encoded", {"crit": ["b64"], "b64": False})
    raw = json.dumps(material.token.claims, separators=(",", ":"))
    # RFC 7797 §5.2: an unencoded payload holds no dot.
    if "." not in raw and raw.isascii():
        for name, members in {"crit lists b64": {"crit": ["b64"]}, "b64 is not listed": {}}.items():
            header = encoded({**material.token.header, **members, "b64": False})
            yield fixed(f"{name}, it is false, and the payload is raw", material.signed(header, raw), Needs.SIGNING_KEY)
    # What RFC 7515 §4.1.11 forbids issuers, and lets recipients overlook.
    yield row("crit is empty", {"crit": []}, held_against=False)
    yield row("crit is a string", {"crit": extension}, held_against=False)
    yield row("crit lists alg", {"crit": ["alg"]}, held_against=False)


def ambiguous(material: Material) -> Iterator[Row]:
    """SIG-14: header or claims are not one JSON object in UTF-8, or say a thing twice.

    Repeated names are refused, or the last of them counts (RFC 7515 §4, RFC 7519 §4), so that it is the last one here
    that makes the token bad.
    """
    yield from _nested(material)
    if material.signing_key is None:
        return
    token = material.token
    header, payload, _ = token.segments
    alg = token.algorithm
    rest = {name: value for name, value in token.header.items() if name != "alg"}

    def by_header(name: str, raw: bytes) -> Row:
        signed = f"{b64url_encode(raw)}.{payload}"
        return fixed(f"the header {name}", sealed(signed, material.signing_key, alg), Needs.SIGNING_KEY)

    def by_payload(name: str, raw: bytes) -> Row:
        return fixed(f"the payload {name}", material.signed(header, b64url_encode(raw)), Needs.SIGNING_KEY)

    for name, value in {"is a number": 256, "is a list": [alg], "is in the wrong case": _other_case(alg)}.items():
        yield by_header(f"has an alg that {name}", _text({**rest, "alg": value}))
    yield by_header("lacks alg", _text(rest))
    yield by_header("spells it ALG", _text({**rest, "ALG": alg}))
    members = _text({**token.header})[1:-1]
    yield by_header("has alg twice, the last is none", b"{%b,%b}" % (members, b'"alg":"none"'))
    yield by_header("has alg twice, the last with an escape and none", b"{%b,%b}" % (members, b'"\\u0061lg":"none"'))
    claims = _text(token.claims)[1:-1]
    past = int(min(material.now, token.number("iat") or material.now) - LONG_PAST_S)
    yield by_payload("has exp twice, the last is past", b'{%b,"exp":%d}' % (claims, past))
    yield by_payload("has exp twice, the last with an escape and past", b'{%b,"e\\u0078p":%d}' % (claims, past))
    for which, text in ((by_header, _text(token.header)), (by_payload, _text(token.claims))):
        yield which("has text after the object", text + b"x")
        yield which("is in UTF-16", text.decode().encode("utf-16-le"))
        yield which("holds ill-formed UTF-8", text[:-1] + b',"x":"\xff"}')
        yield which("is a list that holds the object", b"[%b]" % text)
        yield which("is a string that holds the object", json.dumps(text.decode()).encode())
    for value in (b"[]", b"null", b""):
        yield by_payload(f"is {value.decode() or 'nothing'}", value)
    without = _text({name: value for name, value in token.claims.items() if name != "exp"})[:-1]
    for name, number in {"NaN": b"NaN", "Infinity": b"Infinity"}.items():
        yield by_payload(f"has {name} as exp, which is no JSON", without + b',"exp":%b}' % number)
    for name, number in {"of 400 digits": b"1" + b"0" * 400, "of 1e400": b"1e400"}.items():
        spelt = b64url_encode(without + b',"exp":%b}' % number)
        # It is JSON, and a time to come.
        yield fixed(f"the payload has an exp {name}", material.signed(header, spelt), Needs.SIGNING_KEY,
                    held_against=False)  # fmt: skip


def _nested(material: Material) -> Iterator[Row]:
    """Nested so deep that a parser gives up, under a signature that does not fit."""
    header, payload, signature = material.token.segments
    deep = b'{"alg":"%b","x":%b%b}' % (material.token.algorithm.encode(), b"[" * DEEP, b"]" * DEEP)
    yield fixed("the header is nested deep", f"{b64url_encode(deep)}.{payload}.{flipped(signature)}")
    yield fixed("the payload is nested deep", f"{header}.{b64url_encode(deep)}.{flipped(signature)}")


def _other_case(algorithm: str) -> str:
    return algorithm.lower() if algorithm != algorithm.lower() else algorithm.upper()


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
