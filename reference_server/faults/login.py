"""Faults of the login."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_server.accounts import Account, Passwords
from reference_server.faults import fault
from reference_server.faults._tools import is_access
from reference_server.sessions import Sessions
from reference_server.tokens import Grant, TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.database import Database


@fault(
    "refresh-token-at-first-login-only",
    "LOGIN-01",
    seen="Google's OAuth 2.0 server gives a refresh token at the first consent only, unless prompt=consent is sent",
    # Their sessions have to be new.
    blinds=("EXPIRY-04",),
)
class RefreshTokenOnce(TokenIssuer):
    """Gives each account a refresh token at its first login, and at later ones an access token alone."""

    def at_login(self, account: Account, **session: Any) -> Grant:
        """Leave the refresh token out from the second time on."""
        grant = super().at_login(account, **session)
        known: set[str] = self.__dict__.setdefault("known", set())
        if account.id in known:
            return replace(grant, refresh_token=None, refresh_expires_in=None)
        known.add(account.id)
        return grant


@fault(
    "new-session-visible-after-a-second",
    "LOGIN-02",
    seen="common where sessions are written to a primary database and read from a replica that lags behind",
)
class LaggingSessions(Sessions):
    """Refuses the access token of a session that began less than a second ago."""

    def __init__(self, database: Database) -> None:
        """Begin without sessions."""
        super().__init__(database)
        self.began: dict[str, float] = {}

    def start(self, account_id: str, **session: Any) -> str:
        """Remember when the session began."""
        sid = super().start(account_id, **session)
        self.began[sid] = time.time()
        return sid

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Overlook sessions that are too new."""
        too_new = time.time() < self.began.get(claims["sid"], 0) + 1
        return super().is_live(claims, now) and not (too_new and is_access(claims))


@fault(
    "anybodys-password-logs-in",
    "LOGIN-03",
    seen="common in hand-written logins that look for the password by itself and not for the pair",
)
class AnybodysPassword(Passwords):
    """Lets an existing account in with the password of any account."""

    def __init__(self, memory_kib: int) -> None:
        """Begin without hashes."""
        super().__init__(memory_kib)
        self.hashes: list[str] = []

    def hash(self, password: str) -> str:
        """Remember every hash there is."""
        self.hashes.append(super().hash(password))
        return self.hashes[-1]

    def matches(self, account: Account | None, password: str) -> bool:
        """Compare with every one of them."""
        right = super().matches(account, password)
        if account is not None:
            for one in self.hashes:
                right = super().matches(replace(account, password_hash=one), password) or right
        return right
