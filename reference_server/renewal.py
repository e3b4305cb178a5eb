"""Trading a refresh token for new tokens, the same at every route that offers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_server.sessions import Sessions, Spending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.accounts import Account
    from reference_server.settings import Settings
    from reference_server.tokens import Grant, TokenIssuer


@dataclass(frozen=True, slots=True)
class Renewal:
    """Spends refresh tokens, where they rotate, and issues what follows."""

    settings: Settings
    sessions: Sessions
    issuer: TokenIssuer

    def renew(self, account: Account, claims: Mapping[str, Any], now: int) -> Grant | None:
        """The next tokens for a verified refresh token; None where it is spent or its session is over."""
        jti = self.issuer.new_jti()
        if self.settings.rotates:
            spending = self.sessions.rotate(claims, successor_jti=jti, now=now)
            if spending is not Spending.DONE:
                return None
        return self.issuer.at_refresh(account, claims, successor_jti=jti, now=now)
