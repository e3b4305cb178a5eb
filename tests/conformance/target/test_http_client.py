"""One exchange at a time: what is sent, what is read, and within which limits."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

import conformance.target.http
from conformance.errors import ConfigurationError, TargetError
from conformance.target.http import LOST_AFTER, HttpClient, Request, check_base_url
from tests.conformance.target.raw_server import always, raw, reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASK = Request("GET", "/x")
IN_CAPITALS = pytest.mark.xfail(strict=True, reason="urllib3 writes the digits of escapes in capitals")


def lines_of(request: bytes) -> list[str]:
    """The request line and the headers of what a server received."""
    return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def test_a_request_is_sent_as_it_was_written() -> None:
    """Method, path, query, headers and body arrive unchanged, with no credential and no media type added."""
    body = b'{"username": "\xc3\xa9", "n": 1e5}'
    request = Request("POST", "/log%2Fin?a=b&c=%20", (("Content-Type", "application/json"), ("X-Odd", "a b")), body)

    with raw(always(reply())) as server:
        client = server.client()
        client.send(request)
        client.send(Request("DELETE", "/x", (), b"raw"))

    first, second = server.received
    assert first.endswith(b"\r\n\r\n" + body)
    assert lines_of(first)[0] == "POST /log%2Fin?a=b&c=%20 HTTP/1.1"
    assert {"Content-Type: application/json", "X-Odd: a b", "Accept-Encoding: identity"} <= set(lines_of(first))
    assert not re.search(rb"(?i)^(authorization|cookie|content-type):", second, re.MULTILINE)
    assert re.search(rb"(?m)^User-Agent: jwt-conformance/", second)


def test_a_name_in_any_script_can_be_sent() -> None:
    """A header beyond ASCII, such as a user's name, is sent as UTF-8."""
    with raw(always(reply())) as server:
        server.client().send(Request("GET", "/x", (("X-User", "алиса"),)))

    assert "X-User: алиса" in lines_of(server.received[0])


@pytest.mark.parametrize("method", ["get", "Get", "BREW", "OPTIONS", "TRACE"])
def test_a_method_is_sent_as_it_was_written(method: str) -> None:
    """Methods are told apart by case (RFC 9110 §9.1), so theirs is kept."""
    with raw(always(reply())) as server:
        server.client().send(Request(method, "/x"))

    assert lines_of(server.received[0])[0] == f"{method} /x HTTP/1.1"


def test_headers_of_one_name_are_sent_on_a_line_each() -> None:
    """A header that is stated twice arrives twice, in that order, white space around its values included."""
    headers = (("Authorization", "Bearer a"), ("X-Odd", "\t b  "), ("Accept", "text/x"), ("authorization", "Bearer é"))

    with raw(always(reply())) as server:
        server.client().send(Request("POST", "/x", headers, b"{}"))

    lines = lines_of(server.received[0])
    assert [line for line in lines if line.lower().startswith("authorization")] == [
        "Authorization: Bearer a",
        "Authorization: Bearer é",
    ]
    assert "X-Odd: \t b  " in lines
    assert [line for line in lines if line.startswith(("Accept:", "User-Agent:", "Content-Length:", "Host:"))] == [
        line for line in lines if line.partition(":")[0] in {"Accept", "User-Agent", "Content-Length", "Host"}
    ]
    assert "Accept: text/x" in lines
    assert "Content-Length: 2" in lines


def test_a_row_of_requests_has_a_connection_of_its_own() -> None:
    """Requests in a row go over one connection that has carried nothing else, and are told to."""
    with raw(always(reply())) as server:
        client = server.client()
        client.send(ASK)
        exchanges, kept = client.send_in_a_row([ASK, Request("GET", "/y"), ASK])
        assert server.connections == 2

    assert kept
    assert [exchange.request.path for exchange in exchanges] == ["/x", "/y", "/x"]
    assert client.traffic.requests == 4


def test_a_row_tells_where_its_connection_was_not_kept() -> None:
    """A server that closes after each answer gets every request all the same, and this is told."""
    with raw(always(reply(keep=False))) as server:
        exchanges, kept = server.client().send_in_a_row([ASK, ASK, ASK])
        assert server.connections == 3

    assert not kept
    assert len(exchanges) == 3


