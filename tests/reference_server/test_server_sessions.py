"""Sessions: refreshing, rotation, reuse, logout and expiry."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from freezegun import freeze_time
from sqlalchemy import func, select

from reference_server.models import RefreshTokenRow, SessionRow
from tests.reference_server.api import claims_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reference_server.api import Api
    from tests.reference_server.conftest import Start

START = "2030-01-01 12:00:00"


def test_refresh_gives_the_next_pair(api: Api) -> None:
    """A refresh token yields a new access token and, with rotation, its own successor."""
    first = api.login()
    second = api.refresh(first.refresh)
    assert second.body.keys() == first.body.keys()
    assert len({first.access, first.refresh, second.access, second.refresh}) == 4
    assert api.opens(second.access)
    assert api.opens(first.access)
    assert api.refresh(second.refresh)


def test_reuse_ends_the_session_and_no_other(api: Api) -> None:
    """A spent refresh token is a sign of theft: everything of its session is over, the successor included."""
    first, elsewhere, somebody = api.login(), api.login(), api.login("bob")
    second = api.refresh(first.refresh)
    third = api.refresh(second.refresh)
    assert api.post("/refresh", first.refresh).json["msg"] == "Token has been revoked"
    assert api.post("/refresh", third.refresh).status_code == 401
    assert not api.opens(third.access)
    assert not api.opens(first.access)
    assert api.opens(elsewhere.access)
    assert api.refresh(elsewhere.refresh)
    assert api.opens(somebody.access)


@pytest.mark.parametrize("in_file", [False, True])
def test_of_parallel_refreshes_one_wins(start: Start, tmp_path: Path, in_file: bool) -> None:
    """However many use a refresh token at once, one gets tokens; the others end the session, so no two live on."""
    api = start(database_url=f"sqlite:///{tmp_path / 'server.db'}" if in_file else None)
    contenders = 8
    for _ in range(5):
        tokens, line = api.login(), threading.Barrier(contenders)

        def contend(token: str = tokens.refresh, line: threading.Barrier = line) -> tuple[int, str]:
            line.wait()
            answer = api.post("/refresh", token)
            return answer.status_code, answer.json.get("access_token", "")

        with ThreadPoolExecutor(contenders) as pool:
            outcomes = [future.result() for future in [pool.submit(contend) for _ in range(contenders)]]
        assert sorted(status for status, _ in outcomes) == [200] + [401] * (contenders - 1)
        assert not api.opens(max(token for _, token in outcomes))


def test_rotation_does_not_extend_the_session(api: Api) -> None:
    """The session ends when its first refresh token would have expired, and no token outlives it."""
    with freeze_time(START) as clock:
        tokens = api.login()
        end = claims_of(tokens.refresh)["exp"]
        for _ in range(3):
            clock.tick(timedelta(minutes=16))
            tokens = api.refresh(tokens.refresh)
            assert claims_of(tokens.refresh)["exp"] == end
        assert claims_of(tokens.access)["exp"] == end
        assert tokens.body["expires_in"] == tokens.body["refresh_expires_in"] == 12 * 60
        clock.tick(timedelta(minutes=12) - timedelta(seconds=1))
        assert api.opens(tokens.access)
        clock.tick(timedelta(seconds=1))
        assert not api.opens(tokens.access)
        assert api.post("/refresh", tokens.refresh).json["msg"] == "Token has expired"


def test_access_expires_and_refresh_restores_it(api: Api) -> None:
    """An access token works until its `exp`, not a second longer, and the refresh token yields the next."""
    with freeze_time(START) as clock:
        tokens = api.login()
        clock.tick(899)
        assert api.opens(tokens.access)
        clock.tick(1)
        answer = api.get("/profile", tokens.access)
        assert (answer.status_code, answer.json["msg"]) == (401, "Token has expired")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        renewed = api.refresh(tokens.refresh)
        assert api.opens(renewed.access)
        assert claims_of(renewed.access)["exp"] == claims_of(tokens.access)["exp"] + 900


def test_without_rotation_a_refresh_token_works_until_it_expires(start: Start) -> None:
    """With rotation off the same token yields access tokens again and again, and no successor."""
    api = start(rotation=False)
    with freeze_time(START) as clock:
        tokens = api.login()
        for _ in range(3):
            clock.tick(timedelta(minutes=19))
            answer = api.post("/refresh", tokens.refresh)
            assert answer.json.keys() == {"access_token", "token_type", "expires_in"}
            assert api.opens(answer.json["access_token"])
        clock.tick(timedelta(minutes=3))
        assert api.post("/refresh", tokens.refresh).status_code == 401


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_logout_ends_the_session_and_no_other(api: Api, kind: str) -> None:
    """Either token ends its session; afterwards every token of it is refused."""
    tokens, elsewhere = api.login(), api.login()
    renewed = api.refresh(tokens.refresh)
    answer = api.post("/logout", renewed.access if kind == "access" else renewed.refresh)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    for token in (tokens.access, renewed.access):
        assert api.get("/profile", token).json["msg"] == "Token has been revoked"
    assert api.post("/refresh", renewed.refresh).status_code == 401
    assert api.post("/logout", renewed.access).status_code == 401
    assert api.opens(elsewhere.access)


def test_logout_after_the_access_token_expired(api: Api) -> None:
    """The refresh token alone ends the session."""
    with freeze_time(START) as clock:
        tokens = api.login()
        clock.tick(timedelta(minutes=20))
        assert api.post("/logout", tokens.access).status_code == 401
        assert api.post("/logout", tokens.refresh).status_code == 204
        assert api.post("/refresh", tokens.refresh).status_code == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"username": "bob"}', "application/json", 400),
        ("{", "application/json", 400),
        ("x=y", "text/plain", 415),
        ("x=y", None, 415),
    ],
)
def test_refresh_refused_for_its_body_spends_nothing(
    api: Api, body: str, content_type: str | None, status: int
) -> None:
    """A body where the contract has none is refused, and the token is as good as before."""
    tokens = api.login()
    for path in ("/refresh", "/logout"):
        assert api.post(path, tokens.refresh, data=body, content_type=content_type).status_code == status
    assert api.opens(api.post("/refresh", tokens.refresh, json={}).json["access_token"])


def test_query_and_headers_do_not_choose_the_user(api: Api) -> None:
    """The token alone says whose token comes back."""
    answer = api.client.post(
        "/refresh?username=bob&sub=bob",
        headers={"Authorization": f"Bearer {api.login().refresh}", "X-User": "bob", "X-Forwarded-User": "bob"},
    )
    assert api.get("/profile?user=bob", answer.json["access_token"]).json == {"username": "alice"}


def rows(api: Api) -> tuple[int, int]:
    """How many sessions and refresh tokens the database holds."""
    with api.services.database.transaction() as session:
        return tuple(session.scalar(select(func.count()).select_from(table)) for table in (SessionRow, RefreshTokenRow))


def test_expired_sessions_are_purged(api: Api) -> None:
    """The database does not grow for ever: a login drops what has expired, and nothing else."""
    with freeze_time(START) as clock:
        for _ in range(3):
            api.refresh(api.login().refresh)
        assert rows(api) == (3, 6)
        clock.tick(timedelta(minutes=30))
        live = api.login("bob")
        clock.tick(timedelta(minutes=31))
        api.login()
        assert rows(api) == (2, 2)
        assert api.refresh(live.refresh)


def test_dashboard_counts_sessions(api: Api) -> None:
    """The dashboard shows how many sessions run, of its owner only."""
    first, second = api.login(), api.login()
    api.login("bob")
    assert api.get("/dashboard", first.access).json == {"username": "alice", "sessions": 2}
    api.post("/logout", second.access)
    assert api.get("/dashboard", first.access).json == {"username": "alice", "sessions": 1}


def test_lesson_variant_is_the_core_and_no_more(start: Start) -> None:
    """Two tokens, no rotation, no logout, no key set; and what is refused is refused as ever."""
    api = start(variant="lesson")
    tokens = api.login()
    for _ in range(2):
        answer = api.post("/refresh", tokens.refresh)
        assert answer.json.keys() == {"access_token", "token_type", "expires_in"}
        assert api.opens(answer.json["access_token"])
    assert api.get("/dashboard", tokens.access).json == {"username": "alice", "sessions": 1}
    assert api.post("/logout", tokens.access).status_code == 404
    assert not api.opens(tokens.refresh)
    assert api.post("/refresh", tokens.access).status_code == 401


def test_sessions_survive_a_restart_with_the_same_key(start: Start, tmp_path: Path) -> None:
    """With a database and a key of its own the server forgets neither sessions nor their ends."""
    settings = {"database_url": f"sqlite:///{tmp_path / 'server.db'}", "jwt_secret_key": b"k" * 64}
    before = start(**settings)
    alive, over = before.login(), before.login()
    before.post("/logout", over.access)
    after = start(**settings)
    assert after.opens(alive.access)
    assert after.refresh(alive.refresh)
    assert not after.opens(over.access)
