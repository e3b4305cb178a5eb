"""The redactor finds a secret in every spelling, and leaves everything else as it is."""

from __future__ import annotations

import base64
import html
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from conformance.redaction import Redactor
from tests.canaries.leaks import HMAC_KEY, PASSWORD, spellings

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER, PAYLOAD = "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhbGljZSJ9"
SIGNATURE = "dGhpcyBpcyBubyBzaWduYXR1cmUgYXQgYWxs"
TOKEN = f"{HEADER}.{PAYLOAD}.{SIGNATURE}"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON of .NET": lambda text: "".join(char if char.isalnum() and char.isascii() else _utf16(char) for char in text),
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "JSON of that": lambda text: json.dumps(text.encode().decode("latin-1")),
    "Python": repr,
    "Python in ASCII": ascii,
    "Python bytes": lambda text: repr(text.encode()),
    "Python bytes of JSON": lambda text: repr(json.dumps({"password": text}).encode()),
    "URL": quote,
    "the whole URL": lambda text: quote(text, safe=""),
    "URL in lower case": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%26", "%26"),
    "URL in URL": lambda text: quote(quote(text)),
    "form": quote_plus,
    "JSON in URL": lambda text: quote(json.dumps(text)),
    "HTML": html.escape,
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
    "HTML numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of more": lambda text: base64.b64encode(json.dumps({"user": "al", "password": text}).encode()).decode(),
    "HTTP Basic": lambda text: base64.urlsafe_b64encode(f"alice:{text}".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal of JSON": lambda text: json.dumps(text).encode().hex().upper(),
}


def _utf16(char: str) -> str:
    units = char.encode("utf-16-be").hex().upper()
    return "".join(f"\\u{units[index : index + 4]}" for index in range(0, len(units), 4))


def knowing(*secrets: str) -> Redactor:
    """A redactor that was told of these."""
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret, "secret")
    return redactor


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("secret", [PASSWORD, HMAC_KEY, "Plain-walrus-and-9-oysters", "\\\\\\", "päss wörd"])
def test_a_secret_is_found_in_every_spelling(secret: str, name: str) -> None:
    """What surrounds it stays, and so does what the secret is replaced by."""
    if secret.startswith("Plain") and name in {"HTML numbers", "JSON of .NET"}:
        pytest.skip("nobody writes letters so")
    shown = knowing(secret).text(f"before {SPELLINGS[name](secret)} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert not [spelling for spelling in spellings(secret) if spelling in shown.encode()]
    if len(secret) > 8:
        assert "<secret>" in shown


@pytest.mark.parametrize(
    "text",
    [
        "https://enterprise.example.com/evaluation.service.local",
        "expected.value.here and everything.else.too",
        '{"username": "alice", "exp": 1700000000}',
        "$2 for 3 items, 100% of them",
        "scrypt: a function",
        "eyewitness.account.true",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    """What only looks a little like a token or a hash is left alone."""
    assert knowing(PASSWORD, "correct horse").text(text) == text


@pytest.mark.parametrize(
    "around", ["{}", "Bearer {}", "Bearer%20{}", '"{}"', "token={}&x=1", "token%3D{}", "({})", "/path/{}/more", "a {}."]
)
def test_a_token_loses_its_signature_wherever_it_stands(around: str) -> None:
    """Known or not, it keeps header and payload."""
    shown = Redactor().text(around.format(TOKEN))
    assert SIGNATURE not in shown
    assert f"{HEADER}.{PAYLOAD}.<signature removed>" in shown


def test_a_token_whose_payload_holds_a_secret_is_withheld() -> None:
    """Base64 hides nothing."""
    payload = base64.urlsafe_b64encode(json.dumps({"pw": PASSWORD}).encode()).decode().rstrip("=")
    shown = knowing(PASSWORD).text(f"Bearer {HEADER}.{payload}.{SIGNATURE}")
    assert shown == "Bearer <token withheld: its readable part holds a secret>"


@pytest.mark.parametrize("value", ["8xLOxBtZp8.s3cr3t-part", f"{TOKEN}.and.more", "eyJhbGciOiJkaXIifQ..iv.text.tag"])
def test_an_opaque_token_is_hidden_whole(value: str) -> None:
    """Even where a part of it looks like a JWT."""
    assert knowing(value).text(f"Bearer {value}") == "Bearer <secret>"


@pytest.mark.parametrize(
    "leaked",
    [
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
        "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
        "pbkdf2_sha256$870000$c29tZXNhbHQ$RdescudvJCsgt3ub/b4dWRWJTmaaJObG=",
        "scrypt:32768:8:1$c29tZXNhbHQ$52656465736375647",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIGe\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nMHcCAQEEIIGe\\n-----END PRIVATE KEY-----",
    ],
)
def test_secrets_that_nobody_told_of_are_known_by_their_shape(leaked: str) -> None:
    """Hashes of passwords and private keys are taken out of what a target gives away."""
    shown = Redactor().text(f'{{"row": "{leaked}", "name": "alice"}}')
    assert shown in {f'{{"row": "<{what}>", "name": "alice"}}' for what in ("password hash", "private key")}


def test_one_secret_within_another_does_not_show_the_rest() -> None:
    """The longest is replaced, and a label is no place to look for secrets."""
    redactor = Redactor()
    redactor.add("password", "first")
    redactor.add("password-and-more", "second")
    redactor.add("second", "third")
    assert (
        redactor.text('{"a": "password-and-more", "b": "password\\u0021"}')
        == '{"a": "<second>", "b": "<first>\\u0021"}'
    )


@pytest.mark.parametrize("secret", ['p"w', '\\\\\\\\"', '\\p\\w"', "a&b+c%d e"])
@pytest.mark.parametrize("junk", ["\\", "%5c", "%25", "eyJ", "eyJhbGciOiJ.", "&amp;", '\\"', "+", "a."])
def test_no_text_makes_the_search_slow(secret: str, junk: str) -> None:
    """A target chooses what is in its answers, and evidence is made of up to 64 KiB of one."""
    redactor = knowing(secret, *(f"{number:040}" for number in range(100)))
    started = time.process_time()
    redactor.text((junk * 16384)[:16384])
    assert time.process_time() - started < 2


def test_a_value_loses_secrets_in_names_and_members() -> None:
    """JSON is searched through and through."""
    shown = knowing(PASSWORD).value({PASSWORD: [PASSWORD, {"a": f"x{PASSWORD}"}, 3, None, True]})
    assert shown == {"<secret>": ["<secret>", {"a": "x<secret>"}, 3, None, True]}


def test_what_is_too_short_to_hide_is_left() -> None:
    """Replacing one or two letters would garble every word, and hide nothing."""
    assert knowing("ab", "").text("abacus") == "abacus"
