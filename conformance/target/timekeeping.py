"""The target's time: how far it is from this machine's, and whether it follows a clock that is moved."""

from __future__ import annotations

import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from conformance.clock import WaitingClock

if TYPE_CHECKING:
    from conformance.target.http import Exchange
    from conformance.target.session import Session
    from conformance.target.target import Target

NOTABLE_SKEW_S: Final = 2.0
MOVE_S: Final = 10.0
"""So far the clock is moved to see whether the target follows."""
CLOSE_S: Final = 3.0
"""Times are told in whole seconds, and Date headers made once a second."""
PATIENCE_S: Final = 6.0
"""So long a Date header may take to follow: servers make it once a second or so, by a timer of real seconds."""
DATE: Final = "its Date header"
IAT: Final = "the iat of its tokens"


def follow(target: Target, session: Session) -> tuple[Session, str]:
    """Moves the clock a little, before anything depends on it; where the target does not follow, the suite waits.

    Not where the clock is that of the suite's own server, which is known to follow.

    Returns:
        The session to go on with, since the one that is given may be older or ended now, and a line on the clock.
    """
    clock = target.clock
    if not clock.moves:
        return session, f"time passes by {clock.how}" if clock.how != clock.name else ""
    if clock.covers_stores:
        return session, ""
    before = _offsets(target, session.login, session)
    clock.reach(clock.now() + MOVE_S)
    session = _again(target, session)
    after = _offsets(target, session.login, session)
    deadline = time.monotonic() + PATIENCE_S
    while _only_date_strays(before, after) and time.monotonic() < deadline:
        time.sleep(0.1)
        after |= _offsets(target, target.send(target.protected_doors[0].anonymous()))
    strays = [name for name, astray in _strays(before, after).items() if astray]
    if not strays and before.keys() & after.keys():
        return session, f"the target follows {clock.name}"
    clock.close()
    because = (
        f"the target does not follow {clock.name}: {' and '.join(strays)} showed the old time after a move"
        if strays
        else f"nothing in the target's answers tells whether it follows {clock.name}"
    )
    target.clock = WaitingClock(target.client.pause, target.client.max_wait_s, because=because)
    return _again(target, session), f"time passes by {target.clock.how}"


def _again(target: Target, session: Session) -> Session:
    """A new session in the place of one from before the clock was moved; the old one, where there is no new one."""
    _, new = target.try_login(session.account)
    if new is None or not new.is_complete:
        return session
    target.forget_sessions(session.account)
    target.keep_for_later(new)
    return new


def _offsets(target: Target, exchange: Exchange, session: Session | None = None) -> dict[str, float]:
    """How far each time that an answer tells is ahead of the target's clock."""
    moved = target.clock.now() - time.time()
    # Whole seconds are told, so the true time is on average half a second later.
    sent = exchange.sent_at + exchange.response.elapsed_s / 2 + moved - 0.5
    offsets = {}
    with suppress(TypeError, ValueError):
        offsets[DATE] = parsedate_to_datetime(exchange.response.header("Date") or "").timestamp() - sent
    issued_at = session.access.jwt.number("iat") if session and session.access.jwt else None
    if issued_at is not None:
        offsets[IAT] = issued_at - sent
    return offsets


def _strays(before: dict[str, float], after: dict[str, float]) -> dict[str, bool]:
    """Whether a time has not kept its distance from the clock."""
    return {name: abs(after[name] - before[name]) > CLOSE_S for name in before if name in after}


def _only_date_strays(before: dict[str, float], after: dict[str, float]) -> bool:
    """Whether the Date header is behind, which may be for a moment; what the tokens tell is so at once."""
    strays = _strays(before, after)
    return strays.pop(DATE, False) and not any(strays.values())


def skew(target: Target, session: Session) -> str:
    """Estimates how far the target's clock is ahead, from the Date header and the token's `iat`."""
    ahead = min(_offsets(target, session.login, session).values(), key=abs, default=0.0)
    if abs(ahead) < NOTABLE_SKEW_S:
        return "the clocks agree"
    target.clock.skew_s = ahead
    return (
        f"the target's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's: allowed for"
    )
