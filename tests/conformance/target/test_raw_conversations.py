"""Requests as bytes, and every answer to them."""

from __future__ import annotations

import pytest

from conformance.errors import TargetError
from conformance.target.http import HttpClient, Request
from conformance.target.raw import NO_ANSWER, converse, take_apart, written
from tests.conformance.target.raw_server import always, raw, reply

HELLO = b'{"msg": "hello"}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "answers", "surplus"),
    [
        (b"", [], b""),
        (reply(body=HELLO), [(200, HELLO)], b""),
        (reply(body=b"a") + reply("404 Not Found", body=b"b"), [(200, b"a"), (404, b"b")], b""),
        (CHUNKED + reply(body=b"z"), [(200, b"abcdef"), (200, b"z")], b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + reply(body=b"a"), [(200, b"a")], b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n" + reply(body=b"a"), [(204, b""), (200, b"a")], b""),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", [(200, b"to the end")], b""),
        (reply(body=b"a") + b"noise", [(200, b"a")], b"noise"),
        (b"\x15\x03\x01\x00\x02\x02\x46", [], b"\x15\x03\x01\x00\x02\x02\x46"),
        (b"HTTP/1.1 2", [], b"HTTP/1.1 2"),
        (b"HTTP/1.1 two\r\n\r\n", [], b"HTTP/1.1 two\r\n\r\n"),
        (CHUNKED[:-12], [(200, b"abcd")], b""),
    ],
)
def test_answers_are_told_apart(received: bytes, answers: list[tuple[int, bytes]], surplus: bytes) -> None:
    """Each answer ends where RFC 9112 §6.3 says, and what is none is left."""
    found, left = take_apart(received)
    assert ([(answer.status, answer.body) for answer in found], left) == (answers, surplus)


def test_after_head_everything_is_surplus() -> None:
    """An answer to HEAD ends with its headers, whatever length they name."""
    found, left = take_apart(reply(body=HELLO), heads_only=True)
    assert ([answer.body for answer in found], left) == ([b""], HELLO)


def test_a_request_is_written_as_it_stands() -> None:
    """Headers come twice where they are given twice, and the URL's own path comes first."""
    request = Request("GET", "/profile", (("A", "1"), ("A", "2\0")), b"body")
    assert written("http://[::1]:81/api", request) == (
        b"GET /api/profile HTTP/1.1\r\nHost: [::1]:81\r\nA: 1\r\nA: 2\0\r\n\r\nbody"
    )
    assert b"\r\nHost: [::1]:80\r\n" in written("https://[::1]/api", request, 80)


def test_every_answer_on_the_connection_is_kept() -> None:
    """The first belongs to the request, and later ones to what followed it."""
    with raw(always(reply(body=b"1"), reply("401 Unauthorized", body=b"2"), b"")) as server:
        talk = converse(server.client(), Request("GET", "/profile"))
    assert (talk.exchange.response.status, talk.exchange.response.body) == (200, b"1")
    assert [(answer.status, answer.body) for answer in talk.later] == [(401, b"2")]
    assert (talk.closed, talk.answered, talk.surplus) == (True, True, b"")


def test_an_open_connection_is_not_waited_for_long() -> None:
    """Where nothing more comes, the conversation ends, and says that the target has not closed it."""
    with raw(always(reply(body=b"1"))) as server:
        talk = converse(server.client(), Request("GET", "/profile"))
    assert not talk.closed
    assert talk.later == ()


def test_a_target_that_hangs_up_has_not_answered() -> None:
    """A connection that is closed without a word is an observation and no error."""
    with raw(always(b"")) as server:
        client = server.client()
        talk = converse(client, Request("GET", "/profile"))
        assert client.traffic.requests == 1
    assert (talk.exchange.response.status, talk.answered, talk.closed) == (NO_ANSWER, False, True)


def test_nobody_there_is_an_error() -> None:
    """Where there is no connection, nothing was learnt."""
    with raw(always(b"")) as server:
        url = server.url
    with pytest.raises(TargetError, match="ConnectionRefused"):
        converse(HttpClient(url), Request("GET", "/"))
