"""A session that scenarios hand on to one another: each may risk it, and leaves it alive where the target is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.scenarios.endings import InconclusiveError
from conformance.target.session import issued
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.session import Session
    from conformance.tokens.reading import Token

_KEY: Final = "a spare session"
_NONE_WORKS: Final = "no refresh works"


def spare_session(trial: Trial) -> Session:
    """A live session that was just refreshed, and that no other scenario holds at the same time.

    Raises:
        InconclusiveError: an honest refresh fails.
    """
    _ = trial.refresh_route
    target = trial.target
    session: Session | None = target.memory.get(_KEY)
    if session is not None and not session.ended and target.is_alive(session.refresh):
        target.refresh(session)
    if session is None or session.ended:
        session = target.memory[_KEY] = refreshed(trial, target.new_session())[0]
    return session


def given_at_login(trial: Trial, session: Session) -> dict[Kind, Token]:
    """The tokens that a session began with."""
    found = issued(trial.profile, session.login.response, trial.profile.login, session.login.sent_at)
    return {Kind.ACCESS: found.access or session.access, Kind.REFRESH: found.refresh or session.refresh}


def own_session(trial: Trial) -> Session:
    """A session that the scenario may end.

    Raises:
        InconclusiveError: a login gives none that is complete, so there is only the one that all share.
    """
    shared = trial.session()
    session = trial.new_session()
    if session is shared:
        raise InconclusiveError("a further login gives no refresh token, so no session can be risked (see LOGIN-01)")
    return session


def live_session(trial: Trial) -> tuple[Session, float]:
    """A session that the scenario may end and that was just refreshed, and how many seconds that took.

    Raises:
        InconclusiveError: an honest refresh fails, or there is no such session.
    """
    return refreshed(trial, own_session(trial))


def refreshed(trial: Trial, session: Session) -> tuple[Session, float]:
    """The session, refreshed, and how many seconds that took; another one where a later login has ended this one.

    Raises:
        InconclusiveError: an honest refresh fails.
    """
    exchange = trial.target.refresh(session)
    if session.ended and not trial.target.memory.get(_NONE_WORKS):
        session = trial.target.login()
        exchange = trial.target.refresh(session)
    if session.ended:
        # Not asked of a login again and again.
        trial.target.memory[_NONE_WORKS] = True
        raise InconclusiveError(f"{trial.refresh_route.label} refuses the refresh token of a login (see REFRESH-01)")
    return session, exchange.response.elapsed_s
