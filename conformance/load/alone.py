"""What a target does while one user at a time asks: under load it is held to that, and to nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.errors import TargetError
from conformance.target.session_pool import LoginError
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.target.session import Session
    from conformance.target.target import Target


@dataclass(frozen=True, slots=True)
class Habits:
    """How a target behaves when it has time.

    Attributes:
        shows_owner: whether a protected route says whose data it shows.
        rotates: whether a refresh replaces the refresh token.
        strict: whether a spent refresh token is refused at once.
        leeway_s: how long after its end a token may be served, in seconds.
        logout_ends: the kinds of token that a logout ends, be it sent with an access token from before a refresh.
        apart: what one session of an account does to its others, in words; an empty string where nothing.
    """

    shows_owner: bool
    rotates: bool
    strict: bool
    leeway_s: float
    logout_ends: frozenset[Kind] = field(default_factory=frozenset)
    apart: str = ""


def watch(target: Target) -> Habits:
    """Lives through one session at a time, and looks at what each step does; about ten logins.

    Raises:
        TargetError: an honest login fails.
    """
    try:
        rotates, strict, replay_harms = _replayed(target)
        logout_ends, logout_harms = _logged_out(target)
        login_harms = not _is_alive_after_another_login(target)
    except LoginError as error:
        raise TargetError(f"the target cannot be loaded: {error}") from None
    apart = [
        words
        for words, harms in (
            ("a login", login_harms),
            ("a logout", logout_harms),
            ("a replay", replay_harms),
        )
        if harms
    ]
    return Habits(
        shows_owner=any(door.route.identity for door in target.protected_doors),
        rotates=rotates,
        strict=strict,
        logout_ends=logout_ends,
        apart=" and ".join(apart),
        leeway_s=float(target.profile.lifetimes.tolerated_leeway),
    )


def _opens(target: Target, session: Session) -> bool:
    door = target.protected_doors[0]
    exchange = target.send(door.present(session.access.value, session))
    return bool(door.bought(exchange.request, exchange.response))


def _refreshes(target: Target, session: Session) -> bool:
    if not target.profile.refresh.path:
        return False
    target.refresh(session)
    return not session.ended


def _is_alive_after_another_login(target: Target) -> bool:
    first = target.login()
    target.login()
    return _opens(target, first) and (_refreshes(target, first) or not target.profile.refresh.path)


def _replayed(target: Target) -> tuple[bool, bool, bool]:
    """Whether refresh tokens are replaced, a spent one is refused, and that ends the user's other sessions."""
    other, session = target.login(), target.login()
    spent = session.snapshot()
    if not _refreshes(target, session) or session.refresh.value == spent.refresh.value:
        return False, False, False
    door = target.refresh_door
    exchange = target.send(door.present(spent.refresh.value, spent))
    strict = not door.bought(exchange.request, exchange.response)
    return True, strict, not _refreshes(target, other)


def _logged_out(target: Target) -> tuple[frozenset[Kind], bool]:
    """The kinds of token that a logout ends, and whether it ends the user's other sessions."""
    door = target.logout_door
    if door is None:
        return frozenset(), False
    other, session = target.login(), target.login()
    early = session.snapshot()
    if target.profile.refresh.path and not _refreshes(target, session):
        return frozenset(), False
    exchange = target.send(door.present(early.token(door.wants).value, early))
    if not exchange.response.is_success:
        return frozenset(), False
    ends = {Kind.ACCESS} if not _opens(target, session) else set()
    if target.profile.refresh.path and not _refreshes(target, replace(session)):
        ends.add(Kind.REFRESH)
    return frozenset(ends), not _opens(target, other)
