"""Stories of any order: told for a while, and shortened where one contradicts the model."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError
from conformance.fuzz.keeping import keep, kept
from conformance.fuzz.telling import Contradiction, Step, without
from conformance.fuzz.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.target.policy import Policy
    from conformance.target.target import Target

LEAST_FOR_SHORTENING_S: Final = 6.0
"""So long a story is made shorter by Hypothesis, and then as long step by step."""
TOLD_AGAIN: Final = 2
"""So often the shortest story is told once more: what does not happen again was no matter of the order."""


@dataclass(slots=True)
class Tale:
    """What stories have shown.

    Attributes:
        stories: how many were told to their end.
        judged: how often a token was accepted or refused as it should be.
        shortest: the shortest story that contradicts the model, and that does so each time it is told.
        passing: whether a contradiction was seen that did not come again.
        ended_by: what made the target unfit for further stories, if anything.
    """

    stories: int = 0
    judged: int = 0
    shortest: Contradiction | None = None
    passing: bool = False
    ended_by: TargetError | None = None
    _until: float = field(default=0.0, repr=False)
    _left: bool = field(default=False, repr=False)

    def is_over(self) -> bool:
        """Whether the time is up."""
        self._left = self._left or time.monotonic() >= self._until
        return self._left

    def hears(self, judged: int, *, ended: bool) -> None:
        """Counts."""
        self.judged += judged
        self.stories += ended

    def contradicted(self, contradiction: Contradiction) -> None:
        """Keeps the shorter one, and leaves some time to find a shorter one yet."""
        if self.shortest is None:
            self._until = time.monotonic() + LEAST_FOR_SHORTENING_S
        if self.shortest is None or len(contradiction.steps) <= len(self.shortest.steps):
            self.shortest = contradiction

    def disturbed(self, error: TargetError) -> None:
        """Gives up."""
        self._left, self.ended_by = True, error


def explore(target: Target, policy: Policy, seconds: float, seed: int) -> Tale:
    """Tells stories for so many seconds, or until one contradicts the model and is as short as can be."""
    tale = Tale(_until=time.monotonic() + seconds)
    folder = target.fuzzing.stories
    for steps in kept(folder):
        try:
            tale.shortest = tell(target, policy, steps)
        except TargetError as error:
            tale.disturbed(error)
        if tale.shortest or tale.ended_by:
            break
        tale.hears(len(steps), ended=True)
    else:
        _make_up(tale, target, policy, seed)
    if tale.shortest is not None:
        try:
            _shorten(tale, target, policy)
            _tell_again(tale, target, policy)
        except TargetError as error:
            tale.shortest, tale.ended_by = None, error
    if tale.shortest is not None and folder:
        keep(folder, tale.shortest.steps)
    return tale


def _make_up(tale: Tale, target: Target, policy: Policy, seed: int) -> None:
    from conformance.fuzz import machine  # noqa: PLC0415 - Hypothesis takes its time to load, and few runs need it

    try:
        machine.run(lambda: World(target, policy), tale, seed)
    except machine.EnoughError:
        pass
    except Exception:
        # The contradiction itself, or that it does not come each time; which of the two is seen below. To be left in
        # its middle is to Hypothesis a sign that a story depends on something else.
        if tale.shortest is None and not tale.is_over():
            raise


def tell(target: Target, policy: Policy, steps: Sequence[Step]) -> Contradiction | None:
    """Tells a story from its beginning; how the target contradicts it, if it does.

    Raises:
        TargetError: it gives no answer to judge.
    """
    world = World(target, policy)
    try:
        for step in steps:
            world.play(step)
    except Contradiction as found:
        return found
    return None


def _shorten(tale: Tale, target: Target, policy: Policy) -> None:
    """Leaves out what is not needed, a step at a time: Hypothesis may not have come to an end of it."""
    until, index = time.monotonic() + LEAST_FOR_SHORTENING_S, 0
    assert tale.shortest is not None
    while index < len(tale.shortest.steps) and time.monotonic() < until:
        shorter = tell(target, policy, without(tale.shortest.steps, index))
        if shorter:
            # What comes later may have needed what came before.
            tale.shortest, index = shorter, 0
        else:
            index += 1


def _tell_again(tale: Tale, target: Target, policy: Policy) -> None:
    for _ in range(TOLD_AGAIN):
        assert tale.shortest is not None
        again = tell(target, policy, tale.shortest.steps)
        if again is None:
            tale.shortest, tale.passing = None, True
            return
        tale.shortest = again
