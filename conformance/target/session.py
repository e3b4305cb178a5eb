"""Accounts, and the sessions that logging in with them opens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance.target.places import dig
from conformance.target.story import Story
from conformance.tokens.reading import Kind, Token, finite

if TYPE_CHECKING:
    from conformance.target.http import Exchange, Response
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Login, Refresh


@dataclass(frozen=True, slots=True)
class Account:
    """A name and its password. The password is never printed."""

    username: str
    password: str = field(repr=False)

    def nobody(self) -> str:
        """A name that nobody has, of the same form: where names are e-mail addresses, any other is no name at all."""
        _, at, host = self.username.partition("@")
        return f"nobody-{secrets.token_hex(6)}{at}{host}"


@dataclass(slots=True)
class Session:
    """What one login gave, kept up to date by every honest refresh.

    Attributes:
        access: the newest access token.
        refresh: the refresh token that is good now; an empty one where the login gave none, or there is none.
        csrf: for tokens in cookies, the value that proves same-site intent, per kind.
        login: the login's own exchange.
        rotated: whether a refresh has ever replaced the refresh token.
        ended: whether the suite should no longer count on it.
        needs_refresh: whether a refresh token belongs to it.
        story: what became of its tokens.
    """

    account: Account
    access: Token
    refresh: Token
    login: Exchange = field(repr=False)
    csrf: dict[Kind, str] = field(default_factory=dict, repr=False)
    rotated: bool = False
    ended: bool = False
    needs_refresh: bool = True
    story: Story = field(default_factory=Story, repr=False)

    @property
    def is_complete(self) -> bool:
        """Whether it has all tokens that the profile speaks of."""
        return bool(self.refresh.value) or not self.needs_refresh

    def snapshot(self) -> Session:
        """The session as it is now, which later refreshes leave alone."""
        return replace(self, csrf=dict(self.csrf))

    def token(self, kind: Kind) -> Token:
        """The session's own token of that kind."""
        return self.access if kind is Kind.ACCESS else self.refresh


@dataclass(frozen=True, slots=True)
class Issued:
    """The tokens found in one answer; a missing one is None."""

    access: Token | None
    refresh: Token | None
    csrf: dict[Kind, str] = field(repr=False)


def issued(profile: Profile, answer: Response, where: Login | Refresh, received_at: float) -> Issued:
    """Reads the tokens of a login's or a refresh's answer from the places that the profile names."""

    def find(kind: Kind, lifetime_place: str, declared: int | None) -> Token | None:
        value = profile.found_in(where, kind).read(answer)
        if not isinstance(value, str) or not value:
            return None
        stated = stated_lifetime_s(dig(answer.json, lifetime_place), where.expiry, received_at)
        return Token(value, kind, received_at, stated, declared, is_opaque=profile.declared_format(kind) == "opaque")

    lifetimes = profile.lifetimes
    csrf = {}
    for kind in Kind:
        place = profile.csrf_in(kind)
        value = place.read(answer) if place else None
        if isinstance(value, str) and value:
            csrf[kind] = value
    return Issued(
        find(Kind.ACCESS, where.expires_in, lifetimes.access),
        find(Kind.REFRESH, where.refresh_expires_in, lifetimes.refresh) if profile.has_refresh_token else None,
        csrf,
    )


def stated_lifetime_s(value: Any, expiry: str, received_at: float) -> float | None:
    """How many seconds an answer says that its token lives; None where it says nothing, or nothing that can be read.

    Args:
        value: what stands there.
        expiry: what it is, as in `Login.expiry`.
        received_at: when the answer came, on the target's clock, in seconds since the epoch.
    """
    if expiry == "date":
        try:
            end = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return None
        return (end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp() - received_at
    number = finite(value)
    if number is None:
        return None
    number = number / 1000 if expiry in {"milliseconds", "timestamp_ms"} else number
    return number - received_at if expiry.startswith("timestamp") else number
