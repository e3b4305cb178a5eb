"""Whether a refreshed token passes for a fresh authentication."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.scenarios.renewal import looks_fresh
from conformance.tokens.reading import Jwt

LOGIN, REFRESH = 1_000, 1_060


@pytest.mark.parametrize(
    ("claim", "before", "after", "fresh"),
    [
        ("fresh", True, False, False),
        ("fresh", True, None, False),
        ("fresh", False, True, True),
        ("fresh", True, True, True),
        # Flask-JWT-Extended writes until when a token is fresh.
        ("fresh", LOGIN + 300, LOGIN + 300, False),
        ("fresh", LOGIN + 300, REFRESH + 300, True),
        ("fresh", LOGIN + 300, REFRESH - 1, False),
        ("auth_time", LOGIN, LOGIN, False),
        ("auth_time", LOGIN, REFRESH, True),
        ("auth_time", LOGIN, None, False),
        ("auth_time", None, LOGIN, False),
        ("auth_time", None, REFRESH, True),
        ("auth_time", LOGIN, LOGIN - 5, False),
        ("acr", "urn:gold", "urn:silver", False),
        ("acr", 1, 2, True),
        ("acr", 2, 0, False),
        ("amr", ["pwd", "otp"], ["pwd"], False),
        ("amr", ["pwd"], ["pwd", "otp"], True),
        ("amr", None, "pwd", True),
    ],
)
def test_only_what_says_more_than_the_login_looks_fresh(claim: str, before: Any, after: Any, fresh: bool) -> None:
    """A claim that stays, that says less or that is dropped is right; a later time or a new method is not."""

    def token(value: Any, issued: int) -> Jwt:
        members = {"iat": issued} | ({} if value is None else {claim: value})
        return Jwt({"alg": "HS256"}, members, ("", "", ""))

    assert looks_fresh(claim, token(before, LOGIN), token(after, REFRESH)) is fresh
