"""For how long after its end a token is still accepted, found to the second where the clock can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial
    from conformance.target.session import Session

STEPS: Final = (1, 2, 3, 11, 31, 61, 121, 181)
MIDDLE_S: Final = 0.5
"""A token's seconds are looked at in their middle: servers round in either direction."""


def measure(trial: Trial, session: Session, most_s: int, opens: Callable[[str, Session], bool]) -> int | None:
    """How many whole seconds after its end an access token still opens a route; None where it does after `most_s`.

    The session's own token is shown in steps. Where one step opens and the next does not, what lies between is searched
    with fresh tokens, since time does not go back.

    Args:
        trial: who asks.
        session: whose access token is near its end, or past it by a moment.
        most_s: the longest leeway that is looked for.
        opens: whether a token is accepted now.
    """
    accepted, refused = 0, None
    for second in (*(step for step in STEPS if step < most_s), most_s):
        if not _opens_in(trial, session, second, opens):
            refused = second
            break
        accepted = second
    if refused is None:
        return None
    while refused - accepted > 1:
        middle = (accepted + refused) // 2
        if _opens_in(trial, trial.session(), middle, opens):
            accepted = middle
        else:
            refused = middle
    return accepted


def _opens_in(trial: Trial, session: Session, second: int, opens: Callable[[str, Session], bool]) -> bool:
    """Whether the session's access token opens a route in that second after its end, counted from 1 on."""
    token, end = session.access.value, session.access.expires_at
    assert end is not None
    trial.clock.reach(end + second - MIDDLE_S)
    return opens(token, session)
