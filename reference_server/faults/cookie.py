"""Faults of tokens in cookies. They need the suite's profile `cookies`, and the server in that mode."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import current_app, request

from reference_server import clock
from reference_server.app import services_of
from reference_server.cookies import TokenCookies
from reference_server.credentials import RequestReader
from reference_server.faults import fault
from reference_server.faults._cookies import (
    ACCESS_COOKIE,
    IN_COOKIES,
    REFRESH_COOKIE,
    ComparingVerifier,
    ExcusingReader,
    RewritingCookies,
    has_proof,
    rewrite,
    without,
)
from reference_server.faults._tools import is_access, unverified
from reference_server.tokens import ACCESS, REFRESH, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask, Request, Response

    from reference_server.tokens import Grant


@fault(
    "access-cookie-readable-by-scripts",
    "COOKIE-01",
    seen="common where a page's own script reads the token to put it into a header",
    **IN_COOKIES,
)
class ReadableAccessCookie(RewritingCookies):
    """Leaves HttpOnly out of the access token's cookie."""

    cookies = ACCESS_COOKIE
    attribute = "HttpOnly"


@fault(
    "renewed-cookies-readable-by-scripts",
    "COOKIE-01",
    seen="common where the refresh sets its cookies by other code than the login",
    **IN_COOKIES,
)
class ReadableAfterRefresh(RewritingCookies):
    """Leaves HttpOnly out of the cookies that the refresh sets."""

    attribute = "HttpOnly"

    def is_meant(self) -> bool:
        """At the refresh only."""
        return request.path == "/refresh"


@fault(
    "tokens-in-cookies-and-body",
    "COOKIE-01",
    seen="common where one login serves apps by its body and browsers by cookies, at once",
    **IN_COOKIES,
)
class TokenInBodyToo(TokenCookies):
    """Returns the refresh token in the body as well."""

    def set(self, response: Response, grant: Grant) -> None:
        """Add it."""
        super().set(response, grant)
        response.set_data(json.dumps({**(response.get_json() or {}), "refresh_token": grant.refresh_token}))


@fault(
    "refresh-cookie-without-secure",
    "COOKIE-02",
    seen="common where the flag is off for development and no setting turns it on",
    **IN_COOKIES,
)
class RefreshCookieInClear(RewritingCookies):
    """Leaves Secure out of the refresh token's cookie, whatever its name promises."""

    cookies = REFRESH_COOKIE
    attribute = "Secure"


@fault(
    "host-cookie-with-a-path",
    "COOKIE-02",
    seen="common where the prefix __Host- is added to a cookie that had a narrow Path before",
    **IN_COOKIES,
)
class PrefixAgainstItsRules(RewritingCookies):
    """Gives the refresh token's cookie a Path of its own, which its prefix forbids."""

    cookies = REFRESH_COOKIE

    def change(self, line: str) -> str:
        """Narrow it."""
        return line.replace("Path=/", "Path=/refresh")


@fault(
    "cookies-without-samesite",
    "COOKIE-03",
    seen="Flask-JWT-Extended's default, where JWT_COOKIE_SAMESITE is not set",
    **IN_COOKIES,
)
class SilentOnSites(RewritingCookies):
    """Leaves SameSite to the browser."""

    attribute = "SameSite"


@fault(
    "cookies-for-every-site",
    "COOKIE-03",
    seen="common where a page on another port did not get its cookie, and SameSite=None made it work",
    **IN_COOKIES,
)
class ForEverySite(RewritingCookies):
    """Sets the access token's cookie with SameSite=None."""

    cookies = ACCESS_COOKIE

    def change(self, line: str) -> str:
        """Open it."""
        return line.replace("SameSite=Strict", "SameSite=None")


@fault(
    "cookies-shared-with-subdomains",
    "COOKIE-02",
    "COOKIE-04",
    seen="common where one login is to serve several subdomains; a __Host- name forbids it, and browsers drop the line",
    **IN_COOKIES,
)
class SharedWithSiblings(RewritingCookies):
    """Sets the access token's cookie with a Domain."""

    cookies = ACCESS_COOKIE

    def change(self, line: str) -> str:
        """Widen it."""
        return f"{line}; Domain=localhost"


