"""The doors behind which tokens are given out: the login and the refresh."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from conformance.target.doors import Door, TokenDoor
from conformance.target.drafts import JSON_TYPE, Draft, encoded, filled
from conformance.target.http import Exchange
from conformance.target.places import Place, merge, parse, plant, remove
from conformance.target.session import Account, Session, issued
from conformance.target.steps import Prelude
from conformance.tokens.reading import JWT_SHAPE, Kind, read_jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.target.http import Headers, Request, Response


MOST_SHAPES: Final = 1000
"""So much of an answer that looks like a token is looked at: it may be made of nothing else."""


@dataclass(slots=True)
class TokenGivingDoor(Door):
    """A door behind which tokens are given out."""

    def bought(self, request: Request, answer: Response) -> str:
        """A token where the profile looks for it, or anything JWT-shaped that was not in the request."""
        if not answer.is_success and not _has_jwt(answer):
            return ""
        found = issued(self.profile, answer, self._where(), 0.0)
        got = [f"{'an' if token.kind is Kind.ACCESS else 'a'} {token.kind} token"
               for token in (found.access, found.refresh) if token]  # fmt: skip
        if got and answer.is_success:
            return " and ".join(got)
        sent = " ".join(value for _, value in request.headers) + request.body.decode("utf-8", "replace")
        for place, text in _places(answer):
            for shape in islice(dict.fromkeys(JWT_SHAPE.findall(text)), MOST_SHAPES):
                # An error that quotes the token it refuses gives nothing away that the caller did not have.
                if read_jwt(shape) and shape not in sent:
                    return f"a JWT in {place}"
        return ""

    @abstractmethod
    def _where(self) -> Any:
        """The part of the profile that says where this door's tokens are found."""


def _nothing_before(_given: Mapping[str, str]) -> Prelude:
    return Prelude()


def _nothing_after(exchange: Exchange) -> Exchange:
    return exchange


@dataclass(slots=True)
class LoginDoor(TokenGivingDoor):
    """The first door, which wants an account's name and password."""

    client: Account | None = None
    """The OAuth client that asks, where there is one."""
    before: Callable[[Mapping[str, str]], Prelude] = _nothing_before
    """Takes the steps before a login with that name and password; called for each request that is made."""
    after: Callable[[Exchange], Exchange] = _nothing_after
    """Takes the steps after it, as far as they lead."""

    @property
    def method(self) -> str:
        """As the profile says."""
        return self.profile.login.method

    @property
    def path(self) -> str:
        """As the profile says, for the account of the run."""
        return self._path(self.words)

    @property
    def label(self) -> str:
        """The door's name in reports: any name may be in its path."""
        return f"{self.method} {self.profile.login.path}"

    @property
    def takes_json(self) -> bool:
        """Whether the credentials are members of a JSON object."""
        return self.profile.login.encoding == "json" and self.has_members

    @property
    def has_members(self) -> bool:
        """Whether name and password are sent as members or parameters, and not in a header or a path."""
        login = self.profile.login
        return login.encoding != "basic" and bool(login.username and login.password)

    @property
    def statuses(self) -> frozenset[int]:
        """Those for wrong credentials, and those for a body that cannot be read."""
        return frozenset({*self.profile.refusals.login, *self.profile.refusals.malformed})

    def _where(self) -> Any:
        return self.profile.login

    def bought(self, request: Request, answer: Response) -> str:
        """Tokens, if need be after the further steps of a login."""
        # Through the class: a dataclass with slots is made anew, which `super()` without arguments does not know.
        got = TokenGivingDoor.bought(self, request, answer)
        if got or not self.profile.login.after:
            return got
        last = self.after(Exchange(request, answer, 0.0))
        return TokenGivingDoor.bought(self, last.request, last.response) if last.response is not answer else ""

    def _path(self, words: Mapping[str, str]) -> str:
        quoted = {name: quote(word, safe="", errors="replace") for name, word in words.items()}
        return str(filled(self.profile.login.path, quoted))

    def _open(self, username: Any = "", password: Any = "") -> Draft:
        """The login before the members that hold the credentials are put into it."""
        login, given = self.profile.login, {"username": str(username), "password": str(password)}
        prelude = self.before(given)
        words = {**self.words, **prelude.words, **given}
        draft = Draft(self.method, self._path(words), "json" if login.encoding == "basic" else login.encoding)
        draft.add(filled(dict(login.extra), words))
        draft.headers += [(name, filled(value, words)) for name, value in login.headers.items()]
        draft.cookies += prelude.cookies
        if self.client and login.client != "none":
            draft.authenticate(self.client, login.client)
        return draft

    def _filled(self, username: Any, password: Any) -> Draft:
        login, draft = self.profile.login, self._open(username, password)
        if login.encoding == "basic":
            draft.headers.append(("Authorization", f"Basic {encoded(str(username), str(password))}"))
            return draft
        for path, value in ((login.username, username), (login.password, password)):
            if path:
                merge(draft.members, plant(path, value))
        return draft

    def _draft(self) -> Draft:
        return self._open()

    def body(self, username: Any, password: Any) -> dict[str, Any]:
        """The members that a login sends; the values may be of any JSON type."""
        return self._filled(username, password).members

    def lacking(self, *missing: str, account: Account, headers: Headers = ()) -> Request:
        """A login of the account without `username`, `password` or both."""
        # What is no member is in the path, or in an earlier step.
        name = "" if "username" in missing and not self.profile.login.username else account.username
        draft = self._filled(name, account.password)
        if self.profile.login.encoding == "basic":
            # One without the other would be another name, or another password.
            draft.headers = [pair for pair in draft.headers if pair[0] != "Authorization"]
        for name in missing:
            remove(draft.members, getattr(self.profile.login, name))
        request = draft.request(headers)
        # An empty object is a body of its own kind.
        return request if draft.members or not self.takes_json else self.raw(b"{}")

    def credentials(self, username: Any, password: Any) -> Request:
        """A login with this name and this password."""
        return self._filled(username, password).request()

    def raw(self, body: bytes) -> Request:
        """A login whose body is these bytes, sent as `application/json`."""
        draft = self._open()
        draft.members = {}
        return draft.request(JSON_TYPE).with_body(body)


