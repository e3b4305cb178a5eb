"""The doors of a token API, each able to build a request and to say what an answer to it bought.

Acceptance is judged by what comes back, the user's data or a token, and not by the status alone: there are servers
that refuse with 200, and servers that answer 200 to everything.
"""

from __future__ import annotations

import copy
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.target.http import Headers, Request, Response
from conformance.target.session import Account, Session, dig, issued, plant
from conformance.tokens.reading import JWT_SHAPE, Kind, read_jwt

if TYPE_CHECKING:
    from conformance.target.profile import Profile, Protected

JSON_TYPE: Headers = (("Content-Type", "application/json"),)


@dataclass(slots=True)
class Door(ABC):
    """A route that lets in whoever shows the right thing."""

    profile: Profile
    opens_to_anyone: bool = field(default=False, init=False)
    """Set before the first verdict, where the door gives the same without any credential."""

    @property
    @abstractmethod
    def method(self) -> str:
        """The HTTP method."""

    @property
    @abstractmethod
    def path(self) -> str:
        """The path, relative to the target's URL."""

    @property
    def label(self) -> str:
        """The door's name in reports."""
        return f"{self.method} {self.path}"

    @abstractmethod
    def bought(self, request: Request, answer: Response) -> str:
        """What the answer gave, in words; an empty string where it gave nothing."""

    def anonymous(self, headers: Headers = ()) -> Request:
        """The door's request without any credential."""
        return Request(self.method, self.path, headers)


@dataclass(slots=True)
class TokenDoor(Door):
    """A door that wants a token, of one kind."""

    @property
    @abstractmethod
    def wants(self) -> Kind:
        """The kind of token that opens it."""

    def present(
        self,
        token: str,
        session: Session,
        *,
        as_kind: Kind | None = None,
        proof_of: Kind | None = None,
        headers: Headers = (),
    ) -> Request:
        """The door's honest request, with `token` where the session's own would stand.

        Args:
            token: what is shown.
            session: whose proof of same-site intent goes with it, where tokens travel in cookies.
            as_kind: the kind whose cookie carries it; what the door wants, unless given.
            proof_of: the kind whose proof goes with it; as `as_kind`, unless given.
            headers: further headers.
        """
        names = as_kind or self.wants
        credential = self._credential(token, session, names, proof_of or names)
        return Request(self.method, self.path, (*credential, *headers))

    def _credential(self, token: str, session: Session, names: Kind, proof_of: Kind) -> Headers:
        if self.profile.transport == "bearer":
            return (("Authorization", f"Bearer {token}"),)
        cookies = self.profile.cookies
        pairs = [(getattr(cookies, names), token)]
        proof = session.csrf.get(proof_of)
        if proof is None:
            return (("Cookie", "; ".join(f"{name}={value}" for name, value in pairs)),)
        pairs.append((getattr(cookies, f"{names}_csrf"), proof))
        return (
            ("Cookie", "; ".join(f"{name}={value}" for name, value in pairs)),
            (cookies.csrf_header, proof),
        )


