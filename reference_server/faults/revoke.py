"""Faults of the logout and of what else ends sessions."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, g, request
from jwt import InvalidTokenError
from sqlalchemy import insert, select, update

from reference_server.accounts import DISABLED, Account, Accounts
from reference_server.credentials import RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._endings import Denylist, SpellingBlind, has_ended, is_spent
from reference_server.faults._tools import GullibleVerifier, is_access
from reference_server.models import AccountRow, RefreshTokenRow, SessionRow
from reference_server.oauth import OAuth, OAuthError
from reference_server.sessions import Sessions, Spending
from reference_server.tokens import REFRESH
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from reference_server.database import Database


@fault(
    "logout-spares-refresh-token",
    "REVOKE-01",
    "REVOKE-04",
    seen="SandeepVashishtha/Eventra issue 12794: the logout denies the access token only",
)
class SparesRefresh(Denylist):
    """Ends the access tokens of a session at the logout, and leaves its refresh token good."""

    def looks(self, claims: Mapping[str, Any]) -> bool:
        """Look for access tokens."""
        return is_access(claims)


@fault(
    "logout-ends-first-refresh-token-only",
    "REVOKE-01",
    seen="common where the session remembers the refresh token of its login, and a refresh does not replace it",
)
class FirstGenerationOnly(Denylist):
    """Ends, at the logout, the refresh token of the login but none that came after."""

    def looks(self, claims: Mapping[str, Any]) -> bool:
        """Look for access tokens, and for refresh tokens of sessions in which none was spent."""
        spent = (RefreshTokenRow.session_id == claims["sid"], RefreshTokenRow.spent_at.is_not(None))
        with self._database.transaction() as session:
            return is_access(claims) or session.scalar(select(RefreshTokenRow.jti).where(*spent).limit(1)) is None


@fault(
    "logout-spares-access-token",
    "REVOKE-02",
    seen="FusionAuth/fusionauth-issues issue 979: the access token is good after the logout until it expires",
)
class SparesAccess(Denylist):
    """Ends the refresh token at the logout, and leaves access tokens good until they expire."""

    def looks(self, claims: Mapping[str, Any]) -> bool:
        """Look for refresh tokens."""
        return not is_access(claims)


@fault(
    "dashboard-overlooks-logout",
    "REVOKE-02",
    seen="common where a second service verifies signatures by itself, and never asks whether a token was revoked",
)
class OverlooksLogout(Denylist):
    """Does not ask at one route whether a session was logged out."""

    def looks(self, claims: Mapping[str, Any]) -> bool:  # noqa: ARG002 - whatever it says
        """Look at the route."""
        return request.path != "/dashboard"


@fault(
    "logout-of-the-user-in-the-query",
    "REVOKE-03",
    seen="common where the identity is a parameter and the token is checked by a filter before",
)
class UserInQuery(Sessions):
    """Logs out, besides whoever asks, the user that the query names."""

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """End every session of that user."""
        super().end(claims, now)
        named = select(AccountRow.id).where(AccountRow.name == request.args.get("username", ""))
        with self._database.transaction() as session:
            theirs = update(SessionRow).where(SessionRow.account_id.in_(named)).values(ended_at=now)
            session.execute(theirs.execution_options(synchronize_session=False))


@fault(
    "logout-reads-unverified-token",
    "REVOKE-03",
    seen="common where the logout decodes the token without verifying it, since nothing is given away there",
)
class UnverifiedLogout(GullibleVerifier):
    """Believes at the logout whatever a token says."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:  # noqa: ARG002 - any
        """Look at the route."""
        return request.path == "/logout"


