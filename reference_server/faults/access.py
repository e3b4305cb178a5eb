"""Faults of the protected resources."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flask import Request, current_app, request
from flask_jwt_extended.exceptions import JWTDecodeError
from jwt import InvalidSignatureError

from reference_server.app import services_of
from reference_server.credentials import RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._tools import (
    answer_with_profile,
    first_username,
    is_access,
    new_access_token,
    unverified,
)
from reference_server.models import RefreshTokenRow
from reference_server.pages import Pages
from reference_server.tokens import ACCESS, REFRESH
from reference_server.verification import TokenVerifier, read_segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from reference_server.accounts import Account
    from reference_server.keyring import Keyring
    from reference_server.sessions import Sessions

SHORTEST_TOKEN = 60


@fault(
    "dashboard-open-to-anyone",
    "ACCESS-01",
    seen="common where each route has to ask for the check, and one was added without it",
)
class OpenDashboard(RequestReader):
    """Shows the first account's dashboard to whoever brings no token."""

    def bearer_token(self, request: Request) -> str | None:
        """Make up for a missing token."""
        if request.path == "/dashboard" and "Authorization" not in request.headers:
            return new_access_token(services_of(current_app).settings.accounts[0][0])
        return super().bearer_token(request)


@fault(
    "anonymous-answers-403",
    "ACCESS-01",
    seen="Django REST framework answers 403 and not 401 where its first authentication class names no challenge",
)
class ForbiddenToAnonymous(ErrorPresenter):
    """Answers a protected request without a token with 403."""

    def no_token(self) -> Response:
        """Change the status."""
        response = super().no_token()
        if request.method != "POST" and "Authorization" not in request.headers:
            response.status_code = 403
        return response


class KindBlindVerifier(TokenVerifier):
    """Takes a refresh token for an access token where `overlooks` says so."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        if claims["type"] == REFRESH and request.method != "POST" and self.overlooks(claims):
            claims["type"] = ACCESS
        return claims

    def overlooks(self, claims: Mapping[str, Any]) -> bool:
        """Whether not to look at the kind of this token."""
        raise NotImplementedError


@fault(
    "refresh-token-opens-everything",
    "ACCESS-02",
    seen="grails-spring-security-rest issue 391, OFBIZ-13493, spring-security-oauth issue 363",
)
class RefreshTokenOpensAll(KindBlindVerifier):
    """Accepts a refresh token wherever an access token is needed."""

    def overlooks(self, claims: Mapping[str, Any]) -> bool:  # noqa: ARG002 - whatever it says
        """Always."""
        return True


@fault(
    "refresh-token-opens-dashboard",
    "ACCESS-02",
    seen="common where the kind is checked by each route and not by the middleware",
)
class RefreshTokenOpensDashboard(KindBlindVerifier):
    """Accepts a refresh token at one of the protected routes."""

    def overlooks(self, claims: Mapping[str, Any]) -> bool:  # noqa: ARG002 - whatever it says
        """Where the check was forgotten."""
        return request.path == "/dashboard"


@fault(
    "spent-refresh-token-opens-profile",
    "ACCESS-02",
    seen="AnuranjanJain/LegalEase issue 634: a rotated refresh token still authenticates every other endpoint",
)
class SpentTokenOpens(KindBlindVerifier):
    """Accepts a refresh token in place of an access token once it has been rotated away."""

    def overlooks(self, claims: Mapping[str, Any]) -> bool:
        """Look whether it was spent."""
        with services_of(current_app).database.transaction() as session:
            row = session.get(RefreshTokenRow, claims["jti"])
            return row is not None and row.spent_at is not None


@fault(
    "nonsense-token-crashes",
    "ACCESS-03",
    seen="unc-csxl/csxl.unc.edu issue 10: a nonsensical bearer token answers 500",
)
class UncaughtSplit(TokenVerifier):
    """Fails with a server error when a token has no dots."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        if request.method != "POST":
            encoded_token.split(".")[1]
        return super()._decode_jwt_from_config(encoded_token, *rest, **options)


@fault(
    "undecodable-token-fails-open",
    "ACCESS-03",
    seen="common in middleware that catches every exception and goes on to the route",
)
class FailsOpen(RequestReader):
    """Lets a request in whose token is short and has three segments that hold no JSON."""

    def bearer_token(self, request: Request) -> str | None:
        """Replace such a token by a good one."""
        token = super().bearer_token(request)
        # Long ones are another matter (SIG-14).
        if token and token.count(".") == 2 and len(token) < SHORTEST_TOKEN and request.method != "POST":  # noqa: PLR2004 - RFC 7515 §7.1
            try:
                read_segments(token)
            except JWTDecodeError as error:
                if "JSON" in str(error):
                    return new_access_token(services_of(current_app).settings.accounts[0][0])
        return token


