"""Telling refusals apart, and making up names for which nobody is refused for their form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from conformance.scenarios.likeness import differences
from conformance.scenarios.names import someone_like
from conformance.scenarios.passwords import BCRYPT_BYTES, long_passwords, lookalikes
from tests.conformance.support import answer

if TYPE_CHECKING:
    from conformance.target.http import Response

USUAL = answer(401, {"msg": "Wrong username or password", "at": "2030-01-01T12:00:00Z", "id": "9f1c2ab4"}, X_A="1")


@pytest.mark.parametrize(
    "other",
    [
        answer(401, {"msg": "Wrong username or password", "at": "2031-11-30T09:09:09Z", "id": "00aa11bb"}, X_A="2"),
        answer(401, {"msg": "Wrong username or password", "at": "2030-01-01T12:00:00Z", "id": "9f1c2ab4"},
               X_A="1", Date="now", Connection="close", Content_Length="7"),
    ],
)  # fmt: skip
def test_times_ids_and_connections_make_no_difference(other: Response) -> None:
    """What differs between any two answers does not tell accounts apart."""
    assert differences([USUAL, USUAL], "alice", other, "bobby") == {}


@pytest.mark.parametrize(
    ("other", "feature"),
    [
        (answer(404, json_body := {"msg": "Wrong username or password", "at": "2030-01-01T12:00:00Z", "id": "9f1c2ab4"},
                X_A="1"), "status"),
        (answer(401, {**json_body, "msg": "No such user"}, X_A="1"), "body"),
        (answer(401, {**json_body, "attempts_left": 3}, X_A="1"), "body"),
        (answer(401, json_body, X_A="1", Retry_After="1"), "headers"),
        (answer(401, json_body, X_A="1", WWW_Authenticate="Bearer"), "challenge"),
        (answer(401, json_body, X_A="1", Set_Cookie="seen=1"), "cookies"),
    ],
)  # fmt: skip
def test_what_shows_makes_a_difference(other: Response, feature: str) -> None:
    """Status, message, headers, challenge and cookies do, each told in words."""
    found = differences([USUAL, USUAL], "alice", other, "bobby")

    assert feature in found
    assert " instead of " in found[feature]


def test_a_name_that_is_a_word_of_the_message_makes_no_difference() -> None:
    """An answer that repeats the name is alike for all; and a name may stand in the message anyway."""
    repeated = [answer(401, {"msg": f"{name}: wrong username or password"}) for name in ("username", "qwertyui")]

    assert differences([repeated[0]] * 2, "username", repeated[1], "qwertyui") == {}
    assert differences([USUAL] * 2, "password", USUAL, "qwertyui") == {}


def test_what_varies_by_itself_does_not_count() -> None:
    """A message that changes from one guess to the next tells nothing about the account."""
    first, second = answer(401, {"msg": "no"}), answer(401, {"msg": "really no"})

    assert differences([first, second], "alice", answer(401, {"msg": "never"}), "bobby") == {}


@pytest.mark.parametrize("name", ["alice", "Bob-7", "carol.x@example.org", "+49123", "名前"])
def test_a_made_up_name_has_the_shape_of_the_real_one(name: str) -> None:
    """Digits stay digits, letters letters and signs signs; what follows an @ stays as it is."""
    made, longer = someone_like(name), someone_like(name, longer=6)
    shape = re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]", "0", name.partition("@")[0])))

    if name.isascii():
        assert re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]", "0", made.partition("@")[0]))) == shape
    assert made != name
    assert made.partition("@")[2] == longer.partition("@")[2] == name.partition("@")[2]
    assert len(longer) == len(name) + 6


def test_lookalikes_share_what_bcrypt_reads() -> None:
    """Each differs from the password, is as long, and has the same first 72 bytes."""
    for words, password in long_passwords():
        assert len(password.encode()) > BCRYPT_BYTES, words
        for where, other in lookalikes(password):
            assert other != password, where
            assert len(other) == len(password)
            assert other.encode()[:BCRYPT_BYTES] == password.encode()[:BCRYPT_BYTES]
