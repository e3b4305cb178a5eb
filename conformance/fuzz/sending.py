"""Made-up requests on their way to the target: with the credentials of sessions that live, or without any."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

import requests

from conformance.target.drafts import basic
from conformance.target.http import Exchange, Request
from conformance.target.places import merge, plant

if TYPE_CHECKING:
    from schemathesis import Case

    from conformance.fuzz.documents import Document
    from conformance.target.doors import TokenDoor
    from conformance.target.session import Session
    from conformance.target.target import Target

NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
MOST_SESSIONS: Final = 40
"""So many sessions are spent on refreshes and logouts."""
MOST_AT_LOGIN: Final = 30
"""So many requests go to the login of a server that is not the suite's own, if the user does not allow more."""
NONSENSE: Final = "nonsense"


class Role(StrEnum):
    """What an operation is to a token login."""

    LOGIN = "login"
    REFRESH = "refresh"
    LOGOUT = "logout"
    CLIENT = "client"
    PROTECTED = "protected"
    OPEN = "open"


@dataclass(slots=True)
class Sender:
    """Sends what was made up.

    Attributes:
        credentialed: how many requests had the credential that their operation wants.
        authenticated: how many of them were not answered with 401.
        at_login: how many requests the login has had.
        guesses: how many of them held a name and a password, which a server may count as a guess.
        login_is_over: why the login gets no more, if it does not.
    """

    target: Target
    document: Document
    credentialed: int = 0
    authenticated: int = 0
    at_login: int = 0
    guesses: int = 0
    login_is_over: str = ""
    sessions: int = 0
    _spent: dict[Role, Session] = field(default_factory=dict, repr=False)

    @property
    def share(self) -> float:
        """The share of requests that were truly authenticated, of those that should have been."""
        return self.authenticated / self.credentialed if self.credentialed else 0.0

    def role(self, method: str, path: str, schemes: set[str] | None) -> Role:
        """What an operation is; `schemes` holds the names of what its security wants, None where it wants nothing."""
        target, place = self.target, (method.upper(), self.document.prefix + path)
        doors = {Role.LOGIN: target.login_door, Role.REFRESH: target.refresh_door, Role.LOGOUT: target.logout_door}
        for role, door in doors.items():
            if door and (door.method, door.path) == place:
                return role
        if schemes is None:
            return Role.OPEN
        return Role.CLIENT if schemes & {"clientBasic", "clientPost"} else Role.PROTECTED

    def request_of(self, case: Case[Any]) -> Request | None:
        """The request that a case stands for; None where no client could send it, or nobody should."""
        base_url = self.target.client.base_url
        kwargs = case.as_transport_kwargs(base_url=base_url)
        known = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
        try:
            made = requests.Request(**{name: kwargs[name] for name in known if name in kwargs}).prepare()
        except (requests.RequestException, ValueError, TypeError):
            return None
        body = made.body.encode() if isinstance(made.body, str) else made.body or b""
        headers = tuple((name, value if isinstance(value, str) else value.decode("latin-1"))
                        for name, value in made.headers.items() if name.lower() != "content-length")  # fmt: skip
        if not isinstance(body, bytes) or not made.url or not made.url.startswith(base_url):
            return None
        if any(not NAME.fullmatch(name) or not (value.isascii() and value.isprintable()) for name, value in headers):
            return None
        path = self.document.prefix + made.url.removeprefix(base_url)
        request = Request(case.method.upper(), path, headers, body)
        return None if self._names_somebody(request) else request

    def _names_somebody(self, request: Request) -> bool:
        """Whether it mentions an account of the run: wrong passwords for that one might lock it."""
        accounts = (self.target.account, self.target.second_account, self.target.disposable)
        text = (request.path + request.body.decode("utf-8", "replace")).casefold()
        return any(account.username.casefold() in text for account in accounts if account)

    # -- With credentials ------------------------------------------------------------------------------------------

    def send(self, request: Request, role: Role) -> Exchange | None:
        """Sends it with the credential of its operation; None where the target should not get it any more."""
        if role is Role.OPEN:
            return self.target.send(request)
        if role is Role.LOGIN:
            return self._at_login(request)
        exchange = self._with_credential(request, role)
        if exchange is not None and exchange.response.status == HTTPStatus.UNAUTHORIZED and self._was_dead(role):
            exchange = self._with_credential(request, role)
        if exchange is not None:
            self.credentialed += 1
            self.authenticated += exchange.response.status != HTTPStatus.UNAUTHORIZED
        return exchange

    def _with_credential(self, request: Request, role: Role) -> Exchange | None:
        target = self.target
        if role is Role.CLIENT:
            if not target.clients:
                return None
            return target.send(_with_headers(request, (("Authorization", f"Basic {basic(target.clients[0])}"),)))
        session = self._session(role)
        if session is None:
            return None
        door = self._door(role)
        exchange = target.send(_with(request, door, session))
        if not exchange.response.is_success:
            return exchange
        if role is Role.REFRESH:
            target.take_over(session, exchange)
        if role is Role.LOGOUT or session.ended:
            session.ended = True
            self._spent.pop(role, None)
        return exchange

    def _door(self, role: Role) -> TokenDoor:
        door = {Role.REFRESH: self.target.refresh_door, Role.LOGOUT: self.target.logout_door}.get(role)
        return door or self.target.protected_doors[0]

    def _session(self, role: Role) -> Session | None:
        """One that lives: shared where it is only used, and of the operation's own where it is spent."""
        if role is Role.PROTECTED:
            return self.target.session()
        session = self._spent.get(role)
        if session is None or not self.target.is_alive(session.token(self._door(role).wants)):
            if self.sessions >= MOST_SESSIONS or not self.target.profile.has_login:
                return None
            self.sessions += 1
            session = self._spent[role] = self.target.new_session()
        return session

    def _was_dead(self, role: Role) -> bool:
        """Whether the session of a refused request had ended, so that a new one is needed to tell anything."""
        if role is Role.CLIENT:
            return False
        if role is not Role.PROTECTED:
            # Whether a request that failed has spent it is not to be found out without spending it.
            return self._spent.pop(role, None) is not None
        session, door = self.target.session(), self.target.protected_doors[0]
        control = door.present(session.access.value, session)
        if door.bought(control, self.target.send(control).response):
            return False
        self.target.forget_sessions(self.target.account)
        return True

    # -- Without ---------------------------------------------------------------------------------------------------

    def anonymous(self, request: Request, token: str = "") -> Exchange:
        """Sends it without any credential, or with a token that is none."""
        named = {"authorization", "cookie", "proxy-authorization"}
        bare = replace(request, headers=tuple(pair for pair in request.headers if pair[0].lower() not in named))
        return self.target.send(_with_headers(bare, (("Authorization", f"Bearer {token}"),)) if token else bare)

    def _at_login(self, request: Request) -> Exchange | None:
        """Sends a login that must fail, to nobody's account, as long as that is polite."""
        target = self.target
        free = target.may_intrude
        guess = self._is_guess(request)
        if not free and (self.at_login >= MOST_AT_LOGIN or (guess and self.guesses >= target.wrong_in_a_row)):
            return None
        if self.login_is_over:
            return None
        self.at_login += 1
        self.guesses += guess
        exchange = target.client.send_once(request)
        if exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.login_is_over = "the login was not tried any further: it limits attempts"
        return exchange

    def _is_guess(self, request: Request) -> bool:
        login, text = self.target.profile.login, request.body.decode("utf-8", "replace")
        return all(name.rpartition(".")[2] in text for name in (login.username, login.password) if name)


