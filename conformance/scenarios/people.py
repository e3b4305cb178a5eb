"""Accounts that a scenario has made for itself, and logins that may or may not succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from conformance.scenarios.endings import UntestedError

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Account, Session


MADE: Final = "accounts are made that log in"


class Attempt(NamedTuple):
    """A login that may have failed; then there is no session."""

    exchange: Exchange
    session: Session | None


def attempt(trial: Trial, request: Request, account: Account, *, once: bool = False) -> Attempt:
    """Sends a login for an account, however it is written; its tokens become known.

    Args:
        trial: of the scenario.
        request: what is sent.
        account: whose session it would be.
        once: whether an answer of 429 stays what it is.
    """
    exchange = trial.send_once(request) if once else trial.send(request)
    session = trial.target.admitted(account, exchange)
    if session is not None:
        trial.target.client.traffic.logins += 1
        trial.target.clock.let_pass(trial.target.settle_s)
    return Attempt(exchange, session)


def enrol(trial: Trial, *, username: str = "", password: str = "") -> Session:
    """A session of a new account, with a random name and password unless they are given.

    Raises:
        HookError: there is no new account.
        UntestedError: there is no way to make one, or the hook said that it was made and it does not log in.
    """
    account = trial.provisioner.create(username=username, password=password)
    exchange, session = first_login(trial, account)
    if session is None:
        raise UntestedError(
            "the hook provision said that it made an account, but the account does not log in: "
            f"{trial.target.login_door.label} answered {exchange.response.status}"
        )
    return session


def first_login(trial: Trial, account: Account) -> Attempt:
    """A login to an account that the hook said it made; that it succeeds is remembered, and its session kept."""
    exchange, session = trial.target.try_login(account)
    if session:
        trial.target.memory[MADE] = True
        trial.target.keep_for_later(session)
    return Attempt(exchange, session)


def require_made_accounts(trial: Trial) -> None:
    """Makes sure, once in a run, that an account which the hook said it made logs in.

    Raises:
        HookError: there is no new account.
        UntestedError: the hook said that it made one, and it does not log in.
    """
    if MADE not in trial.target.memory:
        enrol(trial)


def identity_of(trial: Trial, session: Session) -> str | None:
    """Whom a protected route takes the session's owner for; None where no route says so.

    Raises:
        UntestedError: the profile names no member by which to tell.
    """
    doors = [door for door in trial.protected_routes if door.route.identity]
    if not doors:
        trial.untested("no protected route is known to say whose data it shows", give="identity in [[protected]]")
    door = doors[0]
    return door.identity(trial.send(door.present(session.access.value, session)).response)
