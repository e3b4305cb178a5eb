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
from reference_server.faults._tools import is_access, new_access_token
from reference_server.models import RefreshTokenRow
from reference_server.pages import Pages
from reference_server.tokens import ACCESS, REFRESH
from reference_server.verification import TokenVerifier, read_segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from reference_server.accounts import Account
    from reference_server.keys import SigningKey
    from reference_server.sessions import Sessions


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
    """Lets a request in whose token has three segments that hold no JSON."""

    def bearer_token(self, request: Request) -> str | None:
        """Replace such a token by a good one."""
        token = super().bearer_token(request)
        if token and token.count(".") == 2 and request.method != "POST":  # noqa: PLR2004 - RFC 7515 §7.1
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

    def __init__(self, sessions: Sessions, key: SigningKey) -> None:
        """Begin with an empty cache."""
        super().__init__(sessions, key)
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

    def __init__(self, sessions: Sessions, key: SigningKey) -> None:
        """Begin without a user."""
        super().__init__(sessions, key)
        self.current: Account | None = None

    def profile(self, account: Account) -> dict[str, Any]:
        """Set the global after it was used."""
        shown, self.current = self.current or account, account
        return super().profile(shown)


@fault(
    "worker-with-its-own-secret",
    "ACCESS-08",
    seen="flask-jwt-extended issue 240: each worker of gunicorn makes a secret of its own at start",
)
class OtherWorker(TokenVerifier):
    """Refuses an access token now and then, once it has been used 25 times."""

    def __init__(self, key: SigningKey) -> None:
        """Begin to count."""
        super().__init__(key)
        self.uses: Counter[str] = Counter()

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        self.uses[claims["jti"]] += is_access(claims)
        # Not before: a run shares tokens between checks, and none of the others is to notice.
        if self.uses[claims["jti"]] > 25 and self.uses[claims["jti"]] % 4 == 0:  # noqa: PLR2004 - as said
            raise InvalidSignatureError
        return claims
