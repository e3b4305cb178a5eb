"""One answer of every ordinary kind, collected once, for requirements on what every answer says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange

MOST_NAMED = 4
"""So many answers with the same flaw are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, what it is the answer to, and whether a protected route gave it."""

    case: str
    exchange: Exchange
    protected: bool = False


def ordinary_replies(trial: Trial) -> list[Reply]:
    """Successes and refusals of every route; sent once a run."""
    memory = trial.target.memory
    if "ordinary replies" not in memory:
        memory["ordinary replies"] = list(_collect(trial))
    replies: list[Reply] = memory["ordinary replies"]
    return replies


def _collect(trial: Trial) -> list[Reply]:
    target = trial.target
    _ = trial.login_route
    session = target.session()
    replies = [Reply("the login", session.login)]
    if trial.refresh_routes:
        replies.append(Reply("the refresh", target.refresh(session)))
    session = target.session()
    # One after another: an honest login may have to come in between.
    replies.append(Reply("a wrong password", trial.send(trial.guess(trial.account.username, target.wrong_password()))))
    replies.append(Reply("a login without password", trial.send(trial.login_without_password())))
    asked = []
    for refresh in trial.refresh_routes:
        asked += [
            (f"{refresh.label} without credentials", refresh.anonymous(), False),
            (f"{refresh.label} with garbage", refresh.present("garbage", session), False),
        ]
    for door in trial.protected_routes:
        asked += [
            (f"{door.label} with an honest token", door.present(session.access.value, session), True),
            (f"{door.label} without credentials", door.anonymous(), True),
            (f"{door.label} with garbage", door.present("garbage", session), True),
        ]
    if target.logout_door:
        leave = target.logout_door
        asked += [
            (f"{leave.label} without credentials", leave.anonymous(), False),
            (f"{leave.label} with garbage", leave.present("garbage", session), False),
        ]
    return replies + [Reply(case, trial.send(request), protected) for case, request, protected in asked]


def expect_of_all(
    trial: Trial, replies: Sequence[Reply], claim: Callable[[Reply], object], case: str, *, expected: str, flaw: str
) -> bool:
    """Claims something of every reply; where some lack it, that is one finding, which names them.

    Args:
        trial: the scenario's.
        replies: at least one.
        claim: judged by its truth.
        case: what is looked at.
        expected: what each should show.
        flaw: what those that do not are reported for.
    """
    lacking = [reply for reply in replies if not claim(reply)]
    names = [reply.case for reply in lacking]
    told = "; ".join(names[:MOST_NAMED]) + (f"; and {len(names) - MOST_NAMED} more" * (len(names) > MOST_NAMED))
    return trial.expect(
        not lacking,
        case,
        expected=expected,
        observed=f"{flaw}: {told}",
        shown_by=[(reply.case, reply.exchange) for reply in lacking[:1]],
    )
