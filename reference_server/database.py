"""Where accounts and sessions are kept: one engine, one transaction at a time where it must be."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from reference_server.models import AccountRow, Base
from reference_server.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Executable, Row

_SERVER: dict[str, Any] = {
    # A connection that the server has closed meanwhile is replaced before it is used.
    "pool_pre_ping": True,
    # Seconds for a free connection: who waits longer is told that the database is away.
    "pool_timeout": 5,
    # A statement's parameters are password hashes and ids of tokens; they stay out of errors, and so out of logs.
    "hide_parameters": True,
}
_CONNECT_TIMEOUT = 3  # seconds
_ANYONE = select(AccountRow.id).limit(1)


class Database:
    """The accounts' and sessions' store. Transactions are atomic, whichever thread opens them."""

    def __init__(self, url: str | None) -> None:
        """Use the database at `url`, or a private one in memory. Only SQLite is opened at once, and given its tables.

        Any other may be away for the moment and is shared: `prepare` makes its tables, once for every process.
        """
        self._engine = _engine(url)
        # A database in memory is one connection, and a connection has one transaction at a time.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if isinstance(self._engine.pool, StaticPool) else nullcontext()
        )
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        # A server would have to be told of a transaction's beginning and of its end.
        self._reader = (
            self._engine if self.is_embedded else self._engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        if self.is_embedded:
            self.prepare()

    @property
    def is_embedded(self) -> bool:
        """Whether the database lives in this process; any other is a server, which others use as well."""
        return self._engine.dialect.name == "sqlite"

    def prepare(self) -> None:
        """Make the tables that are missing; where the database is a server, change those that are of another version.

        Raises:
            SettingsError: the database cannot be opened, or no tables be made in it.
        """
        try:
            if self.is_embedded:
                Base.metadata.create_all(self._engine)
            else:
                # Alembic comes with the extra `deploy`, as what speaks to such a database does.
                from reference_server import migrations  # noqa: PLC0415

                migrations.upgrade(self._engine)
        except SQLAlchemyError:
            self._engine.dispose()
            raise SettingsError("DATABASE_URL: this database cannot be opened, or no tables be made in it") from None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block, or rolls back on an exception."""
        with self._turn, self._sessions.begin() as session:
            yield session

    def first(self, statement: Executable, **values: str) -> Row[*tuple[Any, ...]] | None:
        """The first row of a statement that only looks, which needs no transaction, or None.

        Args:
            statement: made once for all, with a `bindparam` for whatever differs: it takes longer to make than to run.
            values: what those are this time.
        """
        with self._turn, self._reader.connect() as connection:
            return connection.execute(statement, values).first()

    def check(self) -> None:
        """Ask for something that takes a connection and the tables.

        Raises:
            SQLAlchemyError: there is no connection, or there are no tables.
        """
        self.first(_ANYONE)

    def close(self) -> None:
        """Give every connection back. A database in memory is gone afterwards."""
        self._engine.dispose()


def _engine(url: str | None) -> Engine:
    if url is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        try:
            address = _with_driver(make_url(url))
            engine = create_engine(address, **({} if address.get_backend_name() == "sqlite" else _SERVER))
        except (ArgumentError, NoSuchModuleError):
            # The URL may hold a password, so it is not repeated.
            raise SettingsError(
                "DATABASE_URL: this is no SQLAlchemy URL; write for instance 'sqlite:///reference.db'"
            ) from None
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"DATABASE_URL: needs the package {error.name!r}, which is not installed; "
                "pip install 'jwt-conformance[deploy]' brings what PostgreSQL needs"
            ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    elif engine.driver == "psycopg":
        event.listen(engine, "do_connect", _hurry)
    return engine


def _with_driver(url: URL) -> URL:
    """The URL, with psycopg 3 where it asks for PostgreSQL and leaves the driver open, in either spelling in use."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _hurry(_dialect: object, _record: object, _arguments: object, options: dict[str, Any]) -> None:
    """Give up soon on a PostgreSQL server that does not answer, unless the URL says how long to wait."""
    options.setdefault("connect_timeout", _CONNECT_TIMEOUT)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """SQLite checks foreign keys only where a connection asks for it.

    With a log beside its file whoever reads does not wait for whoever writes (https://sqlite.org/wal.html). What has
    been committed is on the disk as before: of a logout that was forgotten in a crash nobody would know.
    """
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
