"""How long refreshing can keep one login alive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.scenarios.endings import UntestedError
from conformance.scenarios.family import begin, require_rotation, rotate
from conformance.scenarios.lapse import say_what_to_give, tolerated_leeway_s
from conformance.target.profile_tables import SURE_S
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.tokens.reading import Token

MOST_ROTATIONS: Final = 60
LATER_S: Final = 4.0
"""So long after a token its successor comes, where the two ends are compared."""
LATE: Final = 0.8
"""The part of its life after which a token is used."""
SLACK_S: Final = 1.5
"""Ends are told in whole seconds."""


@dataclass(frozen=True, slots=True)
class Life:
    """What was seen of a session that was kept alive as long as it could be.

    Attributes:
        bounded: whether it ended, or its newest token told an end that refreshing no longer moves.
        lasted_s: how long it lasted or will last, in seconds.
        how: how that was seen.
        last: the last refresh.
    """

    bounded: bool
    lasted_s: float
    how: str
    last: Exchange = field(repr=False)


def keep_alive(trial: Trial) -> Life:
    """Refreshes a session before each of its ends, until it ends for good or has outlived the declared limit.

    Raises:
        NotApplicableError: the target does not rotate.
        UntestedError: that takes too long, or nothing is declared that it could have outlived.
    """
    require_rotation(trial)
    family = begin(trial)
    session, started = family.session, family.spent[0][1]
    first, limit = session.refresh, trial.profile.lifetimes.session
    goal = None if limit is None else started + limit + tolerated_leeway_s(trial.target) + SURE_S
    for turn in range(MOST_ROTATIONS):
        token = session.refresh
        moment = _before_its_end(trial, token, goal, early=not turn)
        if not trial.clock.moves and moment - started > trial.target.client.max_wait_s:
            trial.untested(
                "refreshing moves the end of the session, and whether for ever takes longer to see",
                give=f"a --max-wait of {(goal or moment) - started:.0f}, and lifetimes.session in the profile",
            )
        trial.clock.reach(moment)
        last, _ = rotate(trial, session)
        now = trial.clock.now()
        if session.ended:
            if now - started < (first.lifetime_s or 0.0) / 2:
                trial.inconclusive(f"a chain of refreshes broke off after {now - started:.0f} s (see ROTATE-02)")
            return Life(True, now - started, "it ended while its newest token was good still", last)
        if goal is not None and now >= goal:
            return Life(False, now - started, "it goes on", last)
        before, end = _told_end(token), _told_end(session.refresh)
        if before is not None and end is not None and end <= before + SLACK_S and now - token.received_at > 2 * SLACK_S:
            return Life(True, end - started, "a refresh does not move the end that its tokens tell", last)
    raise UntestedError(
        f"refreshing kept a session alive for {trial.clock.now() - started:.0f} s, and nothing says for how long it"
        " may; give lifetimes.session in the profile, in seconds"
    )


def _before_its_end(trial: Trial, token: Token, goal: float | None, *, early: bool) -> float:
    """When to use the token: soon, to see whether ends move, and later as late as is safe."""
    if token.expires_at is None:
        say_what_to_give(trial, Kind.REFRESH)
    life = token.expires_at - token.received_at
    moment = token.received_at + (min(LATER_S, life / 3) if early else life * LATE)
    return moment if goal is None else min(moment, goal)


def _told_end(token: Token) -> float | None:
    """When the token ends by its own word or its answer's; what the profile declares tells nothing of this one."""
    if token.jwt and (end := token.jwt.number("exp")) is not None:
        return end
    return None if token.stated_lifetime_s is None else token.received_at + token.stated_lifetime_s
