"""Faults that show in some orders of requests only, or for inputs that nobody writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from reference_server.faults import fault
from reference_server.models import SessionRow
from reference_server.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.database import Database


@fault(
    "second-logout-forgets-the-first",
    "FUZZ-04",
    seen="common where a user's row has one column for the session that was logged out last",
)
class OneEndedSession(Sessions):
    """Remembers of each user the session that was logged out last, and takes the one before for alive."""

    def __init__(self, database: Database) -> None:
        """Begin without any."""
        super().__init__(database)
        self.latest: dict[str, str] = {}

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """Write over what is there."""
        super().end(claims, now)
        before, self.latest[claims["sub"]] = self.latest.get(claims["sub"]), claims["sid"]
        if before not in {None, claims["sid"]}:
            with self._database.transaction() as session:
                session.execute(update(SessionRow).where(SessionRow.id == before).values(ended_at=None))
