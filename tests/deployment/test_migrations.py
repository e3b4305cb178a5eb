"""The steps lead to the tables that the program uses, on the database that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from reference_server.models import Base

if TYPE_CHECKING:
    from tests.deployment.deployed import Deployment


def test_the_tables_are_those_of_the_models(deployed: Deployment) -> None:
    """Nothing is to be added, dropped or changed; and to upgrade again changes nothing."""
    assert deployed.flask("database", "upgrade") == "the database is up to date\n"
    engine = create_engine(deployed.settings["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()
