"""The command that a report gives to repeat a finding sends what the suite sent."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from conformance.redaction import Redactor
from conformance.target.evidence import curl
from conformance.target.http import HttpClient, Request
from tests.canaries.leaks import PASSWORD, spellings
from tests.hostile.servers import Server, always, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.dGhpcyBpcyBubyBzaWduYXR1cmUgYXQgYWxs"
OTHER = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c29tZWJvZHkgZm9yZ2VkIHRoaXMgb25lIQ"
UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."
HANDLE = "8xLOxBtZp8"
SECOND = "it's a 2nd $ecret"
JSON = (("Content-Type", "application/json"),)
VARIABLES = {
    "ACCESS_TOKEN": TOKEN,
    "REFRESH_TOKEN": HANDLE,
    "FORGED_TOKEN": OTHER,
    "PASSWORD": PASSWORD,
    "PASSWORD_JSON": json.dumps(PASSWORD)[1:-1],
    "SECOND_PASSWORD": SECOND,
}
REQUESTS = {
    "a token": Request("GET", "/profile", (("Authorization", f"Bearer {TOKEN}"),)),
    "an opaque token": Request("POST", "/refresh", (("Authorization", f"Bearer {HANDLE}"),)),
    "a forged token": Request("GET", "/profile", (("Authorization", f"Bearer {OTHER}"),)),
    "an unsigned token": Request("GET", "/profile", (("Authorization", f"Bearer {UNSIGNED}"),)),
    "two tokens": Request("GET", "/profile", (("Authorization", f"Bearer {TOKEN} {OTHER}"),)),
    "a token in the query": Request("GET", f"/profile?access_token={TOKEN}"),
    "a token in a cookie": Request("GET", "/profile", (("Cookie", f"access={TOKEN}; csrf=a'b"),)),
    "an empty header": Request("GET", "/profile", (("Authorization", ""),)),
    "a scheme alone": Request("GET", "/profile", (("Authorization", "Bearer"),)),
    "quotation marks": Request("GET", "/profile", (("Authorization", "Bearer \"a\" 'b' `id` $HOME \\ !x"),)),
    "a login": Request("POST", "/login", JSON, json.dumps({"username": "o'hara", "password": PASSWORD}).encode()),
    "another's password": Request("POST", "/login", JSON, json.dumps({"password": SECOND}).encode()),
    "a form": Request("POST", "/login", (("Content-Type", "text/plain"),), f"password={SECOND}".encode()),
    "a body of no type": Request("POST", "/login", (), b"{}"),
    "a file's name": Request("POST", "/login", JSON, b"@/etc/hostname"),
    "lines": Request("POST", "/login", JSON, b'{\n\t"a": 1\r\n}'),
    "bytes": Request("POST", "/login", JSON, b"\xff\xfe\x01'\\\x1b[31m"),
    "letters": Request("POST", "/login", JSON, '{"name": "José 😀"}'.encode()),
    "a body with GET": Request("GET", "/profile", JSON, b"{}"),
    "HEAD": Request("HEAD", "/profile"),
    "DELETE": Request("DELETE", "/session"),
    "brackets": Request("GET", "/profile?filter[a]={b}&c='d'"),
}


def redactor() -> Redactor:
    """It knows the passwords; tokens go by their names."""
    redactor = Redactor()
    redactor.add(PASSWORD, "password")
    redactor.add(SECOND, "second password")
    redactor.add(HANDLE, "refresh token")
    return redactor


def command(base_url: str, request: Request) -> str:
    """The command that repeats the request."""
    return curl(base_url, request, {TOKEN: "ACCESS_TOKEN", HANDLE: "REFRESH_TOKEN"}, redactor())


class Listening:
    """A server that remembers what it was sent, without the lines in which clients differ."""

    def __init__(self) -> None:
        """Listens at once."""
        self.received: list[tuple[str, list[str], bytes]] = []
        self.server = Server(always(self._listen))

    def _listen(self, connection: socket.socket) -> None:
        head, _, body = read_request(connection).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        own = re.compile(r"(?i)(host|user-agent|accept|accept-encoding|connection|content-length): ?")
        self.received.append((unquote(first), sorted(line.rstrip() for line in lines if not own.match(line)), body))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture(scope="module")
def listening() -> Iterator[Listening]:
    """One server for all requests."""
    listening = Listening()
    with listening.server:
        yield listening


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
@pytest.mark.parametrize("name", REQUESTS)
def test_the_command_repeats_the_request(name: str, listening: Listening) -> None:
    """Run by bash, with its variables set, it sends the same method, path, headers and body."""
    listening.received.clear()
    client = HttpClient(listening.server.url)
    client.send(REQUESTS[name])
    client.close()
    line = command(listening.server.url, REQUESTS[name])
    path = {"PATH": str(shutil.which("curl")).rpartition("/")[0]}
    done = subprocess.run(["bash", "-c", line], env=VARIABLES | path, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    ours, theirs = listening.received
    assert theirs == ours, line


@pytest.mark.parametrize("name", REQUESTS)
def test_the_command_holds_no_secret(name: str) -> None:
    """Neither a password nor a token with its signature is in it."""
    line = command("http://127.0.0.1:8000", REQUESTS[name])
    for secret in (PASSWORD, SECOND):
        assert not [spelling for spelling in spellings(secret) if spelling in line.encode()]
    for secret in (TOKEN, OTHER, HANDLE):
        assert secret.rpartition(".")[2] not in line


@pytest.mark.parametrize("name", sorted(REQUESTS.keys() - {"bytes", "lines"}))
def test_the_command_is_one_line_of_words(name: str) -> None:
    """A shell reads it as curl, options and one URL, and nothing in it is run."""
    line = command("http://127.0.0.1:8000", REQUESTS[name])
    assert line.isprintable()
    words = shlex.split(line)
    assert words[0] == "curl"
    assert len([word for word in words if word.startswith("http://127.0.0.1:8000/")]) == 1


def test_an_ordinary_command_is_short() -> None:
    """What most findings show can be read."""
    assert command("http://127.0.0.1:8000", REQUESTS["a token"]) == (
        "curl -i http://127.0.0.1:8000/profile -H 'Authorization: Bearer '\"$ACCESS_TOKEN\""
    )
    body = json.dumps({"username": "alice", "password": "a plain one"}).encode()
    plain = Redactor()
    plain.add("a plain one", "password")
    assert curl("http://127.0.0.1:8000", Request("POST", "/login", JSON, body), {}, plain) == (
        "curl -i -X POST http://127.0.0.1:8000/login -H 'Content-Type: application/json'"
        ' --data-raw \'{"username": "alice", "password": "\'"$PASSWORD"\'"}\''
    )
