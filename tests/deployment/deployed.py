"""The reference server as one deploys it: by its settings, gunicorn and the commands alone."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reference_server.settings import LEAST_MEMORY
from tests.packaging.processes import free_port, run_well, with_our_commands

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACCOUNTS = {"alice": "a-walrus-and-9-oysters", "bob": "the-carpenter-wept-42"}
CLIENTS = {"first-app": "Cabbages-and-kings-%41+", "second-app": "Sealing-wax-and-ships-7"}
WORKERS = 4
PATIENCE_S = 30
FLASK = ("flask", "--app", "reference_server")
GUNICORN = ("gunicorn", "-c", "python:reference_server.gunicorn_conf")


@dataclass
class Deployment:
    """A database, and workers on it.

    Attributes:
        folder: where it runs, and logs.
        settings: its environment's settings.
        workers: so many processes.
    """

    folder: Path
    settings: dict[str, str]
    workers: int = WORKERS
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The file that standard error goes to."""
        return self.folder / "log"

    def flask(self, *command: str) -> str:
        """What one of the server's commands prints."""
        return run_well([*FLASK, *command], cwd=self.folder, env=with_our_commands(**self.settings))

    def start(self, until: int = 200, **changes: str) -> None:
        """Start the workers, with some settings changed, and wait until they are ready, or say what else is wanted."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*GUNICORN, "--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers)],
                cwd=self.folder,
                env=with_our_commands(**self.settings | changes),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self.wait_for(until)

    def stop(self) -> int | None:
        """End them as an operator does; the exit code."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def wait_for(self, status: int, path: str = "/healthz") -> requests.Response:
        """The first answer with this status, which comes soon."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            try:
                answer = requests.get(self.url + path, timeout=10)
            except requests.ConnectionError:
                pass
            else:
                if answer.status_code == status:
                    return answer
            time.sleep(0.05)
        raise AssertionError(f"no answer {status} at {path}:\n{self.log.read_text()}")

    def records(self) -> list[dict[str, Any]]:
        """What has been logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def login(self, name: str = "alice", password: str | None = None) -> requests.Response:
        """Log in."""
        body = {"username": name, "password": ACCOUNTS[name] if password is None else password}
        return requests.post(f"{self.url}/login", json=body, timeout=10)

    def tokens(self) -> dict[str, Any]:
        """Log in and succeed."""
        answer = self.login()
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str, token: str = "") -> requests.Response:
        """Ask for something, on a connection of its own, which any worker may take."""
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=10)

    def post(self, path: str, token: str) -> requests.Response:
        """Present a token."""
        return requests.post(self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=10)


def settings(database_url: str, redis_url: str, changes: Mapping[str, str]) -> dict[str, str]:
    """What an operator sets; hashes are cheap, for hundreds log in."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "REFERENCE_ALGORITHM": "ES256",
        "REFERENCE_KEYRING_SECRET": secrets.token_urlsafe(32),
        "REFERENCE_ACCOUNTS": "\n".join(f"{name}:{password}" for name, password in ACCOUNTS.items()),
        "REFERENCE_CLIENTS": "\n".join(f"{name}:{secret}" for name, secret in CLIENTS.items()),
        "REFERENCE_PASSWORD_MEMORY": str(LEAST_MEMORY),
        **changes,
    }


def new_key() -> str:
    """A private key for ES256, as PEM text."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
