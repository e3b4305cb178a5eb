"""What the faults of cookies are made with."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from flask import request
from flask_jwt_extended.exceptions import CSRFError

from reference_server.cookies import TokenCookies
from reference_server.credentials import RequestReader
from reference_server.faults._tools import unverified
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request, Response

    from reference_server.tokens import Grant

IN_COOKIES: dict[str, Any] = {"profile": "cookies", "token_location": "cookies"}
"""What every fault of cookies is registered with."""
ACCESS_COOKIE = re.compile(r"(?:__Host-)?access_token_cookie=")
REFRESH_COOKIE = re.compile(r"(?:__Host-)?refresh_token_cookie=")
TOKEN_COOKIE = re.compile(r"(?:__Host-)?(?:access|refresh)_token_cookie=")


def rewrite(response: Response, cookies: re.Pattern[str], change: Callable[[str], str]) -> None:
    """Change the lines that set these cookies."""
    lines = response.headers.getlist("Set-Cookie")
    response.headers.setlist("Set-Cookie", [change(line) if cookies.match(line) else line for line in lines])


def without(attribute: str) -> Callable[[str], str]:
    """A change that leaves an attribute out."""
    return lambda line: re.sub(rf"; {attribute}(?:=[^;]*)?(?=;|$)", "", line, flags=re.IGNORECASE)


class RewritingCookies(TokenCookies):
    """Sets cookies in another way."""

    cookies = TOKEN_COOKIE
    attribute = ""

    def set(self, response: Response, grant: Grant) -> None:
        """Change the lines afterwards."""
        super().set(response, grant)
        if self.is_meant():
            rewrite(response, self.cookies, self.change)

    def is_meant(self) -> bool:
        """Whether to change them now."""
        return True

    def change(self, line: str) -> str:
        """The line in the other way: without that attribute, unless a subclass knows another."""
        return without(self.attribute)(line)


class ExcusingReader(RequestReader):
    """Does without the proof against CSRF where `excuses` says so, by supplying it."""

    def ambiguous_cookies(self, request: Request, names: tuple[str, ...]) -> bool:
        """Look at the request before the library does."""
        if request.method == "POST" and self.excuses(request):
            sent = SimpleCookie(request.headers.get("Cookie", ""))
            name = names[1] if request.path == "/refresh" else names[0]
            token = sent[name].value if name in sent else ""
            request.environ["HTTP_X_CSRF_TOKEN"] = str(unverified(token)[1].get("csrf", ""))
        return super().ambiguous_cookies(request, names)

    def excuses(self, request: Request) -> bool:
        """Whether this request needs no proof."""
        raise NotImplementedError


class ComparingVerifier(TokenVerifier):
    """Compares the header of the proof with something else than the token's claim."""

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, None, allow_expired)
        if csrf_value is not None and not self.fits(csrf_value, str(claims.get("csrf", ""))):
            raise CSRFError("CSRF double submit tokens do not match")
        return claims

    def fits(self, shown: str, own: str) -> bool:
        """Whether to take the value that was shown."""
        raise NotImplementedError


def has_proof() -> bool:
    """Whether a header of the proof was sent at all."""
    return "X-CSRF-TOKEN" in request.headers
