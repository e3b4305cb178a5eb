"""What an operator can set, and how it is read from the environment."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from reference_server.durations import DurationError, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "REFERENCE_"
VARIANTS = ("full", "lesson")
ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
TOKEN_LOCATIONS = ("headers", "cookies")
# KiB; RFC 9106 §3.1: eight for each lane.
LEAST_MEMORY = 8
# RFC 7518 §3.2: a key for HS256 has at least as many bytes as the hash.
SHORTEST_SECRET = 32

# Documented and public: they exist so that the server can be tried at once.
DEMO_ACCOUNTS = (("alice", "Looking-glass-1871"), ("bob", "Tempest-and-teacup-7"))

# Likewise: the first is the one that /login belongs to, the second any other program.
DEMO_CLIENTS = (("reference-app", "Through-the-glass-1865"), ("other-app", "Sea-change-and-coral-3"))


class SettingsError(click.ClickException):
    """A setting that cannot be used; the message is one line that names the variable, and all that `flask` prints."""


def _setting(name: str, read: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    """A field of `Settings` that the environment variable `name` sets, read by `read`."""
    return field(default=default, repr=not secret, metadata={"variable": name, "read": read})


def _choice(*choices: str) -> Callable[[str], str]:
    by_lower = {choice.lower(): choice for choice in choices}

    def read(text: str) -> str:
        word = text.strip().lower()
        if word in by_lower:
            return by_lower[word]
        nearest = difflib.get_close_matches(word, by_lower, n=1, cutoff=0.3)
        raise ValueError(
            f"{text!r} is not one of {', '.join(choices)}"
            + (f"; did you mean {by_lower[nearest[0]]!r}?" if nearest else "")
        )

    return read


def _switch(text: str) -> bool:
    return _choice("on", "off")(text) == "on"


def _count(text: str) -> int:
    word = text.strip()
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= 1_000_000):  # noqa: PLR2004 - a bound
        raise ValueError(f"{text!r} is no whole number from 1 to 1000000; the nearest valid value is '10'")
    return int(word[:9])


def _memory(text: str) -> int:
    kib = _count(text)
    if kib < LEAST_MEMORY:
        raise ValueError(f"{text!r} is too little; the nearest valid value is '{LEAST_MEMORY}'")
    return kib


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _secret(text: str) -> bytes:
    secret = text.encode()
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"is {len(secret)} bytes long; the nearest valid length is {SHORTEST_SECRET} (RFC 7518 §3.2)")
    return secret


def _pem(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no PEM text"
        raise ValueError(f"cannot read the file {text[1:]!r}: {reason}") from None


def _pairs(form: str, what: str) -> Callable[[str], tuple[tuple[str, str], ...]]:
    """Reads a name and a secret from each line; `form` says how they are written, `what` what a line is about."""

    def read(text: str) -> tuple[tuple[str, str], ...]:
        found: dict[str, str] = {}
        for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
            name, colon, secret = line.partition(":")
            if not (name and colon and secret):
                # The line may hold a secret, so it is counted and not shown.
                raise ValueError(f"entry {number} is not written {form} (one {what} on each line)")
            if name in found:
                raise ValueError(f"entry {number} names {name!r} a second time")
            found[name] = secret
        if not found:
            raise ValueError(f"names no {what}; write {form}, one {what} on each line")
        return tuple(found.items())

    return read


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can choose. Secrets stay out of its repr.

    Attributes:
        variant: `full` speaks the whole contract, `lesson` the smallest honest part of it.
        algorithm: how tokens are signed: HS256, RS256, ES256 or EdDSA.
        access_lifetime: how long an access token lives.
        refresh_lifetime: how long a refresh token lives; with rotation, the whole session.
        rotation: whether a refresh token works once and is replaced (RFC 9700 §4.14.2).
        token_location: whether tokens travel in `headers` (RFC 6750 §2.1) or in `cookies`.
        tls: whether to speak TLS, with a certificate made at start; what serves the application sees to it.
        cookie_secure: whether cookies are `Secure` and named `__Host-...`; off for http on loopback.
        jwt_secret_key: the HMAC secret; random, 64 bytes, unless given.
        jwt_private_key: the PEM text of the private key; made at start unless given.
        keyring_secret: what the signing keys in the database are encrypted with; without it, they are not kept there.
        issuer: the `iss` claim.
        public_url: where clients reach the server, for metadata; where it listens unless given. A request's Host
            header would let its sender choose.
        audience: the `aud` claim.
        accounts: names and passwords of the accounts that exist at start.
        clients: ids and secrets of the OAuth clients; tokens of `/login` are issued to the first.
        password_memory: what hashing one password takes, in KiB; OWASP's least for Argon2id unless given.
        account_attempts: failed logins a minute for one account name, after which it answers 429.
        address_attempts: failed logins a minute from one address, after which it answers 429.
        trusted_proxies: how many proxies in front tell the client's address and scheme by X-Forwarded-For and -Proto;
            none unless given, since anybody can send these headers.
        fault: the name of a deliberate fault, from `reference_server.faults`, or several with commas between.
        database_url: an SQLAlchemy URL; a private database in memory unless given.
        redis_url: where failed logins are counted; in memory unless given.
    """

    variant: str = _setting("REFERENCE_VARIANT", _choice(*VARIANTS), "full")
    algorithm: str = _setting("REFERENCE_ALGORITHM", _choice(*ALGORITHMS), "HS256")
    access_lifetime: timedelta = _setting(  # noqa: RUF009 - it is a dataclasses.field
        "REFERENCE_ACCESS_LIFETIME", parse_duration, timedelta(minutes=15)
    )
    refresh_lifetime: timedelta = _setting(  # noqa: RUF009 - as above
        "REFERENCE_REFRESH_LIFETIME", parse_duration, timedelta(hours=1)
    )
    rotation: bool = _setting("REFERENCE_ROTATION", _switch, default=True)
    token_location: str = _setting("REFERENCE_TOKEN_LOCATION", _choice(*TOKEN_LOCATIONS), "headers")
    tls: bool = _setting("REFERENCE_TLS", _switch, default=False)
    cookie_secure: bool = _setting("REFERENCE_COOKIE_SECURE", _switch, default=False)
    jwt_secret_key: bytes | None = _setting("REFERENCE_JWT_SECRET_KEY", _secret, None, secret=True)
    jwt_private_key: str | None = _setting("REFERENCE_JWT_PRIVATE_KEY", _pem, None, secret=True)
    keyring_secret: bytes | None = _setting("REFERENCE_KEYRING_SECRET", _secret, None, secret=True)
    issuer: str = _setting("REFERENCE_ISSUER", _text, "jwt-conformance-reference")
    public_url: str | None = _setting("REFERENCE_PUBLIC_URL", _text, None)
    audience: str = _setting("REFERENCE_AUDIENCE", _text, "jwt-conformance-reference-api")
    accounts: tuple[tuple[str, str], ...] = _setting(
        "REFERENCE_ACCOUNTS", _pairs("name:password", "account"), DEMO_ACCOUNTS, secret=True
    )
    clients: tuple[tuple[str, str], ...] = _setting(
        "REFERENCE_CLIENTS", _pairs("id:secret", "client"), DEMO_CLIENTS, secret=True
    )
    # OWASP's Password Storage Cheat Sheet: 19 MiB, with t=2 and p=1.
    password_memory: int = _setting("REFERENCE_PASSWORD_MEMORY", _memory, 19 * 1024)
    account_attempts: int = _setting("REFERENCE_ACCOUNT_ATTEMPTS", _count, 10)
    address_attempts: int = _setting("REFERENCE_ADDRESS_ATTEMPTS", _count, 100)
    trusted_proxies: int = _setting("REFERENCE_TRUSTED_PROXIES", _count, 0)
    fault: str | None = _setting("REFERENCE_FAULT", _text, None)
    # Both URLs may hold a password.
    database_url: str | None = _setting("DATABASE_URL", _text, None, secret=True)
    redis_url: str | None = _setting("REDIS_URL", _text, None, secret=True)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings that `environ` holds; what it does not name keeps its default.

        Raises:
            SettingsError: for a value that cannot be used, or an unknown `REFERENCE_` name.
        """
        by_variable = {part.metadata["variable"]: part for part in fields(cls)}
        for name in environ:
            if name.startswith(PREFIX) and name not in by_variable:
                nearest = difflib.get_close_matches(name, by_variable, n=1, cutoff=0)[0]
                raise SettingsError(f"{name} is no setting; did you mean {nearest}?")
        chosen: dict[str, Any] = {}
        for name, part in by_variable.items():
            if name in environ:
                try:
                    chosen[part.name] = part.metadata["read"](environ[name])
                except (DurationError, ValueError) as error:
                    raise SettingsError(f"{name}: {error}") from None
        settings = cls(**chosen)
        if settings.is_deployed:
            # What everybody knows stays out of a database that others reach.
            settings = cls(**{"accounts": (), "clients": ()} | chosen)
        settings._check_together(chosen)
        return settings

    def _check_together(self, chosen: Mapping[str, Any]) -> None:
        """Raise where settings that are each valid contradict one another."""
        if self.access_lifetime >= self.refresh_lifetime:
            blamed = "ACCESS" if "access_lifetime" in chosen else "REFRESH"
            raise SettingsError(
                f"{PREFIX}{blamed}_LIFETIME: an access token ({self.access_lifetime}) must live shorter "
                f"than a refresh token ({self.refresh_lifetime})"
            )
        symmetric = self.algorithm == "HS256"
        if symmetric and self.jwt_private_key is not None:
            raise SettingsError(
                f"{PREFIX}JWT_PRIVATE_KEY: HS256 signs with {PREFIX}JWT_SECRET_KEY; "
                f"for a key pair set {PREFIX}ALGORITHM to RS256, ES256 or EdDSA"
            )
        if not symmetric and self.jwt_secret_key is not None:
            raise SettingsError(
                f"{PREFIX}JWT_SECRET_KEY: {self.algorithm} signs with {PREFIX}JWT_PRIVATE_KEY; "
                f"for a secret set {PREFIX}ALGORITHM to HS256"
            )
        if self.variant == "lesson" and not symmetric:
            raise SettingsError(f"{PREFIX}ALGORITHM: the lesson variant signs with HS256 only")
        if self.variant == "lesson" and chosen.get("rotation"):
            raise SettingsError(f"{PREFIX}ROTATION: the lesson variant does not rotate; the valid value is 'off'")

    @property
    def is_deployed(self) -> bool:
        """Whether the database is a server, which workers share: not for a trial, so there are no demo accounts."""
        return self.database_url is not None and not self.database_url.startswith("sqlite")

    @property
    def has_key(self) -> bool:
        """Whether the operator gives the signing key."""
        return bool(self.jwt_secret_key or self.jwt_private_key)

    @property
    def in_cookies(self) -> bool:
        """Whether tokens travel in cookies, and then in no body and no Authorization header."""
        return self.token_location == "cookies"  # noqa: S105 - a place, not a password

    @property
    def rotates(self) -> bool:
        """Whether refresh tokens are replaced on use, in this variant."""
        return self.rotation and self.variant == "full"

    @property
    def dashboard_scope(self) -> str | None:
        """The scope that the dashboard wants and a login grants; in the lesson, tokens and routes know of none."""
        return "dashboard" if self.variant == "full" else None
