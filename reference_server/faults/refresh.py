"""Faults of the refresh."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import current_app, request
from werkzeug.exceptions import BadRequest

from reference_server import clock
from reference_server.app import services_of
from reference_server.credentials import RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._tools import is_access, unverified
from reference_server.tokens import ACCESS, REFRESH, Grant, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request, Response

    from reference_server.accounts import Account
    from reference_server.keys import SigningKey
    from reference_server.settings import Settings


@fault(
    "refresh-only-after-expiry",
    "REFRESH-01",
    seen="common where the refresh is meant for expired access tokens only, and says that it is too early",
    # No other refusal at the refresh can be told while it refuses the honest token.
    blinds=(
        "ACCESS-03",
        "EXPIRY-04",
        "INPUT-04",
        "REFRESH-02",
        "REFRESH-03",
        "REFRESH-04",
        "REFRESH-05",
        "SIG-01",
        "SIG-02",
        "SIG-03",
        "SIG-06",
    ),
)
class TooEarly(TokenVerifier):
    """Refuses to refresh as long as the access token that came with the refresh token is good."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        lifetime = services_of(current_app).issuer.lifetime(ACCESS)
        if claims["type"] == REFRESH and request.path == "/refresh" and clock.now() < claims["iat"] + lifetime:
            raise BadRequest("The access token has not expired yet")
        return claims


class KindBlindRefresh(TokenVerifier):
    """Takes an access token for a refresh token where `overlooks` says so."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        if is_access(claims) and request.path == "/refresh" and self.overlooks(claims):
            claims["type"] = REFRESH
        return claims

    def overlooks(self, claims: Mapping[str, Any]) -> bool:
        """Whether not to look at the kind of this token."""
        raise NotImplementedError


@fault(
    "access-token-refreshes",
    "REFRESH-02",
    seen="grails-spring-security-rest issue 515, GluuFederation/oxAuth issue 829",
    rotation=False,
)
class AccessTokenRefreshes(KindBlindRefresh):
    """Accepts an access token at the refresh."""

    def overlooks(self, claims: Mapping[str, Any]) -> bool:  # noqa: ARG002 - whatever it says
        """Always."""
        return True


class MarkingIssuer(TokenIssuer):
    """Marks access tokens that come from a refresh."""

    def claims(self, kind: str, **rest: Any) -> dict[str, Any]:
        """Add a claim."""
        made = super().claims(kind, **rest)
        return {**made, "renewed": True} if kind == ACCESS and request.path == "/refresh" else made


@fault(
    "refreshed-access-token-refreshes",
    "REFRESH-02",
    seen="common where the refresh issues its tokens by another code path than the login",
    also=(MarkingIssuer,),
    rotation=False,
)
class RenewedTokenRefreshes(KindBlindRefresh):
    """Accepts at the refresh an access token that a refresh has issued."""

    def overlooks(self, claims: Mapping[str, Any]) -> bool:
        """Look for the mark."""
        return bool(claims.get("renewed"))


@fault(
    "refresh-without-token-crashes",
    "REFRESH-03",
    seen="raster-foundry issue 3416: a refresh without a good token is answered with a 5xx",
)
class UncheckedPresence(ErrorPresenter):
    """Answers a refresh without a token with a server error."""

    def no_token(self) -> Response:
        """Fail."""
        if request.path == "/refresh":
            return self.render(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", "The server failed to answer")
        return super().no_token()


@fault(
    "refresh-repeats-the-access-token",
    "REFRESH-04",
    seen="common where the access token is cached for each user and the refresh asks the cache",
)
class CachedToken(TokenIssuer):
    """Gives at the refresh the access token that the session already has, as long as it lives."""

    def __init__(self, settings: Settings, key: SigningKey) -> None:
        """Begin with an empty cache."""
        super().__init__(settings, key)
        self.issued: dict[str, str] = {}

    def at_login(self, account: Account, *, sid: str, **session: Any) -> Grant:
        """Remember the first."""
        grant = super().at_login(account, sid=sid, **session)
        self.issued[sid] = grant.access_token
        return grant

    def at_refresh(self, account: Account, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Grant:
        """Repeat it, or remember the next."""
        grant = super().at_refresh(account, claims, successor_jti=successor_jti, now=now)
        cached = self.issued.get(claims["sid"], "")
        left = unverified(cached)[1].get("exp", 0) - now
        if left > 0:
            return replace(grant, access_token=cached, expires_in=left)
        self.issued[claims["sid"]] = grant.access_token
        return grant


class RefreshForAnybody(TokenIssuer):
    """Issues, at the refresh, tokens for whoever the request names."""

    def at_refresh(self, account: Account, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Grant:
        """Start a session of that account instead."""
        services = services_of(current_app)
        other = services.accounts.by_name(self.named())
        if other is None or other.id == account.id:
            return super().at_refresh(account, claims, successor_jti=successor_jti, now=now)
        jti, end = self.new_jti(), clock.now() + self.lifetime(REFRESH)
        sid = services.sessions.start(other.id, refresh_jti=jti, now=now, expires_at=end)
        return self.at_login(other, sid=sid, refresh_jti=jti, now=now, session_end=end)

    def named(self) -> str:
        """The name in the request, or an empty string."""
        raise NotImplementedError


@fault(
    "refresh-for-the-user-in-the-query",
    "REFRESH-05",
    seen="common where the identity is a parameter and the token is checked by a filter before",
)
class UserInQuery(RefreshForAnybody):
    """Issues, at the refresh, tokens for the user that the query string names."""

    def named(self) -> str:
        """Look into the query."""
        return next((request.args[name] for name in ("username", "user", "sub") if name in request.args), "")


class ForgivingReader(RequestReader):
    """Lets a body pass where none is expected."""

    def no_body(self, request: Request) -> None:
        """Say nothing."""


@fault(
    "refresh-for-the-user-in-the-body",
    "REFRESH-05",
    seen="common where the refresh was copied from the login and still reads the username",
    also=(ForgivingReader,),
)
class UserInBody(RefreshForAnybody):
    """Issues, at the refresh, tokens for the user that the body names."""

    def named(self) -> str:
        """Look into the body."""
        body = request.get_json(silent=True, force=True)
        return str(body.get("username", "")) if isinstance(body, dict) else ""
