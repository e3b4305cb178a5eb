"""The doors of a token API, each able to build a request and to say what an answer to it bought.

Acceptance is judged by what comes back, the user's data or a token, and not by the status alone: there are servers
that refuse with 200, and servers that answer 200 to everything. The doors that give tokens are in `giving_doors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.target.drafts import Draft, filled
from conformance.target.places import Place, dig, parse
from conformance.tokens.reading import Kind, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.target.http import Headers, Request, Response
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Protected
    from conformance.target.session import Session

LONGEST_NAME: Final = 60
"""So much of a user's name is shown in a finding: a scenario makes up long ones."""


@dataclass(slots=True)
class Door(ABC):
    """A route that lets in whoever shows the right thing."""

    profile: Profile
    opens_to_anyone: bool = field(default=False, init=False)
    """Set before the first verdict, where the door gives the same without any credential."""
    words: Mapping[str, str] = field(default_factory=dict, init=False, repr=False)
    """What stands for `{base_url}` and the like in the profile's values."""

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

    @property
    def statuses(self) -> frozenset[int]:
        """What the operator declares of its refusals' statuses."""
        return frozenset()

    @property
    def unusual(self) -> frozenset[int]:
        """Those of them that are no 4xx."""
        return frozenset(status for status in self.statuses if status // 100 != 4)  # noqa: PLR2004 - a client error

    def refuses_cleanly(self, answer: Response) -> bool:
        """Whether the status blames the request: a 4xx, or one that is declared as a refusal's."""
        return answer.is_client_error or answer.status in self.statuses

    @abstractmethod
    def bought(self, request: Request, answer: Response) -> str:
        """What the answer gave, in words; an empty string where it gave nothing."""

    def anonymous(self, headers: Headers = ()) -> Request:
        """The door's request without any credential."""
        return self._draft().request(headers)

    def _draft(self) -> Draft:
        """The door's request before any credential is put into it."""
        return Draft(self.method, self.path)

    def _told(self, draft: Draft, extra: Mapping[str, Any], headers: Mapping[str, str]) -> Draft:
        """The draft with what the profile adds to such a request."""
        draft.add(filled(dict(extra), self.words))
        draft.headers += [(name, filled(value, self.words)) for name, value in headers.items()]
        return draft


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
        draft = self._draft()
        self._accompany(draft, session, names)
        self._show(draft, token, session, names, proof_of or names)
        return draft.request(headers)

    def place(self, kind: Kind) -> Place:
        """Where a token of that kind is shown."""
        return self.profile.sent_in(kind)

    @property
    def statuses(self) -> frozenset[int]:
        """Those for no token, and those for a bad one."""
        return frozenset({*self.profile.refusals.no_credentials, *self.profile.refusals.bad_token})

    def _accompany(self, draft: Draft, session: Session, shown: Kind) -> None:
        """Adds what goes along with a token of the kind that is shown."""

    def _show(self, draft: Draft, token: str, session: Session, names: Kind, proof_of: Kind) -> None:
        place, cookies = self.place(names), self.profile.cookies
        draft.put(place, token)
        proof = session.csrf.get(proof_of)
        if place.where != "cookie" or proof is None:
            return
        own = self.profile.csrf_in(names)
        if own and own.where == "cookie":
            draft.cookies.append((own.name, proof))
        if cookies.csrf_header:
            draft.headers.append((cookies.csrf_header, proof))
        if cookies.csrf_field:
            draft.put(Place("body", cookies.csrf_field), proof)


@dataclass(slots=True)
class ProtectedDoor(TokenDoor):
    """The second door: a protected route, which wants an access token and shows its owner's data."""

    route: Protected
    honest_members: frozenset[str] = field(default_factory=frozenset, init=False)
    honest_body: bytes = field(default=b"", init=False, repr=False)
    refusal_members: frozenset[str] = field(default_factory=frozenset, init=False)
    refuses_with_success: bool = field(default=False, init=False)
    known_as: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    """Who is meant by a value that identifies a user and is not the name; found before the first verdict."""

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
        """Whom the answer is about, by name, where the profile says how to tell."""
        value = self.identifier(answer)
        if value is None:
            return None
        return self.known_as.get(value, value if self.route.identity_is == "username" else None)

    def identifier(self, answer: Response) -> str | None:
        """What the answer holds of whom it is about: the name, or a value that stands for somebody."""
        value = dig(answer.json, self.route.identity) if self.route.identity else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None

    def _draft(self) -> Draft:
        return self._told(Draft(self.method, self.path), self.route.json, self.route.headers)

    @staticmethod
    def members(answer: Response) -> frozenset[str]:
        """The names of the members of an answer's JSON object."""
        return _members(answer)

    def learn(self, honest: Response, anonymous: Response) -> None:
        """Remembers what an honest answer and a refusal look like."""
        self.honest_members, self.honest_body = _members(honest), honest.body
        self.refusal_members = _members(anonymous)
        self.refuses_with_success = anonymous.is_success
        self.opens_to_anyone = bool(self.bought(self.anonymous(), anonymous))

    def bought(self, request: Request, answer: Response) -> str:
        """The user's data: by the member that names the user, or by the shape of an honest answer."""
        if request.method == "HEAD":
            # There is the status and nothing else; which tells nothing where a refusal has a success's.
            return f"status {answer.status}" if answer.is_success and not self.refuses_with_success else ""
        if answer.is_success and (who := self.identity(answer) or self.identifier(answer)):
            return f"the data of {who[:LONGEST_NAME]!r}"
        telling = self.honest_members - self.refusal_members
        if telling and telling <= _members(answer) and (answer.is_success or self._gives_away(answer, telling)):
            return f"an answer with {', '.join(sorted(telling))}"
        if not self.honest_members and answer.is_success and answer.body == self.honest_body:
            return "the protected content"
        looks_honest = bool(self.honest_members) and self.honest_members <= _members(answer)
        if looks_honest and not telling and answer.is_success and not self.route.identity:
            # Refusals look like successes here; only the status is left to tell them apart.
            return f"status {answer.status} and the members of an honest answer"
        return ""

    def _gives_away(self, answer: Response, telling: frozenset[str]) -> bool:
        """Whether a refusal holds the user's data, and not only members of the same name, such as `message`."""
        honest = self.honest_json
        return bool(self.identifier(answer)) or any(answer.json[name] == honest[name] for name in telling)

    @property
    def honest_json(self) -> Any:
        """What the honest answer held as JSON; None where it is none."""
        try:
            return parse_json(self.honest_body)
        except ValueError:
            return None


@dataclass(slots=True)
class LogoutDoor(TokenDoor):
    """The way out, which takes an access or a refresh token and ends its session."""

    @property
    def wants(self) -> Kind:
        """An access token, unless only a refresh token will do."""
        return self.kinds[0]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of token that it can be shown by themselves; the first one, where it wants to see both."""
        takes = self.profile.logout.takes
        if takes in {"access", "both"} or not self.profile.has_refresh_token:
            return (Kind.ACCESS,)
        return (Kind.REFRESH,) if takes == "refresh" else tuple(Kind)

    @property
    def method(self) -> str:
        """As the profile says."""
        return self.profile.logout.method

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.logout.path

    def place(self, kind: Kind) -> Place:
        """Where a token of that kind is shown."""
        own = self.profile.logout.sent_in
        return parse(own) if kind is Kind.REFRESH and own else TokenDoor.place(self, kind)

    def _draft(self) -> Draft:
        logout = self.profile.logout
        return self._told(Draft(self.method, self.path, logout.encoding), logout.extra, logout.headers)

    def _accompany(self, draft: Draft, session: Session, shown: Kind) -> None:  # noqa: ARG002 - as every door
        if self.profile.logout.takes == "both" and session.refresh.value:
            self._add_refresh_token(draft, session)

    def present_both(self, session: Session) -> Request:
        """A logout with both tokens: both cookies, as a browser sends them, or the refresh token in a JSON body."""
        draft = self._draft()
        self._show(draft, session.access.value, session, Kind.ACCESS, Kind.ACCESS)
        self._add_refresh_token(draft, session)
        return draft.request()

    def _add_refresh_token(self, draft: Draft, session: Session) -> None:
        place = self.place(Kind.REFRESH)
        if place.where == "header" and place.name == self.place(Kind.ACCESS).name:
            place = Place("body", self.profile.found_in(self.profile.login, Kind.REFRESH).name.rpartition(".")[2])
        draft.put(place, session.refresh.value)
        csrf, proof = self.profile.csrf_in(Kind.REFRESH), session.csrf.get(Kind.REFRESH)
        if csrf and csrf.where == "cookie" and proof:
            draft.cookies.append((csrf.name, proof))

    def bought(self, request: Request, answer: Response) -> str:  # noqa: ARG002 - as every door
        """A logout gives nothing; a success says that it took place."""
        return f"status {answer.status}" if answer.is_success else ""


def _members(answer: Response) -> frozenset[str]:
    return frozenset(answer.json) if isinstance(answer.json, dict) else frozenset()
