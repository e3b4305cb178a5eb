"""Sessions that were in use and then ended, and what had become of their tokens at once.

A run logs out once, and every scenario looks at the same session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Session

LOGGED_OUT: Final = "logged out"


@dataclass(slots=True)
class LoggedOut:
    """A session that was logged out in every way that the target may offer.

    Attributes:
        session: with its newest tokens, which were good until then.
        first_access: the access token of its login.
        first_refresh: the refresh token of its login; under rotation it was spent before.
        answers: the logouts.
        after: what the newest token of each kind got at its door at once.
        dead: the kinds of which the newest token was refused then.
        neighbour: another session of the same user, before and after, where it was good before: what it got.
    """

    session: Session
    first_access: str = field(repr=False)
    first_refresh: str = field(repr=False)
    answers: list[tuple[str, Exchange]] = field(default_factory=list)
    after: dict[Kind, Exchange] = field(default_factory=dict)
    dead: set[Kind] = field(default_factory=set)
    neighbour: list[tuple[str, Exchange, bool]] | None = None


def logged_out(trial: Trial, *, of_any_age: bool = False) -> LoggedOut:
    """The session that was logged out; cached, as long as its tokens would have lived.

    Args:
        trial: who asks.
        of_any_age: whether a session will do whose tokens have expired since.

    Raises:
        NotApplicableError: there is no logout.
        InconclusiveError: nobody could be logged out.
    """
    target = trial.target
    found: LoggedOut | None = target.memory.get(LOGGED_OUT)
    if found is None or not (of_any_age or all(target.is_alive(found.session.token(kind)) for kind in trial.kinds)):
        found = target.memory[LOGGED_OUT] = _log_one_out(trial)
    return found


def _log_one_out(trial: Trial) -> LoggedOut:
    target = trial.target
    _ = trial.logout_door
    other = target.session()
    session = target.new_session()
    found = LoggedOut(session, session.access.value, session.refresh.value)
    with_neighbour = other is not session and all(good for _, _, good in _uses(trial, other))
    if other is not session and not with_neighbour:
        other.ended = target.logins_end_sessions = True
    target.refresh(session)
    if session.ended:
        trial.inconclusive("an honest refresh gave no tokens (see REFRESH-01)")
    if not opens(trial, session.access.value, session):
        trial.inconclusive("an honest access token opened no protected route (see ACCESS-08)")
    found.answers = log_out(trial, session)
    _took_place(trial, found.answers)
    door = trial.protected_doors[0]
    for route in (door, *((trial.refresh_door,) if Kind.REFRESH in trial.kinds else ())):
        exchange = target.send(route.present(session.token(route.wants).value, session))
        found.after[route.wants] = exchange
        if not route.bought(exchange.request, exchange.response):
            found.dead.add(route.wants)
    if with_neighbour:
        found.neighbour = _uses(trial, other)
        if not all(good for _, _, good in found.neighbour):
            # A logout everywhere: nothing that was opened before may be counted on.
            target.forget_sessions()
    target.policy["logout ends the access token"] = Kind.ACCESS in found.dead
    return found


def log_out(trial: Trial, session: Session) -> list[tuple[str, Exchange]]:
    """Logs a session out in every way that targets offer: some end no more than the token that they are shown.

    Flask-JWT-Extended's documentation has a client log out twice, once with each token.
    """
    target, door = trial.target, trial.logout_door
    session.ended = True
    answers = []
    if len(door.kinds) > 1:
        answers.append(("logout with both tokens", target.send(door.present_both(session))))
    return answers + [(f"logout with the {kind} token", target.logout(session, kind)) for kind in door.kinds]


def _took_place(trial: Trial, answers: list[tuple[str, Exchange]]) -> None:
    if all(answer.response.status >= HTTPStatus.BAD_REQUEST for _, answer in answers):
        statuses = ", ".join(str(answer.response.status) for _, answer in answers)
        trial.inconclusive(
            f"{trial.logout_door.label} refused honest tokens ({statuses}),"
            " so nobody was logged out; see logout.path in the profile"
        )


def opens(trial: Trial, token: str, session: Session) -> bool:
    """Whether the first protected route accepts the token."""
    door = trial.protected_doors[0]
    request = door.present(token, session)
    return bool(door.bought(request, trial.send(request).response))


def _uses(trial: Trial, session: Session) -> list[tuple[str, Exchange, bool]]:
    """What both tokens of a session get: its access token at a protected route, its refresh token at the refresh."""
    target, door = trial.target, trial.protected_doors[0]
    used = target.send(door.present(session.access.value, session))
    good = bool(door.bought(used.request, used.response)) or not target.is_alive(session.access)
    refreshed = target.refresh(session)
    return [
        ("its access token", used, good),
        ("its refresh token", refreshed, not session.ended),
    ]


def outlives_restart(trial: Trial, witness: Session) -> bool:
    """Whether a session that was good before a restart is good after it; if not, no other is counted on either."""
    if opens(trial, witness.access.value, witness):
        return True
    trial.target.forget_sessions()
    return False
