"""The token family: every refresh token that comes from one login, each replacing the one before it.

A refresh token is in one of four states, and the table `MOVES` says what an answer of the refresh route makes of it.
RFC 9700 §4.14.2 wants a spent token refused and its family ended. Many servers forgive a client whose answer was lost
and serve a spent token once more, for some seconds or until its successor is used: a choice, and no finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from conformance.scenarios.endings import InconclusiveError, NotApplicableError, UntestedError
from conformance.scenarios.spare import own_session, refreshed
from conformance.target.overtaken import OvertakenError
from conformance.target.profile_tables import SURE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Session
    from conformance.tokens.reading import Token

T = TypeVar("T")


class State(StrEnum):
    """Where a refresh token stands."""

    FRESH = "fresh"
    """Issued, and not used yet."""
    GRACE = "grace"
    """Used, and perhaps served for a while all the same."""
    SPENT = "spent"
    """Used, and any grace is over."""
    ENDED = "ended"
    """Its family has ended: by a replay, by a logout, or since its time was up."""


class Answer(StrEnum):
    """What showing a refresh token brought."""

    SERVED = "served"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Move:
    """What an answer makes of the token that was shown.

    Attributes:
        to: its next state.
        breaks: the requirement that this answer breaks, if any.
    """

    to: State
    breaks: str = ""


MOVES: Final = {
    (State.FRESH, Answer.SERVED): Move(State.GRACE),
    (State.FRESH, Answer.REFUSED): Move(State.ENDED, breaks="ROTATE-02"),
    (State.GRACE, Answer.SERVED): Move(State.GRACE),
    (State.GRACE, Answer.REFUSED): Move(State.ENDED),
    (State.SPENT, Answer.SERVED): Move(State.SPENT, breaks="ROTATE-02"),
    (State.SPENT, Answer.REFUSED): Move(State.ENDED),
    (State.ENDED, Answer.SERVED): Move(State.FRESH, breaks="ROTATE-03"),
    (State.ENDED, Answer.REFUSED): Move(State.ENDED),
}
"""A refused replay of any member ends the whole family, its fresh member included."""

LONGEST_GRACE_S: Final = 300
"""The longest grace that a widespread server can be set to (Ory Hydra); most have 10 to 60 s."""
WAITS_S: Final = (11, 31, 61, LONGEST_GRACE_S + 1)
LATE_S: Final = 3.0
"""A request that was held up for so long says nothing of the moment for which it was meant."""
APART_S: Final = 1.2
"""Tokens without a `jti` that are issued within one second are rightly equal."""


@dataclass(slots=True)
class Family:
    """A session of a scenario's own, and every refresh token that it has had.

    Attributes:
        spent: the session as it was before each rotation, oldest first, with the moment of that.
        accesses: the access tokens, oldest first.
        rotations: the answers that replaced a token, oldest first.
    """

    session: Session = field(repr=False)
    spent: list[tuple[Session, float]] = field(default_factory=list, repr=False)
    accesses: list[Token] = field(default_factory=list, repr=False)
    rotations: list[Exchange] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a used refresh token that was shown again until it was refused.

    Attributes:
        state: the state it was in when it was last shown.
        answer: the last answer.
        exchange: that answer's exchange.
        served: how often it was served before.
        after_s: how many seconds after its use it was last shown.
        same: whether it was served with the successor that had been given before.
    """

    state: State
    answer: Answer
    exchange: Exchange = field(repr=False)
    served: int = 0
    after_s: float = 0.0
    same: bool = False

    @property
    def strict(self) -> bool:
        """Whether the token was refused the first time, and right after its use."""
        return not (self.served or self.after_s)

    @property
    def grace(self) -> str:
        """How a used token is treated, for the policy card."""
        if not self.served:
            return "strict" if self.strict else f"strict {self.after_s:.0f} s after the use, and a grace is declared"
        successor = "the same successor" if self.same else "another successor"
        if self.answer is Answer.SERVED:
            return f"used tokens are served for {self.after_s:.0f} s or more, with {successor}"
        if not self.after_s:
            return f"strict once the successor is used, until then {successor}"
        return f"grace of at most {self.after_s:.0f} s, with {successor}"


# -- Rotating ----------------------------------------------------------------------------------------------------------


def require_rotation(trial: Trial) -> None:
    """Ends the scenario where there are no refresh tokens, or the operator declares that they are not rotated."""
    _ = trial.refresh_route
    if trial.profile.refresh.rotation == "none":
        trial.not_applicable("the operator declares that refresh tokens are not rotated")


def rotate(trial: Trial, session: Session) -> tuple[Exchange, bool]:
    """An honest refresh, and whether it replaced the refresh token."""
    before = session.refresh
    exchange = trial.target.refresh(session)
    if not session.ended and session.refresh.value == before.value and before.jwt and "jti" not in before.jwt.claims:
        trial.clock.let_pass(APART_S)
        exchange = trial.target.refresh(session)
    return exchange, not session.ended and session.refresh.value != before.value


