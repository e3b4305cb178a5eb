"""The bundled reference server, for when no URL is given. The one module that imports `reference_server`."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.errors import ConfigurationError
from conformance.target.session import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_server.serve import ServerThread

# Odd enough to show a comparison that trims, folds or cuts; every character is of one byte.
_SUFFIX = "-Aa1!"


@dataclass(slots=True)
class Bundled:
    """A reference server that runs in this process.

    Attributes:
        base_url: where it answers.
        signing_key: the secret or private key (PEM) that its tokens are signed with.
        algorithm: how they are signed.
        accounts: two accounts, made up for this run.
    """

    server: ServerThread
    settings: dict[str, str] = field(repr=False)
    signing_key: str | bytes = field(repr=False)
    algorithm: str
    accounts: tuple[Account, Account]

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return self.server.base_url

    def again(self, changes: Mapping[str, str]) -> Bundled:
        """A second server with the same key and some `REFERENCE_*` settings changed (named without the prefix)."""
        settings = self.settings | {f"REFERENCE_{name}": value for name, value in changes.items()}
        if isinstance(self.signing_key, str):
            # Making an RSA key takes longer than everything else about a start.
            settings |= {"REFERENCE_ALGORITHM": self.algorithm, "REFERENCE_JWT_PRIVATE_KEY": self.signing_key}
        return _start(settings, self.accounts)

    def close(self) -> None:
        """Stops the server and its threads."""
        self.server.close()


def start(profile_settings: Mapping[str, str]) -> Bundled:
    """Starts the server on a free loopback port, with the environment's `REFERENCE_*` settings.

    Args:
        profile_settings: settings that the profile needs, named without the prefix; they come first.

    Raises:
        ConfigurationError: a setting is unusable.
    """
    accounts = tuple(Account(name, secrets.token_urlsafe(16) + _SUFFIX) for name in ("alice", "bob"))
    # Random passwords of accounts that live for one run need no slow hash.
    settings = {"REFERENCE_PASSWORD_MEMORY": "8"}
    settings |= {name: value for name, value in os.environ.items() if name.startswith("REFERENCE_")}
    settings |= {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    settings |= {f"REFERENCE_{name}": value for name, value in profile_settings.items()}
    settings["REFERENCE_ACCOUNTS"] = "\n".join(f"{item.username}:{item.password}" for item in accounts)
    return _start(settings, (accounts[0], accounts[1]))


def _start(settings: dict[str, str], accounts: tuple[Account, Account]) -> Bundled:
    from reference_server import Settings, SettingsError, create_app  # noqa: PLC0415 - only where no URL is given
    from reference_server.app import services_of  # noqa: PLC0415
    from reference_server.serve import ServerThread  # noqa: PLC0415

    try:
        app = create_app(Settings.from_env(settings))
    except (SettingsError, LookupError) as error:
        raise ConfigurationError(str(error)) from None
    key = services_of(app).issuer.key
    return Bundled(ServerThread(app), settings, key.private, key.algorithm, accounts)


def faults() -> list[tuple[str, tuple[str, ...], str]]:
    """The deliberate faults of the reference server: name, broken requirements, what it does."""
    from reference_server.faults import load  # noqa: PLC0415

    return [(name, fault.breaks, fault.does) for name, fault in sorted(load().items())]


def serve(host: str, port: int, fault: str | None, announce: Callable[[str], None]) -> None:
    """Serves in the foreground until interrupted.

    Raises:
        ConfigurationError: an unusable setting, an unknown fault, or a port that cannot be had.
    """
    from reference_server import Settings, SettingsError, create_app  # noqa: PLC0415
    from reference_server.serve import serve_forever  # noqa: PLC0415

    try:
        settings = Settings.from_env(os.environ)
        app = create_app(replace(settings, fault=fault) if fault else settings)
    except (SettingsError, LookupError) as error:
        raise ConfigurationError(str(error)) from None
    try:
        serve_forever(app, host=host, port=port, announce=announce)
    except OSError as error:
        raise ConfigurationError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