@fault(
    "profile-cached-for-everyone",
    "ACCESS-04",
    seen="common where a cache in front of the route is keyed by the path alone",
)
class SharedCache(Pages):
    """Shows everybody the profile that was asked for first."""

    def __init__(self, sessions: Sessions, keys: Keyring) -> None:
        """Begin with an empty cache."""
        super().__init__(sessions, keys)
        self.cached: dict[str, Any] = {}

    def profile(self, account: Account) -> dict[str, Any]:
        """Fill the cache once."""
        self.cached = self.cached or super().profile(account)
        return self.cached


@fault(
    "profile-one-user-behind",
    "ACCESS-04",
    seen="adonisjs/core issue 605: a global currentUser can return users from other sessions",
)
class GlobalUser(Pages):
    """Shows, whenever the user changes, the user of the request before."""

    def __init__(self, sessions: Sessions, keys: Keyring) -> None:
        """Begin without a user."""
        super().__init__(sessions, keys)
        self.current: Account | None = None

    def profile(self, account: Account) -> dict[str, Any]:
        """Set the global after it was used."""
        shown, self.current = self.current or account, account
        return super().profile(shown)


@fault(
    "query-names-the-user",
    "ACCESS-05",
    seen="OWASP API1:2023: common where a route takes a user id and looks at no more than that there is a token",
)
class UserFromQuery(Pages):
    """Shows the profile of the user that the query names, to whoever has a token."""

    def profile(self, account: Account) -> dict[str, Any]:
        """Look the name up."""
        named = services_of(current_app).accounts.by_name(request.args.get("user", ""))
        return super().profile(named or account)


@fault(
    "proxy-header-names-the-user",
    "ACCESS-05",
    seen="apache/devlake pull request 8880: X-Forwarded-User was believed, whoever sent it",
)
class UserFromProxyHeader(RequestReader):
    """Takes the user from the header of a proxy that is not there, with a token or without."""

    def bearer_token(self, request: Request) -> str | None:
        """Believe the header."""
        named = services_of(current_app).accounts.by_name(request.headers.get("X-Forwarded-User", ""))
        return new_access_token(named.name) if named else super().bearer_token(request)


@fault(
    "account-id-header-without-a-token",
    "ACCESS-05",
    seen="common between microservices, where a gateway turns the token into X-User-Id and the service is reachable",
)
class UserIdHeader(RequestReader):
    """Lets a request in without a token whose header holds the id of an account."""

    def bearer_token(self, request: Request) -> str | None:
        """Believe the header where there is no token."""
        token = super().bearer_token(request)
        named = services_of(current_app).accounts.by_id(request.headers.get("X-User-Id", ""))
        return new_access_token(named.name) if named and token is None else token


@fault(
    "original-url-decides-on-the-check",
    "ACCESS-05",
    seen="CVE-2018-14773: Symfony and others took the path from X-Original-URL, behind checks of the path asked for",
)
class RewrittenUrl(RequestReader):
    """Looks into X-Original-URL for the path that decides whether a token is needed."""

    def bearer_token(self, request: Request) -> str | None:
        """Let in who claims to ask for the public root."""
        token = super().bearer_token(request)
        if token is None and request.headers.get("X-Original-URL") == "/" and request.method != "POST":
            return new_access_token(first_username())
        return token


class ChecksByPath(RequestReader):
    """Checks the token in front of the router, for the paths that it knows; the router knows more spellings."""

    def bearer_token(self, request: Request) -> str | None:
        """Let a spelling pass that only the router takes for the profile."""
        if request.method == "GET" and self.routed(request.environ["REQUEST_URI"]):
            answer_with_profile()
        return super().bearer_token(request)

    def routed(self, path: str) -> bool:
        """Whether the router takes this path, as it was sent, for the profile's, and the check does not."""
        raise NotImplementedError


@fault(
    "trailing-slash-escapes",
    "ACCESS-06",
    seen="SHIRO-682: /resource/ was routed as /resource, and was not the path that the check knew",
)
class TrailingSlash(ChecksByPath):
    """Needs no token for the profile's path with a slash at its end."""

    def routed(self, path: str) -> bool:
        """A router that does not mind."""
        return path == "/profile/"


@fault(
    "two-slashes-escape",
    "ACCESS-06",
    seen="tuupola/slim-jwt-auth issue 50: extra slashes after the domain name bypass the JWT check",
)
class TwoSlashes(ChecksByPath):
    """Needs no token for the profile's path with two slashes in front."""

    def routed(self, path: str) -> bool:
        """A router that merges slashes."""
        return path == "//profile"


@fault(
    "capitals-escape",
    "ACCESS-06",
    seen="common with Express, whose router ignores case by default while a check on req.path does not",
)
class Capitals(ChecksByPath):
    """Needs no token for the profile's path in capitals."""

    def routed(self, path: str) -> bool:
        """A router that ignores case."""
        return path != "/profile" and path.lower() == "/profile"


@fault(
    "semicolon-segment-escapes",
    "ACCESS-06",
    seen="CVE-2020-1957: Apache Shiro read /x/..;/admin as a path below /x, Spring as /admin",
)
class SemicolonSegment(ChecksByPath):
    """Needs no token for the profile's path behind a detour with a semicolon in it."""

    def routed(self, path: str) -> bool:
        """A router that drops parameters before it resolves the dots."""
        return path == "/x/..;/profile"


