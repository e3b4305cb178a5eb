"""Signing keys in the database, where every worker finds the same ones, sealed with `REFERENCE_KEYRING_SECRET`.

One takes over from another without refusing a token:

    announced --signs_from--> signing --its successor's signs_from--> verifying --verifies_until--> gone

An announced key is published and verifies already, so that whoever keeps the key set for a while knows it before
its first token. A key verifies for as long as a refresh token that it has signed may live.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask import g, has_app_context
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from reference_server import clock
from reference_server.keyring import NoKeyError
from reference_server.keys import PrivateKey, SigningKey, make
from reference_server.models import SigningKeyRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from reference_server.database import Database
    from reference_server.settings import Settings

_Found = TypeVar("_Found")
# For how many seconds longer a key is kept, since no two clocks agree.
SKEW = 60


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of the database.

    Attributes:
        key: what signs and verifies.
        signs_from: when it begins to sign, in seconds since the epoch.
        verifies_until: when the last token that it has signed is over; None while it has no successor.
    """

    key: SigningKey
    signs_from: int
    verifies_until: int | None


class SharedKeys:
    """The keys in the database. Each request reads them once, so what a command has written, every worker obeys."""

    def __init__(self, database: Database, settings: Settings, secret: bytes) -> None:
        """Keep keys for the settings' algorithm in `database`, sealed with `secret`."""
        self._database = database
        self._settings = settings
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret).digest()))
        # A row's key never changes, and reading one of RSA takes long.
        self._opened: dict[str, SigningKey] = {}

    @property
    def algorithm(self) -> str:
        """The settings' own."""
        return self._settings.algorithm

    def signing(self) -> SigningKey:
        """The last of those whose time has come; within one request always the same.

        A token asks twice, for the key and for its name, and the next one's time may come in between.
        """
        return _once("signing_key", self._signing)

    def verifying(self, kid: object) -> SigningKey | None:
        """The key of that name; whether it is the right one is for the signature to show."""
        return next((key for key in self.published() if key.kid == kid), None)

    def published(self) -> list[SigningKey]:
        """Those announced, the one that signs, and those before it whose tokens are not over."""
        return [known.key for known in self.known()]

    def known(self) -> list[KnownKey]:
        """The keys of any use, the last one first; within one request always the same."""
        return _once("known_keys", self._read)

    def prepare(self) -> None:
        """Add a first key where there is none: the settings' own, or else a new one."""
        if self._read():
            return
        key = SigningKey.from_settings(self._settings) if self._settings.has_key else self._new()
        # Another who prepares at the same moment may have added the same one already.
        with suppress(IntegrityError), self._database.transaction() as session:
            self._add(session, key, signs_from=0)

    def rotate(self, *, announce: int) -> KnownKey:
        """Add a key that begins to sign in so many seconds; the others go when their last token is over."""
        key, now = self._new(), clock.now()
        signs_from = now + announce
        last = signs_from + int(self._settings.refresh_lifetime.total_seconds()) + SKEW
        with self._database.transaction() as session:
            session.execute(delete(SigningKeyRow).where(SigningKeyRow.verifies_until <= now))
            # One that was announced for later is overtaken, but stays known to whoever has a token of it.
            session.execute(
                update(SigningKeyRow)
                .where(SigningKeyRow.signs_from >= signs_from)
                .values(signs_from=signs_from - 1)
                .execution_options(synchronize_session=False)
            )
            session.execute(
                update(SigningKeyRow).where(SigningKeyRow.verifies_until.is_(None)).values(verifies_until=last)
            )
            self._add(session, key, signs_from=signs_from)
        return KnownKey(key, signs_from, None)

    def revoke(self, kid: str) -> bool:
        """Drop a key that others may have, and with it every token that it has signed; whether there was one."""
        with self._database.transaction() as session:
            gone = session.execute(delete(SigningKeyRow).where(SigningKeyRow.kid == kid))
        return cast("CursorResult[Any]", gone).rowcount == 1

    def _signing(self) -> SigningKey:
        now = clock.now()
        found = next((known.key for known in self.known() if known.signs_from <= now), None)
        if found is None:
            raise NoKeyError("no signing key: run `flask --app reference_server database upgrade`")
        return found

    def _new(self) -> SigningKey:
        if self.algorithm == "HS256":
            # A name that tells nothing of the secret.
            return SigningKey.secret(secrets.token_bytes(64), kid=str(uuid.uuid4()))
        return SigningKey.pair(self.algorithm, make(self.algorithm))

    def _add(self, session: Session, key: SigningKey, *, signs_from: int) -> None:
        private = key.private if isinstance(key.private, bytes) else key.private.encode()
        row = {"id": str(uuid.uuid4()), "kid": key.kid, "algorithm": key.algorithm, "signs_from": signs_from}
        session.execute(insert(SigningKeyRow).values(**row, sealed=self._seal.encrypt(private).decode()))

    def _read(self) -> list[KnownKey]:
        current = or_(SigningKeyRow.verifies_until.is_(None), SigningKeyRow.verifies_until > clock.now())
        with self._database.transaction() as session:
            rows = session.scalars(
                select(SigningKeyRow)
                .where(SigningKeyRow.algorithm == self.algorithm, current)
                .order_by(SigningKeyRow.signs_from.desc())
            ).all()
        return [KnownKey(self._open(row), row.signs_from, row.verifies_until) for row in rows]

    def _open(self, row: SigningKeyRow) -> SigningKey:
        if row.id not in self._opened:
            try:
                private = self._seal.decrypt(row.sealed.encode())
            except InvalidToken:
                raise NoKeyError("REFERENCE_KEYRING_SECRET: it does not open the keys in the database") from None
            if row.algorithm == "HS256":
                self._opened[row.id] = SigningKey.secret(private, kid=row.kid)
            else:
                key = load_pem_private_key(private, password=None)
                assert isinstance(key, PrivateKey)
                self._opened[row.id] = SigningKey.pair(row.algorithm, key)
        return self._opened[row.id]


def _once(name: str, read: Callable[[], _Found]) -> _Found:
    """What `read` finds; kept under that name for as long as a request lasts, where there is one."""
    if not has_app_context():
        return read()
    if name not in g:
        setattr(g, name, read())
    found: _Found = g.get(name)
    return found