def begin(trial: Trial, generations: int = 1) -> Family:
    """A family that was rotated so many times.

    A later login may have ended the session that was at hand, so a first refresh that fails is tried with a new one.

    Raises:
        NotApplicableError: the target does not rotate.
        InconclusiveError: an honest refresh token of a login is refused.
    """
    family = Family(own_session(trial))
    if not grow(trial, family) and family.session.ended:
        family = Family(refreshed(trial, family.session)[0])
        grow(trial, family)
    if family.session.ended:
        trial.inconclusive(f"{trial.refresh_route.label} refuses the second refresh token of a session (see ROTATE-02)")
    if not family.spent:
        trial.not_applicable("the target does not rotate its refresh tokens (see ROTATE-01)")
    while len(family.spent) < generations and grow(trial, family):
        pass
    return family


def grow(trial: Trial, family: Family) -> bool:
    """Rotates once; whether there is a successor."""
    session = family.session
    if not family.accesses:
        family.accesses.append(session.access)
    # In cookies, a token's own proof of same-site intent goes with it, or it would be refused for want of that.
    before = session.snapshot()
    exchange, rotated = rotate(trial, session)
    family.rotations.append(exchange)
    if rotated:
        family.spent.append((before, trial.clock.now()))
        family.accesses.append(session.access)
    return rotated


# -- Replaying ---------------------------------------------------------------------------------------------------------


def replay(trial: Trial, family: Family, *, strict: bool = False) -> Replay:
    """Shows the family's first token again; where it is served, waits until its grace must be over.

    Where the profile declares no grace, one is looked for as long as the clock allows: first until the successor is
    used, then for some usual times. Where the token before the current one is refused at once, which `strict` says,
    older ones have no grace either. What the last answer means is for `MOVES` to say.

    Raises:
        UntestedError: it is still served, by what may be a grace longer than the wait.
        OvertakenError: the target's limit on requests held it up, so that a grace may have been over by then.
    """
    past, used_at = family.spent[0]
    declared, same, waited = 0 if strict else trial.profile.refresh.grace, True, 0.0
    for served, waited in enumerate(_moments(trial, past.refresh, used_at, declared)):
        # Not by the target's own clock alone: used tokens are kept where a cache or a database forgets them.
        trial.clock.let_pass(max(0.0, used_at + waited - trial.clock.now()))
        asked_at = trial.clock.now()
        exchange = trial.send(trial.refresh_door.present(past.refresh.value, past))
        held_up_s = trial.clock.now() - exchange.response.elapsed_s - asked_at
        longest = LONGEST_GRACE_S if declared is None else declared
        state = State.SPENT if waited > longest or declared == 0 else State.GRACE
        if not trial.refresh_door.bought(exchange.request, exchange.response):
            if held_up_s > LATE_S and declared is None:
                raise OvertakenError("a used refresh token was shown again too late: a limit on requests held it up")
            return Replay(state, Answer.REFUSED, exchange, served, waited, same)
        if state is State.SPENT:
            return Replay(state, Answer.SERVED, exchange, served + 1, waited, same)
        same = _forgiven(trial, family, exchange) and same
        if not served:
            grow(trial, family)
    trial.target.policy["rotation"] = f"used tokens are served for {waited:.0f} s or more"
    raise UntestedError(
        f"a used refresh token is still served {waited:.0f} s after its use, which may be a grace of up to"
        f" {LONGEST_GRACE_S} s; give refresh.grace in the profile, in seconds (0 for none), or a --max-wait of"
        f" {LONGEST_GRACE_S + 2}"
    )


def _forgiven(trial: Trial, family: Family, exchange: Exchange) -> bool:
    """Goes on with what a used token was served; whether that was a successor that the family had already."""
    heir = family.session.snapshot()
    trial.target.take_over(heir, exchange)
    if heir.refresh.value in {family.session.refresh.value, *(past.refresh.value for past, _ in family.spent)}:
        return True
    family.session = heir
    return False


def _moments(trial: Trial, token: Token, used_at: float, declared: int | None) -> Iterator[float]:
    """How many seconds after its use to show a token again, as far as the clock and the token's own end allow."""
    waits: tuple[float, ...] = (0.0, 0.0, *WAITS_S) if declared is None else (declared + SURE_S if declared else 0.0,)
    end = token.expires_at
    for wait in waits:
        allowed = trial.clock.can_let_pass(wait)
        if wait and not (allowed and (end is None or used_at + wait + SURE_S < end)):
            if declared:
                trial.untested(
                    f"a used refresh token has a grace of {declared} s", give=f"a --max-wait of {wait + 1:.0f}"
                )
            return
        yield wait


def once(trial: Trial, key: str, make: Callable[[], T]) -> T:
    """What `make` returns or how it ends, found once a run and kept for the other scenarios."""
    memory = trial.target.memory
    if key not in memory:
        try:
            memory[key] = make()
        except (InconclusiveError, NotApplicableError, UntestedError) as end:
            memory[key] = end
    found = memory[key]
    if isinstance(found, Exception):
        raise found
    return found  # type: ignore[no-any-return] # what `make` returned
