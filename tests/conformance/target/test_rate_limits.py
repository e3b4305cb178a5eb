"""Obeying a target that asks for patience."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, formatdate

import pytest

from conformance.errors import TargetError
from conformance.target.http import Request, Response, retry_after_s
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


def test_a_short_wait_is_obeyed_once(naps: list[float]) -> None:
    """The client waits as asked, sends again, and counts what it waited."""
    client = limiting(answer(429, None, Retry_After="7"))

    assert client.send(ASK).response.status == 200
    assert naps == [7.0]
    assert (client.traffic.waited_s, client.traffic.requests) == (7.0, 2)


def test_a_second_refusal_ends_the_patience(naps: list[float]) -> None:
    """A target that still limits after its own wait is given up on, in words that say so."""
    client = limiting(*[answer(429, None, Retry_After="7")] * 2)

    with pytest.raises(TargetError, match="still limits the rate of requests after its own Retry-After of 7 s"):
        client.send(ASK)
    assert naps == [7.0]


@pytest.mark.parametrize(("value", "words"), [("31", "for 31 s"), ("", "without saying for how long")])
def test_a_wait_beyond_the_user_s_limit_is_not_begun(naps: list[float], value: str, words: str) -> None:
    """A wait that is longer than allowed, or of unknown length, is a message with a hint."""
    client = limiting(answer(429, None, Retry_After=value))

    with pytest.raises(TargetError, match=f"GET /x answered 429 {words}.*\n  hint: .*--max-wait"):
        client.send(ASK)
    assert naps == []


def test_no_wait_is_no_nap(naps: list[float]) -> None:
    """A Retry-After of nothing, or a date that is past, is tried again at once."""
    client = limiting(answer(429, None, Retry_After="0"))

    assert client.send(ASK).response.status == 200
    assert (naps, client.traffic.waited_s) == ([], 0.0)


def test_pauses_are_counted() -> None:
    """Whatever the suite sleeps is part of what a report calls waiting."""
    client = limiting()
    started = time.monotonic()

    client.pause(0.02)
    client.pause(-1)

    assert time.monotonic() - started >= 0.02
    assert client.traffic.waited_s == 0.02
