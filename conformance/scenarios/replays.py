"""The story of a replay: a refresh token is used, used again, and everything around it is looked at before and after.

A run tells it once. Each requirement asks about one part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.scenarios.endings import InconclusiveError
from conformance.scenarios.family import Answer, Replay, begin, grow, once, replay, require_rotation

if TYPE_CHECKING:
    from conformance.scenarios.family import Family
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Session
    from conformance.tokens.reading import Token

GENERATIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Witness:
    """Something that was good before the replay.

    Attributes:
        name: what it is.
        before: how it was good.
        after: what became of it.
        stands: whether it is good still.
    """

    name: str
    before: Exchange = field(repr=False)
    after: Exchange = field(repr=False)
    stands: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What a replay did.

    Attributes:
        rotation: the use of the token that was replayed.
        replay: what became of it.
        newest: the family's fresh refresh token, shown after a refused replay.
        detected: whether that was refused: the family has ended.
        accesses: the family's access tokens.
        own: another session of the same user, where there was one.
        strangers: a session of somebody else, where the user gave a second account.
    """

    rotation: Exchange = field(repr=False)
    replay: Replay
    newest: Exchange | None = field(default=None, repr=False)
    detected: bool = False
    accesses: tuple[Witness, ...] = ()
    own: Witness | None = None
    strangers: Witness | None = None


def story(trial: Trial) -> Story:
    """The replay of this run.

    Raises:
        NotApplicableError: the target does not rotate.
        UntestedError: the replay may lie within a grace that is longer than the wait.
        InconclusiveError: an honest refresh fails.
    """
    require_rotation(trial)
    return once(trial, "the story of a replay", lambda: _tell(trial))


def detected(trial: Trial) -> Story:
    """The same, where the replay ended its session; not applicable where it did not."""
    told = story(trial)
    if told.replay.answer is Answer.SERVED:
        trial.not_applicable("a used refresh token is served again, so no replay is seen as one (see ROTATE-02)")
    if not told.detected:
        trial.not_applicable("a replay does not end its session (see ROTATE-03)")
    return told


def _tell(trial: Trial) -> Story:
    target = trial.target
    with trial.bracket(trial.refresh_door) as bracket:
        others = {"another session of the same user": bracket.session}
        if target.second_account:
            others["a session of another user"] = trial.session(target.second_account)
        family = begin(trial)
        before = {name: good for name, session in others.items() if (good := _refreshes(trial, session))}
        opened = {token: good for token in family.accesses if (good := _opens(trial, token, family.session))}
        told = replay(trial, family)
        target.policy["rotation"] = told.grace
        if told.answer is Answer.SERVED:
            target.policy["refresh token reuse"] = _beside_declared(trial, "is served", "")
            return Story(family.rotations[0], told)
        newest = target.refresh(family.session)
        accesses = _accesses_after(trial, family, opened)
        witnesses = {
            name: Witness(name, before[name], after, not others[name].ended)
            for name in before
            for after in (target.refresh(others[name]),)
        }
        own, strangers = (witnesses.get(name) for name in
                          ("another session of the same user", "a session of another user"))  # fmt: skip
        ends = "ends the session" if not own or own.stands else "ends every session of the user"
        ended = family.session.ended
        seen = ends if ended else "is refused, and the session goes on"
        target.policy["refresh token reuse"] = _beside_declared(trial, seen, "session" if ended else "nothing")
        all_told = Story(family.rotations[0], told, newest, ended, accesses, own, strangers)
        mourn(trial, all_told)
    return all_told


def _beside_declared(trial: Trial, seen: str, kind: str) -> str:
    """What was seen of a replay, and what the operator declares of it, where that is something else."""
    declared = trial.profile.refresh.reuse
    words = {"session": "it ends the session", "nothing": "it ends nothing"}
    return seen if declared in {"", kind} else f"{seen}, though the profile declares that {words[declared]}"


def mourn(trial: Trial, told: Story) -> None:
    """Counts no longer on the sessions that a replay ends, as far as the first one of the run ended them."""
    target = trial.target
    for witness, account in ((told.own, target.account), (told.strangers, target.second_account)):
        if witness and account and not witness.stands:
            target.forget_sessions(account)


def _refreshes(trial: Trial, session: Session) -> Exchange | None:
    exchange = trial.target.refresh(session)
    return None if session.ended else exchange


def _opens(trial: Trial, token: Token, session: Session) -> Exchange | None:
    door = trial.protected_doors[0]
    exchange = trial.send(door.present(token.value, session))
    return exchange if door.bought(exchange.request, exchange.response) else None


def _accesses_after(trial: Trial, family: Family, opened: dict[Token, Exchange]) -> tuple[Witness, ...]:
    """What became of the access tokens that have not expired meanwhile."""
    door, found = trial.protected_doors[0], []
    names = ["the access token of the login", "the access token of the refresh"]
    for token, name in zip(family.accesses, names, strict=False):
        if token in opened and trial.target.is_alive(token):
            after = trial.send(door.present(token.value, family.session))
            stands = bool(door.bought(after.request, after.response))
            found.append(Witness(name, opened[token], after, stands))
    return tuple(found)


# -- Several generations -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chain:
    """A family of several generations, each of whose access tokens was used as soon as it came.

    Attributes:
        uses: what each access token brought, and whether it opened the route.
        unbroken: whether every refresh had a successor.
    """

    family: Family
    uses: tuple[tuple[Exchange, bool], ...] = field(repr=False)
    unbroken: bool


def chain(trial: Trial) -> Chain:
    """A family that was rotated `GENERATIONS` times, or until it broke; one a run."""
    require_rotation(trial)
    return once(trial, "a chain of rotations", lambda: _forge(trial))


def live_chain(trial: Trial) -> Chain:
    """The chain of this run, once more refreshed; another one where it has been ended by something else.

    Raises:
        InconclusiveError: it breaks off by itself.
    """
    for find in (chain, _forge):
        links = find(trial)
        if links.unbroken and grow(trial, links.family):
            return links
    raise InconclusiveError("a chain of refreshes breaks off (see ROTATE-02)")


def _forge(trial: Trial) -> Chain:
    family, door, uses = begin(trial), trial.protected_doors[0], []
    more = True
    while more:
        session = family.session
        use = trial.send(door.present(session.access.value, session))
        uses.append((use, bool(door.bought(use.request, use.response))))
        more = len(family.spent) < GENERATIONS and grow(trial, family)
    return Chain(family, tuple(uses), unbroken=len(family.spent) >= GENERATIONS)
