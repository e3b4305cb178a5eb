"""Logging in."""

from __future__ import annotations

import json
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import pytest
from argon2 import PasswordHasher
from freezegun import freeze_time

from reference_server import Settings
from reference_server.accounts import Passwords
from tests.reference_server.api import PASSWORDS, claims_of

if TYPE_CHECKING:
    from tests.reference_server.api import Api
    from tests.reference_server.conftest import Start

RIGHT = json.dumps({"username": "alice", "password": PASSWORDS["alice"]})


def test_right_password_yields_two_tokens(api: Api) -> None:
    """The right password yields an access and a refresh token that open what they are for."""
    answer = api.try_login()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["token_type"] == "Bearer"
    assert api.get("/profile", answer.json["access_token"]).json == {"username": "alice"}
    assert api.post("/refresh", answer.json["refresh_token"]).status_code == 200


def test_times_of_one_answer_come_from_one_reading_of_the_clock(api: Api) -> None:
    """`expires_in` is exactly `exp` less `iat`, and both tokens are issued at the same moment."""
    body = api.login().body
    access, refresh = claims_of(body["access_token"]), claims_of(body["refresh_token"])
    assert access["iat"] == access["nbf"] == refresh["iat"] == refresh["nbf"]
    assert body["expires_in"] == access["exp"] - access["iat"] == 900
    assert body["refresh_expires_in"] == refresh["exp"] - refresh["iat"] == 3600


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("nobody", "wrong"), ("alice", PASSWORDS["bob"]), ("Alice", PASSWORDS["alice"])],
)
def test_refusals_cannot_be_told_apart(api: Api, username: str, password: str) -> None:
    """A wrong password, an unknown user and another user's password get one and the same answer."""
    answer, usual = api.try_login(username, password), api.try_login("alice", "anything else")
    assert answer.status_code == 401
    assert answer.get_data() == usual.get_data()
    assert dict(answer.headers) == dict(usual.headers)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert "error=" not in answer.headers["WWW-Authenticate"]


