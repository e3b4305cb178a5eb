"""What an operator does by `flask --app reference_server ...`, with the settings of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup

from reference_server.settings import SettingsError

if TYPE_CHECKING:
    from flask import Flask

database = AppGroup("database", help="The tables that all workers share.")


@database.command()
def upgrade() -> None:
    """Make or change the tables, and add the accounts of REFERENCE_ACCOUNTS; before each new version."""
    # Imported here since the application is built with these commands.
    from reference_server.app import prepare  # noqa: PLC0415

    try:
        prepare(current_app)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    click.echo("the database is up to date")


def register(app: Flask) -> None:
    """Give `flask` these commands."""
    app.cli.add_command(database)