@fault(
    "question-mark-escapes",
    "ACCESS-06",
    seen="CVE-2020-8595: Istio's JWT filter compared the path with its query, so a question mark was enough",
)
class QuestionMark(ChecksByPath):
    """Needs no token for the profile's path with the query `x`."""

    def routed(self, path: str) -> bool:
        """A router that sets the query aside."""
        return path == "/profile?x"


@fault(
    "head-needs-no-token",
    "ACCESS-07",
    "HTTP-03",
    seen="TeskaLabs/asab pull request 647: HEAD requests were exempt from authorization",
)
class OpenHead(RequestReader):
    """Checks no token where the method is HEAD."""

    def bearer_token(self, request: Request) -> str | None:
        """Make up for a missing token."""
        if request.method == "HEAD" and "Authorization" not in request.headers:
            return new_access_token(first_username())
        return super().bearer_token(request)


@fault(
    "check-bound-to-get",
    "ACCESS-07",
    seen="CVE-2010-0738: the JMX console of JBoss demanded credentials for GET and POST only",
)
class OtherMethodsShow(RequestReader):
    """Answers PUT at the profile as it answers GET, and checks nothing."""

    def bearer_token(self, request: Request) -> str | None:
        """Overlook the method."""
        if request.method == "PUT" and request.path == "/profile":
            answer_with_profile()
        return super().bearer_token(request)


@fault(
    "method-override-comes-after-the-check",
    "ACCESS-07",
    seen="common where method-override is installed behind a check that asks for a token for GET only",
)
class LateOverride(RequestReader):
    """Turns a POST that says it is a GET into one, after the check has let the POST pass."""

    def bearer_token(self, request: Request) -> str | None:
        """Change the method too late."""
        if request.path == "/profile" and request.headers.get("X-HTTP-Method-Override") == "GET":
            answer_with_profile()
        return super().bearer_token(request)


@fault(
    "override-to-options-skips-the-check",
    "ACCESS-07",
    seen="common where preflights are exempt from the check, and an override header is believed before it",
)
class PretendedPreflight(RequestReader):
    """Takes a request that says it is a preflight for one, and lets it in."""

    def bearer_token(self, request: Request) -> str | None:
        """Make up for a missing token."""
        if request.headers.get("X-HTTP-Method-Override") == "OPTIONS" and "Authorization" not in request.headers:
            return new_access_token(first_username())
        return super().bearer_token(request)


@fault(
    "worker-with-its-own-secret",
    "ACCESS-08",
    seen="flask-jwt-extended issue 240: each worker of gunicorn makes a secret of its own at start",
)
class OtherWorker(TokenVerifier):
    """Refuses an access token now and then, once it has been used 25 times."""

    def __init__(self, keys: Keyring) -> None:
        """Begin to count."""
        super().__init__(keys)
        self.uses: Counter[str] = Counter()

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        self.uses[claims["jti"]] += is_access(claims)
        # Not before: a run shares tokens between checks, and none of the others is to notice.
        if self.uses[claims["jti"]] > 25 and self.uses[claims["jti"]] % 4 == 0:  # noqa: PLR2004 - as said
            raise InvalidSignatureError
        return claims


# One good token is what every check of a refusal begins with; those checks are not to notice.
_OPENING = 3


@fault(
    "connection-stays-logged-in",
    "ACCESS-09",
    seen="common with schemes such as NTLM that authenticate a connection, behind a proxy that shares connections",
)
class ConnectionLogin(RequestReader):
    """Takes a connection whose first requests all brought one token as logged in with it."""

    def __init__(self) -> None:
        """Begin without connections."""
        super().__init__()
        self.openings: dict[str, list[str | None]] = {}

    def bearer_token(self, request: Request) -> str | None:
        """Make up for a missing token."""
        token = super().bearer_token(request)
        opening = self.openings.setdefault(request.environ.get("REMOTE_PORT", ""), [])
        if len(opening) < _OPENING:
            opening.append(token)
        elif "Authorization" not in request.headers:
            return self.owner(request)
        return token

    def owner(self, request: Request) -> str | None:
        """The one token of the connection's first requests, if all of them brought it."""
        opening = self.openings[request.environ.get("REMOTE_PORT", "")]
        return opening[0] if len(opening) == _OPENING and len(set(opening)) == 1 else None


@fault(
    "connection-keeps-its-first-user",
    "ACCESS-09",
    seen="common where a session object hangs on the socket and is made when the first request comes",
)
class ConnectionUser(ConnectionLogin):
    """Answers another user's token for the user that the connection was first used by."""

    def bearer_token(self, request: Request) -> str | None:
        """Overlook the newer token."""
        token = super().bearer_token(request)
        if "Authorization" not in request.headers:
            return None
        return self.owner(request) or token if token and unverified(token)[1] else token
