"""Guessing at a password until the target stops it: what the scenarios on limits have in common.

All of them look at one siege of one account that may be locked.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

from conformance.scenarios import people

if TYPE_CHECKING:
    from conformance.scenarios.people import Attempt
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Account, Session

MOST_GUESSES: Final = 100
"""NIST SP 800-63B-4 §3.2.2 allows no more consecutive failures."""

SLOWEST: Final = 2.0
"""Guesses a second: with fewer, a limit of a hundred a minute is not met."""

SLOW_S: Final = 1.0
SLOWER: Final = 5
"""Answers that take a second at least, and so many times as long as the first ones, are a delay made on purpose."""


@dataclass(slots=True)
class Siege:
    """Wrong passwords for one account, one after another.

    Attributes:
        session: the account's newest session.
        usual: the first guess, which was judged: compared and found wrong.
        guesses: how many were judged before the limit, if one came.
        last: the last guess; with a limit that shows, the first that it stopped.
        stopped_by: how the target stopped the guessing, if it did: by an answer that says so, by ever slower ones, or
            by no longer taking the right password either.
        right: the right password after so many guesses in vain, where nothing had shown by then.
    """

    session: Session
    usual: Exchange
    last: Exchange
    guesses: int
    stopped_by: Literal["", "an answer", "a delay", "silence"] = ""
    right: Exchange | None = None
    delays: list[float] = field(default_factory=list)

    @property
    def account(self) -> Account:
        """Whose password is guessed at."""
        return self.session.account

    def is_judged(self, guess: Exchange) -> bool:
        """Whether a guess got the answer of a wrong password, and no limit's."""
        return not is_limit(guess, self.usual)


def is_limit(answer: Exchange, usual: Exchange) -> bool:
    """Whether an answer is a limit's and not that to a wrong password. A crash is no limit; nginx's own is a 503."""
    status = answer.response.status
    refused = answer.response.is_client_error or status == HTTPStatus.SERVICE_UNAVAILABLE
    return refused and status != usual.response.status


def guess(trial: Trial, account: Account) -> Request:
    """A login with a wrong password, in no way counted: the account may be locked."""
    return trial.login_door.credentials(account.username, trial.target.wrong_password())


def right(trial: Trial, account: Account) -> Request:
    """A login with the right password."""
    return trial.login_door.credentials(account.username, account.password)


def try_right(trial: Trial, siege: Siege, request: Request | None = None) -> Attempt:
    """A login with the right password, or a request that holds it in some disguise."""
    tried = people.attempt(trial, request or right(trial, siege.account), siege.account, once=True)
    if tried.session:
        # A server with one session for each user has ended the other.
        siege.session = tried.session
    return tried


def besieged(trial: Trial) -> Siege:
    """The siege that the scenarios share; whether its limit still holds is not looked at."""
    memory = trial.target.memory
    if trial.target.client.pacing.per_second < SLOWEST:
        trial.untested("so few guesses a second meet no limit", give=f"a --rate of {SLOWEST:g} or more to each process")
    if "siege" not in memory:
        # An account of its own, where that can be had: others may need the disposable one.
        is_made = trial.can_provision and not trial.target.disposable
        account = trial.provisioner.create() if is_made else trial.disposable_account
        memory["siege"] = besiege(trial, log_in(trial, account))
    siege: Siege = memory["siege"]
    return siege


def standing(trial: Trial) -> Siege:
    """The shared siege, with its limit in force and its session alive, as far as both can be had."""
    siege = besieged(trial)
    target = trial.target
    if siege.session.ended or not (target.is_alive(siege.session.access) and target.is_alive(siege.session.refresh)):
        siege.session = log_in(trial, siege.account)
    if siege.stopped_by == "an answer" and siege.is_judged(trial.send_once(guess(trial, siege.account))):
        siege = trial.target.memory["siege"] = besiege(trial, siege.session, usual=siege.usual)
    return siege


def log_in(trial: Trial, account: Account) -> Session:
    """A session of an account that may be locked; untested where it does not log in."""
    exchange, session = trial.target.try_login(account)
    if session is None:
        trial.untested(
            f"the account that may be locked does not log in: {trial.login_door.label} answered "
            f"{exchange.response.status}",
            give="one that does, by --disposable-username and --disposable-password or by hooks.provision",
        )
    return session


def besiege(trial: Trial, session: Session, usual: Exchange | None = None) -> Siege:
    """Guesses until a limit shows, or answers slow down, or very many have been judged; then tries the right password.

    Args:
        trial: of the scenario.
        session: of the account that is guessed at.
        usual: the answer to a wrong password; the first guess shows it, unless it is known.

    Raises:
        InconclusiveError: it is not known, and the first guess is limited.
    """
    guesses = 0
    if usual is None:
        usual, guesses = trial.send_once(guess(trial, session.account)), 1
        if usual.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            trial.inconclusive("logins were limited before the first guess")
    siege = Siege(session, usual, usual, guesses)
    while siege.guesses < MOST_GUESSES:
        siege.last = trial.send_once(guess(trial, session.account))
        if is_limit(siege.last, usual):
            siege.stopped_by = "an answer"
            return siege
        siege.guesses += 1
        siege.delays.append(siege.last.response.elapsed_s)
        if _slowed(siege.delays):
            siege.stopped_by = "a delay"
            return siege
    tried = try_right(trial, siege)
    siege.right = tried.exchange
    if tried.session is None:
        siege.stopped_by = "silence"
    return siege


def _slowed(delays: list[float]) -> bool:
    now = statistics.median(delays[-3:])
    return len(delays) > SLOWER and now >= SLOW_S and now >= SLOWER * statistics.median(delays[:3])
