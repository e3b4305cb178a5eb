"""Faults that show only where requests are under way at the same time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, update

from reference_server.accounts import Passwords
from reference_server.faults import fault
from reference_server.models import RefreshTokenRow, SessionRow
from reference_server.pages import Pages
from reference_server.sessions import Sessions, Spending
from reference_server.tokens import Grant, TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.accounts import Account

WINDOW_S: Final = 0.05
"""What a database on another machine takes to answer, or a garbage collector to finish."""


@fault(
    "rotation-looks-before-it-writes",
    "RACE-01",
    seen="GluuFederation/oxAuth issue 1909, owncloud/oauth2 issue 70",
)
class LooksFirst(Sessions):
    """Reads whether a refresh token is spent, and marks it in another transaction."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Let others read meanwhile."""
        with self._database.transaction() as session:
            row = session.get(RefreshTokenRow, claims["jti"])
            fresh = row is not None and row.spent_at is None
        if not fresh or not self.is_live(claims, now):
            return super().rotate(claims, successor_jti=successor_jti, now=now)
        time.sleep(WINDOW_S)
        with self._database.transaction() as session:
            session.execute(update(RefreshTokenRow).where(RefreshTokenRow.jti == claims["jti"]).values(spent_at=now))
            session.execute(insert(RefreshTokenRow).values(jti=successor_jti, session_id=claims["sid"], spent_at=None))
        return Spending.DONE


@fault(
    "refresh-writes-an-ended-session-back",
    "RACE-02",
    seen="common where an object is read, changed and saved whole: the save undoes what was written in between",
)
class WritesBack(Sessions):
    """Saves the session at the end of a refresh as it was at its beginning."""

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:
        """Read, take a while, and write everything."""
        live = self.is_live(claims, now)
        outcome = super().rotate(claims, successor_jti=successor_jti, now=now)
        if live and outcome is Spending.DONE:
            time.sleep(WINDOW_S)
            with self._database.transaction() as session:
                session.execute(update(SessionRow).where(SessionRow.id == claims["sid"]).values(ended_at=None))
        return outcome


@fault(
    "current-user-in-a-shared-variable",
    "RACE-03",
    seen="mikedeboer/jsDAV issue 132, DFE-Digital/get-help-with-tech pull request 1116",
)
class SharedUser(Pages):
    """Keeps the user of a request where every request can write."""

    def profile(self, account: Account) -> dict[str, Any]:
        """Write, take a while, and read."""
        self.current = account
        time.sleep(WINDOW_S)
        return super().profile(self.current)


@fault(
    "login-mixes-up-who-logged-in",
    "RACE-03",
    seen="AceMetrix/connect-cas issue 48: whoever logged in at the same time got the other's session",
)
class SharedLogin(TokenIssuer):
    """Makes the tokens of a login for whoever logged in last."""

    def at_login(self, account: Account, **session: Any) -> Grant:
        """Write, take a while, and read."""
        self.current = account, session
        time.sleep(WINDOW_S)
        account, session = self.current
        return super().at_login(account, **session)


@fault(
    "one-login-at-a-time",
    "RACE-03",
    "RATE-01",
    seen="common where a lock is tried and not waited for",
)
class OneAtATime(Passwords):
    """Fails a login while another one is under way."""

    def __init__(self, memory: int) -> None:
        """Make the lock."""
        super().__init__(memory)
        self.turn = threading.Lock()

    def matches(self, account: Account | None, password: str) -> bool:
        """Try the lock."""
        if not self.turn.acquire(blocking=False):
            raise RuntimeError("another login is under way")
        try:
            time.sleep(WINDOW_S)
            return super().matches(account, password)
        finally:
            self.turn.release()
