"""What a scenario works with: the target's doors, and the only ways to claim that something holds.

A refusal can be claimed only inside a bracket: control, probe, control. The control is the door's honest request; the
probe differs from it in one thing. A refusal by a door that refuses everybody, or that has stopped working, proves
nothing.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.errors import TargetError
from conformance.scenarios.bracket import Bracket
from conformance.scenarios.endings import InconclusiveError, NotApplicableError, UntestedError
from conformance.target.evidence import curl, exchange_to_json
from conformance.target.reproduction import script
from conformance.tokens.reading import Kind
from conformance.verdicts.model import MOST_FINDINGS, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.catalogue import Requirement
    from conformance.clock import Clock
    from conformance.target.doors import Door, LogoutDoor, ProtectedDoor
    from conformance.target.giving_doors import LoginDoor, RefreshDoor
    from conformance.target.hooks import Provisioner
    from conformance.target.http import Exchange, Request
    from conformance.target.profile import Profile
    from conformance.target.session import Account, Session
    from conformance.target.target import Target
    from conformance.target.together import Volley
    from conformance.tokens.keys import Minter
    from conformance.tokens.reading import Jwt


@dataclass(slots=True)
class Trial:
    """One scenario's view of the target, and what the scenario has found so far."""

    target: Target
    requirement: Requirement
    probes: int = 0
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    more_findings: int = 0
    doubtful: list[Finding] = field(default_factory=list)
    """Findings that an outage of the target would explain as well, until a control has shown that it works."""

    # -- Doors -----------------------------------------------------------------------------------------------------

    @property
    def login_door(self) -> LoginDoor:
        """The first door.

        Raises:
            InconclusiveError: a wrong password opens it, so that a refusal cannot be told.
        """
        door = self.login_route
        if door.opens_to_anyone:
            raise InconclusiveError(f"{door.label} gives tokens for a wrong password (see LOGIN-03)")
        return door

    @property
    def refresh_door(self) -> RefreshDoor:
        """The third door.

        Raises:
            InconclusiveError: it gives tokens without any credential, so that a refusal cannot be told.
        """
        door = self.refresh_route
        if door.opens_to_anyone:
            raise InconclusiveError(f"{door.label} gives tokens without any credential (see REFRESH-03)")
        return door

    @property
    def protected_doors(self) -> tuple[ProtectedDoor, ...]:
        """Every protected route of the profile that is protected at all.

        Raises:
            InconclusiveError: none is, so that a refusal cannot be told.
        """
        doors = tuple(door for door in self.target.protected_doors if not door.opens_to_anyone)
        for door in self.target.protected_doors:
            if door.opens_to_anyone:
                self.remark(f"not judged on {door.label}, which opens without credentials (see ACCESS-01)")
        if not doors:
            raise InconclusiveError("every protected route opens without credentials (see ACCESS-01)")
        return doors

    @property
    def json_login_door(self) -> LoginDoor:
        """The first door; not applicable where the credentials are no members of a JSON object."""
        if not self.login_route.takes_json:
            self.not_applicable("the login takes no JSON")
        if self.profile.login.before:
            # What a body holds may go with the cookies of one visit, and be good for one attempt.
            self.untested("the body of a login that takes several steps is not taken apart")
        return self.login_door

    @property
    def logout_door(self) -> LogoutDoor:
        """The way out; not applicable where the profile names none."""
        if self.target.logout_door is None:
            self.not_applicable(self.target.absent.get("logout", "the profile names no logout"))
        return self.target.logout_door

    @property
    def token_doors(self) -> tuple[ProtectedDoor | RefreshDoor, ...]:
        """The protected routes and, where there is one, the refresh route."""
        if not self.profile.has_refresh_token:
            return (*self.protected_doors, *self.refresh_routes)
        return (*self.protected_doors, self.refresh_door)

    @property
    def login_route(self) -> LoginDoor:
        """The first door, even where a wrong password opens it; not applicable where the tokens were given."""
        if not self.profile.has_login:
            self.not_applicable("the profile names no login: the tokens were given")
        return self.target.login_door

    @property
    def refresh_route(self) -> RefreshDoor:
        """The third door, even where it opens to anyone; not applicable where there is no refresh token."""
        if not self.refresh_routes:
            self.not_applicable("the profile names no refresh")
        if not self.profile.has_refresh_token:
            self.not_applicable("there is no refresh token: the access token renews itself")
        return self.target.refresh_door

    @property
    def one_of_each(self) -> tuple[ProtectedDoor | RefreshDoor, ...]:
        """A door for each kind of token that the target gives."""
        return (self.protected_doors[0], *((self.refresh_door,) if self.profile.has_refresh_token else ()))

    @property
    def refresh_routes(self) -> tuple[RefreshDoor, ...]:
        """The third door, where there is one, whatever it wants."""
        return (self.target.refresh_door,) if self.profile.refresh.path else ()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of token that the target gives."""
        return tuple(Kind) if self.profile.has_refresh_token else (Kind.ACCESS,)

    @property
    def protected_routes(self) -> tuple[ProtectedDoor, ...]:
        """Every route that the profile calls protected, even where it is not."""
        return self.target.protected_doors

    # -- People, sessions, requests --------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        """How the target speaks."""
        return self.target.profile

    @property
    def account(self) -> Account:
        """The account that logs in."""
        return self.target.account

    @property
    def second_account(self) -> Account:
        """Somebody else; untested where the user gave nobody."""
        if self.target.second_account is None:
            self.untested("this needs two people", give="--second-username and --second-password")
        return self.target.second_account

    @property
    def can_provision(self) -> bool:
        """Whether the operator gave a way to make accounts."""
        return self.target.bundled is not None or self.profile.hooks.provision.is_given

    @property
    def provisioner(self) -> Provisioner:
        """What makes, changes and removes accounts; untested where the operator gave no way."""
        if not self.can_provision:
            self.untested("this needs accounts of its own", give="hooks.provision in the profile")
        return self.target.provisioner

    @property
    def disposable_account(self) -> Account:
        """An account that may be locked: the user's, or a new one; untested where there is no way to have one."""
        if "disposable account" not in self.target.memory:
            if self.target.disposable is None and not self.can_provision:
                self.untested(
                    "this may lock an account",
                    give="--disposable-username and --disposable-password, or hooks.provision in the profile",
                )
            self.target.memory["disposable account"] = self.target.disposable or self.target.provisioner.create()
        account: Account = self.target.memory["disposable account"]
        return account

    def restart(self, settings: Mapping[str, Any] | None = None) -> None:
        """Restarts the target, with some settings changed; untested where the operator gave no way."""
        if not (self.target.bundled or self.profile.hooks.reconfigure.is_given):
            self.untested("this needs the target to be restarted", give="hooks.reconfigure in the profile")
        if self.clock.moves and not self.target.bundled:
            self.untested("a restart by a hook would take the target off its clock", give="a run with --clock waiting")
        if "PYTEST_XDIST_WORKER" in os.environ and not self.target.bundled:
            self.untested("a restart would disturb the other processes of this run", give="it a run without -n")
        try:
            self.target.hooks.restart(settings or {})
        finally:
            # What was kept alive leads to a process that is gone.
            self.target.client.close()

    @property
    def minter(self) -> Minter:
        """What makes tokens with the target's own key; untested where the suite was not given the key."""
        if self.target.minter is None:
            self.untested("this needs tokens that the target would have signed", give=self.target.minter_missing)
        return self.target.minter

    @property
    def clock(self) -> Clock:
        """The target's clock."""
        return self.target.clock

    def session(self, account: Account | None = None) -> Session:
        """A live session that scenarios share."""
        return self.target.session(account)

    def new_session(self, account: Account | None = None) -> Session:
        """A session of the scenario's own."""
        return self.target.new_session(account)

    def honest_session(self) -> Session:
        """A session that the scenario uses as its owner would: a new one, or the only one where nobody logs in."""
        return self.new_session() if self.profile.has_login else self.session()

    def send(self, request: Request, *, new_connection: bool = False) -> Exchange:
        """Sends any request."""
        return self.target.send(request, new_connection=new_connection)

    def send_each(self, requests: Iterable[Request]) -> Iterator[Exchange]:
        """Sends requests of which none depends on another, some at once where that saves time."""
        return self.target.client.send_each(requests)

    def send_once(self, request: Request) -> Exchange:
        """Sends any request; an answer of 429 stays what it is."""
        return self.target.client.send_once(request)

    def send_together(self, requests: Sequence[Request], *, after_s: Sequence[float] = ()) -> Volley:
        """Sends requests at once, each on a connection of its own; an answer of 429 stays what it is.

        `after_s` says how many seconds later each is sent, where a race needs that. Untested where no two requests may
        be under way at once.
        """
        self.require_races()
        return self.target.send_together(requests, after_s=after_s)

    def require_races(self) -> None:
        """Ends the scenario where no two requests may be under way at once."""
        if self.target.one_at_a_time:
            self.untested(
                "this needs requests that are under way at the same time", give="a --concurrency of 2 or more"
            )

    def send_in_a_row(self, row: Sequence[Request]) -> tuple[list[Exchange], bool]:
        """Sends requests on a connection of their own; the second value says whether it was kept for all of them."""
        return self.target.send_in_a_row(row)

    def guess(self, username: Any, password: Any) -> Request:
        """A login that must fail, to be sent next, within the budget of wrong passwords; values of any JSON type."""
        return self.target.guess(username, password)

    def login_without_password(self) -> Request:
        """A login of the account that lacks the password, to be sent next: servers may count it as a wrong one."""
        self.guess(self.account.username, None)
        return self.login_route.lacking("password", account=self.account)

    def crashed(self, exchange: Exchange) -> bool:
        """Whether an answer is a server error, and not what the operator calls a refusal."""
        status = exchange.response.status
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in self.profile.refusals.declared

    # -- Claims ----------------------------------------------------------------------------------------------------

    def expect(
        self,
        holds: object,
        case: str,
        *,
        expected: str,
        observed: str,
        shown_by: Any = (),
        certain: bool = False,
    ) -> bool:
        """Claims that something holds; where it does not, that is a finding.

        Args:
            holds: the claim, judged by its truth.
            case: what was tried.
            expected: what should have happened.
            observed: what did.
            shown_by: exchanges with a note each, as `(note, exchange)` pairs.
            certain: whether a failure shows by itself that the target works, since it gave what it should not.

        Returns:
            Whether it holds.
        """
        self.probes += 1
        if not holds:
            self._find(case, expected, observed, list(shown_by), certain=certain)
        return bool(holds)

    def confirm(self) -> None:
        """Shows that the target still works, where something was found that an outage would explain as well.

        Raises:
            InconclusiveError: no protected route opens to an honest token, and there is no logging in either.
        """
        if not self.doubtful:
            return
        for session in (self.target.session, self.target.login):
            try:
                honest = session()
                for door in self.target.protected_doors:
                    request = door.present(honest.access.value, honest)
                    if door.bought(request, self.target.send(request).response):
                        self.doubtful.clear()
                        return
            except TargetError:
                continue
        raise InconclusiveError("the target has stopped working: neither an honest token nor a login is good any more")

    @contextmanager
    def bracket(self, door: Door, account: Account | None = None) -> Iterator[Bracket]:
        """Control before and control after; what happens in between can claim refusals.

        Raises:
            InconclusiveError: a control failed. Of what was found by then, only what a probe bought counts.
        """
        bracket = Bracket(self, door, account or self.target.account)
        bracket.control("before")
        earlier = len(self.doubtful)
        yield bracket
        bracket.control("after")
        # What a probe bought had been shown before; now it is shown of every finding that the door still works.
        del self.doubtful[earlier:]

    def remark(self, text: str) -> None:
        """Adds a sentence to the verdict's reason, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def not_applicable(self, reason: str) -> NoReturn:
        """Ends the scenario: the target does not offer this."""
        raise NotApplicableError(reason)

    def untested(self, reason: str, *, give: str = "") -> NoReturn:
        """Ends the scenario: the suite lacks something, which the user can give unless the reason says otherwise."""
        raise UntestedError(f"{reason}; give {give}" if give else reason)

    def inconclusive(self, reason: str) -> NoReturn:
        """Ends the scenario: nothing can be concluded."""
        raise InconclusiveError(reason)

    def require_jwt(self, kind: Kind) -> Jwt:
        """The shared session's token of that kind, taken apart; not applicable where it is opaque."""
        parts = self.target.session().token(kind).jwt
        if parts is None:
            self.not_applicable(f"the {kind} token is no JWT")
        return parts

    def jwt_doors(self) -> list[ProtectedDoor | RefreshDoor]:
        """Every door whose token is a JWT; not applicable where none is."""
        session = self.target.session()
        doors = [door for door in self.token_doors if session.token(door.wants).jwt]
        if not doors:
            self.not_applicable("the tokens are no JWTs")
        return doors

    def _find(
        self, case: str, expected: str, observed: str, shown_by: list[tuple[str, Exchange]], *, certain: bool
    ) -> None:
        if len(self.findings) >= MOST_FINDINGS:
            self.more_findings += 1
            return
        target = self.target
        exchanges = [exchange_to_json(exchange, note, target.redactor) for note, exchange in shown_by]
        command = steps = ""
        if shown_by:
            last = shown_by[-1][1].request
            command = curl(target.client.base_url, last, target.honest_values, target.redactor)
            steps = script(target, shown_by)
        redact = target.redactor.text
        finding = Finding(redact(case), redact(expected), redact(observed), exchanges, command, steps)
        self.findings.append(finding)
        if not certain:
            self.doubtful.append(finding)
