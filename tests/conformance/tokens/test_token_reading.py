"""Taking tokens apart without trusting them."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from conformance.tokens.reading import (
    JWT_SHAPE,
    Jwt,
    Kind,
    Token,
    b64url_decode,
    b64url_encode,
    finite,
    parse_json,
    read_jwt,
)
from tests.conformance.support import SECRET, taken_apart


def compact(header: Any, claims: Any, signature: str = "c2ln") -> str:
    """A token with these parts, whatever they are."""
    return ".".join([*(b64url_encode(json.dumps(part).encode()) for part in (header, claims)), signature])


def test_a_genuine_token_is_taken_apart() -> None:
    """Header, claims, algorithm and lifetime of a library's token come out as they went in."""
    value = jwt.encode({"sub": "alice", "iat": 100, "exp": 1000}, SECRET, "HS256", headers={"kid": "k1"})

    parts = taken_apart(value)

    assert parts.algorithm == "HS256"
    assert parts.header["kid"] == "k1"
    assert parts.claims == {"sub": "alice", "iat": 100, "exp": 1000}
    assert parts.lifetime_s == 900
    assert ".".join(parts.segments) == value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(URLSafeTimedSerializer("key").dumps({"sub": "alice"}), id="a signed session cookie"),
        pytest.param(URLSafeTimedSerializer("key").dumps({"alg": "HS256"}), id="a signed session cookie with alg"),
        pytest.param(TimestampSigner("key").sign("alice").decode(), id="a signed name"),
        pytest.param("", id="nothing"),
        pytest.param("..", id="two dots"),
        pytest.param("a.b.c", id="three letters"),
        pytest.param("9b2c1f7e-8d0a-4c55-9f0e-2f6f5b1f0c11", id="a UUID"),
        pytest.param(compact({"alg": "HS256"}, {}) + ".more", id="four parts"),
        pytest.param(compact({"alg": "HS256"}, {}).rpartition(".")[0], id="two parts"),
        pytest.param(compact({"typ": "JWT"}, {}), id="a header without alg"),
        pytest.param(compact(["alg"], {}), id="a header that is a list"),
        pytest.param(compact({"alg": "HS256"}, ["sub"]), id="claims that are a list"),
        pytest.param(compact({"alg": "HS256"}, {}, "!!!!"), id="a signature that is no base64url"),
        pytest.param(compact({"alg": "HS256"}, {}, "abcde"), id="a signature of an impossible length"),
        pytest.param(compact({"alg": "HS256"}, {}).replace("e", "é", 1), id="a letter beyond ASCII"),
        pytest.param(compact({"alg": "HS256"}, {}).replace(".", "\n.", 1), id="a line feed inside"),
        pytest.param(f"{b64url_encode(b'[' * 100_000)}.e30.", id="a header nested too deep to read"),
    ],
)
def test_what_is_no_jws_stays_opaque(value: str) -> None:
    """A string with two dots is a JWT only where its header is an object with `alg` and every part decodes."""
    assert read_jwt(value) is None
    assert Token(value, Kind.ACCESS).jwt is None


def test_padding_and_plain_base64_are_read() -> None:
    """A token of a hand-written server, in plain base64 with padding, is judged as the JWT that it is."""
    genuine = taken_apart(compact({"alg": "HS256"}, {"sub": "??>>~~"}))
    plain = ".".join(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4) for part in genuine.segments)

    assert taken_apart(plain).claims == genuine.claims


