"""Faults that show in some orders of requests only, or for inputs that nobody writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app
from sqlalchemy import update

from reference_server.app import services_of
from reference_server.credentials import LoginRequest, RequestReader
from reference_server.faults import fault
from reference_server.faults._tools import new_access_token
from reference_server.models import SessionRow
from reference_server.pages import Pages
from reference_server.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from reference_server.accounts import Account
    from reference_server.database import Database


@fault(
    "name-of-blanks-crashes",
    "FUZZ-01",
    seen="common where a greeting is made of the first word of a name",
)
class FirstWord(RequestReader):
    """Crashes at a login with a name that has no letter in it."""

    def login(self, request: Request) -> LoginRequest:
        """Look for the first word."""
        credentials = super().login(request)
        _ = [word for word in credentials.username.split() if any(map(str.isalpha, word))][0]  # noqa: RUF015 - a crash
        return credentials


@fault(
    "number-of-sessions-is-text",
    "FUZZ-02",
    seen="common where a value comes from a cache or a header, and the document was written by hand",
)
class CountsInText(Pages):
    """Shows the number of sessions as text, where the document has a number."""

    def dashboard(self, account: Account, now: int) -> dict[str, Any]:
        """Write it out."""
        shown = super().dashboard(account, now)
        return {**shown, "sessions": str(shown["sessions"])}


@fault(
    "profile-answers-head-without-token",
    "FUZZ-03",
    seen="common where the check is tied to a list of methods, and a framework answers HEAD by itself",
)
class OpenHead(RequestReader):
    """Answers HEAD of the profile to whoever brings no token."""

    def bearer_token(self, request: Request) -> str | None:
        """Make up for a missing token."""
        if (request.method, request.path) == ("HEAD", "/profile") and "Authorization" not in request.headers:
            return new_access_token(services_of(current_app).settings.accounts[0][0])
        return super().bearer_token(request)


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
            _revive(self._database, before)


@fault(
    "logout-is-forgotten-with-the-access-token",
    "FUZZ-04",
    seen="common where a list of ended sessions keeps each entry for as long as an access token lives",
)
class ShortMemory(Sessions):
    """Takes a session for alive again when the access token's life has gone by since its logout."""

    def __init__(self, database: Database) -> None:
        """Begin without any."""
        super().__init__(database)
        self.ended: dict[str, int] = {}

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """Remember when."""
        super().end(claims, now)
        self.ended.setdefault(claims["sid"], now)

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Forget first."""
        life_s = services_of(current_app).settings.access_lifetime.total_seconds()
        if claims["sid"] in self.ended and self.ended[claims["sid"]] + life_s < now:
            _revive(self._database, claims["sid"])
        return super().is_live(claims, now)


def _revive(database: Database, sid: str) -> None:
    with database.transaction() as session:
        session.execute(update(SessionRow).where(SessionRow.id == sid).values(ended_at=None))
