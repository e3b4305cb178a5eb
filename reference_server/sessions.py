"""Sessions: what all tokens of one login have in common, and how they end.

The moves of a refresh token, with rotation on (RFC 9700 §4.14.2):

    fresh --refresh--> spent, and its successor is fresh
    spent --refresh--> the session ends: either the holder or a thief has used it before

A session ends by logout, by reuse of a spent token, or when its first refresh token would have expired.
Rotation never moves that last moment.
"""

from __future__ import annotations

import uuid
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, delete, func, insert, select, update

from reference_server.models import RefreshTokenRow, SessionRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from reference_server.database import Database


_SESSION = select(SessionRow.account_id, SessionRow.client_id, SessionRow.expires_at, SessionRow.ended_at).where(
    SessionRow.id == bindparam("sid")
)
_REFRESH_TOKEN = select(RefreshTokenRow.session_id, RefreshTokenRow.spent_at).where(
    RefreshTokenRow.jti == bindparam("jti")
)


class Spending(Enum):
    """What became of an attempt to spend a refresh token."""

    DONE = auto()
    REUSED = auto()  # it had been spent before, so the session was ended
    REFUSED = auto()  # its session is over, or no such token was issued


class Sessions:
    """The sessions that exist. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Keep sessions in `database`."""
        self._database = database

    def start(
        self, account_id: str, *, refresh_jti: str, now: int, expires_at: int, client_id: str | None = None
    ) -> str:
        """Begin a session with its first refresh token and return its `sid`; drop those that have expired."""
        sid = str(uuid.uuid4())
        with self._database.transaction() as session:
            # What another worker is at, it drops itself: two that wait for each other would both fail.
            expired = select(SessionRow.id).where(SessionRow.expires_at <= now).with_for_update(skip_locked=True)
            session.execute(
                delete(SessionRow).where(SessionRow.id.in_(expired)).execution_options(synchronize_session=False)
            )
            session.execute(
                insert(SessionRow).values(
                    id=sid, account_id=account_id, client_id=client_id, expires_at=expires_at, ended_at=None
                )
            )
            session.execute(insert(RefreshTokenRow).values(jti=refresh_jti, session_id=sid, spent_at=None))
        return sid

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Whether the session that a verified token names still runs, and is its subject's."""
        row = self._database.first(_SESSION, sid=claims["sid"])
        return row is not None and row.account_id == claims["sub"] and row.ended_at is None and row.expires_at > now

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Spend a refresh token and register its successor; of parallel attempts exactly one succeeds."""
        sid, jti = claims["sid"], claims["jti"]
        # Locked where the database can: whatever becomes of a session, be it ended or dropped, waits for its turn.
        live = (
            select(SessionRow.id)
            .where(SessionRow.id == sid, SessionRow.ended_at.is_(None), SessionRow.expires_at > now)
            .with_for_update(key_share=True)
        )
        with self._database.transaction() as session:
            # One statement tests and sets. A look first and a write later would let two requests both win.
            spent = session.execute(
                update(RefreshTokenRow)
                .where(
                    RefreshTokenRow.jti == jti,
                    RefreshTokenRow.session_id.in_(live),
                    RefreshTokenRow.spent_at.is_(None),
                )
                .values(spent_at=now)
                .execution_options(synchronize_session=False)
            )
            if cast("CursorResult[Any]", spent).rowcount == 1:
                session.execute(insert(RefreshTokenRow).values(jti=successor_jti, session_id=sid, spent_at=None))
                return Spending.DONE
            known = session.get(RefreshTokenRow, jti)
            if known is None or known.spent_at is None or known.session_id != sid:
                return Spending.REFUSED
            self._end(session, sid, now)
            return Spending.REUSED

    def is_unspent(self, claims: Mapping[str, Any]) -> bool:
        """Whether a verified refresh token is the one that its session can be refreshed with."""
        row = self._database.first(_REFRESH_TOKEN, jti=claims["jti"])
        return row is not None and row.session_id == claims["sid"] and row.spent_at is None

    def client_of(self, claims: Mapping[str, Any]) -> str | None:
        """The OAuth client that a verified token's session was opened for."""
        row = self._database.first(_SESSION, sid=claims["sid"])
        return row.client_id if row else None

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """End the session that a verified token names; ending it twice changes nothing."""
        with self._database.transaction() as session:
            self._end(session, claims["sid"], now)

    def count(self, account_id: str, now: int) -> int:
        """How many sessions of an account run."""
        with self._database.transaction() as session:
            return (
                session.scalar(
                    select(func.count())
                    .select_from(SessionRow)
                    .where(
                        SessionRow.account_id == account_id,
                        SessionRow.ended_at.is_(None),
                        SessionRow.expires_at > now,
                    )
                )
                or 0
            )

    @staticmethod
    def _end(session: Session, sid: str, now: int) -> None:
        session.execute(
            update(SessionRow).where(SessionRow.id == sid, SessionRow.ended_at.is_(None)).values(ended_at=now)
        )
