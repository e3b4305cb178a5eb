"""Issuing tokens: their claims, their lifetimes, and what a reply says about them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_jwt_extended import create_access_token, create_refresh_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.accounts import Account
    from reference_server.keyring import Keyring
    from reference_server.keys import SigningKey
    from reference_server.settings import Settings

ACCESS = "access"
REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Grant:
    """The tokens that one reply hands out; every time in it comes from one reading of the clock.

    Attributes:
        access_token: the access token.
        expires_in: seconds until it expires, exactly its `exp` less its `iat`.
        refresh_token: the refresh token, where one was issued.
        refresh_expires_in: seconds until that one expires.
        token_type: how the access token is presented (RFC 6749 §7.1).
    """

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_in: int | None = None
    token_type: str = "Bearer"  # noqa: S105 - a scheme, not a password


class TokenIssuer:
    """Makes tokens. Works within a request of the application whose key signs them."""

    def __init__(self, settings: Settings, keys: Keyring) -> None:
        """Issue tokens with the lifetimes in `settings`, signed with the key of `keys` that signs now."""
        self.settings = settings
        self.keys = keys

    @property
    def key(self) -> SigningKey:
        """The key that signs now."""
        return self.keys.signing()

    def lifetime(self, kind: str) -> int:
        """How many seconds a token of this kind lives."""
        chosen = self.settings.access_lifetime if kind == ACCESS else self.settings.refresh_lifetime
        return int(chosen.total_seconds())

    def new_jti(self) -> str:
        """A token id never used before: 122 random bits (RFC 7519 §4.1.7)."""
        return str(uuid.uuid4())

    def at_login(self, account: Account, *, sid: str, refresh_jti: str, now: int, session_end: int) -> Grant:
        """Both tokens of a new session."""
        scope = self.settings.dashboard_scope
        return Grant(
            **self._access(account, sid=sid, now=now, session_end=session_end, scope=scope),
            **self._refresh(account, sid=sid, jti=refresh_jti, now=now, session_end=session_end, scope=scope),
        )

    def at_refresh(self, account: Account, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Grant:
        """The next access token of the session that `claims` name and, with rotation, the next refresh token.

        The session ends when the refresh token in hand does, so its successor keeps that moment, and its scope.
        """
        sid, session_end, scope = claims["sid"], int(claims["exp"]), claims.get("scope")
        access = self._access(account, sid=sid, now=now, session_end=session_end, scope=scope)
        if not self.settings.rotates:
            return Grant(**access)
        refresh = self._refresh(account, sid=sid, jti=successor_jti, now=now, session_end=session_end, scope=scope)
        return Grant(**access, **refresh)

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """The signed token with these claims; Flask-JWT-Extended adds `type`, `sub`, `iss` and `aud`."""
        create = create_access_token if kind == ACCESS else create_refresh_token
        token: str = create(identity=account.id, additional_claims=claims)
        return token

    def claims(self, kind: str, *, sid: str, jti: str, now: int, expires_at: int) -> dict[str, Any]:  # noqa: ARG002 - a fault may tell the kinds apart
        """The claims in which one token differs from another."""
        return {"sid": sid, "jti": jti, "iat": now, "nbf": now, "exp": expires_at}

    def _access(self, account: Account, *, sid: str, now: int, session_end: int, scope: str | None) -> dict[str, Any]:
        # No token outlives its session: expires_in would promise what is not kept.
        expires_at = min(now + self.lifetime(ACCESS), session_end)
        claims = _scope(scope) | self.claims(ACCESS, sid=sid, jti=self.new_jti(), now=now, expires_at=expires_at)
        return {"access_token": self.encode(ACCESS, account, claims), "expires_in": expires_at - now}

    def _refresh(
        self, account: Account, *, sid: str, jti: str, now: int, session_end: int, scope: str | None
    ) -> dict[str, Any]:
        claims = _scope(scope) | self.claims(REFRESH, sid=sid, jti=jti, now=now, expires_at=session_end)
        return {
            "refresh_token": self.encode(REFRESH, account, claims),
            "refresh_expires_in": session_end - now,
        }


def allows(claims: Mapping[str, Any], scope: str) -> bool:
    """Whether a verified token's scopes, words with a space between (RFC 6749 §3.3), include this one."""
    granted = claims.get("scope")
    return isinstance(granted, str) and scope in granted.split(" ")


def _scope(scope: str | None) -> dict[str, str]:
    return {} if scope is None else {"scope": scope}
