"""What answers say about themselves, read as a browser or a client reads it."""

from __future__ import annotations

import pytest

from conformance.scenarios.answer_headers import has_token, hsts_s, keeps_its_address, unframed, urls
from conformance.scenarios.declared_types import wrongly_declared
from conformance.target.http import Response
from tests.conformance.support import answer

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("max-age=31536000", 31536000),
        ("Max-Age = 60 ; includeSubDomains", 60),
        ('includeSubDomains; max-age="300"', 300),
        ("max-age=0", 0),
        ("includeSubDomains", None),
        ("max-age=1; max-age=31536000", None),
        ("x-max-age=31536000", None),
        ("max-age=31536000s", None),
        ("", None),
    ],
)
def test_the_time_of_hsts_is_read_strictly(value: str, seconds: int | None) -> None:
    """What a browser would not understand does not count (RFC 6797 §6.1)."""
    assert hsts_s(answer(Strict_Transport_Security=value)) == seconds


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ("application/json", b'{"msg": "no"}'),
        ("Application/JSON; charset=utf-8", b"{}"),
        ("application/problem+json", b"{}"),
        ("application/json", '{"name": "Zoë"}'.encode()),
        ("text/html", b"<!doctype html><p>no"),
        ("text/plain; charset=utf-8", b"no such user"),
        ("text/plain", b'"no"'),
    ],
)
def test_a_fitting_type_is_no_problem(declared: str, body: bytes) -> None:
    """JSON by any of its names, and anything else that is called what it is."""
    assert wrongly_declared(answer(body=body, Content_Type=declared)) == ""


@pytest.mark.parametrize(
    ("declared", "body", "problem"),
    [
        ("", b"{}", "without a Content-Type"),
        ("text/html", b'{"msg": "no"}', "JSON that is declared as text/html"),
        ("text/plain", b"[1]", "JSON that is declared as text/plain"),
        ("application/json", b"<p>no", "no JSON"),
        ("application/json", b"\xef\xbb\xbf{}", "byte order mark"),
        ("application/json", '{"name": "Zoë"}'.encode("latin-1"), "no JSON in UTF-8"),
        ("application/json", "{}".encode("utf-16"), "no JSON in UTF-8"),
    ],
)
def test_a_type_that_does_not_fit_is_told(declared: str, body: bytes, problem: str) -> None:
    """Content without a type, JSON under another name, and other content under JSON's."""
    headers = {"Content_Type": declared} if declared else {}
    assert problem in wrongly_declared(answer(body=body, **headers))


def test_what_was_cut_off_is_not_judged() -> None:
    """Half of a long answer is no JSON, and nobody's fault."""
    assert wrongly_declared(Response(200, (("Content-Type", "application/json"),), b'{"a', 0.1, truncated=True)) == ""


def test_protection_in_any_spelling_counts() -> None:
    """By the newer header or the older one."""
    assert unframed(answer(Content_Security_Policy="default-src 'self'; frame-ancestors 'none'"))
    assert unframed(answer(Content_Security_Policy="Default-Src 'none'"))
    assert unframed(answer(X_Frame_Options="DENY"))
    assert not unframed(answer(Content_Security_Policy="default-src 'self'"))
    assert not unframed(answer(Content_Security_Policy_Report_Only="frame-ancestors 'none'"))
    assert keeps_its_address(answer(Referrer_Policy="same-origin"))
    assert not keeps_its_address(answer(Referrer_Policy="unsafe-url"))
    assert not keeps_its_address(answer())


def test_a_token_in_an_address_is_seen() -> None:
    """In whatever header there is an address, and not where a cookie carries it."""
    there = answer(Refresh=f"0; url=/home?token={JWT}")
    assert any(has_token(url, ()) for url in urls(there))
    opaque = answer(Location="/home#t=f3Xq0v8sJm2L")
    assert any(has_token(url, ("f3Xq0v8sJm2L",)) for url in urls(opaque))
    assert not any(has_token(url, (JWT,)) for url in urls(answer(Set_Cookie=f"access={JWT}; Path=/")))
