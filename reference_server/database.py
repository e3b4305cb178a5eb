"""Where accounts and sessions are kept: one engine, one transaction at a time where it must be."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from reference_server.models import Base
from reference_server.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Database:
    """The accounts' and sessions' store. Transactions are atomic, whichever thread opens them."""

    def __init__(self, url: str | None) -> None:
        """Open the database at `url`, or a private one in memory, and create what tables it lacks."""
        self._engine = _engine(url)
        # A database in memory is one connection, and a connection has one transaction at a time.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if isinstance(self._engine.pool, StaticPool) else nullcontext()
        )
        try:
            Base.metadata.create_all(self._engine)
        except SQLAlchemyError:
            self._engine.dispose()
            raise SettingsError("DATABASE_URL: this database cannot be opened, or no tables be made in it") from None
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block, or rolls back on an exception."""
        with self._turn, self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        """Give every connection back. A database in memory is gone afterwards."""
        self._engine.dispose()


def _engine(url: str | None) -> Engine:
    if url is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        try:
            engine = create_engine(make_url(url), pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError):
            # The URL may hold a password, so it is not repeated.
            raise SettingsError(
                "DATABASE_URL: this is no SQLAlchemy URL; write for instance 'sqlite:///reference.db'"
            ) from None
        except ModuleNotFoundError as error:
            raise SettingsError(f"DATABASE_URL: needs the package {error.name!r}, which is not installed") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _obey_foreign_keys)
    return engine


def _obey_foreign_keys(connection: Any, _record: object) -> None:
    """SQLite checks foreign keys only where a connection asks for it."""
    connection.execute("PRAGMA foreign_keys=ON")