def test_unknown_user_costs_as_much_as_a_known_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed, with the same parameters, whether or not there is an account to compare it with."""
    verified: list[str] = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda _self, hashed, _: verified.append(hashed) or False)
    api.try_login("alice", "wrong")
    api.try_login("nobody", "wrong")
    assert len(verified) == 2
    assert len({hashed.rsplit("$", 2)[0] for hashed in verified}) == 1


def test_hashes_cost_what_owasp_asks_for() -> None:
    """Unless set otherwise, passwords are hashed by Argon2id with 19 MiB of memory, t=2 and p=1."""
    hashed = Passwords(Settings().password_memory).hash("x")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    "change", [lambda p: p[:-1], lambda p: p + "x", str.swapcase, lambda p: p + " ", lambda p: p * 2]
)
def test_password_is_compared_whole_and_exactly(shared: Api, change) -> None:  # noqa: ANN001 - a function of a string
    """Neither a part of the password nor another spelling of it logs in."""
    assert shared.try_login("alice", change(PASSWORDS["alice"])).status_code == 401


def test_long_and_unusual_passwords_are_compared(start: Start) -> None:
    """Every character counts, also past the 72nd byte, and of any script."""
    password = "päss word 猫 🔑 " * 8
    api = start(accounts=(("alice", password),))
    assert api.try_login("alice", password).status_code == 200
    assert api.try_login("alice", password[:-2] + "x ").status_code == 401


@pytest.mark.parametrize("kept", ["NFC", "NFD"])
def test_accents_are_one_password_however_composed(start: Start, kept: Literal["NFC", "NFD"]) -> None:
    """A password logs in with its accents composed or not; letters that only look alike are other letters."""
    password = "crème-brûlée-ﬁ-9"
    api = start(accounts=(("alice", unicodedata.normalize(kept, password)),))
    for form in ("NFC", "NFD"):
        assert api.try_login("alice", unicodedata.normalize(form, password)).status_code == 200
    assert api.try_login("alice", unicodedata.normalize("NFKC", password)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "", "{", '{"username":', RIGHT + "x", RIGHT + RIGHT, "null", "1", '"x"', "[]", f"[{RIGHT}]", "{}",
        RIGHT.replace('"', "'"), RIGHT[:-1] + ', "role": "admin"}', RIGHT[:-1] + ', "username": "bob"}',
        '{"username": "alice"}', '{"password": "x"}', '{"username": NaN, "password": Infinity}',
        '{"username": "alice", "password": 1e400}', '{"username": "alice", "password": ' + "9" * 5000 + "}",
        '{"username": "ali\\u0000ce", "password": "x"}', '{"username": "\\ud800", "password": "x"}',
        "[" * 50_000, "\ufeff" + RIGHT,
        *(json.dumps({"username": "alice", "password": value})
          for value in (0, 1, True, None, [], [PASSWORDS["alice"]], {}, {"$ne": None}, "", "x" * 1025)),
        *(json.dumps({"username": value, "password": PASSWORDS["alice"]})
          for value in (0, 1, True, None, [], ["alice"], {}, {"$gt": ""}, "", "x" * 256)),
    ],
)  # fmt: skip
def test_ill_formed_bodies_are_refused(shared: Api, body: str) -> None:
    """What is not one JSON object with exactly two non-empty strings is a bad request, and costs no attempt."""
    answer = shared.client.post("/login", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_request"
    assert PASSWORDS["alice"] not in answer.text


@pytest.mark.parametrize("body", [RIGHT.encode("utf-16"), b'{"username": "\xff", "password": "x"}', b"\xc0\xaf"])
def test_other_encodings_are_refused(shared: Api, body: bytes) -> None:
    """JSON is UTF-8 (RFC 8259 §8.1)."""
    assert shared.client.post("/login", data=body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", None])
def test_other_media_types_are_refused(shared: Api, content_type: str | None) -> None:
    """Only application/json is read."""
    assert shared.client.post("/login", data=RIGHT, content_type=content_type).status_code == 415


@pytest.mark.parametrize(
    "content_type", ["Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"']
)
def test_spellings_of_the_media_type_are_accepted(shared: Api, content_type: str) -> None:
    """Media types are compared without regard to case or parameters (RFC 9110 §8.3.1)."""
    body = RIGHT.replace("username", "\\u0075sername").replace(",", " ,\n")
    assert shared.client.post("/login", data=body, content_type=content_type).status_code == 200


def test_credentials_in_the_query_are_ignored(api: Api) -> None:
    """The body alone decides."""
    answer = api.client.post(f"/login?username=alice&password={PASSWORDS['alice']}", json={})
    assert answer.status_code == 400


def test_stray_token_does_not_matter(api: Api) -> None:
    """A dead token beside the right password is ignored."""
    answer = api.client.post(
        "/login", data=RIGHT, content_type="application/json", headers={"Authorization": "Bearer x"}
    )
    assert answer.status_code == 200


def test_failures_are_limited_for_each_account(api: Api) -> None:
    """After ten failures of one name within a minute even the right password has to wait; other names do not."""
    with freeze_time("2030-01-01 12:00:00") as clock:
        tokens = api.login()
        assert [api.try_login("alice", "wrong").status_code for _ in range(11)] == [401] * 10 + [429]
        limited = api.try_login()
        assert limited.status_code == 429
        assert limited.json["error"] == "too_many_attempts"
        assert 1 <= int(limited.headers["Retry-After"]) <= 61
        assert api.opens(tokens.access)
        assert api.login("bob")
        clock.tick(int(limited.headers["Retry-After"]))
        assert api.login()


def test_success_forgets_the_failures_of_its_account_only(api: Api) -> None:
    """A success clears the count of its own name and of no other."""
    for _ in range(3):
        assert [api.try_login("alice", "wrong").status_code for _ in range(9)] == [401] * 9
        api.login()
    for _ in range(5):
        api.try_login("bob", "wrong")
        api.try_login("bob", "wrong")
        api.login("alice")
    assert api.try_login("bob").status_code == 429


def test_failures_are_limited_for_each_address(start: Start) -> None:
    """Guessing at many names from one address is limited as well."""
    api = start(address_attempts=5)
    assert [api.try_login(f"nobody-{turn}", "wrong").status_code for turn in range(6)] == [401] * 5 + [429]


def test_ill_formed_bodies_do_not_count_as_failures(api: Api) -> None:
    """Nobody can lock an account with bodies that hold no guess."""
    assert {api.try_login("alice", 0).status_code for _ in range(20)} == {400}
    assert api.login()


def test_parallel_logins_all_succeed(api: Api) -> None:
    """Many may log in at once; each gets tokens of their own."""
    with ThreadPoolExecutor(8) as pool:
        names = ["alice", "bob"] * 12
        given = list(pool.map(api.login, names))
        assert len({tokens.access for tokens in given}) == len({tokens.refresh for tokens in given}) == len(names)
        shown = pool.map(lambda tokens: api.get("/profile", tokens.access).json["username"], given)
        assert list(shown) == names
