"""Faults that give secrets away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, request

from reference_server.faults import fault
from reference_server.pages import Pages
from reference_server.tokens import ACCESS, TokenIssuer

if TYPE_CHECKING:
    from reference_server.accounts import Account
    from reference_server.keys import SigningKey
    from reference_server.settings import Settings


@fault(
    "profile-shows-the-whole-row",
    "LEAK-03",
    seen="OWASP API3:2023: common where a framework serialises the object as it is",
)
class WholeRow(Pages):
    """Shows the password's hash in the profile."""

    def profile(self, account: Account) -> dict[str, Any]:
        """Serialise everything."""
        return {**super().profile(account), "password": account.password_hash}


@fault(
    "token-holds-the-hash",
    "LEAK-03",
    seen="realworld-apps/realworld issue 898: password hash returned in token from the login response",
)
class HashInToken(TokenIssuer):
    """Puts the password's hash into access tokens."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Serialise everything."""
        extra = {"hash": account.password_hash} if kind == ACCESS else {}
        return super().encode(kind, account, {**claims, **extra})


@fault(
    "token-holds-the-password",
    "LEAK-03",
    seen="whyour/qinglong issue 389: the payload holds the password in clear text",
)
class PasswordInToken(TokenIssuer):
    """Puts the password into access tokens."""

    def __init__(self, settings: Settings, key: SigningKey) -> None:
        """Begin without passwords."""
        super().__init__(settings, key)
        self.typed: dict[str, str] = {}

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Copy what was typed in at the last login."""
        self.typed[account.id] = g.get("login_password") or self.typed.get(account.id, "")
        extra = {"login": self.typed[account.id]} if kind == ACCESS else {}
        return super().encode(kind, account, {**claims, **extra})


@fault(
    "dashboard-repeats-the-token",
    "LEAK-03",
    seen="common where a page is given its token for scripts to use",
)
class TokenInPage(Pages):
    """Shows, on the dashboard, the token that it was opened with."""

    def dashboard(self, account: Account, now: int) -> dict[str, Any]:
        """Copy the header."""
        return {**super().dashboard(account, now), "authorization": request.headers.get("Authorization", "")}
