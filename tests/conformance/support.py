"""A token API without a network, and the pieces that tests of the suite put together."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.catalogue import Level, Requirement, Tier
from conformance.clock import WaitingClock
from conformance.scenarios.trial import Trial
from conformance.target.http import Exchange, HttpClient, Request, Response
from conformance.target.profile_files import load
from conformance.target.session import Account
from conformance.target.target import Target
from conformance.tokens.keys import sign
from conformance.tokens.reading import Jwt, read_jwt
from reference_server import Settings, create_app
from reference_server.serve import ServerThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

    from conformance.target.profile import Profile

SECRET = b"a secret of the tests, of more than thirty-two bytes"
ALICE = Account("alice", "correct-horse-Battery-9!")
BOB = Account("bob", "Tempest-and-teacup-7")


def taken_apart(token: str) -> Jwt:
    """A token that is known to be a JWT."""
    parts = read_jwt(token)
    assert parts is not None, token
    return parts


def answer(status: int = 200, data: Any = None, /, *, body: bytes = b"", **headers: str) -> Response:
    """A response with a JSON body, or with these bytes; underscores in header names stand for hyphens."""
    content = json.dumps(data).encode() if data is not None else body
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, named, content, 0.001)


class FakeApi:
    """Speaks the default contract, with rotation, in this process.

    Attributes:
        received: every request, in order.
        overrides: answers by method and path, asked before the API's own; one that returns None leaves it to the API.
        lifetimes: of tokens issued from now on, in seconds.
        clock_s: how far its clock is ahead.
    """

    def __init__(self, *accounts: Account) -> None:
        """Knows these accounts, or alice and bob."""
        self.accounts = {account.username: account.password for account in accounts or (ALICE, BOB)}
        self.received: list[Request] = []
        self.overrides: dict[str, Callable[[Request], Response | None]] = {}
        self.lifetimes = {"access": 900, "refresh": 3600}
        self.clock_s = 0.0
        self._live: dict[str, tuple[str, str]] = {}
        self._issued = 0

    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        self.received.append(request)
        place = f"{request.method} {request.path}"
        if place in self.overrides and (chosen := self.overrides[place](request)) is not None:
            return chosen
        match place:
            case "POST /login":
                return self._login(json.loads(request.body))
            case "POST /refresh":
                return self._refresh(self._token(request))
            case "GET /profile" | "GET /dashboard":
                owner, kind = self._live.get(self._token(request), ("", ""))
                shown = {"username": owner} if request.path == "/profile" else {"message": f"welcome, {owner}"}
                return answer(200, shown) if kind == "access" else answer(401, {"msg": "no"})
        return answer(404, {"msg": "not found"})

    def issue(self, kind: str, username: str) -> str:
        """A new token of this kind."""
        self._issued += 1
        now = int(time.time() + self.clock_s)
        claims = {"sub": username, "type": kind, "iat": now, "exp": now + self.lifetimes[kind], "jti": self._issued}
        token = sign({"alg": "HS256", "typ": "JWT"}, claims, SECRET, "HS256")
        self._live[token] = (username, kind)
        return token

    def end_every_session(self) -> None:
        """Refuses every token issued so far."""
        self._live.clear()

    def logins(self) -> list[str]:
        """The passwords that were sent, in order."""
        return [json.loads(request.body)["password"] for request in self.received if request.path == "/login"]

    def _login(self, sent: Any) -> Response:
        name = sent.get("username")
        if name not in self.accounts or self.accounts[name] != sent.get("password"):
            return answer(401, {"msg": "no"})
        return answer(200, {"access_token": self.issue("access", name), "refresh_token": self.issue("refresh", name)})

    def _refresh(self, token: str) -> Response:
        owner, kind = self._live.get(token, ("", ""))
        if kind != "refresh":
            return answer(401, {"msg": "no"})
        del self._live[token]
        return answer(200, {"access_token": self.issue("access", owner), "refresh_token": self.issue("refresh", owner)})

    @staticmethod
    def _token(request: Request) -> str:
        return dict(request.headers).get("Authorization", "").removeprefix("Bearer ")


class LocalClient(HttpClient):
    """A client that asks an API in this process instead of one behind a socket."""

    def __init__(self, api: Callable[[Request], Response], *, max_wait_s: float = 30.0) -> None:
        """Asks `api`."""
        super().__init__("http://api.test", max_wait_s=max_wait_s)
        self.api = api

    def _exchange(self, session: object, request: Request) -> Exchange:  # noqa: ARG002 - there is no connection
        self.traffic.requests += 1
        return Exchange(request, self.api(request), time.time())


def target_of(api: Callable[[Request], Response], *, profile: Profile | None = None) -> Target:
    """A target that is reached without a network, with two accounts; its doors have learnt nothing yet."""
    client = LocalClient(api)
    return Target(profile or load("default"), client, WaitingClock(client.pause, 0.0), ALICE, BOB)


def learnt(target: Target) -> Target:
    """The target, its protected doors acquainted with an honest answer and a refusal, as the doctor does it."""
    session = target.session()
    for door in target.protected_doors:
        honest = target.send(door.present(session.access.value, session)).response
        door.learn(honest, target.send(door.anonymous()).response)
    return target


def requirement(level: Level = Level.MUST, tier: Tier = Tier.CORE, name: str = "DEMO-01") -> Requirement:
    """A made-up requirement."""
    return Requirement(
        id=name, title=f"What {name} wants", level=level, tier=tier, sources=("RFC 0000 §1",), needs=(),
        intrusive=False, how="It is tried.", accepts="Passes: it holds.\n\nFails: it does not.",
        why="It matters.", fix="Mend it.", area=name.partition("-")[0].lower(),
    )  # fmt: skip


def trial_of(api: Callable[[Request], Response], level: Level = Level.MUST) -> Trial:
    """One scenario's view of a target without a network."""
    return Trial(learnt(target_of(api)), requirement(level))


@contextmanager
def served(app: WSGIApplication | None = None, **settings: Any) -> Iterator[str]:
    """The URL of a server on loopback: of this application, or of the reference server with these settings."""
    if app is None:
        accounts = tuple((account.username, account.password) for account in (ALICE, BOB))
        app = create_app(Settings(accounts=accounts, **settings))
    with ServerThread(app) as server:
        yield server.base_url
