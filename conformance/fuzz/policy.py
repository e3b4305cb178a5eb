"""What the target does where the sources leave it the choice: seen in the plainest story that shows it.

Stories of any order are held against this. A choice counts as the target's own, and only what it does otherwise in
another order is a finding. Where a choice leaves open what becomes of a token, nothing is said of that token.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError

if TYPE_CHECKING:
    from conformance.target.doors import ProtectedDoor
    from conformance.target.session import Session
    from conformance.target.target import Target
    from conformance.tokens.reading import Kind

MOST_AT_ONCE: Final = 3
"""So many sessions one user has in a story; a target that allows fewer shows that at once."""


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


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices of a target.

    Attributes:
        doors: the protected routes that are looked at.
        refreshes: whether there is a refresh token.
        login_ends_others: whether a user's next login ends an earlier session.
        refresh_ends_access: whether a refresh ends the access token before it.
        strict: whether a used refresh token is refused right after its use.
        replay_ends: whether that ends its session.
        replay_ends_access: whether that ends the session's access tokens as well.
        replay_ends_others: whether it ends the user's other sessions as well.
        logouts: what a logout ends, for each kind of token that can be shown there.
        logout_ends_others: whether it ends the user's other sessions as well.
    """

    doors: tuple[ProtectedDoor, ...] = field(repr=False)
    refreshes: bool = True
    login_ends_others: bool = False
    refresh_ends_access: bool = False
    strict: bool = False
    replay_ends: bool = False
    replay_ends_access: bool = False
    replay_ends_others: bool = False
    logouts: dict[Kind, Ending] = field(default_factory=dict)
    logout_ends_others: bool = False


def learn(target: Target) -> Policy:
    """What the target chooses, in the plainest stories.

    Raises:
        TargetError: it refuses an honest token in one of them, or gives no session.
    """
    return _Learner(target).learn()


class _Learner:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.doors = tuple(door for door in target.protected_doors if not door.opens_to_anyone)
        self.refreshes = target.profile.has_refresh_token and bool(target.profile.refresh.path)

    def learn(self) -> Policy:
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
        if session.refresh.value == before.refresh.value or self._served(before):
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
        target, door = self.target, self.target.logout_door
        logouts: dict[Kind, Ending] = {}
        others = False
        for kind in door.kinds if door else ():
            witness, session = target.login(), target.login()
            before = session.snapshot()
            if self.refreshes:
                target.refresh(session)
            if target.logout(session, kind).response.status >= HTTPStatus.BAD_REQUEST:
                continue
            logouts[kind] = Ending(
                access=not self._opens(session),
                older=not self._opens(before),
                refresh=self.refreshes and not self._served(session),
            )
            others |= not self._lives(witness)
        return replace(policy, logouts=logouts, logout_ends_others=others)

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
