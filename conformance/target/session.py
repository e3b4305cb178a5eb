"""Accounts, and the sessions that logging in with them opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.tokens.reading import Kind, Token, finite

if TYPE_CHECKING:
    from conformance.target.http import Exchange, Response
    from conformance.target.profile import Login, Profile, Refresh


@dataclass(frozen=True, slots=True)
class Account:
    """A name and its password. The password is never printed."""

    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Session:
    """What one login gave, kept up to date by every honest refresh.

    Attributes:
        access: the newest access token.
        refresh: the refresh token that is good now; an empty one where the login gave none.
        csrf: for tokens in cookies, the value that proves same-site intent, per kind.
        login: the login's own exchange.
        rotated: whether a refresh has ever replaced the refresh token.
        ended: whether the suite should no longer count on it.
    """

    account: Account
    access: Token
    refresh: Token
    login: Exchange = field(repr=False)
    csrf: dict[Kind, str] = field(default_factory=dict, repr=False)
    rotated: bool = False
    ended: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether it has both tokens."""
        return bool(self.refresh.value)

    def token(self, kind: Kind) -> Token:
        """The session's own token of that kind."""
        return self.access if kind is Kind.ACCESS else self.refresh


@dataclass(frozen=True, slots=True)
class Issued:
    """The tokens found in one answer; a missing one is None."""

    access: Token | None
    refresh: Token | None
    csrf: dict[Kind, str] = field(repr=False)


def dig(data: Any, path: str) -> Any:
    """The member at a dotted path of nested JSON objects, or None."""
    for name in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def plant(path: str, value: Any) -> dict[str, Any]:
    """Nested objects with `value` at a dotted path: the inverse of `dig`."""
    first, _, rest = path.partition(".")
    return {first: plant(rest, value) if rest else value}


def issued(profile: Profile, answer: Response, where: Login | Refresh, received_at: float) -> Issued:
    """Reads the tokens of a login's or a refresh's answer from the places that the profile names."""

    def find(kind: Kind, place: str, lifetime_place: str, declared: int | None) -> Token | None:
        if profile.transport == "cookie":
            value: Any = answer.cookies.get(getattr(profile.cookies, kind))
        else:
            value = dig(answer.json, place)
        if not isinstance(value, str) or not value:
            return None
        stated = finite(dig(answer.json, lifetime_place))
        return Token(value, kind, received_at, stated, declared)

    lifetimes = profile.lifetimes
    csrf = {
        kind: value
        for kind in Kind
        if (value := answer.cookies.get(getattr(profile.cookies, f"{kind}_csrf"))) is not None
    }
    return Issued(
        find(Kind.ACCESS, where.access, where.expires_in, lifetimes.access),
        find(Kind.REFRESH, where.refresh, where.refresh_expires_in, lifetimes.refresh),
        csrf if profile.transport == "cookie" else {},
    )
