"""What stories are made of: steps, tokens and what should be the case of them, and how a target contradicts one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.target.http import Exchange
    from conformance.target.session import Session
    from conformance.tokens.reading import Kind, Token

SHOWN: Final = 8
"""So many of a story's last exchanges are shown."""


class Move(StrEnum):
    """What may happen in a story."""

    LOGIN = "login"
    USE = "use"
    REFRESH = "refresh"
    REPLAY = "replay"
    LOGOUT = "logout"
    WAIT = "wait"


_NO_SESSIONS: Final = {Move.LOGIN, Move.WAIT}
"""What happens to no session that is there."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. The numbers are taken modulo of what there is.

    Attributes:
        move: what.
        who: which account logs in, or whose session it is, in the order of logins.
        which: which of its tokens; of a wait, whether the refresh tokens' time goes by as well.
        where: at which protected route.
    """

    move: Move
    who: int = 0
    which: int = 0
    where: int = 0


def without(steps: Sequence[Step], index: int) -> list[Step]:
    """The steps without one of them; of a login, without what becomes of its session as well."""
    left = [*steps[:index], *steps[index + 1 :]]
    if steps[index].move is not Move.LOGIN:
        return left
    session = sum(step.move is Move.LOGIN for step in steps[:index])
    return [
        replace(step, who=step.who - 1) if step.move not in _NO_SESSIONS and step.who > session else step
        for step in left
        if step.move in _NO_SESSIONS or step.who != session
    ]


class Standing(StrEnum):
    """What should be the case of a token."""

    ALIVE = "alive"
    DEAD = "dead"
    OPEN = "open"


@dataclass(slots=True)
class Held:
    """A token, with its session as it was when it came.

    Attributes:
        name: what it is called.
        why: why it is dead.
        shared: whether it was issued twice, so that which of the two is meant, nobody knows.
        aged: whether its session's time, or a part of it, has gone by since it came.
    """

    name: str
    kind: Kind
    session: Session = field(repr=False)
    standing: Standing = Standing.ALIVE
    why: str = ""
    shared: bool = False
    aged: bool = False

    @property
    def token(self) -> Token:
        """The token itself."""
        return self.session.token(self.kind)

    @property
    def value(self) -> str:
        """What is sent."""
        return self.token.value

    def becomes(self, standing: Standing, why: str = "") -> None:
        """Stands otherwise from now on; what is dead stays dead."""
        if self.standing is not Standing.DEAD and not self.shared:
            self.standing, self.why = standing, why


@dataclass(slots=True)
class Member:
    """A session of the story: its access tokens and its refresh tokens, oldest first."""

    index: int
    session: Session = field(repr=False)
    accesses: list[Held] = field(default_factory=list)
    refreshes: list[Held] = field(default_factory=list)
    logged_out_with: set[Kind] = field(default_factory=set)

    @property
    def held(self) -> list[Held]:
        """All of them."""
        return [*self.accesses, *self.refreshes]

    @property
    def name(self) -> str:
        """As a story calls it."""
        return f"session {self.index + 1}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a story: what happened, in words, the step that plays it again, and what was sent, if anything."""

    words: str
    step: Step
    exchange: Exchange | None = field(repr=False)


class Contradiction(Exception):  # noqa: N818 - no error: what was looked for
    """The target has accepted what is dead, or refused what is alive.

    Attributes:
        story: what had happened, a line for each step.
        steps: the same, to be played again.
        expected: what the target should have done.
        observed: what it did.
        certain: whether that alone shows that the target works.
        shown: the last exchanges, with a note each.
    """

    def __init__(self, lines: Sequence[Line], expected: str, observed: str, *, certain: bool) -> None:
        """Keeps them."""
        self.story = tuple(line.words for line in lines)
        self.steps = tuple(line.step for line in lines)
        self.shown = tuple((line.words, line.exchange) for line in lines[-SHOWN:] if line.exchange)
        self.expected, self.observed, self.certain = expected, observed, certain
        super().__init__("; ".join(self.story))
