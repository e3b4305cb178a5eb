"""What counts as getting into a protected route."""

from __future__ import annotations

import pytest

from conformance.target.doors import ProtectedDoor
from conformance.target.http import Request, Response
from conformance.target.profile import Profile
from conformance.target.profile_tables import Protected
from tests.conformance.support import answer

WITH_IDENTITY = Protected("/profile", identity="user.name")
WITHOUT = Protected("/dashboard")
PROBE = Request("GET", "/profile", (("Authorization", "Bearer forged"),))
NOBODY = answer(401, {"msg": "Missing token"})


def door_of(route: Protected, honest: Response, anonymous: Response = NOBODY) -> ProtectedDoor:
    """A door that has learnt these two answers."""
    door = ProtectedDoor(Profile("mine"), route)
    door.learn(honest, anonymous)
    return door


def profile_door(anonymous: Response = NOBODY) -> ProtectedDoor:
    """A door that says whose data it shows."""
    return door_of(WITH_IDENTITY, answer(200, {"user": {"name": "alice"}, "plan": "free"}), anonymous)


def dashboard_door(anonymous: Response = NOBODY) -> ProtectedDoor:
    """A door that does not."""
    return door_of(WITHOUT, answer(200, {"message": "welcome", "items": [1, 2]}), anonymous)


@pytest.mark.parametrize(
    "reply",
    [
        answer(401, {"msg": "Signature verification failed"}),
        answer(422, {"msg": "Not enough segments"}),
        answer(200, {"error": "Invalid token"}),
        answer(200, {}),
        answer(200, body=b"Unauthorized"),
        answer(200, []),
        answer(200),
        answer(204),
        answer(302, Location="/login"),
        answer(500, {"msg": "Internal error"}),
        answer(401, {"token": "forged", "msg": "cannot be decoded"}),
        answer(200, {"user": None}),
        answer(200, {"user": {"name": ""}}),
        answer(200, {"user": {"name": None}}),
        answer(200, {"user": {"name": True}}),
        answer(200, {"user": {"name": {"first": "alice"}}}),
        answer(401, {"message": "Invalid token"}),
        answer(401, {"message": "Invalid token", "items": None}),
    ],
)
def test_an_answer_without_data_buys_nothing(reply: Response) -> None:
    """A refusal is one whatever its status: an error text under 200, an empty object, an echo of the token."""
    assert profile_door().bought(PROBE, reply) == ""
    assert dashboard_door().bought(PROBE, reply) == ""


@pytest.mark.parametrize("status", [200, 201, 206])
def test_the_user_s_data_are_an_acceptance(status: int) -> None:
    """Whoever's name comes back, the door has opened, and the words say for whom."""
    for name in ("alice", "bob", "somebody-else"):
        reply = answer(status, {"user": {"name": name}})
        assert profile_door().bought(PROBE, reply) == f"the data of {name!r}"


def test_a_number_names_a_user_as_well() -> None:
    """A user may be named by a number; true is no number."""
    door = door_of(WITH_IDENTITY, answer(200, {"user": {"name": 7}}))

    assert door.bought(PROBE, answer(200, {"user": {"name": 8}})) == "the data of '8'"
    assert door.identity(answer(200, {"user": {"name": True}})) is None


def test_the_members_of_an_honest_answer_are_an_acceptance() -> None:
    """Where nothing names the user, the members that only an honest answer has do, with whatever values."""
    reply = answer(200, {"items": [3], "message": "welcome, bob", "extra": 1})

    assert dashboard_door().bought(PROBE, reply) == "an answer with items, message"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_data_under_a_refusal_s_status_are_given_away(status: int) -> None:
    """A status of refusal over the honest data hides nothing."""
    assert profile_door().bought(PROBE, answer(status, {"user": {"name": "bob"}, "plan": "free"}))
    assert dashboard_door().bought(PROBE, answer(status, {"message": "denied", "items": [1, 2]}))


def test_a_refusal_with_a_member_of_the_same_name_gives_nothing_away() -> None:
    """An error whose text stands under the same name as the honest text is still an error."""
    door = door_of(WITHOUT, answer(200, {"message": "welcome"}))

    assert door.bought(PROBE, answer(403, {"message": "invalid token"})) == ""
    assert door.bought(PROBE, answer(403, {"message": "welcome"}))


def test_text_is_compared_as_a_whole() -> None:
    """A route that answers with text or a list has opened when the same comes back with success."""
    for honest in (answer(200, body=b"Hello, alice"), answer(200, [1, 2]), answer(200, {})):
        door = door_of(WITHOUT, honest)
        assert door.bought(PROBE, honest) == "the protected content"
        assert door.bought(PROBE, answer(200, body=b"Hello, stranger")) == ""
        assert door.bought(PROBE, answer(401, body=honest.body)) == ""


def test_refusals_that_look_like_successes_leave_only_the_status() -> None:
    """Where a refusal has all the members of an honest answer, the status is what tells them apart."""
    same = answer(401, {"message": "denied", "items": []})
    door = dashboard_door(same)

    assert not door.opens_to_anyone
    assert door.bought(PROBE, same) == ""
    assert door.bought(PROBE, answer(200, {"message": "welcome", "items": [1]}))


def test_a_door_that_gives_anyone_the_same_is_open() -> None:
    """A route that answers without credentials as it does with them is known to be no door at all."""
    assert profile_door(answer(200, {"user": {"name": "guest"}})).opens_to_anyone
    assert dashboard_door(answer(200, {"message": "denied", "items": []})).opens_to_anyone
    assert door_of(WITHOUT, answer(200, body=b"hi"), answer(200, body=b"hi")).opens_to_anyone
    assert not profile_door().opens_to_anyone
    assert not dashboard_door(answer(200, {"error": "denied"})).opens_to_anyone
    assert not profile_door(answer(200, {"user": None})).opens_to_anyone


def test_only_the_status_of_head_can_tell() -> None:
    """An answer to HEAD has no body, so a success is an acceptance and anything else is none."""
    head = Request("HEAD", "/profile")

    assert profile_door().bought(head, answer(200)) == "status 200"
    assert profile_door().bought(head, answer(401)) == ""
    assert dashboard_door().bought(head, answer(302)) == ""


def test_a_door_says_its_name() -> None:
    """Reports call a door by its method and path."""
    assert profile_door().label == "GET /profile"