class CrashingLogout(ErrorPresenter):
    """Fails at the logout over some tokens."""

    over = ""

    def bad_token(self, message: str) -> Response:
        """Fail where the refusal says so."""
        if request.path == "/logout" and self.over in message:
            return self.render(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", "The server failed to answer")
        return super().bad_token(message)


@fault(
    "second-logout-crashes",
    "REVOKE-04",
    seen="common where the row of a session is deleted at the logout, and looked up without asking whether it is there",
)
class SecondLogoutCrashes(CrashingLogout):
    """Answers a logout with a token that was logged out before with a server error."""

    over = "revoked"


@fault(
    "unknown-token-crashes-logout",
    "REVOKE-04",
    seen="common where the logout decodes the token by itself, outside the handler that catches the library's errors",
)
class UnknownTokenCrashes(CrashingLogout):
    """Answers a logout with a token that is none of the server's with a server error."""

    over = "invalid"


@fault(
    "revocation-misled-by-hint",
    "REVOKE-04",
    seen="common where the hint picks the table to look in, and RFC 7009 §2.1 was read no further",
)
class Misled(OAuth):
    """Looks, at the revocation endpoint, for a token of the hinted type only."""

    def revoke(self, client: str, token: str) -> None:
        """Find nothing where the hint is wrong."""
        live, hint = self.live(token), request.form.get("token_type_hint")
        if live is None or hint is None or hint == f"{live.claims['type']}_token":
            super().revoke(client, token)


@fault(
    "revocation-refuses-unknown-tokens",
    "REVOKE-04",
    seen="common where the endpoint was written before RFC 7009, and tells a client that it was mistaken",
)
class RefusesUnknown(OAuth):
    """Answers, at the revocation endpoint, a token that is no good with an error."""

    def revoke(self, client: str, token: str) -> None:
        """Look first."""
        if self.live(token) is None:
            raise OAuthError("invalid_request", "The token is not known")
        super().revoke(client, token)


class StringsOfAccessTokens(Sessions):
    """Finds a session ended only if its access token is written as it was at the logout."""

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Forget the end of the session where it is not."""
        if is_access(claims) and g.get("respelt"):
            with self._database.transaction() as session:
                row = session.get(SessionRow, claims["sid"])
            return row is not None and row.account_id == claims["sub"] and row.expires_at > now
        return super().is_live(claims, now)


@fault(
    "denylist-of-access-token-strings",
    "REVOKE-05",
    seen="OWASP JWT Cheat Sheet: a deny list of digests of the token, which no longer fit another spelling of it",
    also=(StringsOfAccessTokens,),
)
class OtherAccessSpelling(SpellingBlind):
    """Accepts an access token that was logged out, if its signature is written in another way."""

    def reads(self, claims: dict[str, Any]) -> bool:
        """Read the dead ones only: whether live ones may be respelt is another question."""
        return is_access(claims) and has_ended(claims)


class StringsOfRefreshTokens(Sessions):
    """Finds a refresh token spent only if it is written as it was then."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Take one that is written otherwise for unspent."""
        if not g.get("respelt"):
            return super().rotate(claims, successor_jti=successor_jti, now=now)
        with self._database.transaction() as session:
            session.execute(insert(RefreshTokenRow).values(jti=successor_jti, session_id=claims["sid"], spent_at=None))
        return Spending.DONE


@fault(
    "register-of-spent-token-strings",
    "REVOKE-05",
    seen="common where spent refresh tokens are kept as hashes of the whole string",
    also=(StringsOfRefreshTokens,),
)
class OtherRefreshSpelling(SpellingBlind):
    """Accepts a spent refresh token, if its signature is written in another way."""

    def reads(self, claims: dict[str, Any]) -> bool:
        """Read the spent ones only: whether others may be respelt is another question."""
        return is_spent(claims) and not has_ended(claims)


class SchemeReader(RequestReader):
    """Remembers how the scheme of the Authorization header was written."""

    def bearer_token(self, request: Request) -> str | None:
        """Keep the spelling for later."""
        g.respelt = request.headers.get("Authorization", "").startswith("bearer")
        return super().bearer_token(request)


@fault(
    "denylist-of-authorization-headers",
    "REVOKE-05",
    seen="common where a gateway caches its refusals by the whole header",
    also=(SchemeReader,),
)
class HeaderDenylist(StringsOfAccessTokens):
    """Accepts an access token that was logged out, if `bearer` is written with a small letter."""


@fault(
    "logout-ends-every-session-of-the-user",
    "REVOKE-06",
    seen="fdm-monster/fdm-monster pull request 2399: one logout rejected every login of the user",
)
class EndsEverySession(Sessions):
    """Ends every session of the user at the logout of one."""

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """Look for the owner instead of the session."""
        with self._database.transaction() as session:
            mine = (SessionRow.account_id == claims["sub"], SessionRow.ended_at.is_(None))
            session.execute(update(SessionRow).where(*mine).values(ended_at=now))


@fault(
    "disabled-account-refreshes",
    "REVOKE-07",
    seen="leodip/goiabada issue 106: disabling an account leaves its refresh tokens good",
)
class DisabledAccountRefreshes(Accounts):
    """Forbids a disabled account to log in, and leaves its sessions alone."""

    def disable(self, name: str) -> None:
        """Take the password away, and no more."""
        with self._database.transaction() as session:
            session.execute(update(AccountRow).where(AccountRow.name == name).values(password_hash=DISABLED))


@fault(
    "sessions-outlive-password",
    "REVOKE-07",
    seen="the-momentum/open-wearables pull request 1590: a change of password left every refresh token good",
)
class SessionsOutlivePassword(Accounts):
    """Leaves the sessions of an account alone when its password changes."""

    def put(self, name: str, password: str) -> Account:
        """Replace the hash only."""
        if self.by_name(name) is None:
            return super().put(name, password)
        hashed = self._passwords.hash(password)
        with self._database.transaction() as session:
            session.execute(update(AccountRow).where(AccountRow.name == name).values(password_hash=hashed))
        account = self.by_name(name)
        assert account is not None
        return account


@fault(
    "deleted-account-refreshes",
    "REVOKE-07",
    seen="common where accounts are archived under another name, and tokens name them by a number that stays",
)
class ArchivedAccountRefreshes(Accounts):
    """Gives a deleted account another name and no password, and leaves its sessions alone."""

    def remove(self, name: str) -> None:
        """Keep the row."""
        account = self.by_name(name)
        if account is not None:
            with self._database.transaction() as session:
                row = session.get_one(AccountRow, account.id)
                row.name, row.password_hash = f"archived {account.id}", DISABLED


@fault(
    "logouts-kept-in-memory",
    "REVOKE-08",
    seen="idenplane/idenplane issue 312: revoked tokens are kept in a Map and good again after a restart",
)
class InMemory(Denylist):
    """Keeps the list of sessions that were logged out in the memory of the process."""

    def __init__(self, database: Database) -> None:
        """Begin with an empty list at each start."""
        super().__init__(database)
        self.listed = set()

    def looks(self, claims: Mapping[str, Any]) -> bool:  # noqa: ARG002 - whatever it says
        """Always."""
        return True


@fault(
    "access-denylist-in-memory",
    "REVOKE-08",
    seen="common where refresh tokens are rows in a database and revoked access tokens are in a cache of the process",
)
class AccessListInMemory(Denylist):
    """Ends refresh tokens for good at the logout, and access tokens until the next start."""

    def __init__(self, database: Database) -> None:
        """Begin with an empty cache at each start."""
        super().__init__(database)
        self.cached: set[str] = set()

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """Fill the cache as well."""
        super().end(claims, now)
        self.cached.add(claims["sid"])

    def looks(self, claims: Mapping[str, Any]) -> bool:
        """Look into the cache where the token is an access token."""
        return not is_access(claims) or claims["sid"] in self.cached


@fault(
    "logout-wants-live-access-token",
    "REVOKE-09",
    seen="zowe/zowe-cli issue 1041, SkygearIO/skygear-server issue 1063: a logout refused since the token has expired",
)
class WantsLiveAccess(TokenVerifier):
    """Refuses a refresh token at the logout, and so whoever has no other that is good."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        if request.path == "/logout" and claims["type"] == REFRESH:
            raise InvalidTokenError
        return claims