def test_an_answer_is_kept_whole() -> None:
    """Status, every header line and the body are there, and how long it took."""
    answer = reply("418 I'm a teapot", "X-A: 1", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", body=b'{"a": [1]}')

    with raw(always(0.05, answer)) as server:
        exchange = server.client().send(ASK)

    response = exchange.response
    assert (response.status, response.json, response.truncated) == (418, {"a": [1]}, False)
    assert response.all_headers("set-cookie") == ["a=1; Path=/", "b=2"]
    assert response.cookies == {"a": "1", "b": "2"}
    assert response.header("x-a") == "1"
    assert response.header("absent") is None
    assert (response.is_success, response.is_client_error) == (False, True)
    assert 0.04 < response.elapsed_s < 5
    assert abs(exchange.sent_at - time.time()) < 5
    assert exchange.request is ASK


@pytest.mark.parametrize("body", [b"", b"no json", b"\xff\xfe", b"[" * 100_000, b"1" * 5000])
def test_a_body_that_is_no_json_is_none(body: bytes) -> None:
    """Whatever the body is, reading it as JSON gives a value or nothing, and never an error."""
    with raw(always(reply(body=body))) as server:
        response = server.client().send(ASK).response

    assert response.json is None
    assert response.text == body.decode("utf-8", "replace")


def test_a_long_body_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a body over the limit only so much is kept, and the answer says so; one of just that length is whole."""
    monkeypatch.setattr(conformance.target.http, "MAX_BODY_BYTES", 1000)

    def sizes(_request: bytes) -> list[bytes | float]:
        return [reply(body=b"x" * (1000 if len(server.received) == 1 else 5000))]

    with raw(sizes) as server:
        client = server.client()
        whole, cut = client.send(ASK).response, client.send(ASK).response

    assert (len(whole.body), whole.truncated) == (1000, False)
    assert (len(cut.body), cut.truncated) == (1000, True)


def test_the_limit_is_a_mebibyte() -> None:
    """A body that never ends is left after 1 MiB."""

    def endless(_request: bytes) -> Iterator[bytes | float]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
        while True:
            yield b"x" * 65536

    with raw(endless) as server:
        response = server.client().send(ASK).response

    assert (len(response.body), response.truncated) == (1 << 20, True)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([3.0], id="nothing at all"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", 3.0], id="half a head"),
        pytest.param([reply(body=b"{}")[:-1], 3.0], id="a body without its end"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x", 0.05] * 60], id="a trickle"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n", 0.05] * 60], id="a trickling head"),
    ],
)
def test_a_slow_answer_meets_the_deadline(steps: list[bytes | float], monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly a server sends, the suite gives up about when it promised, and says for how long it waited."""
    monkeypatch.setattr(conformance.target.http, "ANSWER_TIMEOUT_S", 0.3)

    with raw(always(*steps)) as server:
        client = server.client()
        started = time.monotonic()
        with pytest.raises(TargetError, match="did not answer within"):
            client.send(ASK)

    assert time.monotonic() - started < 2


def test_nothing_is_sent_twice_by_itself() -> None:
    """A connection that breaks after the request is an error: the first attempt may have spent a refresh token."""
    with raw(always(b"")) as server, pytest.raises(TargetError):
        server.client().send(ASK)

    assert len(server.received) == 1


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("HEAD", 3), ("POST", 2)])
def test_a_kept_connection_that_has_ended_is_made_up_for(method: str, times: int) -> None:
    """Where a server ends a connection that it had kept, what is safe is sent once more on a new one, and only that."""
    with raw(lambda _request: [reply(body=b"") if len(server.received) != 2 else b""]) as server:
        client = server.client()
        client.send(ASK)
        if method == "POST":
            with pytest.raises(TargetError, match="closed the connection without an answer"):
                client.send(Request(method, "/x"))
        else:
            assert client.send(Request(method, "/x")).response.status == 200

    assert len(server.received) == times
    assert server.connections == times - 1