@fault(
    "refresh-without-csrf-proof",
    "COOKIE-05",
    seen="common where only the routes that change data are protected, and the refresh is thought to change none",
    # Where none is asked for, a wrong one tells nothing.
    blinds=("COOKIE-06",),
    **IN_COOKIES,
)
class UnprovenRefresh(ExcusingReader):
    """Refreshes without a proof against CSRF."""

    def excuses(self, request: Request) -> bool:
        """Every refresh that brings none."""
        return request.path == "/refresh" and not has_proof()


@fault(
    "logout-without-csrf-proof",
    "COOKIE-05",
    seen="Keycloak CVE-2020-10734: a logout that other sites can force",
    **IN_COOKIES,
)
class UnprovenLogout(ExcusingReader):
    """Logs out without a proof against CSRF."""

    def excuses(self, request: Request) -> bool:
        """Every logout that brings none."""
        return request.path == "/logout" and not has_proof()


@fault(
    "null-origin-is-trusted",
    "COOKIE-05",
    seen="common where null was put on the list of trusted origins for a file:// page or an app's web view",
    **IN_COOKIES,
)
class TrustedNull(ExcusingReader):
    """Asks for no proof where the Origin is null."""

    def excuses(self, request: Request) -> bool:
        """As from a sandboxed frame."""
        return request.headers.get("Origin") == "null"


@fault(
    "older-browsers-are-trusted",
    "COOKIE-05",
    seen="common where Sec-Fetch-Site is checked where it is sent, and nothing else where it is not",
    **IN_COOKIES,
)
class TrustedSilence(ExcusingReader):
    """Asks for no proof where the browser sends no Sec-Fetch-Site."""

    def excuses(self, request: Request) -> bool:
        """Without a look at the Origin."""
        return "Sec-Fetch-Site" not in request.headers and not has_proof()


