"""Tokens in a browser's cookies: out of reach of scripts, each beside the CSRF token that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_jwt_extended import set_access_cookies, set_refresh_cookies, unset_jwt_cookies

if TYPE_CHECKING:
    from flask import Response

    from reference_server.tokens import Grant


class TokenCookies:
    """Sets the cookies that carry tokens, and clears them. Their attributes are in the application's configuration."""

    def set(self, response: Response, grant: Grant) -> None:
        """Hand the tokens out; a cookie lives as long as its token."""
        set_access_cookies(response, grant.access_token, max_age=grant.expires_in)
        if grant.refresh_token is not None:
            set_refresh_cookies(response, grant.refresh_token, max_age=grant.refresh_expires_in)

    def clear(self, response: Response) -> None:
        """Take them away."""
        unset_jwt_cookies(response)
