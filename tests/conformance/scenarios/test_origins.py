"""Origins that look like a trusted one."""

from __future__ import annotations

import pytest

from conformance.scenarios.origins import granted, lookalikes, preflight
from conformance.target.http import Request
from tests.conformance.support import answer


@pytest.mark.parametrize(
    "trusted", ["https://app.example", "https://app.example:8443", "http://127.0.0.1:5000", "http://[::1]:5000"]
)
def test_no_lookalike_is_the_origin(trusted: str) -> None:
    """Each is another origin, and each is one: a scheme, a host, perhaps a port."""
    found = [origin for _, origin in lookalikes([trusted])]

    assert trusted not in found
    assert len(found) == (4 if trusted.startswith("https") else 3)
    assert all(origin.startswith(("http://", "https://")) and " " not in origin for origin in found)


@pytest.mark.parametrize("nonsense", ["", "*", "null", "app.example", "https://[", "https://app.example:port"])
def test_what_is_no_origin_has_no_lookalikes(nonsense: str) -> None:
    """A target may say anything."""
    assert list(lookalikes([nonsense])) == []


def test_a_preflight_carries_no_credential() -> None:
    """A browser asks for permission without the request's own headers and body."""
    request = preflight(Request("POST", "/x", (("Authorization", "Bearer secret"),), b"{}"), "https://evil.example")

    assert (request.method, request.path, request.body) == ("OPTIONS", "/x", b"")
    assert ("Access-Control-Request-Method", "POST") in request.headers
    assert "Bearer secret" not in str(request.headers)


def test_credentials_are_granted_by_one_word() -> None:
    """Only `true`, in small letters, lets a browser hand over what was read with credentials."""
    origin = "https://evil.example"
    for word, with_credentials in (("true", True), ("True", False), ("1", False), ("false", False)):
        reply = answer(200, Access_Control_Allow_Origin=origin, Access_Control_Allow_Credentials=word)
        assert granted(reply) == (origin, with_credentials)
    assert granted(answer(200)) == ("", False)
