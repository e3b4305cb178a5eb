"""Tokens that end while a request waits for its turn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from conformance.target.overtaken import OvertakenError
from conformance.tokens.keys import sign
from conformance.tokens.reading import Kind
from tests.conformance.support import SECRET, FakeApi, answer, target_of

if TYPE_CHECKING:
    from conformance.target.http import Request, Response
    from conformance.target.session import Session
    from conformance.target.target import Target

LIFE_S = 100
PATIENCE_S = 20


class Api(FakeApi):
    """An API whose tokens live long enough, which asks for patience when it is told to."""

    def __init__(self) -> None:
        """Asks for none."""
        super().__init__()
        self.lifetimes["access"] = LIFE_S
        self.busy = False

    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        if self.busy:
            self.busy = False
            self.received.append(request)
            return answer(429, None, Retry_After=str(PATIENCE_S))
        return super().__call__(request)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """An API whose clock the client moves by sleeping."""
    api = Api()
    monkeypatch.setattr(time, "sleep", lambda seconds: setattr(api, "clock_s", api.clock_s + seconds))
    return api


@pytest.fixture
def target(api: Api) -> Target:
    """A target that knows what time it is there."""
    target = target_of(api)
    target.client.watch.now = lambda: time.time() + api.clock_s
    return target


def old(api: Api, target: Target) -> Session:
    """A session whose access token will end within the API's next pause."""
    session = target.login()
    api.clock_s += LIFE_S - PATIENCE_S / 2
    return session


def ask(target: Target, token: str, session: Session) -> int:
    """What the protected route answers to a token."""
    return target.send(target.protected_doors[0].present(token, session)).response.status


def test_a_token_that_ends_meanwhile_is_not_sent(api: Api, target: Target) -> None:
    """A request that was put off is not sent again once its token is over: the refusal would say nothing."""
    session = old(api, target)
    api.busy, before = True, len(api.received)

    with pytest.raises(OvertakenError, match="a token ended while its request was put off"):
        ask(target, session.access.value, session)
    with pytest.raises(OvertakenError):
        ask(target, session.access.value, session)

    assert len(api.received) == before + 1


def test_neither_is_one_that_was_made_from_it(api: Api, target: Target) -> None:
    """A forgery carries the end of the token that it was made from, and would be refused for that."""
    session = old(api, target)
    assert session.access.jwt is not None
    claims = {**session.access.jwt.claims, "role": "admin"}
    forged = sign({"alg": "HS256", "typ": "JWT"}, claims, SECRET + b"x", "HS256")
    api.busy = True

    with pytest.raises(OvertakenError):
        ask(target, forged, session)


def test_whoever_begins_anew_gets_tokens_that_are_good(api: Api, target: Target) -> None:
    """After that, a new session and what is made from it are sent."""
    session = old(api, target)
    api.busy = True
    with pytest.raises(OvertakenError):
        ask(target, session.access.value, session)

    again = target.login()

    assert ask(target, again.access.value, again) == 200


def test_what_had_ended_before_a_scenario_began_is_sent(api: Api, target: Target) -> None:
    """A scenario that shows an old token does so on purpose."""
    session = old(api, target)
    api.busy = True
    with pytest.raises(OvertakenError):
        ask(target, session.access.value, session)

    target.client.watch.begin()

    assert ask(target, session.access.value, session) in {200, 401}


def test_a_token_that_outlasts_the_pause_is_sent(api: Api, target: Target) -> None:
    """Most pauses are shorter than what a token has to live."""
    session = target.login()
    api.busy = True

    assert ask(target, session.access.value, session) == 200


def test_a_token_that_is_meant_to_end_is_sent(api: Api, target: Target) -> None:
    """A token that is left to expire on purpose may do so at any time."""
    session = old(api, target)
    target.client.watch.let_end(session.token(Kind.ACCESS))
    api.busy = True

    assert ask(target, session.access.value, session) in {200, 401}
    assert len(api.received) == 3


def test_a_token_that_was_waited_for_is_sent(api: Api, target: Target) -> None:
    """What ends while a scenario lets time pass was to end."""
    session = old(api, target)
    target.clock.let_pass(PATIENCE_S)

    assert ask(target, session.access.value, session) in {200, 401}


def test_sessions_for_a_second_trial_are_young(api: Api, target: Target) -> None:
    """A scenario that is run anew begins with tokens that have most of their life before them."""
    shared = target.session()
    first = shared.access.value
    target.keep_for_later(target.login())
    api.clock_s += LIFE_S * 0.6
    target.clock.skew_s = api.clock_s  # type: ignore[attr-defined] # it is a clock that waits

    target.freshen()

    assert target.session().access.value != first
    assert target.new_session().access.expires_at == pytest.approx(target.clock.now() + LIFE_S, abs=5)
