"""Servers that serve requests at the same time in one way or another, over real connections."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from conformance.clock import WaitingClock
from conformance.scenarios.conclusion import conclude
from conformance.scenarios.test_race import test_race_01 as one_token
from conformance.scenarios.test_race import test_race_02 as way_out
from conformance.scenarios.trial import Trial
from conformance.target.http import HttpClient, Request
from conformance.target.profile_files import load
from conformance.target.target import Target
from conformance.verdicts.model import Outcome, Verdict
from tests.conformance.scenarios.test_rotation_policies import RotatingApi
from tests.conformance.support import ALICE, BOB, answer, learnt, requirement, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from conformance.target.http import Response

WHILE_S = 0.06


class BusyApi(RotatingApi):
    """A server with several threads, of which each refresh takes a while; it serves one request after another."""

    atomic = True
    """Whether a refresh token is looked up and spent in one step."""
    error = 401
    """The status for whoever loses a race."""
    logout_ends = "session"
    revives = False
    """Whether a refresh that began before a logout ends after it."""

    def __init__(self, **policy: Any) -> None:
        """Follows this policy."""
        super().__init__(**policy)
        self.turn = threading.RLock()

    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        if request.path == "/logout":
            with self.turn:
                return self.log_out(self._token(request))
        with self.turn:
            return super().__call__(request)

    def log_out(self, token: str) -> Response:
        """Ends the session, or only the token that is shown."""
        kin = self.kin.get(token)
        if kin is None or token not in self._live:
            return answer(401, {"msg": "no"})
        if self.logout_ends == "session":
            self.end(kin)
        self._live.pop(token, None)
        return answer(204)

    def _refresh(self, token: str) -> Response:
        known = self._live.get(token, ("", ""))[1] == "refresh"
        used = token in self.kin[token].replaced if token in self.kin else True
        self.turn.release()
        time.sleep(WHILE_S)
        self.turn.acquire()
        if known and not used and (self.revives or not self.atomic):
            given = self.give(self.kin[token])
            self.kin[token].replaced[token] = self.now, [given.json["refresh_token"]]
            return given
        found = super()._refresh(token)
        return found if found.status == 200 else answer(self.error, {"msg": "no"})

    def wsgi(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """The same as a WSGI application."""
        headers = (("Authorization", environ.get("HTTP_AUTHORIZATION", "")),)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        response = self(Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body))
        start(f"{response.status} -", [("Content-Type", "application/json")])
        return [response.body]


def outcome(scenario: Callable[[Trial], None], **policy: Any) -> Outcome:
    """What a scenario says of a server with this policy."""
    with served(BusyApi(**policy).wsgi) as url:
        client = HttpClient(url)
        target = learnt(Target(load("default"), client, WaitingClock(client.pause, 0.0), ALICE, BOB))
        trial, error = Trial(target, requirement(name="RACE-00")), None
        try:
            scenario(trial)
        except Exception as raised:  # noqa: BLE001 - as pytest does
            error = raised
        finally:
            client.close()
    found = conclude(trial, trial.requirement, error)
    assert found is not None, error
    return found


@pytest.mark.parametrize("policy", [{}, {"error": 500}, {"detects": True, "ends_user": True}], ids=str)
def test_one_winner_passes(policy: dict[str, Any]) -> None:
    """Where one request wins, it does not matter how the others are refused, or that the session ends."""
    assert outcome(one_token, **policy).verdict is Verdict.PASSED


def test_several_chains_that_go_on_fail() -> None:
    """A server that looks first and writes later is found, in one round."""
    found = outcome(one_token, atomic=False)

    assert found.verdict is Verdict.FAILED
    assert "go on side by side" in found.findings[0].observed


def test_a_grace_makes_no_fork() -> None:
    """Where a used token is served for a while by design, parallel use shows nothing more."""
    assert outcome(one_token, grace_s=30.0).verdict in {Verdict.NOT_APPLICABLE, Verdict.UNTESTED}


@pytest.mark.parametrize("policy", [{}, {"ends_access": False}, {"logout_ends": "token"}, {"rotates": False}], ids=str)
def test_what_a_logout_leaves_at_any_time_is_no_zombie(policy: dict[str, Any]) -> None:
    """A logout that ends less than the session is not blamed for a race."""
    assert outcome(way_out, **policy).verdict is Verdict.PASSED


def test_a_refresh_that_undoes_a_logout_fails() -> None:
    """A token that the racing refresh issued, and that a logout ends otherwise, is a zombie."""
    assert outcome(way_out, revives=True).verdict is Verdict.FAILED
