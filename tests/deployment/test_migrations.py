"""The steps lead to the tables that the program uses, on the database that they are for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from reference_server.models import Base
from tests.deployment.deployed import ACCOUNTS, FLASK, Deployment, new_key, settings
from tests.packaging.processes import run_well, with_our_commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.stores import Stores


def test_the_tables_are_those_of_the_models(deployed: Deployment) -> None:
    """Nothing is to be added, dropped or changed; and to upgrade again changes nothing."""
    assert deployed.flask("database", "upgrade") == "the database is up to date\n"
    engine = create_engine(deployed.settings["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_before_there_are_tables_nothing_is_served(stores: Stores, tmp_path: Path) -> None:
    """Workers that start too early say so, and are ready as soon as somebody has made the tables."""
    url = stores.postgres.new_database("empty")
    early = Deployment(
        tmp_path, settings(url, stores.redis.url(0), {"REFERENCE_JWT_PRIVATE_KEY": new_key()}), workers=1
    )
    early.start(until=503)
    try:
        assert early.login().status_code == 503
        early.flask("database", "upgrade")
        early.wait_for(200)
        assert early.login().status_code == 200
    finally:
        early.stop()


def test_upgrades_at_once_wait_for_one_another(stores: Stores, tmp_path: Path) -> None:
    """Of four that prepare one empty database, none fails, and there is one of everything."""
    url = stores.postgres.new_database("upgraded_at_once")
    env = with_our_commands(**settings(url, stores.redis.url(0), {"REFERENCE_JWT_PRIVATE_KEY": new_key()}))
    with ThreadPoolExecutor(4) as pool:
        ends = [pool.submit(run_well, [*FLASK, "database", "upgrade"], cwd=tmp_path, env=env) for _ in range(4)]
        assert {end.result() for end in ends} == {"the database is up to date\n"}
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM signing_keys)"
        ).fetchone()
    assert row == (len(ACCOUNTS), 1)
