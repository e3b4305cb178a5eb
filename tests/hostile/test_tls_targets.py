"""Targets with TLS: trust is never given up, and what is wrong with it is told."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from conformance.errors import TargetError
from conformance.target.http import HttpClient, Request
from conformance.target.raw import converse
from tests.hostile.command import CREDENTIALS, assert_told, clean, judge
from tests.hostile.servers import Server, always, closes

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

BOUND_S = 20


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """The settings of a server that presents the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """An environment in which the authority is trusted."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return clean(SSL_CERT_FILE=str(file), **CREDENTIALS)


def test_a_certificate_that_nobody_vouches_for_ends_the_run(app: Flask, authority: trustme.CA, tmp_path: Path) -> None:
    """No credential is sent to a server whose certificate is not trusted."""
    with Server(app=app, tls=presenting(authority.issue_cert("127.0.0.1"))) as server:
        ended = judge(server.url, folder=tmp_path, env=clean(**CREDENTIALS), bound=BOUND_S)
    assert_told(ended, 2, f"{server.host} presents a certificate that is not trusted")
    assert "SSL_CERT_FILE" in ended.err
    assert server.connections == 0


def test_the_authority_that_the_user_names_is_trusted(
    app: Flask, authority: trustme.CA, trusting: dict[str, str], tmp_path: Path
) -> None:
    """SSL_CERT_FILE is what the message asks for, and it suffices."""
    with Server(app=app, tls=presenting(authority.issue_cert("127.0.0.1"))) as server:
        ended = judge(server.url, "-k", "refresh_02", folder=tmp_path, env=trusting, bound=BOUND_S)
    assert ended.code == 0, ended.said


def test_a_certificate_for_another_host_is_not_trusted(
    app: Flask, authority: trustme.CA, trusting: dict[str, str], tmp_path: Path
) -> None:
    """That the authority is known is not enough."""
    with Server(app=app, tls=presenting(authority.issue_cert("api.example"))) as server:
        ended = judge(server.url, folder=tmp_path, env=trusting, bound=BOUND_S)
    assert_told(ended, 2, "not trusted: IP address mismatch")


def test_an_expired_certificate_is_not_trusted(
    app: Flask, authority: trustme.CA, trusting: dict[str, str], tmp_path: Path
) -> None:
    """The message says that it is its time which is over."""
    start, end = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
    expired = authority.issue_cert("127.0.0.1", not_before=start, not_after=end)
    with Server(app=app, tls=presenting(expired)) as server:
        ended = judge(server.url, folder=tmp_path, env=trusting, bound=BOUND_S)
    assert_told(ended, 2, "not trusted: certificate has expired")


def test_http_at_a_tls_port_is_told(app: Flask, authority: trustme.CA, tmp_path: Path) -> None:
    """Who forgot the s of https is asked about it."""
    with Server(app=app, tls=presenting(authority.issue_cert("127.0.0.1"))) as server:
        ended = judge(f"http://{server.host}", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 3, server.host)
    assert "https://" in ended.err


def test_https_at_a_plain_port_is_told(app: Flask, tmp_path: Path) -> None:
    """Who wrote an s too many is asked about it."""
    with Server(app=app) as server:
        ended = judge(f"https://{server.host}", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 2, f"no TLS connection to {server.host}")
    assert "http://" in ended.err


@pytest.mark.parametrize("text", [None, "no certificate at all"])
def test_a_file_of_authorities_that_holds_none_is_told(
    text: str | None, app: Flask, authority: trustme.CA, tmp_path: Path
) -> None:
    """A mistake in SSL_CERT_FILE is not blamed on the target."""
    file = tmp_path / "authorities.pem"
    if text:
        file.write_text(text)
    env = clean(SSL_CERT_FILE=str(file), **CREDENTIALS)
    with Server(app=app, tls=presenting(authority.issue_cert("127.0.0.1"))) as server:
        ended = judge(server.url, folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, 2, "the file of trusted authorities")


@pytest.mark.parametrize("length", [10, 5 << 20])
def test_who_hangs_up_after_the_handshake_is_not_taken_for_a_server_without_tls(
    length: int, authority: trustme.CA, tmp_path: Path
) -> None:
    """A connection that is closed in the middle of a request is told as without TLS, and the run goes on."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with Server(always(closes), tls=presenting(authority.issue_cert("127.0.0.1"))) as server:
        client = HttpClient(server.url, trusted_ca=str(file))
        with pytest.raises(TargetError, match="closed the connection without an answer"):
            client.send(Request("POST", "/login", (), b"x" * length))
        assert converse(client, Request("POST", "/login", (("Content-Length", str(length)),), b"x" * length)).closed
        client.close()
