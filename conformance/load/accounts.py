"""The accounts of the users under load, from a file that holds one in each line."""

from __future__ import annotations

import csv
from pathlib import Path

from conformance.errors import ConfigurationError
from conformance.target.session import Account


def read(file: str) -> list[Account]:
    """The accounts of a CSV file: a name, a comma and a password in each line, without a heading.

    Raises:
        ConfigurationError: the file cannot be read, or a line is no account. No password is repeated.
    """
    try:
        with Path(file).open(encoding="utf-8", newline="") as lines:
            rows = [(number, row) for number, row in enumerate(csv.reader(lines), start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(f"--accounts {file!r} cannot be read: {reason}") from None
    for number, row in rows:
        if len(row) != 2 or not all(row):  # noqa: PLR2004 - a name and a password
            raise ConfigurationError(
                f"--accounts {file!r}, line {number}: it is no account",
                "write a name, a comma and a password; one with a comma in it goes into double quotes",
            )
    if not rows:
        raise ConfigurationError(f"--accounts {file!r} holds no account", "write NAME,PASSWORD in each line")
    return [Account(name, password) for _, (name, password) in rows]
