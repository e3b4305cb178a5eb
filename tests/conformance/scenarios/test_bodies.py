"""Spelling a login's body in unusual ways."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from conformance.errors import TargetError
from conformance.scenarios.bodies import ill_formed, repeated, spellings, with_query
from conformance.scenarios.burdens import answered, cut
from conformance.target.giving_doors import LoginDoor
from conformance.target.http import Exchange, Request
from conformance.target.profile import Profile
from conformance.target.profile_files import load
from conformance.target.profile_tables import Login
from tests.conformance.support import ALICE, FakeApi, answer, trial_of

if TYPE_CHECKING:
    from conformance.target.http import Response

DOOR = LoginDoor(load("default"))


@pytest.mark.parametrize(
    "body", [{"username": "Zoë 🦊", "password": 'quo"te\\'}, {"user": {"name": "a"}, "n": [1, None]}]
)
def test_every_spelling_says_the_same(body: dict[str, object]) -> None:
    """However the object is written, a parser reads what was meant."""
    written = [text for _, text in spellings(body)]

    assert [json.loads(text) for text in written] == [body] * 3
    assert len({json.dumps(body).encode(), *written}) == 4


@pytest.mark.parametrize("path", ["username", "user.login"])
def test_a_member_is_repeated_where_it_stands(path: str) -> None:
    """Both copies stand in the object that the profile names, in the order that was asked for."""
    door = LoginDoor(Profile(name="nested", login=Login(username=path)))

    request = repeated(door, "username", ("alice", "bob"), ALICE)

    pairs = json.loads(request.body, object_pairs_hook=list)
    inner = pairs if "." not in path else dict(pairs)["user"]
    assert [value for name, value in inner if name == path.rpartition(".")[2]] == ["alice", "bob"]


def test_nothing_ill_formed_is_what_it_seems() -> None:
    """Each broken login differs from the others, and none is an honest one."""
    bodies = [request.body for _, request in ill_formed(DOOR, ALICE)]

    assert len(set(bodies)) == len(bodies)
    assert DOOR.credentials(ALICE.username, ALICE.password).body not in bodies


@pytest.mark.parametrize("path", ["/login", "/login?v=2"])
def test_a_query_is_added_to_what_is_there(path: str) -> None:
    """Values come into the URL as they are, behind those that it has."""
    request = with_query(Request("POST", path), {"password": "a&b=c d"})

    assert parse_qs(urlsplit(request.path).query)["password"] == ["a&b=c d"]
    assert request.path.startswith(path)


def test_a_long_body_is_cut_as_evidence() -> None:
    """A report shows the beginning of a megabyte, and a short body whole."""
    long, short = (Exchange(Request("POST", "/login", (), b"x" * size), answer(), 0.0) for size in (1 << 20, 40))

    assert len(cut(long).request.body) == 500
    assert cut(short) == short


class Dropping(FakeApi):
    """Answers nothing to a login, so many times, and may then answer nothing at all."""

    def __init__(self, times: int, *, dies: bool = False) -> None:
        """Has dropped none yet."""
        super().__init__()
        self.times, self.dies, self.failures = times, dies, 0

    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        if b"poison" in request.body and self.failures < self.times:
            self.failures += 1
            raise self.failure()
        if self.dies and self.failures:
            raise self.failure()
        return super().__call__(request)

    def failure(self) -> TargetError:
        """What the client makes of a connection that closes."""
        self.count()
        return TargetError("the connection was closed")

    def count(self) -> None:
        """Set by the test, which knows the client."""


@pytest.mark.parametrize(("times", "answers"), [(0, True), (1, True), (2, False)])
def test_a_connection_has_to_be_dropped_twice(times: int, answers: bool) -> None:
    """One dropped connection is bad luck; two, with another request answered in between, are the request's doing."""
    api = Dropping(times)
    trial = trial_of(api)
    api.count = lambda: setattr(trial.target.client.traffic, "failures_in_a_row", 1)  # type: ignore[method-assign]

    assert (answered(trial, DOOR.credentials("poison", "x")) is not None) is answers


def test_a_target_that_is_gone_is_not_blamed() -> None:
    """Where other requests are not answered either, the request has shown nothing."""
    api = Dropping(2, dies=True)
    trial = trial_of(api)
    api.count = lambda: setattr(trial.target.client.traffic, "failures_in_a_row", 1)  # type: ignore[method-assign]

    with pytest.raises(TargetError):
        answered(trial, DOOR.credentials("poison", "x"))


def test_a_limit_on_requests_is_no_dropped_connection() -> None:
    """A refusal to serve any more for now is told as such."""
    trial = trial_of(Dropping(1))

    with pytest.raises(TargetError):
        answered(trial, DOOR.credentials("poison", "x"))
