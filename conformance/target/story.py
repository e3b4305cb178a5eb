"""What became of a session's tokens, for the timeline of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.tokens.reading import Token

MOST_LIVES: Final = 10
"""A session with more tokens makes no picture that anybody can read."""


@dataclass(slots=True)
class Life:
    """One token's. Times are the target's, in seconds since the epoch.

    Attributes:
        name: its kind and number, such as `access 2`.
        how: what gave it: `login`, `refresh`, or `rotation` for a refresh token's successor.
        used_at: when an honest request with it succeeded.
        ended_by: what ended it before its time: `rotation`, `logout`, or `refused` where it was found dead.
    """

    name: str
    how: str
    issued_at: float
    expires_at: float | None
    used_at: list[float] = field(default_factory=list)
    ended_at: float | None = None
    ended_by: str = ""


@dataclass(slots=True)
class Story:
    """One session's."""

    lives: list[Life] = field(default_factory=list)

    def issued(self, token: Token, how: str, now: float) -> Life:
        """A token was given."""
        number = 1 + sum(life.name.startswith(token.kind) for life in self.lives)
        self.lives.append(Life(f"{token.kind} {number}", how, now, token.expires_at))
        return self.lives[-1]

    def used(self, kind: Kind, now: float) -> None:
        """The newest token of that kind bought what it is for."""
        if life := self._newest(kind):
            life.used_at.append(now)

    def ended(self, kind: Kind, by: str, now: float) -> None:
        """The newest token of that kind has come to its end."""
        life = self._newest(kind)
        if life and life.ended_at is None:
            life.ended_at, life.ended_by = now, by

    def _newest(self, kind: Kind) -> Life | None:
        return next((life for life in reversed(self.lives) if life.name.startswith(kind)), None)

    @property
    def variety(self) -> int:
        """How much there is to see."""
        seen = {life.how for life in self.lives} | {life.ended_by for life in self.lives}
        uses = sum(bool(life.used_at) for life in self.lives if life.name.startswith(Kind.ACCESS))
        return 3 * len(seen & {"refresh", "rotation", "logout"}) + 2 * min(uses, 2) + ("refused" in seen)

    def to_json(self) -> list[dict[str, Any]]:
        """Its tokens, in seconds since the session began."""
        start = min(life.issued_at for life in self.lives)

        def since(moment: float | None) -> float | None:
            return None if moment is None else round(max(moment - start, 0.0), 3)

        return [
            {
                "token": life.name,
                "how": life.how,
                "issued_s": since(life.issued_at),
                "used_s": [since(moment) for moment in life.used_at[:MOST_LIVES]],
                "expires_s": since(life.expires_at),
                "ended_s": since(life.ended_at),
                "ended_by": life.ended_by,
            }
            for life in self.lives
        ]


def best(stories: Iterable[Story]) -> list[dict[str, Any]]:
    """The story in which most happens, as JSON; empty where there is none to tell."""
    told = [story for story in stories if 0 < len(story.lives) <= MOST_LIVES]
    return max(told, key=lambda story: story.variety).to_json() if told else []