@fault(
    "csrf-refusal-spends-the-token",
    "COOKIE-05",
    seen="common where the refresh token is rotated by a filter that runs before the one against CSRF",
    **IN_COOKIES,
)
class SpentBeforeTheCheck(TokenVerifier):
    """Spends the refresh token before it finds that the proof is missing."""

    def init_app(self, app: Flask, *rest: Any, **options: Any) -> None:
        """Rotate, for every request of another site."""
        super().init_app(app, *rest, **options)
        app.before_request(self.spend)

    def spend(self) -> None:
        """Spend the token in the cookie."""
        if request.path == "/refresh" and "Origin" in request.headers and not has_proof():
            services = services_of(current_app)
            claims = unverified(request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"], ""))[1]
            if claims:
                services.sessions.rotate(claims, successor_jti=services.issuer.new_jti(), now=clock.now())


@fault(
    "naive-double-submit",
    "COOKIE-06",
    seen="the naive pattern of OWASP's CSRF Prevention Cheat Sheet; Django's default, where the cookie is no session's",
    **IN_COOKIES,
)
class NaiveDoubleSubmit(ComparingVerifier):
    """Compares the CSRF header with the CSRF cookie, and with nothing of the session."""

    def fits(self, shown: str, own: str) -> bool:
        """Look for a cookie of that value."""
        return shown == own or any(shown == value for name, value in request.cookies.items() if "csrf" in name)


@fault(
    "csrf-token-compared-in-part",
    "COOKIE-06",
    seen="common where a value is compared by startswith, or as far as the shorter one goes",
    **IN_COOKIES,
)
class ComparedInPart(ComparingVerifier):
    """Accepts the beginning of a CSRF token for the whole."""

    def fits(self, shown: str, own: str) -> bool:
        """Compare as far as it goes."""
        return own.startswith(shown)


@fault(
    "csrf-check-skips-forms",
    "COOKIE-07",
    seen="common where the check is a middleware for JSON, and forms have one of their own that an API does not use",
    **IN_COOKIES,
)
class FormsUnchecked(ExcusingReader):
    """Asks for no proof, and reads no body, where a form is sent."""

    def excuses(self, request: Request) -> bool:
        """A form of the plain sort."""
        return request.mimetype == "application/x-www-form-urlencoded" and request.path == "/refresh"

    def no_body(self, request: Request) -> None:
        """Let any body pass."""


@fault(
    "login-reads-json-of-any-type",
    "COOKIE-07",
    "INPUT-05",
    seen="common in Flask where get_json(force=True) is used, since a client had forgotten the header",
    **IN_COOKIES,
)
class AnyTypeLogin(RequestReader):
    """Reads JSON from a login that is labelled as plain text."""

    def json_body(self, request: Request) -> Any:
        """Overlook the label."""
        if request.mimetype == "text/plain" and request.path == "/login":
            return json.loads(request.get_data())
        return super().json_body(request)


@fault(
    "authorization-header-switches-csrf-off",
    "COOKIE-08",
    seen="common where the check is skipped for API clients, which are told by their Authorization header",
    **IN_COOKIES,
)
class HeaderMeansNoBrowser(ExcusingReader):
    """Asks for no proof where there is a Bearer header, and goes by the cookies all the same."""

    def excuses(self, request: Request) -> bool:
        """Whatever it holds."""
        return request.headers.get("Authorization", "").startswith("Bearer ")


@fault(
    "empty-authorization-switches-csrf-off",
    "COOKIE-08",
    seen="common where the presence of the header is asked, and not its value",
    **IN_COOKIES,
)
class HeaderByPresence(ExcusingReader):
    """Logs out without a proof where an Authorization header is there, even an empty one."""

    def excuses(self, request: Request) -> bool:
        """Its presence will do."""
        return "Authorization" in request.headers and request.path == "/logout"


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


@fault(
    "logout-leaves-the-cookies",
    "COOKIE-10",
    seen="common where the logout ends the session at the server and returns an empty answer",
    **IN_COOKIES,
)
class LeftCookies(TokenCookies):
    """Leaves the cookies where they are at the logout."""

    def clear(self, response: Response) -> None:
        """Do nothing."""


@fault(
    "logout-clears-under-another-path",
    "COOKIE-10",
    seen="common where the cookie is cleared by the framework's default path and was set with another; Express says so",
    **IN_COOKIES,
)
class ClearedElsewhere(TokenCookies):
    """Clears the refresh token's cookie under a path where it is not."""

    def clear(self, response: Response) -> None:
        """Change the path."""
        super().clear(response)
        rewrite(response, REFRESH_COOKIE, lambda line: line.replace("Path=/", "Path=/logout"))


@fault(
    "logout-clears-without-secure",
    "COOKIE-10",
    seen="common where deleting a cookie does not repeat how it was set; browsers ignore that for __Host- names",
    **IN_COOKIES,
)
class ClearedInVain(TokenCookies):
    """Clears the cookies without Secure, so that browsers ignore it."""

    def clear(self, response: Response) -> None:
        """Leave the attribute out."""
        super().clear(response)
        rewrite(response, ACCESS_COOKIE, without("Secure"))


@fault(
    "cookies-outlive-their-tokens",
    "COOKIE-10",
    seen="Flask-JWT-Extended with JWT_SESSION_COOKIE off and no max_age: cookies for a year",
    **IN_COOKIES,
)
class YearlongCookies(RewritingCookies):
    """Keeps the access token's cookie for a year."""

    cookies = ACCESS_COOKIE

    def change(self, line: str) -> str:
        """As the library does by itself."""
        return without("Expires")(without("Max-Age")(line)) + "; Max-Age=31540000"


class CarelessCookies(TokenCookies):
    """Sets cookies of any size without the framework's warning."""

    def set(self, response: Response, grant: Grant) -> None:
        """Know of no limit."""
        current_app.config["MAX_COOKIE_SIZE"] = 0
        super().set(response, grant)


@fault(
    "refresh-cookie-too-large",
    "COOKIE-11",
    seen="common where roles and permissions go into the token's claims, and grow with the user",
    also=(CarelessCookies,),
    **IN_COOKIES,
)
class LargeToken(TokenIssuer):
    """Puts so much into a refresh token that its cookie is larger than browsers keep."""

    def claims(self, kind: str, **rest: Any) -> dict[str, Any]:
        """Add permissions."""
        made = super().claims(kind, **rest)
        return {**made, "permissions": [f"resource-{n}:read" for n in range(250)]} if kind == REFRESH else made
