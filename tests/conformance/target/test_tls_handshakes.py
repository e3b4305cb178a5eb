"""Handshakes: what is agreed on, and whom the suite trusts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from conformance.errors import TargetError
from conformance.target import tls
from conformance.target.http import HttpClient, Request
from conformance.target.raw import converse
from reference_server import Settings, create_app
from reference_server.serve import ServerThread
from reference_server.tls import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[None, "tls-1.0-is-spoken"])
def target(request: pytest.FixtureRequest) -> Iterator[tuple[HttpClient, bool]]:
    """A client of a server over TLS, and whether that speaks old versions."""
    with closing(Certificate()) as certificate:
        app = create_app(Settings(fault=request.param, tls=True))
        with (
            ServerThread(app, certificate=certificate) as server,
            closing(HttpClient(server.base_url, trusted_ca=certificate.authority_file)) as client,
        ):
            yield client, request.param is not None


def test_what_a_server_speaks_is_agreed_on(target: tuple[HttpClient, bool]) -> None:
    """Current versions are; an obsolete one is where the server has it."""
    client, is_old = target
    assert tls.agree(client).agreed == "TLSv1.3"
    for name, agreed in (("TLS 1.0", "TLSv1"), ("TLS 1.1", "TLSv1.1")):
        if tls.can_offer(name):
            handshake = tls.offer(client, name)
            assert handshake.agreed == (agreed if is_old else "")
            assert is_old or handshake.problem


def test_a_conversation_goes_over_tls(target: tuple[HttpClient, bool]) -> None:
    """Bytes to a target with TLS are sent over TLS, with the trust that requests have."""
    closing_down = (("Connection", "close"),)
    assert converse(target[0], Request("GET", "/profile", closing_down)).exchange.response.status == 401


def test_a_stranger_is_not_trusted(target: tuple[HttpClient, bool]) -> None:
    """Who does not know the authority agrees on nothing and sends nothing."""
    with closing(HttpClient(target[0].base_url)) as stranger:
        assert "certificate" in tls.agree(stranger).problem
        with pytest.raises(TargetError):
            converse(stranger, Request("GET", "/profile"))
