"""What an operator does by `flask --app reference_server ...`, with the settings of the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from reference_server import clock
from reference_server.durations import DurationError, parse_duration
from reference_server.keyring import NoKeyError
from reference_server.shared_keys import SharedKeys
from reference_server.views import KEY_SET_AGE, Services

if TYPE_CHECKING:
    from flask import Flask


class _Group(AppGroup):
    """Commands that need the database, and say so where they cannot have it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NoKeyError as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            # What it says may hold the URL, and with it the password.
            raise click.ClickException(
                f"the database cannot be asked ({type(error).__name__}): is it up, and has"
                " `flask --app reference_server database upgrade` made its tables?"
            ) from None


accounts = _Group("accounts", help="Who may log in.")
database = _Group("database", help="The tables that all workers share.")
keys = _Group("keys", help="The signing keys in the database.")


@accounts.command()
@click.argument("name")
@click.password_option(help="Asked for where it is not given, which keeps it out of the shell's history.")
def put(name: str, password: str) -> None:
    """Add the account NAME, or change its password, which ends its sessions."""
    _services().accounts.put(name, password)


@accounts.command()
@click.argument("name")
def disable(name: str) -> None:
    """Keep the account NAME from logging in, and end its sessions."""
    _services().accounts.disable(name)


@accounts.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete the account NAME, and end its sessions."""
    _services().accounts.remove(name)


@database.command()
def upgrade() -> None:
    """Make or change the tables; add the accounts of REFERENCE_ACCOUNTS and a first signing key."""
    # Imported here since the application is built with these commands.
    from reference_server.app import prepare  # noqa: PLC0415

    prepare(current_app)
    click.echo("the database is up to date")


@keys.command("list")
def show() -> None:
    """Show the name of each key, and when it signs and verifies."""
    for known in _shared_keys().known():
        end = "it has a successor" if known.verifies_until is None else _moment(known.verifies_until)
        click.echo(f"{known.key.kid or 'without a name'}: signs from {_moment(known.signs_from)}, verifies until {end}")


@keys.command()
@click.option(
    "--announce",
    default=f"{KEY_SET_AGE} seconds",
    show_default=True,
    metavar="DURATION",
    help="How long the new key is published before it signs: as long as anybody may keep the key set.",
)
def rotate(announce: str) -> None:
    """Add a key that takes over from the others, whose tokens stay good for as long as they live."""
    try:
        pause = int(parse_duration(announce).total_seconds())
    except DurationError as error:
        raise click.BadParameter(str(error), param_hint="--announce") from None
    new = _shared_keys().rotate(announce=pause)
    click.echo(f"{new.key.kid}: signs from {_moment(new.signs_from)}")


# One name in 64 begins with a hyphen, since it is a thumbprint in base64url.
@keys.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
def revoke(name: str) -> None:
    """Drop the key NAME, which somebody else may have: every token that it has signed ends at once."""
    ring = _shared_keys()
    now = clock.now()
    if not any(known.signs_from <= now and known.key.kid != name for known in ring.known()):
        raise click.ClickException("no other key signs yet: rotate with --announce 1s, and wait for it")
    if not ring.revoke(name):
        raise click.ClickException("there is no key of that name")


def register(app: Flask) -> None:
    """Give `flask` these commands."""
    for group in (accounts, database, keys):
        app.cli.add_command(group)


def _services() -> Services:
    services: Services = current_app.extensions["reference_server"]
    return services


def _shared_keys() -> SharedKeys:
    ring = _services().issuer.keys
    if isinstance(ring, SharedKeys):
        return ring
    raise click.ClickException("the database holds no keys: set REFERENCE_KEYRING_SECRET for it to do so")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if seconds else "the beginning"
