"""The doors of OAuth clients: the token endpoint (RFC 6749 §3.2), introspection (RFC 7662), and revocation (RFC 7009).

All three take forms.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from conformance.target.doors import Door
from conformance.target.drafts import FORM_TYPE, basic
from conformance.target.giving_doors import TokenGivingDoor
from conformance.target.http import Request
from conformance.target.profile_tables import Access, Refresh
from conformance.target.session import issued
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.target.http import Exchange, Headers, Response
    from conformance.target.profile import Profile
    from conformance.target.session import Account, Session
    from conformance.target.target import Target

Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class ClientDoor(Door):
    """A route that clients speak to, with credentials of their own.

    Attributes:
        client: who asks; its password is the client's secret, empty for a public client.
    """

    client: Account

    @property
    def method(self) -> str:
        """RFC 6749 §3.2, RFC 7662 §2.1: a POST."""
        return "POST"

    @property
    @abstractmethod
    def wants(self) -> Kind:
        """The kind of token that an honest request shows."""

    @abstractmethod
    def control(self, target: Target, session: Session) -> tuple[Exchange, bool]:
        """Sends the honest request; returns whether it did what it should."""

    def form(self, pairs: Iterable[tuple[str, str]], client: Account | None, headers: Headers = ()) -> Request:
        """A form with these parameters, in this order, from a client; from nobody where None."""
        own, shown = self.credentials(client) if client else ((), ())
        body = urlencode([*pairs, *own]).encode()
        return Request(self.method, self.path, (*FORM_TYPE, *shown, *headers), body)

    def with_query(self, request: Request, pairs: Pairs) -> Request:
        """The same request with parameters in its address."""
        return replace(request, path=f"{request.path}?{urlencode(pairs)}")

    def credentials(self, client: Account) -> tuple[Pairs, Headers]:
        """How a client says who it is: parameters of the body, and headers (RFC 6749 §2.3.1)."""
        if not client.password:
            return (("client_id", client.username),), ()
        if self.profile.oauth.client_authentication == "post":
            return (("client_id", client.username), ("client_secret", client.password)), ()
        return (), (("Authorization", f"Basic {basic(client)}"),)


def with_secret(client: Account, secret: str) -> Account:
    """The client with another secret."""
    return replace(client, password=secret)


@dataclass(slots=True)
class TokenEndpoint(TokenGivingDoor, ClientDoor):
    """Where a client trades a refresh token for the next tokens."""

    @property
    def wants(self) -> Kind:
        """A refresh token."""
        return Kind.REFRESH

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.oauth.token

    def _where(self) -> Refresh:
        # The names of RFC 6749 §5.1, whatever the profile's own refresh calls them.
        return Refresh()

    def refresh(self, token: str, client: Account | None = None, extra: Pairs = ()) -> Request:
        """The honest request, with this refresh token and further parameters."""
        return self.form((("grant_type", "refresh_token"), ("refresh_token", token), *extra), client or self.client)

    def take_over(self, target: Target, session: Session, exchange: Exchange) -> None:
        """Updates a session by what the endpoint gave for its refresh token."""
        target.take_over(session, exchange, issued(self.profile, exchange.response, Refresh(), target.clock.now()))

    def control(self, target: Target, session: Session) -> tuple[Exchange, bool]:
        """Refreshes the session."""
        exchange = target.send(self.refresh(session.refresh.value))
        self.take_over(target, session, exchange)
        return exchange, not session.ended


@dataclass(slots=True)
class Introspection(ClientDoor):
    """Where a client asks what a token is."""

    @property
    def wants(self) -> Kind:
        """An access token."""
        return Kind.ACCESS

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.oauth.introspection

    def ask(self, token: str, client: Account | None = None, hint: str = "") -> Request:
        """The honest question about a token."""
        hints = (("token_type_hint", hint),) if hint else ()
        return self.form((("token", token), *hints), client or self.client)

    def by_get(self, token: str) -> Request:
        """The question by GET, with the token in the address."""
        _, shown = self.credentials(self.client)
        return self.with_query(Request("GET", self.path, shown), (("token", token),))

    def bought(self, request: Request, answer: Response) -> str:  # noqa: ARG002 - as every door
        """What the answer tells of the token; that it is inactive tells nothing."""
        if not answer.is_success or not isinstance(answer.json, dict):
            return ""
        told = sorted(name for name, value in answer.json.items() if name != "active" and value not in (None, ""))
        state = ["that it is active"] if is_active(answer) else []
        return " and ".join([*state, *([", ".join(told)] if told else [])])

    def control(self, target: Target, session: Session) -> tuple[Exchange, bool]:
        """Asks about the session's access token."""
        exchange = target.send(self.ask(session.access.value))
        return exchange, is_active(exchange.response)


@dataclass(slots=True)
class Revocation(ClientDoor):
    """Where a client ends a token."""

    @property
    def wants(self) -> Kind:
        """A refresh token; an endpoint need not take access tokens (RFC 7009 §2)."""
        return Kind.REFRESH

    @property
    def path(self) -> str:
        """As the profile says."""
        return self.profile.oauth.revocation

    def revoke(self, token: str, hint: str = "") -> Request:
        """The honest request to end a token, with a hint at its type where one is given (RFC 7009 §2.1)."""
        hints = (("token_type_hint", hint),) if hint else ()
        return self.form((("token", token), *hints), self.client)

    def bought(self, request: Request, answer: Response) -> str:  # noqa: ARG002 - as every door
        """A revocation gives nothing; a success says that the token is good no more."""
        return f"status {answer.status}" if answer.is_success else ""

    def control(self, target: Target, session: Session) -> tuple[Exchange, bool]:
        """Ends the session by its refresh token."""
        session.ended = True
        exchange = target.send(self.revoke(session.refresh.value))
        return exchange, exchange.response.is_success


def is_active(answer: Response) -> bool:
    """Whether an answer calls the token active, in whatever type."""
    state = answer.json.get("active") if isinstance(answer.json, dict) else None
    return answer.is_success and str(state).lower() in {"true", "1", "yes"}


def for_clients(profile: Profile) -> Profile:
    """The profile as clients see it: to them tokens always travel in bodies, under the names of RFC 6749 §5.1."""
    return replace(profile, transport="bearer", access=Access(), refresh=Refresh())


def error_of(answer: Response) -> Any:
    """The error code of a refusal (RFC 6749 §5.2), whatever it is; None where there is none."""
    return answer.json.get("error") if isinstance(answer.json, dict) else None
