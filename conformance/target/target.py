"""The implementation under test: its doors, its accounts and the sessions that scenarios share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from conformance.errors import TargetError
from conformance.redaction import Redactor
from conformance.target.doors import LoginDoor, ProtectedDoor, RefreshDoor
from conformance.target.http import Exchange, HttpClient, Request
from conformance.target.session import Account, Session, issued
from conformance.tokens.reading import Kind, Token, read_jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.clock import Clock
    from conformance.target.bundled import Bundled
    from conformance.target.profile import Profile
    from conformance.tokens.keys import Minter

ALIVE_MARGIN_S = 2.0
"""A shared token is used no later than so many seconds before its end."""


class LoginError(TargetError):
    """An honest login did not give what later steps need. `exchange` shows it."""

    def __init__(self, message: str, exchange: Exchange) -> None:
        """Keeps the exchange."""
        super().__init__(message)
        self.exchange = exchange


@dataclass(slots=True)
class Target:
    """A target and everything that a run shares about it.

    Attributes:
        account: whose sessions are used unless a scenario needs two people.
        second_account: somebody else, where the user gave a second account.
        minter: makes tokens with the target's own key, where the suite was given it.
        settle_s: how long a new token takes to become good; found before the first verdict.
        bundled: the server's handle where the suite runs it itself.
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
    redactor: Redactor = field(default_factory=Redactor)
    honest_values: dict[str, str] = field(default_factory=dict, repr=False)
    wrong_passwords: dict[str, int] = field(default_factory=dict)
    last_login: Exchange | None = field(default=None, repr=False)
    first_session: Session | None = field(default=None, repr=False)
    policy: dict[str, object] = field(default_factory=dict)
    login_door: LoginDoor = field(init=False)
    refresh_door: RefreshDoor = field(init=False)
    protected_doors: tuple[ProtectedDoor, ...] = field(init=False)
    reserved: dict[Kind, Session] = field(default_factory=dict, repr=False)
    """Sessions opened at the start of the run, whose token of that kind is left to expire meanwhile."""
    logins_end_sessions: bool = False
    """Whether an honest token was seen refused until the user logged in again: there may be one session per user."""
    rotates: bool | None = None
    memory: dict[str, Any] = field(default_factory=dict, repr=False)
    """What one scenario keeps for the next, so that a token need expire only once."""
    _shared: dict[str, Session] = field(default_factory=dict, repr=False)
    _unused: list[Session] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """Builds the doors and tells the redactor whom to protect."""
        self.login_door = LoginDoor(self.profile)
        self.refresh_door = RefreshDoor(self.profile)
        self.protected_doors = tuple(ProtectedDoor(self.profile, route) for route in self.profile.protected)
        self.redactor.add(self.account.password, "password")
        if self.second_account:
            self.redactor.add(self.second_account.password, "second password")

    def close(self) -> None:
        """Closes connections, gives the clock back and stops the bundled server."""
        self.client.close()
        self.clock.close()
        if self.bundled:
            self.bundled.close()

    # -- Logging in ------------------------------------------------------------------------------------------------

    def try_login(self, account: Account, *, settle: bool = True) -> tuple[Exchange, Session | None]:
        """Logs in; the session is None where the answer holds no access token, and incomplete where no refresh token.

        Args:
            account: who logs in.
            settle: whether to wait until new tokens have become good.
        """
        self.client.traffic.logins += 1
        exchange = self.client.send(self.login_door.credentials(account.username, account.password))
        found = issued(self.profile, exchange.response, self.profile.login, self.clock.now())
        for token in (found.access, found.refresh):
            self.know(token)
        if exchange.response.is_success and found.access:
            self.wrong_passwords.pop(account.username, None)
            if account == self.account:
                self.last_login = exchange
            refresh = found.refresh or Token("", Kind.REFRESH)
            session = Session(account, found.access, refresh, exchange, found.csrf)
            self.first_session = self.first_session or replace(session)
            if settle:
                self.clock.let_pass(self.settle_s)
            return exchange, session
        return exchange, None

    def login(self, account: Account | None = None) -> Session:
        """A new session.

        Raises:
            LoginError: the answer does not hold both tokens.
        """
        exchange, session = self.try_login(account or self.account)
        if session is None or not session.is_complete:
            raise LoginError(f"an honest login answered {exchange.response.status} without both tokens", exchange)
        return session

    def login_elsewhere(self, changes: Mapping[str, str]) -> tuple[Exchange, Session | None]:
        """A login at a second bundled server with other settings, which is stopped at once."""
        assert self.bundled is not None
        server = self.bundled.again(changes)
        client = HttpClient(server.base_url)
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
        self.honest_values[token.value] = f"{token.kind.upper()}_TOKEN"
        self.keep_secret(token.value, f"{token.kind} token")

    def keep_secret(self, value: str, label: str = "token") -> None:
        """Hides a token that is, or nearly is, good: a JWT's signature, and the whole of an opaque one."""
        parts = read_jwt(value)
        if parts:
            self.redactor.add(parts.segments[2], "signature removed")
        else:
            self.redactor.add(value, label)

    def session(self, account: Account | None = None) -> Session:
        """A session that scenarios share: alive, and to be left alive."""
        account = account or self.account
        session = self._shared.get(account.username)
        if session is None or session.ended or not self.is_alive(session.access):
            session = self._take_unused(account) or self._renewed(session) or self.login(account)
            self._shared[account.username] = session
        return session

    def new_session(self, account: Account | None = None) -> Session:
        """A session of the scenario's own, which it may end: opened by a control and not used since, or new."""
        account = account or self.account
        try:
            return self._take_unused(account) or self.login(account)
        except LoginError:
            # A server may give a refresh token at the first login only (see LOGIN-01): what is shared has to do.
            return self.session(account)

    def keep_for_later(self, session: Session) -> None:
        """Puts a session that nobody has used where `session` and `new_session` find it."""
        if session.is_complete:
            self._unused.append(session)

    def is_alive(self, token: Token) -> bool:
        """Whether the token has a while to live."""
        if token.expires_at is None:
            return True
        margin = min(ALIVE_MARGIN_S, (token.lifetime_s or ALIVE_MARGIN_S) / 4)
        return self.clock.now() + margin < token.expires_at

    def _take_unused(self, account: Account) -> Session | None:
        for index, session in enumerate(self._unused):
            if session.account == account and self.is_alive(session.access):
                return self._unused.pop(index)
        return None

    def _renewed(self, session: Session | None) -> Session | None:
        """The session with a new access token, where its refresh token still buys one; saves a login."""
        if session is None or session.ended or not self.is_alive(session.refresh):
            return None
        self.refresh(session)
        return None if session.ended else session

    # -- Refreshing ------------------------------------------------------------------------------------------------

    def refresh(self, session: Session) -> Exchange:
        """An honest refresh. The session takes over what comes back; where nothing does, it counts as ended."""
        exchange = self.client.send(self.refresh_door.present(session.refresh.value, session))
        self.take_over(session, exchange)
        self.clock.let_pass(self.settle_s)
        return exchange

    def take_over(self, session: Session, exchange: Exchange) -> None:
        """Updates a session by the answer to one of its refreshes."""
        found = issued(self.profile, exchange.response, self.profile.refresh, self.clock.now())
        self.know(found.access)
        self.know(found.refresh)
        if not exchange.response.is_success or found.access is None:
            session.ended = True
            return
        session.access = found.access
        session.csrf.update(found.csrf)
        if found.refresh and found.refresh.value != session.refresh.value:
            session.refresh = found.refresh
            session.rotated = True
        self.rotates = session.rotated

    # -- Wrong passwords -------------------------------------------------------------------------------------------

    def guess(self, username: Any, password: Any) -> Request:
        """A login that must fail, to be sent next; it keeps within the budget of wrong passwords.

        Real servers lock an account after a few wrong passwords in a row, so after `WRONG_IN_A_ROW` of them an honest
        login comes in between.
        """
        named = [account for account in (self.account, self.second_account) if account and account.username == username]
        for account in named:
            if self.wrong_passwords.get(username, 0) >= WRONG_IN_A_ROW:
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
        return self.client.send(request, new_connection=new_connection)


WRONG_IN_A_ROW = 4
"""The most wrong passwords for one account without an honest login in between."""


def _reveals(wrong: str, right: str) -> bool:
    """Whether seeing the wrong password tells the right one."""
    wrong, right = wrong.casefold().strip(), right.casefold().strip()
    return bool(wrong) and (wrong in right or right in wrong)
