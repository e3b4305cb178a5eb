"""The state machine that makes up stories. It loads Hypothesis, so it is imported where stories are told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

import hypothesis
from hypothesis import stateful, strategies

from conformance.errors import TargetError
from conformance.fuzz.litter import nothing_left_behind
from conformance.fuzz.telling import Contradiction, Move, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.fuzz.world import World

LONGEST: Final = 14
"""So many steps a story has at most, before everything is looked at."""
MOST_STORIES: Final = 100_000

_FEW, _TOKENS, _TWO = strategies.integers(0, 5), strategies.integers(0, 3), strategies.integers(0, 1)


class EnoughError(BaseException):
    """No more stories: Hypothesis takes whatever is an `Exception` for a finding."""


class Listener(Protocol):
    """Whoever the stories are told to."""

    def is_over(self) -> bool:
        """Whether it has heard enough; the story that is being told is left where it is."""

    def hears(self, judged: int, *, ended: bool) -> None:
        """Is told how many answers were judged, and whether a story came to its end."""

    def contradicted(self, contradiction: Contradiction) -> None:
        """Is told of a contradiction."""

    def disturbed(self, error: TargetError) -> None:
        """Is told why no more can be told."""


class Stories(stateful.RuleBasedStateMachine):
    """One story."""

    def __init__(self, world: World, listener: Listener) -> None:
        """Begins it."""
        super().__init__()
        self.world, self.listener = world, listener

    def _guarded(self, act: Callable[[], None], *, ends: bool = False) -> None:
        if self.listener.is_over():
            raise EnoughError
        before = self.world.judged
        try:
            act()
        except Contradiction as contradiction:
            self.listener.contradicted(contradiction)
            raise
        except TargetError as error:
            self.listener.disturbed(error)
            raise EnoughError from None
        self.listener.hears(self.world.judged - before, ended=ends)

    def _happens(self, step: Step) -> None:
        self._guarded(lambda: self.world.play(step))

    @stateful.precondition(lambda self: self.world.has_room(0) or self.world.has_room(1))
    @stateful.rule(who=_TWO)
    def login(self, who: int) -> None:
        """Somebody logs in."""
        self._happens(Step(Move.LOGIN, who))

    @stateful.precondition(lambda self: self.world.members)
    @stateful.rule(who=_FEW, which=_TOKENS, where=_TOKENS)
    def use(self, who: int, which: int, where: int) -> None:
        """An access token is shown at a protected route."""
        self._happens(Step(Move.USE, who, which, where))

    @stateful.precondition(lambda self: self.world.members and self.world.policy.refreshes)
    @stateful.rule(who=_FEW)
    def refresh(self, who: int) -> None:
        """A session is refreshed."""
        self._happens(Step(Move.REFRESH, who))

    @stateful.precondition(lambda self: any(len(member.refreshes) > 1 for member in self.world.members))
    @stateful.rule(who=_FEW, which=_TOKENS)
    def replay(self, who: int, which: int) -> None:
        """A used refresh token is shown again."""
        self._happens(Step(Move.REPLAY, who, which))

    @stateful.precondition(lambda self: self.world.members and self.world.policy.logouts)
    @stateful.rule(who=_FEW, which=_TWO)
    def logout(self, who: int, which: int) -> None:
        """A session is logged out."""
        self._happens(Step(Move.LOGOUT, who, which))

    @stateful.precondition(lambda self: self.world.members and self.world.policy.lapsing)
    @stateful.rule(which=_TWO)
    def wait(self, which: int) -> None:
        """Time goes by, until tokens are over."""
        self._happens(Step(Move.WAIT, which=which))

    def teardown(self) -> None:
        """Looks at everything, at the end."""
        # A story that was left early has been judged, or was none.
        if sys.exc_info()[0] is None:
            self._guarded(self.world.settle, ends=True)


def run(new_world: Callable[[], World], listener: Listener, seed: int) -> None:
    """Tells stories until one contradicts the model and is as short as Hypothesis makes it, or there is enough.

    Raises:
        EnoughError: there is.
        Exception: the contradiction; or Hypothesis's own, where a story was left, or went otherwise when told again.
    """

    def begin() -> Stories:
        return Stories(new_world(), listener)

    settings = hypothesis.settings(
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
    factory: Any = hypothesis.seed(seed)(begin)
    with nothing_left_behind():
        stateful.run_state_machine_as_test(factory, settings=settings)
