"""PostgreSQL and Redis from Debian's packages, on free loopback ports, with their files in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from redis import Redis as Client
from redis.exceptions import RedisError

from tests.packaging.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "postgres"
PATIENCE_S = 20
_QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def programs() -> tuple[Path, Path] | None:
    """The folder of PostgreSQL's programs, and Redis's server, where both are there."""
    # Debian keeps PostgreSQL's out of the path, since there may be several versions.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    postgres = found[-1] if found else shutil.which("pg_ctl")
    redis = shutil.which("redis-server")
    return (Path(postgres).parent, Path(redis)) if postgres and redis else None


class Postgres:
    """A PostgreSQL server."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """Make its files in `folder`, and start it."""
        self._programs, self._folder, self._port = programs, folder, free_port()
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        self._run("initdb", "--auth=trust", f"--username={OWNER}", "--no-sync", "--encoding=UTF8")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' {_QUICK}"
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}", f"--options={options}")

    def stop(self) -> None:
        """Cut every connection and end."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    def new_database(self, name: str) -> str:
        """Make an empty database; its URL, as it is usually written."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str) -> str:
        """The URL of a database."""
        return f"postgresql://{OWNER}@127.0.0.1:{self._port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        # It refuses to be run by root.
        become = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        command = [*become, str(self._programs / program), f"--pgdata={self._folder}", *arguments]
        # What it leaves running would keep a pipe open.
        subprocess.run(command, cwd="/", check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)


class Redis:
    """A Redis server."""

    def __init__(self, program: Path, folder: Path) -> None:
        """Start it; it writes nothing to `folder`."""
        self._program, self._folder, self._port = program, folder, free_port()
        folder.mkdir()
        self.start()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        settings = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--databases", "64"]
        self._process = subprocess.Popen(
            [str(self._program), *settings], cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_S
        with Client(port=self._port) as client:
            while time.monotonic() < deadline:
                try:
                    client.ping()
                except RedisError:
                    time.sleep(0.05)
                else:
                    return
        raise AssertionError("Redis does not answer")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def url(self, number: int) -> str:
        """The URL of one of its databases."""
        return f"redis://127.0.0.1:{self._port}/{number}"


@dataclass(frozen=True)
class Stores:
    """Where deployments keep what their workers share."""

    postgres: Postgres
    redis: Redis


@contextmanager
def started(found: tuple[Path, Path]) -> Iterator[Stores]:
    """Both servers, of the programs that were found, for as long as the block takes."""
    # Not pytest's own folder, which belongs to root alone.
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        postgres = Postgres(found[0], Path(folder) / "postgres")
        stack.callback(postgres.stop)
        redis = Redis(found[1], Path(folder) / "redis")
        stack.callback(redis.stop)
        yield Stores(postgres, redis)


@contextmanager
def away(store: Postgres | Redis) -> Iterator[None]:
    """Stops a server for as long as the block takes."""
    store.stop()
    try:
        yield
    finally:
        store.start()
