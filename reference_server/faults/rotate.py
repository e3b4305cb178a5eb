"""Faults of the rotation of refresh tokens."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import current_app, request
from flask_jwt_extended import get_jwt
from sqlalchemy import delete, update
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from reference_server import clock
from reference_server.app import services_of
from reference_server.credentials import RequestReader
from reference_server.faults import fault
from reference_server.faults._families import ForgivingSessions, ReplayingSessions
from reference_server.faults._tools import is_access, is_genuine, unverified
from reference_server.models import RefreshTokenRow, SessionRow
from reference_server.sessions import Sessions, Spending
from reference_server.tokens import REFRESH, Grant, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from reference_server.accounts import Account
    from reference_server.database import Database


class NeverSpent(Sessions):
    """Spends no refresh token."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:  # noqa: ARG002 - unused
        """Leave everything as it is."""
        return Spending.DONE


@fault(
    "refresh-returns-the-same-refresh-token",
    "ROTATE-01",
    seen="simplejwt returns no new one unless ROTATE_REFRESH_TOKENS is set, which is off by default",
    also=(NeverSpent,),
)
class SameToken(TokenIssuer):
    """Returns, at the refresh, the refresh token that was sent."""

    def at_refresh(self, account: Account, claims: Mapping[str, Any], *, now: int, **_rest: Any) -> Grant:
        """Take its id for the successor's, and its time."""
        grant = super().at_refresh(account, claims, successor_jti=claims["jti"], now=now)
        same = {name: claims[name] for name in ("scope", "sid", "jti", "iat", "nbf", "exp") if name in claims}
        return replace(grant, refresh_token=self.encode(REFRESH, account, same))


