"""What a scenario works with: the target's doors, and the only ways to claim that something holds.

A refusal can be claimed only inside a bracket: control, probe, control. The control is the door's honest request; the
probe differs from it in one thing. A refusal by a door that refuses everybody, or that has stopped working, proves
nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from conformance.errors import TargetError
from conformance.target.doors import Door, LoginDoor, ProtectedDoor, RefreshDoor, TokenDoor
from conformance.target.evidence import curl, exchange_to_json
from conformance.target.target import LoginError, Target
from conformance.verdicts.model import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from conformance.catalogue import Requirement
    from conformance.clock import Clock
    from conformance.target.http import Exchange, Request
    from conformance.target.profile import Profile
    from conformance.target.session import Account, Session
    from conformance.tokens.keys import Minter
    from conformance.tokens.reading import Jwt, Kind

MOST_FINDINGS: Final = 12
"""So many cases are reported with their evidence; more of them would say the same again."""

POLICY_OF: Final = {
    "ACCESS-01": "no token",
    "ACCESS-02": "a refresh token",
    "ACCESS-03": "nonsense",
    "SIG-01": "an altered token",
    "EXPIRY-01": "an expired token",
}


class NotApplicableError(Exception):
    """The target does not offer what the requirement is about."""


class UntestedError(Exception):
    """The requirement applies, but the suite lacks something; the message says what to give."""


class InconclusiveError(Exception):
    """A control failed, so nothing was learnt."""


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
        door = self.target.login_door
        if door.opens_to_anyone:
            raise InconclusiveError(f"{door.label} gives tokens for a wrong password (see LOGIN-03)")
        return door

    @property
    def refresh_door(self) -> RefreshDoor:
        """The third door.

        Raises:
            InconclusiveError: it gives tokens without any credential, so that a refusal cannot be told.
        """
        door = self.target.refresh_door
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
    def token_doors(self) -> tuple[ProtectedDoor | RefreshDoor, ...]:
        """The protected routes and the refresh route."""
        return (*self.protected_doors, self.refresh_door)

    @property
    def login_route(self) -> LoginDoor:
        """The first door, even where a wrong password opens it."""
        return self.target.login_door

    @property
    def refresh_route(self) -> RefreshDoor:
        """The third door, even where it opens to anyone."""
        return self.target.refresh_door

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

    def send(self, request: Request, *, new_connection: bool = False) -> Exchange:
        """Sends any request."""
        return self.target.send(request, new_connection=new_connection)

    def guess(self, username: Any, password: Any) -> Request:
        """A login that must fail, to be sent next, within the budget of wrong passwords; values of any JSON type."""
        return self.target.guess(username, password)

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
        command = ""
        if shown_by:
            last = shown_by[-1][1].request
            command = curl(target.client.base_url, last, target.honest_values, target.redactor)
        redact = target.redactor.text
        finding = Finding(redact(case), redact(expected), redact(observed), exchanges, command)
        self.findings.append(finding)
        if not certain:
            self.doubtful.append(finding)


@dataclass(slots=True)
class Bracket:
    """The inside of control, probe, control on one door."""

    trial: Trial
    door: Door
    account: Account
    before: Exchange | None = None

    @property
    def session(self) -> Session:
        """A live session of the account: the one whose honest token opened the door."""
        return self.trial.target.session(self.account)

    def token(self, value: str) -> Request:
        """The honest request with another token in place of its own."""
        assert isinstance(self.door, TokenDoor)
        return self.door.present(value, self.session)

    def token_as(self, kind: Kind, value: str) -> Request:
        """A token shown as what it is, at a door that may want the other kind: in its own cookie, for instance."""
        assert isinstance(self.door, TokenDoor)
        return self.door.present(value, self.session, as_kind=kind)

    def header(self, name: str, value: str) -> Request:
        """The door's request with this header in place of any credential."""
        return self.door.anonymous(((name, value),))

    def refuses(
        self,
        case: str,
        request: Request,
        *,
        statuses: Collection[int] | None = None,
        cleanly: bool = False,
    ) -> Exchange:
        """Sends a probe that must buy nothing.

        Args:
            case: what the probe changed.
            request: the probe.
            statuses: the statuses that count as this refusal; any status will do where None.
            cleanly: whether the refusal must blame the request (4xx) and not the server.

        Raises:
            TargetError: no answer came.
        """
        exchange = self.trial.target.send(request)
        self._note_policy(exchange.response.status)
        bought, status = self.door.bought(request, exchange.response), exchange.response.status
        wanted = "a refusal"
        if statuses is not None:
            wanted += " with status " + " or ".join(map(str, sorted(statuses)))
            holds = status in statuses
        elif cleanly:
            wanted += " with a 4xx status"
            holds = exchange.response.is_client_error
        else:
            holds = True
        observed = f"{self.door.label} answered {status}"
        if bought:
            observed = f"accepted: {observed} with {bought}"
        shown_by = [("control: the honest request", self.before)] if self.before else []
        self.trial.expect(
            holds and not bought,
            case,
            expected=f"{wanted}, giving nothing away",
            observed=observed,
            shown_by=[*shown_by, (f"probe: {case}", exchange)],
            certain=bool(bought),
        )
        return exchange

    def _note_policy(self, status: int) -> None:
        """Keeps which statuses a protected route uses for which kind of bad token: a choice, not a finding."""
        kind = POLICY_OF.get(self.trial.requirement.id)
        if kind and isinstance(self.door, ProtectedDoor):
            seen = self.trial.target.policy.setdefault(f"status for {kind}", [])
            if isinstance(seen, list) and status not in seen:
                seen.append(status)

    def control(self, when: str) -> None:
        """Shows that the door opens to the honest request.

        A shared session may have been ended by a later login of the same user, so a failure is tried again with a new
        session before it counts.

        Raises:
            InconclusiveError: it does not open.
        """
        try:
            problem = self._control()
            if problem and not isinstance(self.door, LoginDoor):
                self.session.ended = True
                problem = self._control()
                self.trial.target.logins_end_sessions |= not problem
        except LoginError as error:
            raise InconclusiveError(f"the control {when} the probes failed: {error}") from None
        if problem:
            consequence = (
                "so a refusal would prove nothing" if when == "before" else "so a probe changed the target's state"
            )
            raise InconclusiveError(f"the control {when} the probes failed: {problem}, {consequence}")

    def _control(self) -> str:
        """Sends the honest request; returns what was wrong with the answer, or an empty string."""
        target, door = self.trial.target, self.door
        match door:
            case LoginDoor():
                return self._login_control()
            case RefreshDoor():
                session = self.session
                exchange = target.refresh(session)
                good = not session.ended
            case ProtectedDoor():
                exchange = target.send(door.present(self.session.access.value, self.session))
                who = door.identity(exchange.response)
                good = bool(door.bought(exchange.request, exchange.response)) and who in {
                    None,
                    self.account.username,
                }
            case _:
                raise TypeError(door)
        if good:
            self.before = self.before or exchange
        return "" if good else f"{door.label} answered {exchange.response.status} to an honest {door.wants} token"

    def _login_control(self) -> str:
        """The last honest login is a control before; after the probes there must be a new one.

        So a row of scenarios at the login needs one honest login each, and the sessions are used elsewhere.
        """
        target = self.trial.target
        if self.before is None and target.last_login is not None:
            self.before = target.last_login
            return ""
        exchange, session = target.try_login(self.account)
        if session is None:
            return f"{self.door.label} answered {exchange.response.status} to an honest login"
        self.before = self.before or exchange
        target.keep_for_later(session)
        return ""
