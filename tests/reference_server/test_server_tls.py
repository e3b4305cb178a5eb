"""The server over TLS: a relay in front of it, with a certificate of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from reference_server.serve import ServerThread
from reference_server.tls import Certificate
from tests.reference_server.api import PASSWORDS, Api, bearer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def certificate() -> Iterator[Certificate]:
    """A certificate for loopback."""
    made = Certificate()
    yield made
    made.close()


@pytest.fixture
def server(certificate: Certificate) -> Iterator[ServerThread]:
    """A server on a free port."""
    with ServerThread(Api().app, certificate=certificate) as running:
        yield running


def test_a_session_lives_over_tls(server: ServerThread, certificate: Certificate) -> None:
    """The application knows that it is spoken to over TLS, and asks browsers to keep to it."""
    with requests.Session() as client:
        # Else an authority that the environment names would come first.
        client.trust_env = False
        client.verify = certificate.authority_file
        login = client.post(
            f"{server.base_url}/login", json={"username": "alice", "password": PASSWORDS["alice"]}, timeout=10
        )
        profile = client.get(f"{server.base_url}/profile", headers=bearer(login.json()["access_token"]), timeout=10)
    assert server.base_url == f"https://127.0.0.1:{server.port}"
    assert profile.json() == {"username": "alice"}
    assert {login.headers["Strict-Transport-Security"], profile.headers["Strict-Transport-Security"]} == {
        "max-age=31536000; includeSubDomains"
    }


def test_a_long_body_passes_whole(server: ServerThread, certificate: Certificate) -> None:
    """What is larger than a piece of the relay's arrives, and is refused for its size."""
    answer = requests.post(
        f"{server.base_url}/login", data=b"x" * 1_500_000, verify=certificate.authority_file, timeout=10
    )
    assert answer.status_code == 413


def test_http_gets_nothing(server: ServerThread) -> None:
    """Who speaks no TLS is not answered, and others are served afterwards."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"GET /profile HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            said = plain.recv(65536)
        except ConnectionResetError:
            said = b""
    assert not said.startswith(b"HTTP")
    assert server.certificate
    answer = requests.get(f"{server.base_url}/profile", verify=server.certificate.authority_file, timeout=10)
    assert answer.status_code == 401


def test_a_stranger_does_not_trust_it(server: ServerThread) -> None:
    """The certificate is nobody's but this run's."""
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{server.base_url}/profile", timeout=10)


def test_close_leaves_nothing_behind(certificate: Certificate) -> None:
    """After closing, no thread is left though a connection was open, and the file goes with the certificate."""
    before = set(threading.enumerate())
    server = ServerThread(Api().app, certificate=certificate)
    context = ssl.create_default_context(cafile=certificate.authority_file)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1"),
    ):
        server.close()
        server.close()
    certificate.close()
    assert set(threading.enumerate()) <= before
    assert not Path(certificate.authority_file).exists()


def test_a_port_that_is_taken_leaves_no_thread(certificate: Certificate) -> None:
    """The server behind the relay is stopped where the relay cannot begin."""
    before = set(threading.enumerate())
    api = Api()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        ServerThread(api.app, port=taken.getsockname()[1], certificate=certificate)
    api.close()
    assert set(threading.enumerate()) <= before
