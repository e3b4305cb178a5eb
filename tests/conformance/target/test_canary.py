"""A listener that notices who calls, and serves nothing but the forger's keys."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from cryptography.x509 import load_pem_x509_certificates

from conformance.target.canary import LONGEST_PATH, MOST_CONTACTS, Canary, canary


def port_of(listener: Canary) -> int:
    """Where it listens."""
    port = urlsplit(listener.url).port
    assert port
    return port


def test_it_serves_the_forger_s_keys() -> None:
    """A server that trusts a URL finds there what it needs in order to accept: a key set, certificates, metadata."""
    with canary("127.0.0.1") as listener:
        keys = requests.get(f"{listener.url}/jwks.json", timeout=5).json()["keys"]
        certificates = requests.get(f"{listener.url}/certificate.pem", timeout=5).content
        described = requests.get(f"{listener.url}/.well-known/openid-configuration", timeout=5).json()

    assert {jwt.PyJWK(key).key_type for key in keys} == {"RSA", "EC", "OKP"}
    assert not {"d", "k"} & {name for key in keys for name in key}
    assert len(load_pem_x509_certificates(certificates)) == 3
    assert described == {"issuer": listener.url, "jwks_uri": f"{listener.url}/jwks.json"}
    assert listener.contacts == ["GET /jwks.json", "GET /certificate.pem", "GET /.well-known/openid-configuration"]


def test_who_does_not_know_its_name_is_no_contact() -> None:
    """A scanner that happens to find the port is answered 404, and says nothing of the target."""
    with canary("127.0.0.1") as listener:
        answer = requests.get(f"http://127.0.0.1:{port_of(listener)}/jwks.json", timeout=5)

    assert answer.status_code == 404
    assert answer.content == b""
    assert listener.contacts == []


def test_the_beginning_of_a_tls_handshake_is_a_contact() -> None:
    """A target that was sent to https calls as well, though nobody can speak TLS to it here."""
    with canary("127.0.0.1") as listener, socket.create_connection(("127.0.0.1", port_of(listener)), 5) as caller:
        caller.sendall(b"\x16\x03\x01\x00\x05hello")
        caller.recv(1)

        assert listener.contacts == ["a TLS handshake"]


def test_what_it_keeps_is_bounded() -> None:
    """However often and with whatever it is called, it keeps a few contacts, each cut."""
    with canary("127.0.0.1") as listener:
        for number in range(MOST_CONTACTS + 5):
            requests.get(f"{listener.url}/{'x' * 1000}{number}", timeout=5)

        assert len(listener.contacts) == MOST_CONTACTS
        assert max(map(len, listener.contacts)) == LONGEST_PATH


def test_nothing_is_left_of_it() -> None:
    """Once it is closed, nobody listens there."""
    with canary("127.0.0.1") as listener:
        port = port_of(listener)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
