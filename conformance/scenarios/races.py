"""Races for one session: who won, and what is left of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from conformance.scenarios.family import once
from conformance.scenarios.spare import live_session
from conformance.target.pacing import asks_for_patience
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Account, Session

SERVED_AT_LEAST = 2
"""With fewer answers that are no 429, there was no race."""


# -- For one refresh token ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heat:
    """What became of one refresh token that was used several times at once.

    Attributes:
        answers: every answer.
        overlapped: whether requests were under way at the same time, and not merely refused for their rate.
        successors: one session for each different refresh token that came back.
        winners: the answers that brought them.
    """

    answers: list[Exchange] = field(repr=False)
    overlapped: bool
    successors: list[Session] = field(repr=False)
    winners: list[Exchange] = field(repr=False)


def race_for_one_token(trial: Trial, at_once: int) -> Heat:
    """Uses the refresh token of a session of its own several times at once."""
    session, _ = live_session(trial)
    request = trial.refresh_door.present(session.refresh.value, session)
    volley = trial.send_together([request] * at_once)
    successors: dict[str, tuple[Session, Exchange]] = {}
    for exchange in volley.answered:
        heir = _heir(trial, session, exchange)
        if heir is not None:
            successors.setdefault(heir.refresh.value, (heir, exchange))
    served = [one for one in volley.answered if one.response.status != HTTPStatus.TOO_MANY_REQUESTS]
    return Heat(
        volley.answered,
        volley.overlapped and len(served) >= SERVED_AT_LEAST,
        [heir for heir, _ in successors.values()],
        [exchange for _, exchange in successors.values()],
    )


def chains_alive(trial: Trial, heat: Heat) -> list[Exchange]:
    """The last refresh of each successor's own chain that goes on, after all took two steps in turn."""
    last: dict[int, Exchange] = {}
    for _step in range(2):
        for number, heir in enumerate(heat.successors):
            if not heir.ended:
                last[number] = trial.target.refresh(heir)
    return [exchange for number, exchange in last.items() if not heat.successors[number].ended]


def _heir(trial: Trial, session: Session, exchange: Exchange) -> Session | None:
    """The session as this answer to its refresh continues it; None where the answer brought no successor."""
    heir = session.snapshot()
    trial.target.take_over(heir, exchange)
    return None if heir.ended or heir.refresh.value == session.refresh.value else heir


# -- For the way out ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WayOut:
    """What became of a session that was refreshed and logged out at once.

    Attributes:
        refresh: the answer to the refresh.
        logout: the answer to the logout.
        overlapped: whether both were under way at the same time.
        survivors: the tokens that were good afterwards, each with its use.
    """

    refresh: Exchange | None = field(repr=False)
    logout: Exchange | None = field(repr=False)
    overlapped: bool
    survivors: dict[Kind, Exchange] = field(default_factory=dict, repr=False)

    @property
    def counts(self) -> bool:
        """Whether there was a race, and the logout succeeded."""
        return self.overlapped and self.logout is not None and self.logout.response.is_success

    @property
    def logout_was_refused(self) -> bool:
        """Whether the target would not have the logout, and not merely for its rate."""
        answer = self.logout.response if self.logout else None
        return answer is not None and not answer.is_success and not asks_for_patience(answer)


def race_out_of(trial: Trial, lead: float) -> WayOut:
    """Refreshes a session of its own and logs it out at once, and then tries every token of it.

    Args:
        trial: what runs.
        lead: the part of the time that a refresh takes, after which the logout is sent.
    """
    session, took_s = live_session(trial)
    # The quickest so far: one that was slow by chance would send the logout too late.
    took_s = trial.target.memory["a refresh takes"] = min(took_s, trial.target.memory.get("a refresh takes", took_s))
    honest = trial.refresh_door.present(session.refresh.value, session)
    volley = trial.send_together([honest, _logout_of(trial, session)], after_s=(0.0, took_s * lead))
    refresh, logout = volley.exchanges
    way = WayOut(refresh, logout, volley.overlapped)
    return replace(way, survivors=_survivors(trial, session, refresh)) if way.counts else way


def ended_by_logout(trial: Trial) -> frozenset[Kind]:
    """The kinds of token that a logout ends where it comes right after the refresh; tried once a run.

    It is sent with the access token from before that refresh, as in the race: there are logouts that end the token
    they are shown and nothing else.
    """
    return once(trial, "what a logout ends", lambda: _log_out(trial))


def _log_out(trial: Trial) -> frozenset[Kind]:
    session, _ = live_session(trial)
    leaving = _logout_of(trial, session)
    trial.target.refresh(session)
    if session.ended or not trial.send(leaving).response.is_success:
        return frozenset()
    return frozenset(Kind) - frozenset(_survivors(trial, session, None))


def _logout_of(trial: Trial, session: Session) -> Request:
    return trial.logout_door.present(session.access.value, session, as_kind=Kind.ACCESS)


def _survivors(trial: Trial, session: Session, refresh: Exchange | None) -> dict[Kind, Exchange]:
    """Which of the session's newest tokens are good, with the exchange that shows it."""
    heir = replace(session.snapshot(), ended=False)
    if refresh is not None and refresh.response.is_success:
        trial.target.take_over(heir, refresh)
    found: dict[Kind, Exchange] = {}
    # The access token first: to refresh may replace it.
    for door in trial.one_of_each:
        exchange = trial.send(door.present(heir.token(door.wants).value, heir))
        if door.bought(exchange.request, exchange.response):
            found[door.wants] = exchange
    return found


# -- Among several people ----------------------------------------------------------------------------------------------


def log_in_together(trial: Trial, accounts: Sequence[Account]) -> list[tuple[Account, Exchange | None, Session | None]]:
    """Logs accounts in at once: for each the answer and the session, as far as they came."""
    target = trial.target
    target.client.traffic.logins += len(accounts)
    volley = trial.send_together([trial.login_route.credentials(one.username, one.password) for one in accounts])
    target.clock.let_pass(target.settle_s)
    return [
        (account, exchange, target.admitted(account, target.steps.after(exchange)) if exchange else None)
        for account, exchange in zip(accounts, volley.exchanges, strict=True)
    ]