def test_cookies_are_not_kept() -> None:
    """A cookie that the target sets is not sent back, by the same connection or by another."""
    with raw(always(reply("200 OK", "Set-Cookie: session=abc; Path=/"))) as server:
        client = server.client()
        client.send(ASK)
        client.send(ASK)
        client.send(ASK, new_connection=True)
        client.send(Request("GET", "/x", (("Cookie", "mine=1"),)))

    *first, last = server.received
    assert not any(b"cookie:" in request.lower() for request in first)
    assert re.findall(rb"(?im)^cookie: (.*)\r$", last) == [b"mine=1"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirects_are_not_followed(status: str) -> None:
    """A redirect is an answer like any other: nothing is sent to where it points."""
    with raw(always(reply(status, "Location: /elsewhere"))) as server:
        request = Request("POST", "/login", (("Authorization", "Bearer AAA"),), b"{}")
        response = server.client().send(request).response

    assert (response.status, response.header("Location")) == (int(status[:3]), "/elsewhere")
    assert len(server.received) == 1


def test_the_netrc_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that the user keeps for this host elsewhere do not turn an anonymous probe into a login."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    with raw(always(reply())) as server:
        client = server.client()
        client.send(ASK)
        client.send(ASK, new_connection=True)

    assert not any(b"authorization" in request.lower() for request in server.received)


def test_connections_are_kept_or_new_as_asked() -> None:
    """Requests share a connection, except those that ask for a new one."""
    with raw(always(reply())) as server:
        client = server.client()
        for new in (False, False, True, True, False):
            client.send(ASK, new_connection=new)

    assert server.connections == 3
    assert client.traffic.requests == len(server.received) == 5


def test_a_connection_is_given_up_after_a_crash() -> None:
    """After a server error the next request takes a new connection: some servers close the old one unannounced."""
    with raw(always(reply("500 Internal Server Error"))) as server:
        client = server.client()
        for _ in range(3):
            client.send(ASK)

    assert server.connections == 3


def test_a_lost_target_is_left_alone() -> None:
    """After a few failures in a row nothing more is sent; an answer in between starts the count anew."""
    broken = [True, True, False, *[True] * 10]
    ask = Request("POST", "/x")

    with raw(lambda _request: [b"" if broken[len(server.received) - 1] else reply()]) as server:
        client = server.client()
        for fails in broken[: 3 + LOST_AFTER]:
            if fails:
                with pytest.raises(TargetError):
                    client.send(ask)
            else:
                client.send(ask)
        with pytest.raises(TargetError, match="stopped answering earlier"):
            client.send(ask)

    assert len(server.received) == 3 + LOST_AFTER


def test_a_server_that_is_not_there_is_told() -> None:
    """A refused connection is explained in the user's words, with a hint."""
    with raw(always()) as server:
        url = server.url

    client = HttpClient(url)
    with pytest.raises(TargetError, match=r"refuses connections\n  hint: is the server running"):
        client.send(ASK)
    client.close()


@pytest.mark.parametrize(
    "path",
    [
        *("//profile", "/profile//", "/profile;a=b", "/a%2Fb", "/a?b", "/a/../profile", "/./profile", "/%70"),
        pytest.param("/a/%2e%2e/b", marks=IN_CAPITALS),
    ],
)
def test_a_path_is_never_normalised(path: str) -> None:
    """What a scenario asks for is what the server is asked: dots and slashes stay where they are."""
    with raw(always(reply())) as server:
        server.client().send(Request("GET", path))

    assert lines_of(server.received[0])[0] == f"GET {path} HTTP/1.1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:8000", "it has no scheme"),
        ("", "it has no scheme"),
        ("ftp://api.example", "only http and https"),
        ("http://", "names no host"),
        ("http://:8000", "names no host"),
        ("http://api.example:0", "names no host"),
        ("http://api.example:99999", "is no URL"),
        ("http://[::1", "is no URL"),
        ("https://me:secret@api.example", "carries credentials"),
        ("https://me@api.example", "carries credentials"),
        ("https://api.example/?a=b", "a query or a fragment"),
        ("https://api.example/#top", "a query or a fragment"),
    ],
)
def test_a_base_url_is_checked(url: str, words: str) -> None:
    """What is no base URL is told with the reason, and without the credentials in it."""
    with pytest.raises(ConfigurationError, match=re.escape(words)) as error:
        check_base_url(url)

    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["http://localhost:8000", "https://api.example/v1", "http://[::1]:8000"])
def test_a_good_base_url_loses_its_last_slash(url: str) -> None:
    """Paths are joined to the URL without its trailing slash."""
    assert check_base_url(url) == url
    assert check_base_url(f"{url}/") == url
