"""Control, probe, control: the only way to claim that a door refuses something.

The control is the door's honest request; the probe differs from it in one thing. A refusal by a door that refuses
everybody, or that has stopped working, proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.scenarios.endings import InconclusiveError
from conformance.target.doors import Door, ProtectedDoor, TokenDoor
from conformance.target.giving_doors import LoginDoor, RefreshDoor
from conformance.target.oauth import ClientDoor
from conformance.target.session_pool import LoginError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Account, Session
    from conformance.tokens.reading import Kind

POLICY_OF: Final = {
    "ACCESS-01": "no token",
    "ACCESS-02": "a refresh token",
    "ACCESS-03": "nonsense",
    "SIG-01": "an altered token",
    "EXPIRY-01": "an expired token",
}


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
        new_connection: bool = False,
    ) -> Exchange:
        """Sends a probe that must buy nothing.

        Args:
            case: what the probe changed.
            request: the probe.
            statuses: the statuses that count as this refusal; any status will do where None.
            cleanly: whether the refusal must blame the request (a 4xx, or what the profile declares), not the server.
            new_connection: whether to send it on a connection of its own, which another worker may answer.

        Raises:
            TargetError: no answer came.
        """
        exchange = self.trial.target.send(request, new_connection=new_connection)
        return self._judge(case, exchange, statuses=statuses, cleanly=cleanly)

    def _judge(self, case: str, exchange: Exchange, *, statuses: Collection[int] | None, cleanly: bool) -> Exchange:
        request = exchange.request
        self._note_policy(exchange.response.status)
        bought, status = self.door.bought(request, exchange.response), exchange.response.status
        wanted = "a refusal"
        if statuses is not None:
            wanted += " with status " + " or ".join(map(str, sorted(statuses)))
            holds = status in statuses
        elif cleanly:
            wanted += " with " + " or ".join(["a 4xx status", *map(str, sorted(self.door.unusual))])
            holds = self.door.refuses_cleanly(exchange.response)
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

    def refuses_each(
        self,
        probes: Iterable[tuple[str, Request]],
        *,
        statuses: Collection[int] | None = None,
        cleanly: bool = False,
    ) -> list[Exchange]:
        """Sends many probes of which none depends on another, some at once where that saves time; else as `refuses`.

        Args:
            probes: what each changed, and the probe; no guesses at a password, whose budget wants them one by one.
            statuses: as for `refuses`.
            cleanly: as for `refuses`.

        Raises:
            TargetError: no answer came.
        """
        pairs = list(probes)
        exchanges = self.trial.target.client.send_each(request for _, request in pairs)
        return [
            self._judge(case, exchange, statuses=statuses, cleanly=cleanly)
            for (case, _), exchange in zip(pairs, exchanges, strict=True)
        ]

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
                # Nor may any that was put by: a logout, or a login, may end all that the user has.
                self.trial.target.forget_sessions(self.account)
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
            case ClientDoor():
                exchange, good = door.control(target, self.session)
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
        if self.before is None and target.last_login is not None and self.account == target.account:
            self.before = target.last_login
            return ""
        exchange, session = target.try_login(self.account)
        if session is None:
            return f"{self.door.label} answered {exchange.response.status} to an honest login"
        self.before = self.before or exchange
        target.keep_for_later(session)
        return ""
