"""Sessions that scenarios share, and those of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.support import ALICE, BOB, FakeApi, answer, target_of

if TYPE_CHECKING:
    from conformance.target.http import Response


def test_a_session_is_shared_while_it_lives() -> None:
    """Asking again gives the same session, one for each account, with one login each."""
    target = target_of(FakeApi())

    assert target.session() is target.session() is target.session(ALICE)
    assert target.session(BOB) is target.session(BOB)
    assert target.session(BOB).account == BOB
    assert target.client.traffic.logins == 2


def test_a_session_that_ended_is_replaced() -> None:
    """Where a scenario has ended what was shared, the next one logs in anew."""
    target = target_of(FakeApi())
    first = target.session()
    first.ended = True

    second = target.session()

    assert second is not first
    assert not second.ended
    assert target.client.traffic.logins == 2


@pytest.mark.parametrize("lifetime", [1, 2])
def test_an_access_token_that_nears_its_end_is_refreshed(lifetime: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared session goes on with a new access token, bought with its refresh token and not with a login."""
    api = FakeApi()
    target = target_of(api)
    api.lifetimes["access"] = lifetime
    session = target.session()
    old = session.access.value
    api.lifetimes["access"] = 900
    monkeypatch.setattr(target.clock, "now", lambda: (session.access.expires_at or 0) - 0.1)

    assert target.session() is session
    assert session.access.value != old
    assert target.client.traffic.logins == 1


def test_a_session_whose_refresh_is_refused_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the refresh token buys nothing any more, a login does."""
    api = FakeApi()
    target = target_of(api)
    first = target.session()
    api.end_every_session()
    end = first.access.expires_at or 0
    monkeypatch.setattr(target.clock, "now", lambda: end)

    second = target.session()

    assert first.ended
    assert second is not first
    assert target.client.traffic.logins == 2


def test_tokens_are_used_up_to_a_margin_before_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token counts as alive until shortly before its end: two seconds, or a quarter of a very short life."""
    api = FakeApi()
    target = target_of(api)
    ordinary = target.login().access
    api.lifetimes["access"] = 4
    short = target.login().access

    for token, margin in ((ordinary, 2.0), (short, 1.0)):
        assert token.expires_at is not None
        for off, alive in ((-0.1, False), (0.1, True)):
            now = token.expires_at - margin - off
            monkeypatch.setattr(target.clock, "now", lambda now=now: now)
            assert target.is_alive(token) is alive


def test_a_session_of_one_s_own_is_nobody_else_s() -> None:
    """A new session is never the shared one, nor one that was given out before."""
    target = target_of(FakeApi())
    sessions = [target.session(), target.new_session(), target.new_session(), target.new_session(BOB)]

    assert len({session.refresh.value for session in sessions}) == 4


def test_sessions_that_nobody_used_are_used_first() -> None:
    """What a control opened and left alone serves the next who asks, of the same account, once."""
    target = target_of(FakeApi())
    spare, spare_bob = target.login(), target.login(BOB)
    target.keep_for_later(spare)
    target.keep_for_later(spare_bob)

    assert target.new_session() is spare
    assert target.session(BOB) is spare_bob
    assert target.new_session() is not spare
    assert target.client.traffic.logins == 3


def test_a_session_that_was_kept_too_long_is_not_used() -> None:
    """A session whose access token has run out meanwhile is not handed out."""
    api = FakeApi()
    target = target_of(api)
    api.lifetimes["access"] = -10
    target.keep_for_later(target.login())
    api.lifetimes["access"] = 900

    assert target.is_alive(target.new_session().access)
    assert target.client.traffic.logins == 2


def test_a_refresh_is_taken_over() -> None:
    """After an honest refresh the session holds the new tokens and knows that they rotate."""
    target = target_of(FakeApi())
    session = target.login()
    before = session.access.value, session.refresh.value

    target.refresh(session)

    assert session.access.value not in before
    assert session.refresh.value not in before
    assert session.rotated
    assert target.rotates is True
    assert not session.ended


def test_without_rotation_the_refresh_token_stays() -> None:
    """A refresh that gives an access token alone leaves the refresh token as it was; so does one that repeats it."""
    for repeats in (False, True):
        api = FakeApi()
        target = target_of(api)
        session = target.login()
        kept = session.refresh.value
        data = {"access_token": "NEW", "refresh_token": kept if repeats else None}
        api.overrides["POST /refresh"] = lambda _request, data=data: answer(200, data)  # type: ignore[misc]

        target.refresh(session)

        assert (session.access.value, session.refresh.value, session.rotated) == ("NEW", kept, False)
        assert target.rotates is False


@pytest.mark.parametrize("reply", [answer(401, {"msg": "no"}), answer(200, {}), answer(500, {"access_token": "AAA"})])
def test_a_refresh_that_fails_ends_the_session(reply: Response) -> None:
    """Without a success that holds an access token, the session is not counted on any more, and keeps what it had."""
    api = FakeApi()
    target = target_of(api)
    session = target.login()
    had = session.access
    api.overrides["POST /refresh"] = lambda _request: reply

    target.refresh(session)

    assert session.ended
    assert session.access is had
