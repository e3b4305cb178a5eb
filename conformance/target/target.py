"""The implementation under test: its doors, its accounts and the sessions that scenarios share."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from conformance.redaction import Redactor
from conformance.target.doors import LogoutDoor, ProtectedDoor
from conformance.target.drafts import basic, encoded
from conformance.target.fuzzing import Fuzzing
from conformance.target.giving_doors import LoginDoor, RefreshDoor
from conformance.target.hooks import DescribedHooks, Hooks, Provisioner
from conformance.target.http import Exchange, Headers, HttpClient, Request
from conformance.target.session import Account, Issued, Session, issued
from conformance.target.session_pool import A_SECOND_S, LoginError, NoLoginError, SessionPool
from conformance.target.steps import Steps
from conformance.tokens.reading import HMAC_ALGORITHMS, Kind, Token, read_jwt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.clock import Clock
    from conformance.target.bundled import Bundled
    from conformance.target.profile import Profile
    from conformance.target.story import Life, Story
    from conformance.target.together import Volley
    from conformance.tokens.keys import Minter

WRONG_IN_A_ROW = 4
"""The most wrong passwords for one account without an honest login in between, in all the processes of a run."""


@dataclass(slots=True)
class Target(SessionPool):
    """A target and everything that a run shares about it.

    Attributes:
        account: whose sessions are used unless a scenario needs two people.
        second_account: somebody else, where the user gave a second account.
        minter: makes tokens with the target's own key, where the suite was given it.
        settle_s: how long a new token takes to become good; found before the first verdict.
        bundled: the server's handle where the suite runs it itself.
        hooks: what the operator lets the suite do to accounts and to the server.
        intrusive: whether the user allows what may lock an account or load the server.
        disposable: an account that may be locked, where the user gave one.
        clients: OAuth clients: the one that the accounts' tokens are issued to, and another one.
        canary_host: the address at which the target can reach this machine, where it is known.
        given: tokens that the user has given instead of a login.
        wrong_in_a_row: the most wrong passwords for one account without an honest login in between.
        fuzzing: the budget of the fuzzing stage.
    """

    profile: Profile
    client: HttpClient
    clock: Clock
    account: Account
    second_account: Account | None = None
    minter: Minter | None = None
    minter_missing: str = "the signing key: --signing-key"
    public_key_pem: str = ""
    settle_s: float = 0.0
    bundled: Bundled | None = None
    hooks: Hooks = field(init=False)
    intrusive: bool = False
    disposable: Account | None = None
    clients: tuple[Account, ...] = ()
    canary_host: str = ""
    given: Mapping[Kind, str] = field(default_factory=dict, repr=False)
    wrong_in_a_row: int = WRONG_IN_A_ROW
    fuzzing: Fuzzing = field(default_factory=Fuzzing)
    redactor: Redactor = field(default_factory=Redactor)
    honest_values: dict[str, str] = field(default_factory=dict, repr=False)
    wrong_passwords: dict[str, int] = field(default_factory=dict)
    last_login: Exchange | None = field(default=None, repr=False)
    first_session: Session | None = field(default=None, repr=False)
    policy: dict[str, object] = field(default_factory=dict)
    login_door: LoginDoor = field(init=False)
    refresh_door: RefreshDoor = field(init=False)
    protected_doors: tuple[ProtectedDoor, ...] = field(init=False)
    logout_door: LogoutDoor | None = field(init=False)
    steps: Steps = field(init=False, repr=False)
    provisioner: Provisioner = field(init=False)
    reserved: dict[Kind, Session] = field(default_factory=dict, repr=False)
    """Sessions opened at the start of the run, whose token of that kind is left to expire meanwhile."""
    logins_end_sessions: bool = False
    """Whether an honest token was seen refused until the user logged in again: there may be one session per user."""
    logins_repeat: bool = False
    """Whether logins give tokens that earlier ones gave, even seconds later."""
    rotates: bool | None = None
    owners: Counter[str] = field(default_factory=Counter, repr=False)
    """How many logins gave each token."""
    absent: dict[str, str] = field(default_factory=dict)
    """What the profile names and the target does not have, with the reason to think so."""
    memory: dict[str, Any] = field(default_factory=dict, repr=False)
    stories: list[Story] = field(default_factory=list, repr=False)
    lives: dict[str, Life] = field(default_factory=dict, repr=False)
    """What became of each token, by its value."""
    """What one scenario keeps for the next, so that a token need expire only once."""
    _shared: dict[str, Session] = field(default_factory=dict, repr=False)
    _unused: list[Session] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """Builds the doors and tells the redactor whom to protect."""
        self.steps, self.login_door = self.login_through(self.client, self.account)
        self.refresh_door = RefreshDoor(self.profile, self._own_client)
        self.protected_doors = tuple(ProtectedDoor(self.profile, route) for route in self.profile.protected)
        self.logout_door = LogoutDoor(self.profile) if self.profile.logout.path else None
        for door in (self.refresh_door, *self.protected_doors, self.logout_door):
            if door:
                door.words = self._words
        for account, label in (
            (self.account, "password"),
            (self.second_account, "second password"),
            (self.disposable, "disposable password"),
        ):
            if account:
                self.redactor.add(account.password, label)
                if self.profile.login.encoding == "basic":
                    self.redactor.add(encoded(account.username, account.password), label)
        for client in self.clients:
            self.redactor.add(client.password, "client secret")
            # As it stands in HTTP Basic, after its form-encoding (RFC 6749 §2.3.1).
            self.redactor.add(quote_plus(client.password), "client secret")
            self.redactor.add(basic(client), "client secret")
        for kind, value in self.given.items():
            self.know(Token(value, kind))
        table = self.profile.hooks
        # By name: where the target does not follow, another clock takes the place of this one.
        self.client.watch.now = lambda: self.clock.now()  # noqa: PLW0108 - see above
        self.hooks = self.bundled or DescribedHooks(table.provision, table.reconfigure, self.redactor.text)
        self.provisioner = Provisioner(self.hooks, self.redactor.add)

    def close(self) -> None:
        """Removes the accounts that were made, closes connections and stops the bundled server; keeps the clock."""
        self.provisioner.close()
        self.client.close()
        if self.bundled:
            self.bundled.close()

    @property
    def may_intrude(self) -> bool:
        """Whether the suite may lock accounts and load the server: the user allows it, or the server is its own."""
        return self.intrusive or self.bundled is not None

    def offers(self, capability: str) -> bool:
        """Whether the target has something that the bundled server has in another profile only."""
        match capability:
            case "cookie_transport":
                return self.profile.uses_cookies
            case "refresh":
                return self.profile.has_refresh_token
            case "tls":
                return self.client.base_url.startswith("https:")
            case "asymmetric" | "jwks":
                token = self.first_session.access.jwt if self.first_session else None
                return token is not None and token.algorithm not in {*HMAC_ALGORITHMS, "none"}
            case _:
                return True

    # -- Logging in ------------------------------------------------------------------------------------------------

    def try_login(
        self, account: Account, *, settle: bool = True, request: Request | None = None, headers: Headers = ()
    ) -> tuple[Exchange, Session | None]:
        """Logs in; the session is None where the answer holds no access token, and incomplete where no refresh token.

        Args:
            account: who logs in.
            settle: whether to wait until new tokens have become good.
            request: what is sent, where that is not the ordinary login.
            headers: further headers of it.

        Raises:
            NoLoginError: there is no login.
        """
        if not self.profile.has_login:
            raise NoLoginError("this needs a session of its own, and there is no login but the tokens that were given")
        sent = request or self.login_door.credentials(account.username, account.password)
        exchange = self.steps.after(self.client.send(replace(sent, headers=(*sent.headers, *headers))))
        self.client.traffic.logins += request is None or exchange.response.is_success
        session = self.admitted(account, exchange)
        if account == self.account and session is not None and request is None:
            self.last_login = exchange
        if session is not None and settle:
            self.clock.let_pass(self.settle_s)
        return exchange, session

    def login_through(self, client: HttpClient, account: Account) -> tuple[Steps, LoginDoor]:
        """The first door and the steps around it, as that client sends them, and for that account."""
        steps = Steps(self.profile.login, client.send, self._hide_captured, self._words)
        door = LoginDoor(self.profile, self._own_client, steps.before, steps.after)
        door.words = {**self._words, "username": account.username}
        return steps, door

    @property
    def _own_client(self) -> Account | None:
        return self.clients[0] if self.clients else None

    @property
    def _words(self) -> dict[str, str]:
        """What a profile's fixed values may name."""
        words = {"base_url": self.client.base_url}
        if self.clients:
            words |= {"client_id": self.clients[0].username, "client_secret": self.clients[0].password}
        return words

    def _hide_captured(self, value: str) -> None:
        self.redactor.add(value, "value of a login")

    def admitted(self, account: Account, exchange: Exchange) -> Session | None:
        """The session that an answer to a login opens; None where it holds no access token."""
        found = issued(self.profile, exchange.response, self.profile.login, self.clock.now())
        for token in (found.access, found.refresh):
            self.know(token)
        if exchange.response.is_success and found.access:
            self.owners.update({token.value for token in (found.access, found.refresh) if token})
            self.wrong_passwords.pop(account.username, None)
            refresh = found.refresh or Token("", Kind.REFRESH)
            session = Session(
                account, found.access, refresh, exchange, found.csrf, needs_refresh=self.profile.has_refresh_token
            )
            for token in filter(None, (found.access, found.refresh)):
                self.lives[token.value] = session.story.issued(token, "login", self.clock.now())
            self.stories.append(session.story)
            self.first_session = self.first_session or replace(session)
            return session
        return None

    def login(self, account: Account | None = None) -> Session:
        """A new session, whose tokens are no other session's as well, if a second later others come.

        Raises:
            LoginError: the answer does not hold both tokens.
            NoLoginError: there is no login.
        """
        session = self._complete(*self.try_login(account or self.account))
        if self.has_twin(session) and self.clock.can_let_pass(A_SECOND_S):
            self.clock.let_pass(A_SECOND_S)
            session = self._complete(*self.try_login(account or self.account))
            self.logins_repeat = self.has_twin(session)
        return session

    def _complete(self, exchange: Exchange, session: Session | None) -> Session:
        if session is None or not session.is_complete:
            raise LoginError(f"an honest login answered {exchange.response.status} without both tokens", exchange)
        return session

    def login_elsewhere(self, changes: Mapping[str, str]) -> tuple[Exchange, Session | None]:
        """A login at a second bundled server with other settings, which is stopped at once."""
        assert self.bundled is not None
        server = self.bundled.again(changes)
        client = HttpClient(server.base_url, trusted_ca=server.trusted_ca)
        try:
            other = replace(self, client=client, bundled=server, honest_values=self.honest_values)
            result = other.try_login(self.account)
        finally:
            client.close()
            server.close()
        self.client.traffic.requests += client.traffic.requests
        self.client.traffic.logins += client.traffic.logins
        return result

    def know(self, token: Token | None) -> None:
        """Lets the redactor hide a token, and evidence name it."""
        if token is None:
            return
        self.client.watch.know(token)
        self.honest_values[token.value] = f"{token.kind.upper()}_TOKEN"
        self.keep_secret(token.value, f"{token.kind} token")

    def keep_secret(self, value: str, label: str = "token") -> None:
        """Hides a token that is, or nearly is, good: a JWT's signature, and the whole of an opaque one."""
        parts = read_jwt(value)
        if parts:
            self.redactor.add(parts.segments[2], "signature removed")
        else:
            self.redactor.add(value, label)

    # -- Refreshing ------------------------------------------------------------------------------------------------

    def refresh(self, session: Session) -> Exchange:
        """An honest refresh. The session takes over what comes back; where nothing does, it counts as ended.

        Where there is no refresh nothing is sent, the session stays as it is, and the exchange is its login's.
        """
        if not self.profile.refresh.path:
            return session.login
        exchange = self.client.send(self.refresh_door.present(session.token(self.refresh_door.wants).value, session))
        self.take_over(session, exchange)
        self.clock.let_pass(self.settle_s)
        return exchange

    def take_over(self, session: Session, exchange: Exchange, found: Issued | None = None) -> None:
        """Updates a session by the answer to one of its refreshes, or by the tokens found in it."""
        found = found or issued(self.profile, exchange.response, self.profile.refresh, self.clock.now())
        self.know(found.access)
        self.know(found.refresh)
        now, traded = self.clock.now(), self.refresh_door.wants
        if not exchange.response.is_success or found.access is None:
            session.ended = True
            session.story.ended(traded, "refused", now)
            return
        session.story.used(traded, now)
        self.lives[found.access.value] = session.story.issued(found.access, "refresh", now)
        session.access = found.access
        session.csrf.update(found.csrf)
        if found.refresh and found.refresh.value != session.refresh.value:
            session.story.ended(Kind.REFRESH, "rotation", now)
            session.story.issued(found.refresh, "rotation", now)
            session.refresh = found.refresh
            session.rotated = True
        self.rotates = session.rotated

    # -- Wrong passwords -------------------------------------------------------------------------------------------

    def guess(self, username: Any, password: Any) -> Request:
        """A login that must fail, to be sent next; it keeps within the budget of wrong passwords.

        Real servers lock an account after a few wrong passwords in a row, so after `wrong_in_a_row` of them an honest
        login comes in between.
        """
        known = (self.account, self.second_account, self.disposable)
        for account in (account for account in known if account and account.username == username):
            if self.wrong_passwords.get(username, 0) >= self.wrong_in_a_row:
                # It resets the count of wrong passwords, whether or not it gives both tokens.
                exchange, session = self.try_login(account)
                if session is None:
                    raise LoginError(f"an honest login answered {exchange.response.status} without tokens", exchange)
                self.keep_for_later(session)
            self.wrong_passwords[username] = self.wrong_passwords.get(username, 0) + 1
        if isinstance(password, str) and _reveals(password, self.account.password):
            self.redactor.add(password, "altered password")
        return self.login_door.credentials(username, password)

    def wrong_password(self) -> str:
        """A random password as long as the account's own.

        A shorter one might be refused for its length, before anything is compared.
        """
        length = max(8, len(self.account.password))
        return f"Wr0ng-{secrets.token_hex(length)}"[:length]

    def send(self, request: Request, *, new_connection: bool = False) -> Exchange:
        """Sends any request."""
        exchange = self.client.send(request, new_connection=new_connection)
        if exchange.response.is_success and request.method == "GET":
            for _, value in request.headers:
                if life := self.lives.get(value.rpartition(" ")[2]):
                    life.used_at.append(self.clock.now())
        return exchange

    def send_together(self, requests: Sequence[Request], *, after_s: Sequence[float] = ()) -> Volley:
        """Sends requests at once, each on a connection of its own; an answer of 429 stays what it is.

        `after_s` says how many seconds later each is sent, where a race needs that.
        """
        return self.client.send_together(requests, self.protected_doors[0].anonymous(), after_s)

    @property
    def one_at_a_time(self) -> bool:
        """Whether no two requests may be under way at once, so that there are no races."""
        return self.client.concurrency == 1

    def send_in_a_row(self, row: Sequence[Request]) -> tuple[list[Exchange], bool]:
        """Sends requests on a connection of their own; the second value says whether it was kept for all of them."""
        return self.client.send_in_a_row(row)

    # -- Ending sessions -------------------------------------------------------------------------------------------

    def logout(self, session: Session, kind: Kind = Kind.ACCESS) -> Exchange:
        """An honest logout with the session's token of that kind; the session counts as ended."""
        assert self.logout_door is not None
        session.ended = True
        for each in Kind:
            session.story.ended(each, "logout", self.clock.now())
        kind = kind if kind in self.logout_door.kinds else self.logout_door.wants
        return self.send(self.logout_door.present(session.token(kind).value, session, as_kind=kind))


def _reveals(wrong: str, right: str) -> bool:
    """Whether seeing the wrong password tells the right one."""
    wrong, right = wrong.casefold().strip(), right.casefold().strip()
    return bool(wrong) and (wrong in right or right in wrong)
