"""What the faults in rotation are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from reference_server.models import RefreshTokenRow, SessionRow
from reference_server.sessions import Sessions, Spending

if TYPE_CHECKING:
    from collections.abc import Mapping


class ForgivingSessions(Sessions):
    """Serves some refresh tokens that are spent."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Register a successor where `forgives` says so."""
        with self._database.transaction() as session:
            row = session.get(RefreshTokenRow, claims["jti"])
            spent_at = row.spent_at if row else None
        if spent_at is not None and self.forgives(claims, spent_at, now):
            with self._database.transaction() as session:
                session.execute(
                    insert(RefreshTokenRow).values(jti=successor_jti, session_id=claims["sid"], spent_at=None)
                )
            return Spending.DONE
        return super().rotate(claims, successor_jti=successor_jti, now=now)

    def forgives(self, claims: Mapping[str, Any], spent_at: int, now: int) -> bool:
        """Whether to serve the token, which was spent at that time."""
        raise NotImplementedError


class ReplayingSessions(Sessions):
    """Does something else than to end the session when a spent token comes back."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Undo the end, and let `replayed` decide."""
        outcome = super().rotate(claims, successor_jti=successor_jti, now=now)
        if outcome is Spending.REUSED:
            self._revive(claims["sid"])
            self.replayed(claims, now)
        return outcome

    def replayed(self, claims: Mapping[str, Any], now: int) -> None:
        """What to do instead."""
        raise NotImplementedError

    def _revive(self, sid: str) -> None:
        with self._database.transaction() as session:
            session.execute(update(SessionRow).where(SessionRow.id == sid).values(ended_at=None))