@fault(
    "refresh-returns-no-refresh-token",
    "ROTATE-01",
    seen="common where rotation is switched on and only the login's answer has a member for the refresh token",
    also=(NeverSpent,),
)
class AccessOnly(TokenIssuer):
    """Returns no refresh token at the refresh."""

    def at_refresh(self, account: Account, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Grant:
        """Leave it out."""
        grant = super().at_refresh(account, claims, successor_jti=successor_jti, now=now)
        return replace(grant, refresh_token=None, refresh_expires_in=None)


@fault(
    "spent-refresh-token-refreshes",
    "ROTATE-02",
    seen="Usama0121/ariadne-jwt issue 19; simplejwt with ROTATE_REFRESH_TOKENS and no BLACKLIST_AFTER_ROTATION",
)
class SpentIsGood(ForgivingSessions):
    """Serves a spent refresh token as often as it comes."""

    def forgives(self, claims: Mapping[str, Any], spent_at: int, now: int) -> bool:  # noqa: ARG002 - whatever it is
        """Always."""
        return True


@fault(
    "spent-refresh-token-good-for-an-hour",
    "ROTATE-02",
    seen="common where a grace is set in another unit than it is read in",
)
class LongGrace(ForgivingSessions):
    """Serves a spent refresh token for an hour where a minute was meant."""

    def forgives(self, claims: Mapping[str, Any], spent_at: int, now: int) -> bool:  # noqa: ARG002 - only the time
        """Multiply by sixty."""
        return now < spent_at + 60 * 60


@fault(
    "replay-is-only-refused",
    "ROTATE-03",
    seen="django-oauth/django-oauth-toolkit issue 1007, nulab/backlog-mcp-server issue 175",
)
class OnlyRefused(ReplayingSessions):
    """Refuses a spent refresh token and lets its session go on."""

    def replayed(self, claims: Mapping[str, Any], now: int) -> None:
        """Do nothing."""


@fault(
    "replay-counts-from-the-second-on",
    "ROTATE-03",
    seen="common where one replay is forgiven, so that a client whose answer was lost is not logged out",
)
class SecondReplay(ReplayingSessions):
    """Ends a session when a spent refresh token comes back for the second time."""

    def __init__(self, database: Database) -> None:
        """Begin to count."""
        super().__init__(database)
        self.replays: Counter[str] = Counter()

    def replayed(self, claims: Mapping[str, Any], now: int) -> None:
        """Count."""
        self.replays[claims["sid"]] += 1
        if self.replays[claims["sid"]] > 1:
            self.end(claims, now)


class LatestSpentOnly(Sessions):
    """Remembers of each session's spent refresh tokens the latest only."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Forget the others."""
        outcome = super().rotate(claims, successor_jti=successor_jti, now=now)
        if outcome is Spending.DONE:
            with self._database.transaction() as session:
                session.execute(
                    delete(RefreshTokenRow).where(
                        RefreshTokenRow.session_id == claims["sid"],
                        RefreshTokenRow.jti.not_in((claims["jti"], successor_jti)),
                    )
                )
        return outcome


@fault(
    "only-the-last-spent-token-is-known",
    "ROTATE-04",
    seen="common where a session's row has one column for the previous token",
)
class PreviousOnly(LatestSpentOnly):
    """Refuses a refresh token of an older generation and takes it for one that never was."""


@fault(
    "older-generations-are-served",
    "ROTATE-04",
    seen="django-oauth/django-oauth-toolkit issue 1617: tokens several generations old were honoured",
)
class OlderIsGood(LatestSpentOnly):
    """Serves a refresh token of an older generation, since nothing says that it is spent."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Register what is unknown."""
        with self._database.transaction() as session:
            if self.is_unknown(session.get(RefreshTokenRow, claims["jti"])):
                session.add(RefreshTokenRow(jti=claims["jti"], session_id=claims["sid"], spent_at=None))
        return super().rotate(claims, successor_jti=successor_jti, now=now)

    def is_unknown(self, row: RefreshTokenRow | None) -> bool:
        """Whether there is no such row."""
        return row is None


class AccessOutlives(Sessions):
    """Lets some access tokens of a session live on when a replay has ended it."""

    def __init__(self, database: Database) -> None:
        """Begin without replays."""
        super().__init__(database)
        self.replayed: set[str] = set()
        self.refreshed: dict[str, int] = {}

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Remember which sessions a replay has ended."""
        outcome = super().rotate(claims, successor_jti=successor_jti, now=now)
        if outcome is Spending.REUSED:
            self.replayed.add(claims["sid"])
        return outcome

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Look at the session, unless `outlives` says so."""
        if is_access(claims) and claims["sid"] in self.replayed and self.outlives(claims):
            return True
        return super().is_live(claims, now)

    def outlives(self, claims: Mapping[str, Any]) -> bool:
        """Whether this access token of a replayed session lives on."""
        raise NotImplementedError


@fault(
    "access-tokens-outlive-a-replay",
    "ROTATE-05",
    seen="common where detection revokes refresh tokens, and access tokens are checked without a look at the session",
)
class AllOutlive(AccessOutlives):
    """Lets the access tokens of a session live on when a replay has ended it."""

    def outlives(self, claims: Mapping[str, Any]) -> bool:  # noqa: ARG002 - whichever it is
        """Always."""
        return True


@fault(
    "replay-ends-everybodys-sessions",
    "ROTATE-06",
    seen="common where a family is revoked by a pattern of cache keys, or by the client's id",
)
class EndsAll(ReplayingSessions):
    """Ends the sessions of every user when a spent refresh token comes back."""

    def replayed(self, claims: Mapping[str, Any], now: int) -> None:  # noqa: ARG002 - whoever it was
        """Leave the condition out."""
        with self._database.transaction() as session:
            session.execute(update(SessionRow).where(SessionRow.ended_at.is_(None)).values(ended_at=now))


class HastyVerifier(TokenVerifier):
    """Ends the session that a forged token names at the refresh, where `suspects` says so."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        _, claims = unverified(encoded_token)
        forged = bool(claims) and request.path == "/refresh" and not is_genuine(encoded_token)
        if forged and isinstance(claims.get("jti"), str) and self.suspects(claims):
            services_of(current_app).sessions.end(claims, clock.now())
        return super()._decode_jwt_from_config(encoded_token, *rest, **options)

    def suspects(self, claims: dict[str, Any]) -> bool:
        """Whether to take these claims, which nobody has verified, for a replay."""
        raise NotImplementedError


@fault(
    "reuse-is-looked-up-before-the-signature",
    "ROTATE-07",
    seen="common where the token is decoded without verification to find its row first",
)
class ReuseFirst(HastyVerifier):
    """Ends a session when a token comes that has a spent one's id, before it looks at the signature."""

    def suspects(self, claims: dict[str, Any]) -> bool:
        """Look the id up."""
        with services_of(current_app).database.transaction() as session:
            row = session.get(RefreshTokenRow, claims["jti"])
        return row is not None and row.spent_at is not None


@fault(
    "forged-expired-token-ends-the-session",
    "ROTATE-07",
    seen="common where the end is read before the signature is checked, and an expired token cleans its session up",
)
class CleansUp(HastyVerifier):
    """Ends the session of a token whose end has passed, before it looks at the signature."""

    def suspects(self, claims: dict[str, Any]) -> bool:
        """Look at the end."""
        return isinstance(claims.get("exp"), int) and claims["exp"] < clock.now()


class SpendingReader(RequestReader):
    """Spends the refresh token of some requests that it refuses."""

    def no_body(self, request: Request) -> None:
        """Spend it first, as a handler would that reads the body afterwards."""
        try:
            super().no_body(request)
        except HTTPException as error:
            if request.path == "/refresh" and self.too_late(error):
                services = services_of(current_app)
                services.sessions.rotate(get_jwt(), successor_jti=services.issuer.new_jti(), now=clock.now())
            raise

    def too_late(self, error: HTTPException) -> bool:
        """Whether this refusal comes after the token was spent."""
        raise NotImplementedError


@fault(
    "refused-body-costs-the-refresh-token",
    "ROTATE-08",
    seen="common where the token is spent while it is verified, and the rest of the request is looked at afterwards",
)
class SpentTooEarly(SpendingReader):
    """Spends the refresh token before it refuses the request for its body."""

    def too_late(self, error: HTTPException) -> bool:  # noqa: ARG002 - whatever it is
        """Always."""
        return True


@fault(
    "wrong-media-type-costs-the-refresh-token",
    "ROTATE-08",
    seen="common where a framework parses the body only when the handler asks for it",
)
class SpentBeforeParsing(SpendingReader):
    """Spends the refresh token before it refuses the request for the type of its body."""

    def too_late(self, error: HTTPException) -> bool:
        """Look at the status."""
        return isinstance(error, UnsupportedMediaType)
