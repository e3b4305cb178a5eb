"""One JSON object a line, and in none of them what has to stay secret."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tests.deployment.deployed import ACCOUNTS, CLIENTS, GUNICORN
from tests.deployment.stores import away
from tests.packaging.processes import run, with_our_commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.deployed import Deployment
    from tests.deployment.stores import Stores

PLANTED = "Planted-secret-in-an-odd-place"


def test_requests_are_logged_without_what_was_sent(stores: Stores, deployed: Deployment) -> None:
    """Method, route, status, duration and client of each, also of those that cannot be read or that fail."""
    tokens = deployed.tokens()
    deployed.get(f"/profile?access_token={tokens['access_token']}&password={PLANTED}", tokens["access_token"])
    deployed.get(f"/{PLANTED}/{tokens['refresh_token']}")
    deployed.login(password=PLANTED)
    for line in (f"Authorization Bearer {tokens['access_token']}", f"Content-Length: {PLANTED}", f"{PLANTED}\x00: x"):
        send(deployed, f"GET /profile?{PLANTED} HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n")
    send(deployed, f"{PLANTED}\r\n\r\n")
    with away(stores.postgres):
        deployed.login(password=PLANTED)
        deployed.get("/profile", tokens["access_token"])
    deployed.wait_for(200)

    asked = [record for record in deployed.records() if record["logger"] == "reference_server.requests"]
    (login, *_), unknown = ([row for row in asked if row["route"] == route] for route in ("/login", None))
    assert {"time", "level", "process", "message"} <= login.keys()
    assert (login["method"], login["status"], login["client"]) == ("POST", 200, "127.0.0.1")
    assert login["duration_ms"] > 0
    assert unknown[0]["status"] == 404
    assert [record for record in deployed.records() if record["message"].startswith("unavailable at")]
    assert [record for record in deployed.records() if record["message"].startswith("Invalid request")]

    text = deployed.log.read_text()
    signatures = [token.rpartition(".")[2] for token in (tokens["access_token"], tokens["refresh_token"])]
    secrets = [PLANTED, deployed.settings["REFERENCE_KEYRING_SECRET"], *ACCOUNTS.values(), *CLIENTS.values()]
    assert not [secret for secret in [*secrets, *signatures, "argon2", "Traceback"] if secret in text]


def send(deployed: Deployment, text: str) -> None:
    """Send what no client would, and wait for the end of the answer."""
    with socket.create_connection(("127.0.0.1", deployed.port), timeout=10) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def test_what_workers_would_not_share_is_told_before_they_start(deployed: Deployment, tmp_path: Path) -> None:
    """One line names the setting that is missing, or wrong."""
    for missing, hint in (
        ("DATABASE_URL", "set DATABASE_URL"),
        ("REDIS_URL", "set REDIS_URL"),
        ("REFERENCE_KEYRING_SECRET", "set REFERENCE_KEYRING_SECRET"),
    ):
        settings = {name: value for name, value in deployed.settings.items() if name != missing}
        ended = run([*GUNICORN, "--bind", "127.0.0.1:0"], cwd=tmp_path, env=with_our_commands(**settings))
        assert ended.returncode != 0
        assert hint in ended.stderr.splitlines()[-1]
        assert "Traceback" not in ended.stderr