@dataclass(slots=True)
class RefreshDoor(TokenGivingDoor, TokenDoor):
    """The third door, which wants a refresh token and gives a new access token."""

    client: Account | None = None
    """The OAuth client that asks, where there is one."""

    @property
    def wants(self) -> Kind:
        """A refresh token; the access token, where that renews itself."""
        return Kind.ACCESS if self.profile.refresh.token == "access" else Kind.REFRESH  # noqa: S105 - a choice

    @property
    def method(self) -> str:
        """As the profile says."""
        return self.profile.refresh.method

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.refresh.path

    def place(self, kind: Kind) -> Place:
        """Where a token of that kind is shown; what renews itself is shown where the profile says of the refresh."""
        own = self.profile.refresh.sent_in
        return parse(own) if kind is self.wants and own else TokenDoor.place(self, kind)

    @property
    def statuses(self) -> frozenset[int]:
        """Those of every token's refusal, and those for a body that cannot be read."""
        declared = self.profile.refusals
        return frozenset({*declared.no_credentials, *declared.bad_token, *declared.malformed})

    def _where(self) -> Any:
        return self.profile.refresh

    def _draft(self) -> Draft:
        refresh = self.profile.refresh
        draft = self._told(Draft(self.method, self.path, refresh.encoding), refresh.extra, refresh.headers)
        if self.client and refresh.client != "none":
            draft.authenticate(self.client, refresh.client)
        return draft

    def _accompany(self, draft: Draft, session: Session, shown: Kind) -> None:
        if self.profile.refresh.with_access and shown is self.wants:
            self._show(draft, session.access.value, session, Kind.ACCESS, Kind.ACCESS)


def _places(answer: Response) -> list[tuple[str, str]]:
    return [("the body", answer.text), *((f"the header {name}", value) for name, value in answer.headers)]


def _has_jwt(answer: Response) -> bool:
    return any(JWT_SHAPE.search(text) for _, text in _places(answer))
