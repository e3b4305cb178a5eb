"""Runs with planted secrets, and what they leave behind."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reference_server.serve import ServerThread
from tests.canaries.leaks import HMAC_KEY, PASSWORD, SECOND_PASSWORD, Recorder, found_in, leaky, leftovers
from tests.hostile.command import Ended, clean, start
from tests.hostile.servers import reference_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from flask import Flask

ACCOUNTS = {"ACCOUNTS": f"alice:{PASSWORD}\nbob:{SECOND_PASSWORD}"}


@dataclass(frozen=True)
class Planted:
    """A server with planted secrets.

    Attributes:
        url: where it answers.
        secrets: the passwords and what can be read of the signing key.
        env: an environment in which a run finds all of them.
        recorder: knows every signature that went over the wire.
    """

    url: str
    secrets: tuple[str, ...]
    env: dict[str, str]
    recorder: Recorder

    def run(self, *command: str, folder: Path, **settings: str) -> Ended:
        """Runs a command in a folder where nothing else is."""
        return start(*command, folder=folder, env=self.env | settings, bound=90)

    def leaks(self, ended: Ended) -> list[str]:
        """Where a secret is in what the run printed and wrote."""
        remains = leftovers(ended.folder, ended.out, ended.err)
        return found_in(remains, self.secrets, self.recorder.signatures)


@contextmanager
def planted(
    key_file: Path, wrap: Callable[[Flask], WSGIApplication], key: str = HMAC_KEY, **settings: str
) -> Iterator[Planted]:
    """A server whose passwords and signing key the suite is given, and nobody else may learn."""
    key_file.write_text(key, encoding="utf-8")
    chosen = {"JWT_PRIVATE_KEY" if "ALGORITHM" in settings else "JWT_SECRET_KEY": key, **settings}
    with reference_app(**ACCOUNTS, **chosen) as app:
        recorder = Recorder(wrap(app))
        with ServerThread(recorder) as server:
            env = clean(
                CONFORMANCE_USERNAME="alice",
                CONFORMANCE_PASSWORD=PASSWORD,
                CONFORMANCE_SECOND_USERNAME="bob",
                CONFORMANCE_SECOND_PASSWORD=SECOND_PASSWORD,
                CONFORMANCE_SIGNING_KEY=f"@{key_file}",
            )
            # The lines of a PEM text that say nothing are no secret.
            parts = tuple(line for line in key.splitlines() if not line.startswith("-----"))
            yield Planted(server.base_url, (PASSWORD, SECOND_PASSWORD, *parts), env, recorder)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """The reference server as it is, with an HMAC secret."""
    with planted(tmp_path_factory.mktemp("keys") / "key", lambda app: app) as server:
        yield server


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A server that repeats what it is sent, with an HMAC secret."""
    with planted(tmp_path_factory.mktemp("keys") / "key", leaky) as server:
        yield server


@pytest.fixture(scope="module")
def leaking_asymmetric(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """As `leaking`, but with a private key in PEM."""
    private = generate_private_key(SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with planted(tmp_path_factory.mktemp("keys") / "key.pem", leaky, pem, ALGORITHM="ES256") as server:
        yield server
