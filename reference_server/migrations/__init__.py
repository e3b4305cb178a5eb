"""How the tables of a shared database came to be as the models have them: Alembic's steps, and the one to make them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Engine


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision. Several at once wait for one another.

    Raises:
        SQLAlchemyError: the database is away, or refuses a step; it stays as it was.
    """
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
