"""Sessions of accounts that were disabled or deleted, or got another password, and what became of their tokens.

A run does each once: a login costs, and an account that is gone cannot be removed again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from conformance.scenarios.ended import opens
from conformance.target.hooks import HookError

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Account, Session
    from conformance.tokens.reading import Kind

Event = Literal["a change of the password", "disabling the account", "deleting the account"]
PASSWORD: Event = "a change of the password"  # noqa: S105 - an event's name
DISABLED: Event = "disabling the account"
DELETED: Event = "deleting the account"
EVENTS: tuple[Event, ...] = (PASSWORD, DISABLED, DELETED)


@dataclass(slots=True)
class Removed:
    """A session that was open when something happened to its account.

    Attributes:
        account: as it was then.
        session: whose tokens had been good.
        after: what each of its tokens got at its door at once.
        dead: the kinds of token that were refused then.
    """

    account: Account
    session: Session
    after: dict[Kind, Exchange] = field(default_factory=dict)
    dead: set[Kind] = field(default_factory=set)


def removed(trial: Trial, event: Event) -> Removed | HookError:
    """A session whose account that happened to, or why it could not be made to happen; cached.

    Raises:
        UntestedError: the operator gave no way to change accounts.
    """
    memory = trial.target.memory
    _ = trial.provisioner
    if event not in memory:
        try:
            memory[event] = _happen(trial, event)
        except HookError as error:
            memory[event] = error
    found: Removed | HookError = memory[event]
    return found


def _happen(trial: Trial, event: Event) -> Removed:
    target, provisioner = trial.target, trial.provisioner
    # Whose password was changed can still be disabled, and that saves making an account.
    account = target.memory.pop("account with a new password", None) if event is DISABLED else None
    account = account or provisioner.create()
    session = target.login(account)
    if not opens(trial, session.access.value, session):
        trial.inconclusive(f"the access token of a new account does not open {trial.protected_doors[0].label}")
    if event is PASSWORD:
        target.memory["account with a new password"] = provisioner.change_password(account)
    elif event is DISABLED:
        provisioner.disable(account)
    else:
        provisioner.delete(account)
    session.ended = True
    found = Removed(account, session)
    for door in trial.one_of_each:
        token = session.token(door.wants).value
        exchange = found.after[door.wants] = target.send(door.present(token, session))
        if not door.bought(exchange.request, exchange.response):
            found.dead.add(door.wants)
    return found
