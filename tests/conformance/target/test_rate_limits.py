"""Obeying a target that asks for patience."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, formatdate

import pytest

from conformance.errors import TargetError
from conformance.target.http import Request, Response, is_shared_cacheable
from conformance.target.pacing import LimitedError, retry_after_s
from tests.conformance.support import LocalClient, answer

ASK = Request("GET", "/x")


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client slept each time; it does not really."""
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    return naps


def limiting(*answers: Response) -> LocalClient:
    """A client whose target gives these answers, and then successes."""
    left = list(answers)
    return LocalClient(lambda _request: left.pop(0) if left else answer(200, {}), max_wait_s=30)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("120", 120.0),
        ("9" * 400, 1e9),
        (formatdate(0, usegmt=True), 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("Thu, 99 Foo 2099 99:99:99 GMT", None),
        ("²", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    """RFC 9110 allows whole seconds or a date; a date that is past means now, and anything else means nothing."""
    found = retry_after_s(answer(429, None, Retry_After=value))

    assert found == (None if seconds is None else pytest.approx(seconds, abs=5))


@pytest.mark.parametrize("hours", [0, 2, -11])
def test_a_date_is_understood_in_any_zone(hours: int) -> None:
    """A date in the future means the time until then, whichever zone it is written in."""
    then = (datetime.now(UTC) + timedelta(seconds=100)).astimezone(timezone(timedelta(hours=hours)))

    assert retry_after_s(answer(429, None, Retry_After=format_datetime(then))) == pytest.approx(100, abs=5)


def test_an_absent_retry_after_is_none() -> None:
    """Without the header nothing is known."""
    assert retry_after_s(answer(429)) is None


def slept(naps: list[float]) -> list[float]:
    """The pauses, to a tenth of a second."""
    return [round(nap, 1) for nap in naps]


def test_a_wait_that_is_asked_for_is_obeyed(naps: list[float]) -> None:
    """The client waits as asked, sends again, and counts what it waited."""
    client = limiting(answer(429, None, Retry_After="7"))

    assert client.send(ASK).response.status == 200
    assert slept(naps) == [7.0]
    assert (round(client.traffic.waited_s, 1), client.traffic.requests) == (7.0, 2)


def test_a_date_is_waited_for(naps: list[float]) -> None:
    """A Retry-After that is a date is obeyed as well."""
    then = datetime.now(UTC) + timedelta(seconds=9)
    client = limiting(answer(429, None, Retry_After=format_datetime(then)))

    assert client.send(ASK).response.status == 200
    assert naps == [pytest.approx(8.5, abs=0.7)]


def test_a_wait_that_was_too_short_is_followed_by_longer_ones(naps: list[float]) -> None:
    """Whoever limits again after its own wait is waited for a few times more, as long as the user allows in all."""
    client = limiting(*[answer(429, None, Retry_After="7")] * 9)

    with pytest.raises(TargetError, match=r"still limits the rate of requests .GET /x. after 4 pauses of 28 s"):
        client.send(ASK)
    assert slept(naps) == [7.0] * 4


@pytest.mark.parametrize(("refusals", "pauses"), [(1, [1.0]), (3, [1.0, 2.0, 4.0]), (9, [1.0, 2.0, 4.0, 8.0, 15.0])])
def test_without_a_word_pauses_grow(naps: list[float], refusals: int, pauses: list[float]) -> None:
    """Where nothing says how long to wait, each pause is twice the one before, and all fit the user's longest wait."""
    client = limiting(*[answer(429)] * refusals)

    if refusals < 9:
        assert client.send(ASK).response.status == 200
    else:
        with pytest.raises(TargetError, match=r"after 5 pauses of 30 s\n  hint: .*a larger --max-wait"):
            client.send(ASK)
    assert slept(naps) == pauses


def test_a_wait_beyond_the_user_s_limit_is_not_begun(naps: list[float]) -> None:
    """A wait that is longer than allowed is a message with a hint."""
    client = limiting(answer(429, None, Retry_After="31"))

    with pytest.raises(LimitedError, match=r"GET /x answered 429 for 31 s.*\n  hint: .*a --max-wait of 32"):
        client.send(ASK)
    assert naps == []


def test_nothing_is_sent_before_the_time_that_was_named(naps: list[float]) -> None:
    """A route that wants to be left alone for longer than the user waits is left alone, and others are asked."""
    client = limiting(answer(429, None, Retry_After="31"))
    with pytest.raises(LimitedError):
        client.send(ASK)

    with pytest.raises(LimitedError, match="GET /x is to be left alone for another 31 s"):
        client.send(ASK)

    assert client.traffic.requests == 1
    assert client.send(Request("GET", "/y")).response.status == 200
    assert naps == []


def test_a_route_that_was_waited_for_in_vain_is_tried_once(naps: list[float]) -> None:
    """Patience is not spent on the same route again and again, until it answers."""
    client = limiting(*[answer(429)] * 7)
    with pytest.raises(LimitedError):
        client.send(ASK)
    naps.clear()

    with pytest.raises(LimitedError):
        client.send(ASK)

    assert naps == []
    assert client.send(ASK).response.status == 200


def test_no_wait_is_no_nap(naps: list[float]) -> None:
    """A Retry-After of nothing, or a date that is past, is tried again at once."""
    client = limiting(answer(429, None, Retry_After="0"))

    assert client.send(ASK).response.status == 200
    assert (naps, client.traffic.waited_s) == ([], 0.0)


def test_a_server_that_is_busy_for_a_while_is_waited_for(naps: list[float]) -> None:
    """A 503 that says when to come again is obeyed like a 429."""
    client = limiting(answer(503, None, Retry_After="3"))

    assert client.send(ASK).response.status == 200
    assert slept(naps) == [3.0]


@pytest.mark.parametrize("busy", [answer(503), answer(503, None, Retry_After="3600")])
def test_a_server_that_is_out_of_order_is_not_waited_for(naps: list[float], busy: Response) -> None:
    """A 503 that does not say for how long, or for too long, is the answer."""
    client = limiting(busy)

    assert client.send(ASK).response is busy
    assert client.send(ASK).response.status == 200
    assert naps == []


def test_a_503_that_comes_again_and_again_is_the_answer(naps: list[float]) -> None:
    """What is answered to one request every time is a finding, and no reason to give up."""
    client = limiting(*[answer(503, None, Retry_After="1")] * 7)

    assert client.send(ASK).response.status == 503
    assert len(naps) == 6


def test_pauses_are_counted() -> None:
    """Whatever the suite sleeps is part of what a report calls waiting."""
    client = limiting()
    started = time.monotonic()

    client.pause(0.02)
    client.pause(-1)

    assert time.monotonic() - started >= 0.02
    assert client.traffic.waited_s == 0.02


def test_a_raw_answer_is_not_obeyed(naps: list[float]) -> None:
    """Who asks for the answer as it is gets the first one, and nothing waits."""
    client = limiting(answer(429, None, Retry_After="7"))

    assert client.send_once(ASK).response.status == 429
    assert client.send_once(ASK).response.status == 200
    assert naps == []


@pytest.mark.parametrize(
    ("value", "shared"),
    [
        ("public", True),
        ("Public, max-age=60", True),
        ("s-maxage=5", True),
        ("public, no-store", False),
        ("private, s-maxage=5", False),
        ("max-age=60", False),
        ("no-store", False),
        ("", False),
    ],
)
def test_only_leave_for_shared_caches_counts(value: str, shared: bool) -> None:
    """An answer may be kept by a cache that many share where it says so and nothing in it forbids that."""
    assert is_shared_cacheable(answer(429, None, Cache_Control=value)) is shared
    assert not is_shared_cacheable(answer(429))
