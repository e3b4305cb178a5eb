"""The sessions that scenarios share, take for themselves, or are given by the user instead of a login."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from conformance.errors import TargetError
from conformance.target.http import Exchange, Request, Response
from conformance.target.profile_tables import SURE_S
from conformance.target.session import Account, Session
from conformance.tokens.reading import Kind, Token

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from conformance.clock import Clock
    from conformance.target.giving_doors import RefreshDoor
    from conformance.target.profile import Profile

ALIVE_MARGIN_S: Final = 2.0
"""A shared token is used no later than so many seconds before its end."""
A_SECOND_S: Final = 1.0
"""Tokens that hold nothing but a user and times in whole seconds are others so much later."""


class NoLoginError(TargetError):
    """There is no logging in: the tokens were given, and no session but theirs can be had."""


class LoginError(TargetError):
    """An honest login did not give what later steps need. `exchange` shows it."""

    def __init__(self, message: str, exchange: Exchange) -> None:
        """Keeps the exchange."""
        super().__init__(message)
        self.exchange = exchange


class SessionPool(ABC):
    """What a target knows of its sessions; the fields are the target's."""

    profile: Profile
    clock: Clock
    account: Account
    given: Mapping[Kind, str]
    first_session: Session | None
    refresh_door: RefreshDoor
    reserved: dict[Kind, Session]
    memory: dict[str, Any]
    logins_repeat: bool
    owners: Counter[str]
    _shared: dict[str, Session]
    _unused: list[Session]

    @abstractmethod
    def login(self, account: Account | None = None) -> Session:
        """A new session."""

    @abstractmethod
    def refresh(self, session: Session) -> Exchange:
        """An honest refresh."""

    def session(self, account: Account | None = None) -> Session:
        """A session that scenarios share: alive, and to be left alive."""
        account = account or self.account
        session = self._shared.get(account.username)
        if session is None or session.ended or not self.is_alive(session.access):
            session = self._take_unused(account) or self._renewed(session) or self._opened(account)
            self._shared[account.username] = session
        return session

    def _opened(self, account: Account) -> Session:
        if self.profile.has_login or account != self.account or self.first_session:
            return self.login(account)
        session = self.from_given()
        self.first_session = replace(session)
        return session

    def from_given(self) -> Session:
        """The session whose tokens the user has given; an access token that is not among them is refreshed for."""
        now, lifetimes = self.clock.now(), self.profile.lifetimes
        access, refresh = (
            Token(
                self.given.get(kind, ""), kind, now, None, getattr(lifetimes, kind),
                is_opaque=self.profile.declared_format(kind) == "opaque",
            )
            for kind in Kind
        )  # fmt: skip
        nothing = Exchange(Request("", ""), Response(0, (), b"", 0.0), now)
        session = Session(self.account, access, refresh, nothing, needs_refresh=bool(refresh.value))
        if not access.value:
            exchange = self.refresh(session)
            if session.ended:
                raise LoginError(f"the refresh token that was given buys nothing: {exchange.response.status}", exchange)
            session.login = exchange
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
        if session.is_complete and not self.has_twin(session):
            self._unused.append(session)

    def has_twin(self, session: Session) -> bool:
        """Whether another login gave one of its tokens too, so that whatever ends the other session ends this one.

        So it is where a token holds a user and a second (see LOGIN-04). Where it is so seconds later, too, there are no
        others to be had, and sessions are taken as they are.
        """
        return not self.logins_repeat and any(
            self.owners[token.value] > 1 for token in (session.access, session.refresh)
        )

    def is_alive(self, token: Token) -> bool:
        """Whether the token has a while to live."""
        if token.expires_at is None:
            return True
        margin = min(ALIVE_MARGIN_S, (token.lifetime_s or ALIVE_MARGIN_S) / 4)
        return self.clock.now() + margin < token.expires_at

    def surely_over_at(self, token: Token) -> float | None:
        """From when on no server may serve the token, the leeway included, in seconds since the epoch.

        None where nothing tells its end.
        """
        if token.expires_at is None:
            return None
        return token.expires_at + self.profile.lifetimes.tolerated_leeway + SURE_S

    def freshen(self) -> None:
        """Lets whoever asks for a session next have one whose access token has most of its life before it."""

        def is_young(token: Token) -> bool:
            return token.expires_at is None or token.expires_at - self.clock.now() > (token.lifetime_s or 0) / 2

        self._unused = [session for session in self._unused if is_young(session.access)]
        for name, session in tuple(self._shared.items()):
            if not is_young(session.access) and self._renewed(session) is None:
                del self._shared[name]

    def _take_unused(self, account: Account) -> Session | None:
        for index, session in enumerate(self._unused):
            if session.account == account and self.is_alive(session.access) and not self.has_twin(session):
                return self._unused.pop(index)
        return None

    def _renewed(self, session: Session | None) -> Session | None:
        """The session with a new access token, where its refresh token still buys one; saves a login."""
        if session is None or session.ended or not self.profile.refresh.path:
            return None
        traded = session.token(self.refresh_door.wants)
        if not traded.value or not self.is_alive(traded):
            return None
        self.refresh(session)
        return None if session.ended else session

    def forget_sessions(self, account: Account | None = None) -> None:
        """Counts on no session of the account, or of anybody, any more: something has ended them all."""

        def concerned(session: Session) -> bool:
            return account in {None, session.account}

        for session in (*self._shared.values(), *self.memory.values()):
            if isinstance(session, Session) and concerned(session):
                session.ended = True
        self._unused = [session for session in self._unused if not concerned(session)]
        self.reserved = {kind: session for kind, session in self.reserved.items() if not concerned(session)}
