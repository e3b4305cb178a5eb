"""Faults of the refresh."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import current_app, request
from flask_jwt_extended import create_access_token
from werkzeug.exceptions import BadRequest

from reference_server import clock
from reference_server.app import services_of
from reference_server.credentials import RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._tools import is_access, unverified
from reference_server.sessions import Sessions, Spending
from reference_server.tokens import ACCESS, REFRESH, Grant, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request, Response

    from reference_server.accounts import Account
    from reference_server.database import Database
    from reference_server.keyring import Keyring
    from reference_server.settings import Settings


@fault(
    "refresh-only-after-expiry",
    "REFRESH-01",
    seen="common where the refresh is meant for expired access tokens only, and says that it is too early",
    # No other refusal at the refresh can be told while it refuses the honest token.
    blinds=(
        "ACCESS-03",
        "CLAIM-10",
        "EXPIRY-04",
        "EXPIRY-12",
        "HTTP-02",
        "INPUT-04",
        "INPUT-10",
        "LOGIN-06",
        "RACE-01",
        "RACE-02",
        "REFRESH-02",
        "REFRESH-03",
        "REFRESH-04",
        "REFRESH-05",
        "REFRESH-06",
        "REFRESH-07",
        "REFRESH-08",
        "REVOKE-01",
        "REVOKE-02",
        "REVOKE-04",
        "REVOKE-05",
        "REVOKE-06",
        "REVOKE-07",
        "REVOKE-08",
        "REVOKE-09",
        "ROTATE-01",
        "ROTATE-02",
        "ROTATE-03",
        "ROTATE-04",
        "ROTATE-05",
        "ROTATE-06",
        "ROTATE-07",
        "ROTATE-08",
        "SIG-01",
        "SIG-02",
        "SIG-03",
        "SIG-06",
        "SIG-07",
        "SIG-08",
        "SIG-09",
        "SIG-10",
        "SIG-11",
        "SIG-12",
        "SIG-13",
        "SIG-14",
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

    def __init__(self, settings: Settings, keys: Keyring) -> None:
        """Begin with an empty cache."""
        super().__init__(settings, keys)
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


class GenerousIssuer(TokenIssuer):
    """Adds rights to the access token of a refresh."""

    def claims(self, kind: str, **rest: Any) -> dict[str, Any]:
        """Leave other tokens alone."""
        made = super().claims(kind, **rest)
        return {**made, **self.gift()} if kind == ACCESS and request.path == "/refresh" else made

    def gift(self) -> dict[str, Any]:
        """The claims that are added."""
        raise NotImplementedError


@fault(
    "refreshed-token-has-every-scope",
    "REFRESH-06",
    seen="F3-Nation/f3-nation pull request 749: a refresh used the client's scopes instead of the grant's",
)
class EveryScope(GenerousIssuer):
    """Gives the access token of a refresh a scope that the login's has not."""

    def gift(self) -> dict[str, Any]:
        """Everything there is."""
        return {"scope": "dashboard read write admin"}


@fault(
    "refresh-grants-the-scope-in-the-query",
    "REFRESH-06",
    seen="openshift/osin pull request 61: scopes could be raised on a refresh",
)
class ScopeOnRequest(GenerousIssuer):
    """Gives the access token of a refresh the scope that the query asks for."""

    def gift(self) -> dict[str, Any]:
        """Look into the query."""
        return {"scope": request.args["scope"]} if "scope" in request.args else {}


@fault(
    "refresh-takes-roles-from-the-body",
    "REFRESH-06",
    "LOGIN-06",
    seen="common where the body of a refresh is merged into the claims",
    also=(ForgivingReader,),
)
class RolesFromBody(GenerousIssuer):
    """Gives the access token of a refresh the roles that the body names."""

    def gift(self) -> dict[str, Any]:
        """Look into the body."""
        body = request.get_json(silent=True)
        return {"roles": body["roles"]} if isinstance(body, dict) and "roles" in body else {}


@fault(
    "refreshed-token-is-fresh",
    "REFRESH-07",
    seen="common where login and refresh share a function that calls create_access_token with fresh=True",
)
class AlwaysFresh(TokenIssuer):
    """Calls the access token of a refresh fresh."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Say so where the library asks."""
        if kind == REFRESH or request.path != "/refresh":
            return super().encode(kind, account, claims)
        token: str = create_access_token(identity=account.id, additional_claims=claims, fresh=True)
        return token


@fault(
    "auth-time-of-the-refresh",
    "REFRESH-07",
    seen="leodip/goiabada issue 125, better-auth/better-auth pull request 8134",
)
class AuthTimeNow(TokenIssuer):
    """Writes the time of issue into auth_time, after a refresh as after a login."""

    def claims(self, kind: str, *, now: int, **rest: Any) -> dict[str, Any]:
        """Add the claim."""
        return {**super().claims(kind, now=now, **rest), "auth_time": now}


@fault(
    "refresh-ends-the-other-session",
    "REFRESH-08",
    seen="mattbrailsford/umbraco-authu issue 29: a refresh on one device takes the other one's token away",
)
class OneDevice(Sessions):
    """Ends, from a session's third refresh on, the session that the user has used last, if it is a new one."""

    def __init__(self, database: Database) -> None:
        """Begin without any."""
        super().__init__(database)
        self.used: dict[str, str] = {}
        self.refreshes: Counter[str] = Counter()

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Note which session was used last."""
        if is_access(claims):
            self.used[claims["sub"]] = claims["sid"]
        return super().is_live(claims, now)

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """End that of the same user."""
        other = self.used.get(claims["sub"])
        self.refreshes[claims["sid"]] += 1

        if other and not self.refreshes[other] and self.refreshes[claims["sid"]] > 2:  # noqa: PLR2004 - as said
            self.end({"sid": other}, now)
        return super().rotate(claims, successor_jti=successor_jti, now=now)
