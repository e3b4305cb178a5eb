"""Serving: in a thread, and as a WSGI factory."""

from __future__ import annotations

import http.client
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests
from freezegun import freeze_time

from reference_server import SettingsError, create_app
from reference_server.app import close, services_of
from reference_server.serve import ServerThread, serve_forever
from tests.reference_server.api import PASSWORDS, Api, bearer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ServerThread]:
    """A server on a free port."""
    with ServerThread(Api().app) as running:
        yield running


def log_in(server: ServerThread) -> dict[str, str]:
    """A login over the wire."""
    answer = requests.post(
        f"{server.base_url}/login", json={"username": "alice", "password": PASSWORDS["alice"]}, timeout=10
    )
    assert answer.status_code == 200
    body: dict[str, str] = answer.json()
    return body


def test_server_answers_and_names_no_version(server: ServerThread) -> None:
    """It listens on loopback and says nothing about itself."""
    token = log_in(server)["access_token"]
    answer = requests.get(f"{server.base_url}/profile", headers=bearer(token), timeout=10)
    assert answer.json() == {"username": "alice"}
    assert "Server" not in answer.headers
    assert server.base_url == f"http://127.0.0.1:{server.port}"


def test_close_leaves_nothing_behind() -> None:
    """After closing, the port is free and no thread is left, whether or not connections are open; twice is once."""
    before = set(threading.enumerate())
    server = ServerThread(Api().app)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/profile")
    connection.getresponse().read()
    log_in(server)
    server.close()
    server.close()
    connection.close()
    assert set(threading.enumerate()) <= before
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", server.port))


def test_connection_is_kept_while_the_clock_jumps(server: ServerThread) -> None:
    """A client's connection lives on while tests move the clock by weeks."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with freeze_time("2030-01-01", tick=True) as clock:
        for _ in range(3):
            connection.request("GET", "/profile", headers=bearer("x"))
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("Connection")) == (401, None)
            answer.read()
            clock.tick(timedelta(weeks=3))
    connection.close()


def test_expiry_follows_a_moved_clock(server: ServerThread) -> None:
    """The server reads the clock at each request."""
    token = log_in(server)["access_token"]
    with freeze_time(tick=True) as clock:
        clock.tick(timedelta(minutes=15, seconds=1))
        answer = requests.get(f"{server.base_url}/profile", headers=bearer(token), timeout=10)
    assert answer.json()["msg"] == "Token has expired"


@pytest.mark.parametrize("value", [b"\xff\xfe", b"Bearer \xc3\xa9", b"Bearer " + b"a" * 100_000, b"Bearer a\tb"])
def test_hostile_bytes_do_not_crash_the_server(server: ServerThread, value: bytes) -> None:
    """What no well-behaved client sends is refused by the connection or by the application."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"GET /profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + value + b"\r\n\r\n")
        answer = raw.makefile("rb").read()
    assert int(answer.split()[1]) in {400, 401, 431}
    assert log_in(server)


def test_taken_port_is_an_error(server: ServerThread) -> None:
    """Neither way to serve takes a port that somebody else has."""
    api = Api()
    for serve in (lambda: ServerThread(api.app, port=server.port), lambda: serve_forever(api.app, port=server.port)):
        with pytest.raises(OSError, match="in use"):
            serve()
    api.close()


def test_factory_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`gunicorn 'reference_server:create_app()'` needs no more than the environment."""
    monkeypatch.setenv("REFERENCE_ACCOUNTS", "carol:hunter2")
    monkeypatch.setenv("REFERENCE_FAULT", "refresh-token-opens-everything")
    app = create_app()
    assert services_of(app).accounts.by_name("carol")
    assert services_of(app).settings.fault == "refresh-token-opens-everything"
    close(app)
    monkeypatch.setenv("REFERENCE_FAULTS", "x")
    with pytest.raises(SettingsError, match="did you mean REFERENCE_FAULT"):
        create_app()
