"""One user's life under load: log in, use, let expire, refresh, replay, race and leave, for as long as it lasts."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError
from conformance.load.invariants import Invariant
from conformance.target.http import Request
from conformance.target.pacing import retry_after_s
from conformance.target.session import Session, issued
from conformance.tokens.reading import Kind, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.load.ground import Client, Ground
    from conformance.target.doors import TokenDoor
    from conformance.target.http import Exchange
    from conformance.target.policy import Ending
    from conformance.target.session import Account

    Tell = Callable[[str, Request, Exchange | None], None]

AT_ONCE: Final = 4
"""Uses of one refresh token in a race."""
LONGEST_PAUSE_S: Final = 30.0
MOST_GRAVES: Final = 24
MOST_SECRETS: Final = 64


@dataclass(frozen=True, slots=True)
class Grave:
    """A token that is dead, and must stay so.

    Attributes:
        token: what is dead.
        session: whose it was, with the proof of same-site intent that goes with it.
        cause: what it died of, in words.
        since: from when on it is dead, in seconds since the epoch on the target's clock.
    """

    token: Token
    session: Session = field(repr=False)
    cause: str
    since: float


@dataclass(slots=True)
class Life:
    """A user with a session, or about to have one.

    Attributes:
        ground: what all users share.
        account: who it is.
        client: this user's own connections.
        tell: is told of each request by the name of what it does, with its exchange, or None where no answer came.
        pause: sleeps for so many seconds.
    """

    ground: Ground
    account: Account
    client: Client
    tell: Tell
    pause: Callable[[float], object]
    session: Session | None = None
    graves: deque[Grave] = field(default_factory=lambda: deque(maxlen=MOST_GRAVES))
    secrets: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_SECRETS))
    _spent: list[Grave] = field(default_factory=list)

    def step(self) -> None:
        """Does one thing that a user, or a thief, does: chosen at random, the usual ones more often."""
        session = self.session
        if session is None:
            self.log_in()
        elif not self._alive(session.access):
            # Left to expire, as when somebody comes back after a while.
            since = self.ground.target.surely_over_at(session.access)
            assert since is not None
            self.graves.append(Grave(session.access, session, "expired", since))
            self.refresh()
        else:
            actions, weights = zip(*self._choices(), strict=True)
            random.choices(actions, weights)[0]()  # noqa: S311 - chosen, not guessed

    def _choices(self) -> list[tuple[Callable[[], None], int]]:
        policy, target = self.ground.policy, self.ground.target
        choices: list[tuple[Callable[[], None], int]] = [(self.use, 100), (self.leave, 2)]
        if target.profile.refresh.path:
            choices.append((self.refresh, 15))
        if policy.strict:
            choices += [(self.replay, 2), (self.race, 3)]
        if policy.late_logout.kinds and policy.rotates:
            choices.append((self.leave_while_refreshing, 3))
        if any(grave.since < self._now() for grave in self.graves):
            choices.append((self.dig, 6))
        return choices

    # -- What users do ---------------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """Opens a session."""
        target = self.ground.target
        _, door = target.login_through(self.client, self.account)
        try:
            # The steps before and after, where a login takes several, are no part of what is measured.
            exchange = self.send("log in", door.credentials(self.account.username, self.account.password))
            exchange = door.after(exchange) if exchange else None
        except TargetError as error:
            self._unanswered("log in", Request(door.method, door.profile.login.path), error)
            return
        if exchange is None:
            return
        found = issued(target.profile, exchange.response, target.profile.login, self._now())
        if not exchange.response.is_success or found.access is None:
            self._judge(
                Invariant.LIVE, False, "an honest login", "tokens", f"status {exchange.response.status}",
                [("the login", exchange)],
            )  # fmt: skip
            return
        self._judge(Invariant.LIVE, True)
        self._know(found.access, found.refresh)
        refresh = found.refresh or Token("", Kind.REFRESH)
        self.session = Session(
            self.account, found.access, refresh, exchange, found.csrf, needs_refresh=target.profile.has_refresh_token
        )

    def use(self) -> None:
        """Opens one of the protected routes with the access token, and looks whose data it shows."""
        session = self._own()
        door = random.choice(self.ground.target.protected_doors)  # noqa: S311
        exchange = self.send(f"use {door.path}", door.present(session.access.value, session))
        if exchange is None or not self._alive(session.access):
            return
        bought = bool(door.bought(exchange.request, exchange.response))
        self._judge(
            Invariant.LIVE, bought, "a live access token", "the user's data", f"status {exchange.response.status}",
            [("the login", session.login), ("the use", exchange)],
        )  # fmt: skip
        if not bought:
            self.session = None
        elif (who := door.identity(exchange.response)) is not None:
            self._judge(
                Invariant.OWN_DATA, who == self.account.username, f"an access token of {self.account.username!r}",
                f"the data of {self.account.username!r}", f"the data of {who!r}",
                [("the login", session.login), ("the use", exchange)],
            )  # fmt: skip

    def refresh(self) -> None:
        """Trades the refresh token, or whatever is traded here, for new tokens."""
        session, door = self._own(), self.ground.target.refresh_door
        traded = session.token(door.wants)
        if not self.ground.target.profile.refresh.path or not traded.value or not self._alive(traded):
            self.session = None
            return
        exchange = self.send("refresh", door.present(traded.value, session))
        if exchange is None:
            return
        heir = self._heir(session, exchange)
        if self._alive(traded):
            self._judge(
                Invariant.LIVE, heir is not None, "a live refresh token", "new tokens",
                f"status {exchange.response.status}", [("the login", session.login), ("the refresh", exchange)],
            )  # fmt: skip
        if heir is not None and heir.refresh.value != session.refresh.value and self.ground.policy.strict:
            self._spent.append(Grave(session.refresh, session, "spent", self._now()))
        self.session = heir

    def leave(self) -> None:
        """Logs out, or walks away where there is no logout."""
        session, door = self._own(), self.ground.target.logout_door
        self.session = None
        if door is None:
            self._spent.clear()
            return
        exchange = self.send("log out", door.present(session.token(door.wants).value, session))
        if exchange is not None and exchange.response.is_success:
            self._mourn(session, self.ground.logout)

    # -- What thieves and hasty clients do -------------------------------------------------------------------------

    def replay(self) -> None:
        """Uses a spent refresh token again, which may rightly end the session."""
        if not self._spent:
            self.refresh()
            return
        self._show_dead(self._spent[-1])
        self._spent.clear()
        self.session = None

    def dig(self) -> None:
        """Shows a token that has been dead for a while."""
        dead = [grave for grave in self.graves if grave.since < self._now()]
        if dead:
            self._show_dead(random.choice(dead))  # noqa: S311

    def race(self) -> None:
        """Uses the refresh token several times at once; at most one chain of successors may go on."""
        session, door = self._own(), self.ground.target.refresh_door
        self.session = None
        self._spent.clear()
        answers = self._together("race", [door.present(session.refresh.value, session)] * AT_ONCE)
        heirs = {heir.refresh.value: heir for one in answers if one and (heir := self._heir(session, one))}
        heirs.pop(session.refresh.value, None)
        last: dict[str, Exchange] = {}
        alive = dict(heirs)
        # One heir is the rule, and is given back to its user; of several each takes two steps in turn.
        for _ in range(2 if len(heirs) > 1 else 0):
            for name, heir in list(alive.items()):
                exchange = self.send("refresh", door.present(heir.refresh.value, heir))
                grown = self._heir(heir, exchange) if exchange else None
                del alive[name]
                if grown and exchange:
                    alive[name], last[name] = grown, exchange
        if sum(answer is not None for answer in answers) > 1 and heirs:
            shown = [("one of the answers", one) for one in answers if one and one.response.is_success]
            self._judge(
                Invariant.ONE_WINNER, len(alive) <= 1, f"a refresh token in {AT_ONCE} requests at once",
                "at most one chain of refresh tokens that goes on",
                f"{len(heirs)} different successors, of which {len(alive)} go on side by side",
                [*shown[:2], *[("a successor's successor", last[name]) for name in list(alive)[:2] if name in last]],
            )  # fmt: skip
        if len(heirs) == 1:
            # The losers' replay may have ended the session, which is right as well.
            heir = next(iter(heirs.values()))
            exchange = self.send("refresh", door.present(heir.refresh.value, heir))
            self.session = self._heir(heir, exchange) if exchange else None

    def leave_while_refreshing(self) -> None:
        """Logs out while a refresh of the session is under way; afterwards none of its tokens may be good."""
        target, session = self.ground.target, self._own()
        assert target.logout_door is not None
        self.session = None
        self._spent.clear()
        both = [
            target.refresh_door.present(session.refresh.value, session),
            target.logout_door.present(session.access.value, session, as_kind=Kind.ACCESS),
        ]
        lead = random.random() * session.login.response.elapsed_s / 4  # noqa: S311
        refresh, logout = self._together("leave while refreshing", both, (0.0, lead))
        if refresh is None or logout is None or not logout.response.is_success:
            return
        heir, survived = self._heir(session, refresh) or session, False
        for kind, door in ((Kind.ACCESS, target.protected_doors[0]), (Kind.REFRESH, target.refresh_door)):
            token = heir.token(kind)
            if kind not in self.ground.policy.late_logout.kinds or not token.value or not self._alive(token):
                continue
            exchange = self.send(f"use a dead {kind} token", door.present(token.value, heir))
            if exchange is not None:
                bought = bool(door.bought(exchange.request, exchange.response))
                survived |= bought
                self._judge(
                    Invariant.LOGOUT_STANDS, not bought,
                    "a logout and a refresh of one session at once",
                    "no token of the session is good after the logout has returned",
                    f"the session's {kind} token is good",
                    [("the refresh", refresh), ("the logout", logout), (f"the {kind} token afterwards", exchange)],
                )  # fmt: skip
        if not survived:
            self._mourn(heir, self.ground.policy.late_logout)

    # -- Sending and judging ---------------------------------------------------------------------------------------

    def send(self, name: str, request: Request) -> Exchange | None:
        """The exchange; None where it tells nothing of the token: no answer, an error, or not now."""
        try:
            exchange = self._once(request)
        except TargetError as error:
            self._unanswered(name, request, error)
            return None
        return exchange if self._tells(name, exchange) else None

    def _once(self, request: Request) -> Exchange:
        self.client.ready()
        return self.client.send_once(request)

    def _together(self, name: str, requests: Sequence[Request], after_s: Sequence[float] = ()) -> list[Exchange | None]:
        """The exchanges of requests that were under way at once; None where one tells nothing."""
        track = self.ground.tracks.get()
        track.ready()
        warm_up = self.ground.target.protected_doors[0].anonymous()
        try:
            volley = track.send_together(requests, warm_up, after_s)
        except TargetError as error:
            self._unanswered(name, warm_up, error)
            return [None] * len(requests)
        finally:
            self.ground.tracks.put(track)
        told: list[Exchange | None] = []
        for request, exchange in zip(requests, volley.exchanges, strict=True):
            if exchange is None:
                self._unanswered(name, request, TargetError("no answer came"))
            told.append(exchange if exchange is not None and self._tells(name, exchange) else None)
        return told if volley.overlapped else [None] * len(requests)

    def _unanswered(self, name: str, request: Request, error: TargetError) -> None:
        self.tell(name, request, None)
        if not self.ground.may_be_unavailable:
            self._judge(Invariant.ANSWERED, False, f"{request.method} {request.path}", "an answer", str(error), [])
        if self.session is not None:
            # Whether the request took effect is not known.
            self.session = None
            self._spent.clear()
        self.pause(1.0)

    def _tells(self, name: str, exchange: Exchange) -> bool:
        answer = exchange.response
        self.tell(name, exchange.request, exchange)
        self._judge(Invariant.ANSWERED, True)
        excused = answer.status == HTTPStatus.SERVICE_UNAVAILABLE and self.ground.may_be_unavailable
        if not excused:
            self._judge(
                Invariant.NO_SERVER_ERROR, answer.status < HTTPStatus.INTERNAL_SERVER_ERROR,
                f"{exchange.request.method} {exchange.request.path.partition('?')[0]} ({name})",
                "an answer that is no server error", f"status {answer.status}", [(name, exchange)],
            )  # fmt: skip
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if self.session is not None:
                self.session = None
                self._spent.clear()
            self.pause(1.0)
            return False
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = retry_after_s(answer)
            stated = answer.header("Retry-After")
            self._judge(
                Invariant.HONEST_429, stated is None or wait is not None, f"a refusal for the rate ({name})",
                "a Retry-After in seconds or as a date, if any", f"Retry-After: {stated}", [(name, exchange)],
            )  # fmt: skip
            self.pause(min(1.0 if wait is None else wait, LONGEST_PAUSE_S))
            return False
        return True

    def _show_dead(self, grave: Grave) -> None:
        target = self.ground.target
        door: TokenDoor = target.refresh_door if grave.token.kind is Kind.REFRESH else target.protected_doors[0]
        exchange = self.send(f"use a dead {grave.token.kind} token", door.present(grave.token.value, grave.session))
        if exchange is not None:
            bought = door.bought(exchange.request, exchange.response)
            self._judge(
                Invariant.DEAD, not bought, f"{grave.token.kind.with_article} token that was {grave.cause}",
                "a refusal", bought or "a refusal",
                [("the login", grave.session.login), (f"the {grave.cause} token", exchange)],
            )  # fmt: skip

    def _judge(
        self, invariant: Invariant, holds: bool, case: str = "", expected: str = "", observed: str = "",
        shown_by: Sequence[tuple[str, Exchange]] = (),
    ) -> None:  # fmt: skip
        ledger = self.ground.ledger
        if holds:
            ledger.held(invariant)
        else:
            wanted = ledger.wants_evidence(invariant)
            ledger.broke(
                invariant, self.ground.finding(case, expected, observed, shown_by if wanted else (), self.secrets)
            )

    # -- Keeping count ---------------------------------------------------------------------------------------------

    def _mourn(self, session: Session, ending: Ending) -> None:
        """Buries what a logout ends, and with it what the session had spent."""
        now = self._now()
        for kind in ending.kinds:
            if session.token(kind).value:
                self.graves.append(Grave(session.token(kind), session, "logged out", now))
        self.graves.extend(self._spent)
        self._spent.clear()

    def _heir(self, session: Session, exchange: Exchange) -> Session | None:
        """The session as the answer to its refresh continues it; None where that is none."""
        profile = self.ground.target.profile
        found = issued(profile, exchange.response, profile.refresh, self._now())
        if not exchange.response.is_success or found.access is None:
            return None
        self._know(found.access, found.refresh)
        return replace(
            session, access=found.access, refresh=found.refresh or session.refresh, csrf={**session.csrf, **found.csrf}
        )

    def _know(self, *tokens: Token | None) -> None:
        self.secrets.extend(token.value for token in tokens if token)

    def _own(self) -> Session:
        assert self.session is not None
        return self.session

    def _alive(self, token: Token) -> bool:
        return self.ground.target.is_alive(token)

    def _now(self) -> float:
        return self.ground.target.clock.now()
