"""Going away in the middle of a request."""

from __future__ import annotations

import socket

import pytest

from conformance.target.hanging_up import hang_up
from conformance.target.http import HttpClient, Request
from tests.conformance.support import served

BEGUN = Request("POST", "/login", (("Content-Type", "application/json"),), b'{"user')


def test_a_begun_request_arrives_and_ends() -> None:
    """The head promises what never comes, and the connection closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}/api")
        hang_up(client, BEGUN, promised=1000)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            received = b"".join(iter(lambda: connection.recv(4096), b""))

    assert received.startswith(b"POST /api/login HTTP/1.1\r\n")
    assert b"Content-Length: 1000\r\n" in received
    assert received.endswith(b'\r\n\r\n{"user')
    assert client.traffic.requests == 1


def test_a_server_gets_over_it() -> None:
    """The bundled server answers the next request as if nothing had been."""
    with served() as url:
        client = HttpClient(url)
        for _ in range(20):
            hang_up(client, BEGUN, promised=1 << 20)
        assert client.send(Request("GET", "/profile")).response.status == 401
        client.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_nobody_there_is_no_error(url: str) -> None:
    """Where there is no way to the target, nothing happens."""
    hang_up(HttpClient(url), BEGUN, promised=10)