@dataclass(slots=True)
class ProtectedDoor(TokenDoor):
    """The second door: a protected route, which wants an access token and shows its owner's data."""

    route: Protected
    honest_members: frozenset[str] = field(default_factory=frozenset, init=False)
    honest_body: bytes = field(default=b"", init=False, repr=False)
    refusal_members: frozenset[str] = field(default_factory=frozenset, init=False)

    @property
    def wants(self) -> Kind:
        """An access token."""
        return Kind.ACCESS

    @property
    def method(self) -> str:
        """As the profile says."""
        return self.route.method

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.route.path

    def identity(self, answer: Response) -> str | None:
        """Whom the answer is about, where the profile says how to tell."""
        value = dig(answer.json, self.route.identity) if self.route.identity else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None

    def learn(self, honest: Response, anonymous: Response) -> None:
        """Remembers what an honest answer and a refusal look like."""
        self.honest_members, self.honest_body = _members(honest), honest.body
        self.refusal_members = _members(anonymous)
        self.opens_to_anyone = bool(self.bought(self.anonymous(), anonymous))

    def bought(self, request: Request, answer: Response) -> str:
        """The user's data: by the member that names the user, or by the shape of an honest answer."""
        if request.method == "HEAD":
            return f"status {answer.status}" if answer.is_success else ""
        if answer.is_success and (who := self.identity(answer)):
            return f"the data of {who!r}"
        telling = self.honest_members - self.refusal_members
        if telling and telling <= _members(answer) and (answer.is_success or self._gives_away(answer, telling)):
            return f"an answer with {', '.join(sorted(telling))}"
        if not self.honest_members and answer.is_success and answer.body == self.honest_body:
            return "the protected content"
        if self.honest_members and not telling and answer.is_success and not self.route.identity:
            # Refusals look like successes here; only the status is left to tell them apart.
            return f"status {answer.status} and the members of an honest answer"
        return ""

    def _gives_away(self, answer: Response, telling: frozenset[str]) -> bool:
        """Whether a refusal holds the user's data, and not only members of the same name, such as `message`."""
        honest = json.loads(self.honest_body)
        return bool(self.identity(answer)) or any(answer.json[name] == honest[name] for name in telling)


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
            for match in JWT_SHAPE.finditer(text):
                # An error that quotes the token it refuses gives nothing away that the caller did not have.
                if read_jwt(match[0]) and match[0] not in sent:
                    return f"a JWT in {place}"
        return ""

    @abstractmethod
    def _where(self) -> Any:
        """The part of the profile that says where this door's tokens are found."""


@dataclass(slots=True)
class LoginDoor(TokenGivingDoor):
    """The first door, which wants an account's name and password."""

    @property
    def method(self) -> str:
        """As the profile says."""
        return self.profile.login.method

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.login.path

    def _where(self) -> Any:
        return self.profile.login

    def body(self, username: Any, password: Any) -> dict[str, Any]:
        """The JSON object that a login sends; the values may be of any type."""
        login = self.profile.login
        members: dict[str, Any] = copy.deepcopy(dict(login.extra))
        for path, value in ((login.username, username), (login.password, password)):
            _merge(members, plant(path, value))
        return members

    def without(self, *missing: str, account: Account) -> dict[str, Any]:
        """A login's JSON object lacking `username`, `password` or both."""
        body = self.body(account.username, account.password)
        for name in missing:
            _remove(body, getattr(self.profile.login, name))
        return body

    def credentials(self, username: Any, password: Any) -> Request:
        """A login with this name and this password."""
        return self.json(self.body(username, password))

    def json(self, value: Any) -> Request:
        """A login whose body is this JSON value."""
        return self.raw(json.dumps(value).encode())

    def raw(self, body: bytes) -> Request:
        """A login whose body is these bytes, sent as `application/json`."""
        return Request(self.method, self.path, JSON_TYPE, body)


@dataclass(slots=True)
class RefreshDoor(TokenGivingDoor, TokenDoor):
    """The third door, which wants a refresh token and gives a new access token."""

    @property
    def wants(self) -> Kind:
        """A refresh token."""
        return Kind.REFRESH

    @property
    def method(self) -> str:
        """As the profile says."""
        return self.profile.refresh.method

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.refresh.path

    def _where(self) -> Any:
        return self.profile.refresh


def _members(answer: Response) -> frozenset[str]:
    return frozenset(answer.json) if isinstance(answer.json, dict) else frozenset()


def _places(answer: Response) -> list[tuple[str, str]]:
    return [("the body", answer.text), *((f"the header {name}", value) for name, value in answer.headers)]


def _has_jwt(answer: Response) -> bool:
    return any(JWT_SHAPE.search(text) for _, text in _places(answer))


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _remove(data: Any, path: str) -> None:
    *parents, last = path.split(".")
    for name in parents:
        data = data.get(name, {})
    data.pop(last, None)
