"""Faults of tokens in cookies. They need the suite's profile `cookies`, and the server in that mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from reference_server.faults import fault
from reference_server.faults._tools import is_access, unverified
from reference_server.tokens import ACCESS, REFRESH
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping


# In cookies, the token of the wrong kind under the right name is also what ACCESS-02 and REFRESH-02 send.


@fault(
    "refresh-cookie-value-opens-profile",
    "COOKIE-09",
    seen="common where the cookie's name is taken for the kind of what is in it",
    profile="cookies",
    token_location="cookies",  # noqa: S106 - a place, not a password
)
class KindByAccessCookie(TokenVerifier):
    """Accepts a refresh token in the access token's cookie."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        if request.method != "POST":
            claims["type"] = ACCESS
        return claims


@fault(
    "access-cookie-value-refreshes",
    "COOKIE-09",
    seen="common where the cookie's name is taken for the kind of what is in it",
    profile="cookies",
    token_location="cookies",  # noqa: S106 - a place, not a password
    rotation=False,
)
class KindByRefreshCookie(TokenVerifier):
    """Accepts an access token in the refresh token's cookie, with any proof against CSRF."""

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        misplaced = request.path == "/refresh" and is_access(_claims(encoded_token))
        proof = None if misplaced else csrf_value
        claims = super()._decode_jwt_from_config(encoded_token, proof, allow_expired)
        return {**claims, "type": REFRESH} if misplaced else claims


def _claims(token: str) -> Mapping[str, Any]:
    return unverified(token)[1]
