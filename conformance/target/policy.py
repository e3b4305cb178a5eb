"""What the target does where the sources leave it the choice: seen in the plainest story that shows it.

Stories of any order, and many users at once, are held against this. A choice counts as the target's own, and only what
it does otherwise in another order, or under load, is a finding. Where a choice leaves open what becomes of a token,
nothing is said of that token.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.target.doors import ProtectedDoor
    from conformance.target.session import Session
    from conformance.target.target import Target
    from conformance.tokens.reading import Token

MOST_AT_ONCE: Final = 3
"""So many sessions one user has in a story; a target that allows fewer shows that at once."""
LONGEST_LIFE_S: Final = 86_400.0
"""Longer lives are not waited for: over some hundred stories they would come to centuries."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a logout with one kind of token ends.

    Attributes:
        access: the session's newest access token.
        older: the access token from before its last refresh.
        refresh: its refresh token.
    """

    access: bool = False
    older: bool = False
    refresh: bool = False

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of token of which it ends the newest."""
        return tuple(kind for kind, ends in ((Kind.ACCESS, self.access), (Kind.REFRESH, self.refresh)) if ends)


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices of a target.

    Attributes:
        doors: the protected routes that are looked at; at least one.
        refreshes: whether there is a refresh token.
        login_ends_others: whether a user's next login ends an earlier session.
        refresh_ends_access: whether a refresh ends the access token before it.
        rotates: whether a refresh replaces the refresh token.
        strict: whether a used refresh token is refused right after its use.
        replay_ends: whether that ends its session.
        replay_ends_access: whether that ends the session's access tokens as well.
        replay_ends_others: whether it ends the user's other sessions as well.
        logouts: what a logout ends, for each kind of token that can be shown there.
        late_logout: what one ends that shows the access token from before the last refresh.
        logout_ends_others: whether it ends the user's other sessions as well.
        lapsing: the kinds of token that are refused when their time is over; see `with_time`.
        refresh_outlasts_access: whether a session can be refreshed when its access token's time is over.
    """

    doors: tuple[ProtectedDoor, ...] = field(repr=False)
    refreshes: bool = True
    login_ends_others: bool = False
    refresh_ends_access: bool = False
    rotates: bool = False
    strict: bool = False
    replay_ends: bool = False
    replay_ends_access: bool = False
    replay_ends_others: bool = False
    logouts: dict[Kind, Ending] = field(default_factory=dict)
    late_logout: Ending = Ending()
    logout_ends_others: bool = False
    lapsing: frozenset[Kind] = frozenset()
    refresh_outlasts_access: bool = False


def learn(target: Target) -> Policy:
    """What the target chooses, in the plainest stories.

    Raises:
        TargetError: it refuses an honest token in one of them, gives no session, or has no door that asks for one.
    """
    return _Learner(target).learn()


def with_time(target: Target, policy: Policy) -> Policy:
    """The choices, and what becomes of tokens when their time is over, where time can be made to pass for nothing.

    What keeps a time of its own, such as a cache, does not move along. Tokens that depend on it are seen to go on here.

    Raises:
        TargetError: the target gives no session.
    """
    return _Learner(target).time(policy) if target.clock.moves else policy


def over_at(target: Target, token: Token) -> float | None:
    """When a token is surely over, in seconds since the epoch; None where nobody knows, or it would take too long."""
    if token.expires_at is None or token.expires_at - token.received_at > LONGEST_LIFE_S:
        return None
    return target.surely_over_at(token)


class _Learner:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.doors = tuple(door for door in target.protected_doors if not door.opens_to_anyone)
        self.refreshes = target.profile.has_refresh_token and bool(target.profile.refresh.path)

    def learn(self) -> Policy:
        if not self.doors:
            raise TargetError("no protected route tells a session's access token from none")
        witness, *_, last = [self.target.login() for _ in range(MOST_AT_ONCE)]
        if not self._opens(last):
            raise TargetError(f"{self.doors[0].label} refuses the access token of a login (see ACCESS-08)")
        policy = Policy(self.doors, self.refreshes, login_ends_others=not self._lives(witness))
        if self.refreshes:
            policy = self._rotation(policy, witness, last)
        return self._logouts(policy)

    def _rotation(self, policy: Policy, witness: Session, session: Session) -> Policy:
        before = session.snapshot()
        exchange = self.target.refresh(session)
        if session.ended:
            raise TargetError(
                f"{self.target.refresh_door.label} answered {exchange.response.status} to the refresh token of a login"
                " (see REFRESH-01)"
            )
        policy = replace(policy, refresh_ends_access=not self._opens(before))
        policy = replace(policy, rotates=session.refresh.value != before.refresh.value)
        if not policy.rotates or self._served(before):
            return policy
        replay_ends_access = not (self._opens(before) or self._opens(session))
        return replace(
            policy,
            strict=True,
            replay_ends_access=replay_ends_access,
            replay_ends=not self._served(session),
            replay_ends_others=not self._lives(witness),
        )

    def _logouts(self, policy: Policy) -> Policy:
        door = self.target.logout_door
        logouts: dict[Kind, Ending] = {}
        others = False
        for kind in door.kinds if door else ():
            witness = self.target.login()
            ending = self._logout(kind)
            if ending is not None:
                logouts[kind] = ending
                others |= not self._lives(witness)
        late = self._logout(Kind.ACCESS, late=True) if Kind.ACCESS in logouts and self.refreshes else None
        return replace(policy, logouts=logouts, late_logout=late or Ending(), logout_ends_others=others)

    def _logout(self, kind: Kind, *, late: bool = False) -> Ending | None:
        """What a logout with that token of a refreshed session ends, or with the one before; None where it fails."""
        session = self.target.login()
        before = session.snapshot()
        if self.refreshes:
            self.target.refresh(session)
        if self.target.logout(before if late else session, kind).response.status >= HTTPStatus.BAD_REQUEST:
            return None
        return Ending(
            access=not self._opens(session),
            older=not self._opens(before),
            refresh=self.refreshes and not self._served(session),
        )

    def time(self, policy: Policy) -> Policy:
        target, lapsing = self.target, set[Kind]()
        session = target.login()
        before = session.snapshot()
        if self.refreshes:
            target.refresh(session)
        over = over_at(target, session.access)
        if session.ended or over is None:
            return policy
        target.clock.reach(over)
        # Of tokens of both origins, since a finding on one of them alone is another requirement's (see EXPIRY-05).
        if not (self._opens(before) or self._opens(session)):
            lapsing.add(Kind.ACCESS)
        outlasts = self.refreshes and target.is_alive(session.refresh)
        if outlasts:
            target.refresh(session)
            outlasts = not session.ended
        over = over_at(target, session.refresh)
        if outlasts and over is not None:
            target.clock.reach(over)
            if not (self._served(before) or self._served(session)):
                lapsing.add(Kind.REFRESH)
        return replace(policy, lapsing=frozenset(lapsing), refresh_outlasts_access=outlasts)

    def _opens(self, session: Session) -> bool:
        door = self.doors[0]
        request = door.present(session.access.value, session)
        return bool(door.bought(request, self.target.send(request).response))

    def _served(self, session: Session) -> bool:
        """Whether the session's refresh token, as it was then, buys tokens."""
        door = self.target.refresh_door
        request = door.present(session.refresh.value, session)
        return bool(door.bought(request, self.target.send(request).response))

    def _lives(self, session: Session) -> bool:
        if not self._opens(session):
            return False
        if self.refreshes:
            self.target.refresh(session)
        return not session.ended
