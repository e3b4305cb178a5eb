"""The bundled reference server, for when no URL is given. The one module that imports `reference_server`."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from conformance.errors import ConfigurationError
from conformance.target.hooks import HookError, Hooks
from conformance.target.session import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.target.profile import Profile
    from reference_server.database import Database
    from reference_server.keys import SigningKey
    from reference_server.serve import ServerThread
    from reference_server.tls import Certificate
    from reference_server.views import Services

# Odd enough to show a comparison that trims, folds or cuts; every character is of one byte.
_SUFFIX = "-Aa1!"
# What a form writes otherwise, to show a client's secret that is not encoded before it goes into HTTP Basic.
_CLIENT_SUFFIX = "%41+:"


@dataclass(slots=True)
class Bundled(Hooks):
    """A reference server that runs in this process.

    Attributes:
        base_url: where it answers.
        signing_key: the secret or private key (PEM) that its tokens are signed with.
        algorithm: how they are signed.
        accounts: two accounts, made up for this run.
        clients: two OAuth clients, likewise; tokens of a login belong to the first.
        trusted_ca: a file with the certificate to trust, where the server speaks TLS.
    """

    server: ServerThread
    settings: dict[str, str] = field(repr=False)
    signing_key: str | bytes = field(repr=False)
    algorithm: str
    accounts: tuple[Account, Account]
    clients: tuple[Account, ...] = ()
    trusted_ca: str = ""

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return self.server.base_url

    def declared(self, profile: Profile) -> Profile:
        """The profile with what this server's operator has chosen."""
        chosen = self._services().settings
        if not chosen.rotates:
            return replace(profile, refresh=replace(profile.refresh, rotation="none"))
        # Rotation does not extend a session.
        session = int(chosen.refresh_lifetime.total_seconds())
        return replace(profile, lifetimes=replace(profile.lifetimes, session=session))

    def again(self, changes: Mapping[str, str]) -> Bundled:
        """A second server with the same key and some `REFERENCE_*` settings changed (named without the prefix)."""
        settings = self.settings | {f"REFERENCE_{name}": value for name, value in changes.items()}
        if "ALGORITHM" in changes:
            # Another kind of key: the server makes one.
            settings = {name: value for name, value in settings.items() if "JWT_" not in name}
        return _start(settings, self.accounts, self.clients)

    def companion(self, own: Profile, other: Profile) -> Bundled:
        """A second server, for another profile; a deliberate fault stays where it is, to be found once."""
        left_out = {"REFERENCE_FAULT", *(f"REFERENCE_{name}" for name in own.bundled)}
        settings = {name: value for name, value in self.settings.items() if name not in left_out}
        return replace(self, settings=settings).again(other.bundled)

    def provision(self, action: str, **details: str) -> None:
        """Does something to an account, in this process: a user's own server would offer a command for it."""
        accounts, name = self._services().accounts, details["username"]
        match action:
            case "create":
                accounts.put(name, details["password"])
            case "change_password":
                accounts.put(name, details["new_password"])
            case "disable":
                accounts.disable(name)
            case "delete":
                accounts.remove(name)
            case _:
                raise HookError(f"the bundled server knows no action {action!r}")

    def restart(self, settings: Mapping[str, Any]) -> None:
        """Starts anew on the same port, on the database that was there, with some `REFERENCE_*` settings changed."""
        database, port = self._services().database, self.server.port
        certificate = self.server.certificate
        self.server.close(keep_database=True)
        changed = self.settings | {f"REFERENCE_{name}": str(value) for name, value in settings.items()}
        try:
            self.server = _serve(changed, database=database, port=port, certificate=certificate)[0]
        except ConfigurationError as error:
            self.server = _serve(self.settings, database=database, port=port, certificate=certificate)[0]
            raise HookError(f"the bundled server cannot be restarted with that: {error}") from None

    def _services(self) -> Services:
        from flask import Flask  # noqa: PLC0415 - loaded with the server

        from reference_server.app import services_of  # noqa: PLC0415

        assert isinstance(self.server.app, Flask)
        return services_of(self.server.app)

    def close(self) -> None:
        """Stops the server and its threads."""
        self.server.close()
        if self.server.certificate:
            self.server.certificate.close()


def start(profile_settings: Mapping[str, str]) -> Bundled:
    """Starts the server on a free loopback port, with the environment's `REFERENCE_*` settings.

    Args:
        profile_settings: settings that the profile needs, named without the prefix; they come first.

    Raises:
        ConfigurationError: a setting is unusable.
    """
    accounts = tuple(Account(name, secrets.token_urlsafe(16) + _SUFFIX) for name in ("alice", "bob"))
    # Random passwords of accounts that live for one run need no slow hash, and all guesses of a run, hundreds within
    # seconds, come from one address.
    settings = {"REFERENCE_PASSWORD_MEMORY": "8", "REFERENCE_ADDRESS_ATTEMPTS": "1000"}
    settings |= {name: value for name, value in os.environ.items() if name.startswith("REFERENCE_")}
    settings |= {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    settings |= {f"REFERENCE_{name}": value for name, value in profile_settings.items()}
    if settings.get("REFERENCE_ALGORITHM", "HS256").upper() == "HS256":
        settings.setdefault("REFERENCE_JWT_SECRET_KEY", secrets.token_urlsafe(64))
    clients = tuple(Account(name, secrets.token_urlsafe(24) + _CLIENT_SUFFIX) for name in ("first-app", "second-app"))
    for name, owners in (("ACCOUNTS", accounts), ("CLIENTS", clients)):
        settings[f"REFERENCE_{name}"] = "\n".join(f"{item.username}:{item.password}" for item in owners)
    return _start(settings, (accounts[0], accounts[1]), clients)


def _start(settings: dict[str, str], accounts: tuple[Account, Account], clients: tuple[Account, ...]) -> Bundled:
    server, key = _serve(settings)
    # A restart must not change the key, and making an RSA key takes longer than everything else about a start.
    if isinstance(key.private, str):
        settings = settings | {"REFERENCE_ALGORITHM": key.algorithm, "REFERENCE_JWT_PRIVATE_KEY": key.private}
        settings.pop("REFERENCE_JWT_SECRET_KEY", None)
    trusted = server.certificate.authority_file if server.certificate else ""
    return Bundled(server, settings, key.private, key.algorithm, accounts, clients, trusted_ca=trusted)


def _serve(
    settings: dict[str, str],
    database: Database | None = None,
    port: int = 0,
    certificate: Certificate | None = None,
) -> tuple[ServerThread, SigningKey]:
    from reference_server import Settings, SettingsError, create_app  # noqa: PLC0415 - only where no URL is given
    from reference_server.app import services_of  # noqa: PLC0415
    from reference_server.serve import ServerThread  # noqa: PLC0415
    from reference_server.tls import Certificate  # noqa: PLC0415

    try:
        chosen = Settings.from_env(settings)
        app = create_app(chosen, database=database)
        if chosen.tls:
            # A restart keeps what clients trust.
            certificate = certificate or Certificate()
        server = ServerThread(app, port=port, certificate=certificate)
    except (SettingsError, LookupError) as error:
        raise ConfigurationError(str(error)) from None
    return server, services_of(app).issuer.key


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
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None
    except OSError as error:
        raise ConfigurationError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
