"""Stories of any order, made up by Hypothesis, held against the model, and shortened where one contradicts it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.errors import TargetError
from conformance.fuzz.world import Contradiction, Move, Step, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.fuzz.policy import Policy
    from conformance.target.target import Target

LONGEST: Final = 14
"""So many steps a story has at most, before everything is looked at."""
MOST_STORIES: Final = 100_000
LEAST_FOR_SHORTENING_S: Final = 4.0
TOLD_AGAIN: Final = 2
"""So often the shortest story is told once more: what does not happen again was no matter of the order."""


class _EnoughError(BaseException):
    """The time is up, or the target gives no answer. Hypothesis takes whatever is an `Exception` for a finding."""


@dataclass(slots=True)
class Tale:
    """What stories have shown.

    Attributes:
        stories: how many were told to their end.
        judged: how often a token was accepted or refused as it should be.
        shortest: the shortest story that contradicts the model, told once more.
        steps: what happens in it.
        passing: whether a contradiction was seen that did not come again.
        ended_by: what made the target unfit for further stories, if anything.
        stopped: whether a story was left in its middle.
    """

    stories: int = 0
    judged: int = 0
    shortest: Contradiction | None = None
    steps: tuple[Step, ...] = ()
    passing: bool = False
    ended_by: TargetError | None = None
    stopped: bool = False
    _until: float = field(default=0.0, repr=False)

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._until

    def failed(self, steps: Sequence[Step], contradiction: Contradiction) -> None:
        """Keeps the shorter one, and leaves some time to find a shorter one yet."""
        if self.shortest is None:
            self._until = time.monotonic() + max(LEAST_FOR_SHORTENING_S, self._until - time.monotonic())
        if self.shortest is None or len(contradiction.story) <= len(self.shortest.story):
            self.shortest, self.steps = contradiction, tuple(steps)


def explore(target: Target, policy: Policy, seconds: float, seed: int) -> Tale:
    """Tells stories for so many seconds, or until one contradicts the model and is as short as can be."""
    tale = Tale(_until=time.monotonic() + seconds)
    run = _driven(lambda: World(target, policy), tale, seed)
    try:
        run()
    except _EnoughError:
        pass
    except Exception as error:
        # The contradiction itself, or that it does not come each time; which of the two is seen below. To be left in the
        # middle of a story is to Hypothesis a sign that stories depend on something else.
        if tale.shortest is None and not tale.stopped:
            raise _without_frames(error) from None
    if tale.shortest is not None:
        _tell_again(tale, target, policy)
    return tale


def tell(world: World, steps: Sequence[Step]) -> None:
    """Tells a story from its beginning to its end.

    Raises:
        Contradiction: the target contradicts it.
        TargetError: it gives no answer to judge.
    """
    for step in steps:
        world.play(step)
    world.settle()


def _tell_again(tale: Tale, target: Target, policy: Policy) -> None:
    for _ in range(TOLD_AGAIN):
        try:
            tell(World(target, policy), tale.steps)
        except Contradiction as again:
            tale.shortest = again
        except TargetError as error:
            tale.shortest, tale.ended_by = None, error
            return
        else:
            tale.shortest, tale.passing = None, True
            return


def _without_frames(error: Exception) -> Exception:
    return error.with_traceback(None)


def _driven(new_world: Callable[[], World], tale: Tale, seed: int) -> Callable[[], None]:
    """What makes up stories and tells them."""
    import hypothesis  # noqa: PLC0415 - takes its time to load, and few runs need it
    from hypothesis import stateful, strategies  # noqa: PLC0415

    few, tokens = strategies.integers(0, 5), strategies.integers(0, 3)

    class Stories(stateful.RuleBasedStateMachine):  # type: ignore[misc, unused-ignore] # hypothesis may have no types
        """One story."""

        def __init__(self) -> None:
            super().__init__()
            self.world, self.steps = new_world(), []  # type: ignore[var-annotated]

        def happens(self, step: Step) -> None:
            self.steps.append(step)
            self.guarded(lambda: self.world.play(step))

        def guarded(self, act: Callable[[], None]) -> None:
            if tale.is_over():
                tale.stopped = True
                raise _EnoughError
            judged = self.world.judged
            try:
                act()
            except Contradiction as contradiction:
                tale.failed(self.steps, contradiction)
                raise
            except TargetError as error:
                tale.stopped, tale.ended_by = True, error
                raise _EnoughError from None
            finally:
                tale.judged += self.world.judged - judged

        @stateful.precondition(lambda self: self.world.has_room(0) or self.world.has_room(1))
        @stateful.rule(who=strategies.integers(0, 1))
        def login(self, who: int) -> None:
            self.happens(Step(Move.LOGIN, who))

        @stateful.precondition(lambda self: self.world.members)
        @stateful.rule(who=few, which=tokens, where=tokens)
        def use(self, who: int, which: int, where: int) -> None:
            self.happens(Step(Move.USE, who, which, where))

        @stateful.precondition(lambda self: self.world.members and self.world.policy.refreshes)
        @stateful.rule(who=few)
        def refresh(self, who: int) -> None:
            self.happens(Step(Move.REFRESH, who))

        @stateful.precondition(lambda self: any(len(member.refreshes) > 1 for member in self.world.members))
        @stateful.rule(who=few, which=tokens)
        def replay(self, who: int, which: int) -> None:
            self.happens(Step(Move.REPLAY, who, which))

        @stateful.precondition(lambda self: self.world.members and self.world.policy.logouts)
        @stateful.rule(who=few, which=strategies.integers(0, 1))
        def logout(self, who: int, which: int) -> None:
            self.happens(Step(Move.LOGOUT, who, which))

        def teardown(self) -> None:
            # A story that has ended early has been judged, or was none.
            if sys.exc_info()[0] is None:
                self.guarded(self.world.settle)
                tale.stories += 1

    settings: Any = hypothesis.settings(
        max_examples=MOST_STORIES,
        stateful_step_count=LONGEST,
        deadline=None,
        database=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    seeded = hypothesis.seed(seed)(Stories)
    return lambda: stateful.run_state_machine_as_test(seeded, settings=settings)