def _with(request: Request, door: TokenDoor, session: Session) -> Request:
    """The request with the credential that an honest one has at that door."""
    kind = door.wants
    honest = door.present(session.token(kind).value, session)
    request = _with_headers(request, tuple(pair for pair in honest.headers if pair[0].lower() != "content-type"))
    place = door.place(kind)
    if place.where == "body":
        return replace(request, body=_planted(request, place.name, session.token(kind).value))
    if "?" in honest.path:
        separator = "&" if "?" in request.path else "?"
        return replace(request, path=f"{request.path}{separator}{honest.path.partition('?')[2]}")
    return request


def _with_headers(request: Request, headers: tuple[tuple[str, str], ...]) -> Request:
    named = {name.lower() for name, _ in headers}
    return replace(request, headers=(*(pair for pair in request.headers if pair[0].lower() not in named), *headers))


def _planted(request: Request, name: str, token: str) -> bytes:
    """The body with a genuine token where one belongs; as it is, where it has no such place."""
    types = " ".join(value for header, value in request.headers if header.lower() == "content-type")
    if "form" in types:
        pairs = parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)
        return urlencode([(key, token if key == name else value) for key, value in pairs]).encode()
    with suppress(ValueError, RecursionError):
        data: Any = json.loads(request.body)
        if isinstance(data, dict):
            merge(data, plant(name, token))
            return json.dumps(data).encode()
    return request.body
