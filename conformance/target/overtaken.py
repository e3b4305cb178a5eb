"""Tokens that end while the suite waits for its turn: whatever is sent with one of them shows nothing.

A scenario takes a token that has a while to live, and builds its requests. Then the target asks for patience, and the
token is over before the request goes out: an honest one would be refused for that, and so would a forged one.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.target.pacing import HeldBackError
from conformance.tokens.reading import JWT_SHAPE, read_jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.target.http import Request
    from conformance.tokens.reading import Token


class OvertakenError(HeldBackError):
    """A request was not sent, since its token ended while it waited for its turn; it may be tried from the start."""


@dataclass(slots=True)
class TokenWatch:
    """The tokens of a run, and which of them have ended during such a wait.

    Attributes:
        now: the target's clock; none of them ends before it is known.
    """

    now: Callable[[], float] | None = None
    _ends: dict[str, float] = field(default_factory=dict, repr=False)
    _overtaken: set[str] = field(default_factory=set, repr=False)
    _overtaken_at: set[float] = field(default_factory=set)

    def begin(self) -> None:
        """A scenario begins: what has ended by now is old, and whoever uses it knows that."""
        self._overtaken.clear()
        self._overtaken_at.clear()

    def know(self, token: Token) -> None:
        """Keeps an eye on a token, where it is known when it ends."""
        if token.expires_at is not None:
            self._ends[token.value] = token.expires_at

    def let_end(self, token: Token) -> None:
        """Does not mind when this token ends: it is meant to."""
        self._ends.pop(token.value, None)

    @contextmanager
    def across(self) -> Iterator[None]:
        """What ends within a wait for a turn has been overtaken; what had ended before is over on purpose."""
        if self.now is None:
            yield
            return
        before = self.now()
        yield
        ended = {value: end for value, end in tuple(self._ends.items()) if before < end <= self.now()}
        self._overtaken |= set(ended)
        # By this a token is known that was made from one of them, whatever was changed in it.
        self._overtaken_at |= set(ended.values())

    def check(self, request: Request) -> None:
        """Makes sure that a request carries no token that was overtaken, nor one that was made from it.

        Raises:
            OvertakenError: it does.
        """
        if not self._overtaken:
            return
        text = "\n".join([*(value for _, value in request.headers), request.body.decode("latin-1")])
        made = (read_jwt(found) for found in JWT_SHAPE.findall(text))
        if any(value in text for value in self._overtaken) or any(
            jwt is not None and jwt.number("exp") in self._overtaken_at for jwt in made
        ):
            raise OvertakenError(
                "a token ended while its request was put off by a limit on the rate of requests",
                "raise the limit for this run, give a higher --rate, or let tokens live longer",
            )