@pytest.mark.parametrize("header", [{"alg": None}, {"alg": ["HS256"]}, {"alg": 5}])
def test_an_algorithm_that_is_no_string_is_none(header: dict[str, Any]) -> None:
    """An `alg` of another type counts as absent, and never as the word that Python prints for it."""
    assert taken_apart(compact(header, {})).algorithm == ""


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0),
        (1700000000, 1.7e9),
        (1700000000.25, 1700000000.25),
        (-5, -5.0),
        (True, None),
        (False, None),
        (None, None),
        ("1700000000", None),
        ([1], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_a_claim_is_a_number_or_nothing(value: Any, number: float | None) -> None:
    """Only a number that can be reckoned with is one: neither `true`, nor text, nor one beyond all floats."""
    assert finite(value) == number
    assert taken_apart(compact({"alg": "HS256"}, {"exp": value})).number("exp") == number


@pytest.mark.parametrize(
    ("claims", "lifetime"),
    [
        ({"iat": 10, "exp": 70}, 60.0),
        ({"exp": 70}, None),
        ({"iat": 10}, None),
        ({"iat": True, "exp": 70}, None),
        ({"iat": 10, "exp": "70"}, None),
        ({"iat": -1.7e308, "exp": 1.7e308}, None),
    ],
)
def test_a_lifetime_needs_both_ends(claims: dict[str, Any], lifetime: float | None) -> None:
    """The lifetime is `exp` less `iat`, and unknown where either is missing or means nothing."""
    assert taken_apart(compact({"alg": "HS256"}, claims)).lifetime_s == lifetime


def test_the_end_comes_from_the_token_first() -> None:
    """A JWT's own `exp` outweighs what the answer declared; an opaque token ends so long after it came."""
    token = Token(compact({"alg": "HS256"}, {"iat": 0, "exp": 500}), Kind.ACCESS, 100.0, 60.0)

    assert (token.expires_at, token.lifetime_s) == (500.0, 500.0)
    assert Token("opaque", Kind.ACCESS, 100.0, 60.0).expires_at == 160.0
    assert Token("opaque", Kind.ACCESS, 100.0, 60.0).lifetime_s == 60.0
    assert Token("opaque", Kind.ACCESS, 100.0).expires_at is None
    assert Token(compact({"alg": "HS256"}, {"exp": True}), Kind.ACCESS, 100.0, 60.0).expires_at == 160.0


def test_a_token_is_not_in_its_repr() -> None:
    """Printing a token or its parts shows neither its value nor its signature."""
    value = jwt.encode({"sub": "alice", "exp": int(time.time())}, SECRET, "HS256")
    token = Token(value, Kind.REFRESH)

    assert value not in repr(token)
    assert value.rpartition(".")[2] not in repr(token.jwt)


@pytest.mark.parametrize("data", [b"", b"\x00", b"ab", b"\xff\xfe\xfd", bytes(range(256))])
def test_base64url_comes_back(data: bytes) -> None:
    """What is encoded decodes to the same bytes, and the text has no padding."""
    assert b64url_decode(b64url_encode(data)) == data
    assert "=" not in b64url_encode(data)


@pytest.mark.parametrize("text", ["!", "a", "a b", "YW\nJj", "*" * 4, "é", "\ud800"])
def test_what_is_no_base64url_is_an_error(text: str) -> None:
    """A foreign character is an error and not skipped, as Python's own decoder would."""
    with pytest.raises(ValueError, match=r"."):
        b64url_decode(text)


def test_the_shape_finds_tokens_in_text() -> None:
    """A JWT is found in the middle of a text, an unsigned one as well, and ordinary words are not."""
    signed = jwt.encode({"sub": "alice"}, SECRET, "HS256")
    unsigned = jwt.encode({"sub": "alice"}, "", "none")

    assert JWT_SHAPE.findall(f'{{"msg": "bad token {signed}!", "other": "{unsigned}"}}') == [signed, unsigned]
    assert JWT_SHAPE.search("example.com.au is everyone.else.here's host") is None


def test_equal_parts_are_equal_tokens() -> None:
    """Two readings of one string are equal, so that copies can be told from other tokens."""
    value = jwt.encode({"sub": "alice"}, SECRET, "HS256")

    assert read_jwt(value) == read_jwt(value)
    assert isinstance(read_jwt(value), Jwt)


@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_json_is_read_as_deep_as_it_makes_sense(kind: Any, opens: str, closes: str) -> None:
    """A hundred levels are read, and not one more; many that stand beside each other are no matter."""
    levels = 100 // len(closes)
    assert parse_json(kind(f"{opens * levels}1{closes * levels}"))
    assert len(parse_json(kind(f"[{opens}1{closes}{f', {opens}1{closes}' * 5000}]"))) == 5001
    for more in (levels + 1, 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json(kind(f"{opens * more}1{closes * more}"))
