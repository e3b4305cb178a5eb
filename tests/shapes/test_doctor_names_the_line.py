"""Whatever line of a profile is wrong, the doctor names it."""

from __future__ import annotations

import json
import re
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.target.profile_files import lines_of
from conformance.target.profile_rules import general
from tests.conformance.support import served
from tests.shapes.api import ACCOUNTS
from tests.shapes.odd import Odd
from tests.shapes.renewals import CLIENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DECLARED: Final = {
    "extends": "where the keys that are not written come from",
    "trusted_origins": "whose pages may read answers: a matter of verdicts",
    "refresh.rotation": "what the operator declares of used tokens: a matter of verdicts",
    "refresh.reuse": "likewise",
    "refresh.grace": "likewise",
    "refresh.format": "that a JWT is called opaque is the operator's to say",
    "cookies.cross_site": "what SameSite is meant to be: a matter of verdicts",
    "oauth.client_authentication": "the scenarios about clients ask, with both clients",
    "lifetimes.access": "what EXPIRY-06 compares with",
    "lifetimes.refresh": "likewise",
    "lifetimes.leeway": "what is not held against the target",
    "lifetimes.session": "likewise",
    "sessions.access": "what a logout has to end: a matter of verdicts",
    "sessions.logout": "likewise",
    "sessions.password_change": "likewise",
    "refusals.no_credentials": "which statuses are held against the target",
    "refusals.bad_token": "likewise",
    "refusals.login": "likewise",
    "refusals.malformed": "likewise",
    "tls.plain_port": "asked by the scenarios about TLS",
}
"""Lines that no request of the doctor's depends on, and why."""
CHOICES: Final = {
    "transport": "bearer",
    "access.format": "jwt",
    "refresh.token": "access",
    "logout.takes": "access",
    "protected.identity_is": "username",
    "login.client": "none",
    "refresh.client": "none",
    "login.expiry": "seconds",
    "refresh.expiry": "date",
    "login.access": "cookie:passport",
    "refresh.access": "cookie:passport",
    "access.sent_in": "header:Elsewhere",
    "refresh.sent_in": "body:elsewhere",
    "cookies.access_csrf": "header:X-Elsewhere",
}
"""What is written instead where any text will not do."""
DECLARABLE: Final = {
    "each": "none",
    "session": "nothing",
    "jwt": "opaque",
    "post": "basic",
    "revocable": "stateless",
    "one": "all",
    "ends": "asks",
}
OTHERS: Final = {"form": "json", "json": "form"}


def rows() -> dict[str, Any]:
    """Every line of the profile that sets something, by its place."""
    found: dict[str, Any] = {}

    def walk(table: Any, place: str) -> None:
        for name, value in table.items():
            where = f"{place}.{name}".lstrip(".")
            if isinstance(value, dict) and where in TABLES:
                walk(value, where)
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                for number, item in enumerate(value):
                    walk(item, f"{where}[{number}]")
            else:
                found[where] = value

    walk(tomllib.loads(Odd.PROFILE), "")
    return found


TABLES: Final = frozenset(re.findall(r"^\[(\w+)\]$", Odd.PROFILE, re.MULTILINE))
ROWS: Final = rows()
MATTERING: Final = [place for place in ROWS if general(place) not in DECLARED]


def broken(place: str) -> str:
    """The profile with another value on that line."""
    lines = Odd.PROFILE.splitlines()
    number, name = lines_of(Odd.PROFILE)[place] - 1, place.rpartition(".")[2]
    lines[number] = f"{name} = {another(general(place), ROWS[place])}"
    return "\n".join(lines) + "\n"


def another(place: str, value: Any) -> str:
    """Another value than this, as TOML."""
    name = place.rpartition(".")[2]
    if isinstance(value, dict):
        (first, old), *_ = value.items()
        other = "header:X-Elsewhere" if name == "capture" else ["else"] if isinstance(old, list) else "otherwise"
        return "{ " + ", ".join(f"{key} = {json.dumps(item)}" for key, item in {**value, first: other}.items()) + " }"
    if isinstance(value, bool):
        return str(not value).lower()
    if name == "method":
        return '"GET"'
    if name == "encoding":
        return json.dumps(OTHERS[value])
    return json.dumps(CHOICES.get(place) or ("/elsewhere" if value.startswith("/") else f"{value}-else"))


def otherwise(value: Any) -> str:
    """What an operator may declare as well."""
    match value:
        case str():
            return json.dumps(DECLARABLE[value])
        case bool():
            return str(not value).lower()
        case list():
            return "[418]" if isinstance(value[0], int) else "[]"
        case _:
            return "7"


@contextmanager
def odd() -> Iterator[str]:
    """The URL of a server with a name of its own for everything."""
    with served(Odd()) as url:
        yield url


def doctor(url: str, profile: str, folder: Path) -> tuple[int, str]:
    """The command's exit code and what it says."""
    (first, password), (second, other) = ACCOUNTS.items()
    given = {"username": first, "password": password, "second_username": second, "second_password": other} | CLIENT
    file = folder / "odd.toml"
    file.write_text(profile, encoding="utf-8")
    env = {f"CONFORMANCE_{name.upper()}": value for name, value in given.items()}
    result = CliRunner().invoke(main, ["doctor", url, "--target-profile", str(file)], env=env)
    for secret in (password, other, CLIENT["client_secret"]):
        assert secret not in result.output
    return result.exit_code, result.output


def test_the_profile_fits(tmp_path: Path) -> None:
    """As it stands nothing is doubted."""
    with odd() as url:
        assert doctor(url, Odd.PROFILE, tmp_path)[0] == 0


def test_each_line_is_either_broken_or_declared() -> None:
    """The list of lines that only declare something holds none that the profile has not."""
    assert {general(place) for place in ROWS} >= DECLARED.keys()
    assert len(MATTERING) > 60


@pytest.mark.parametrize("place", MATTERING)
def test_a_wrong_line_is_named(place: str, tmp_path: Path) -> None:
    """With any other value on a line that matters, the doctor ends with 2, and its words name the key."""
    with odd() as url:
        code, output = doctor(url, broken(place), tmp_path)
    assert code == 2, output
    assert re.search(rf"(?<![\w.]){re.escape(place)}\b", output), output


@pytest.mark.parametrize("place", [place for place in ROWS if general(place) in DECLARED and ROWS[place] != "bare"])
def test_a_declared_line_is_taken(place: str, tmp_path: Path) -> None:
    """What only declares something is not doubted before it has been judged."""
    lines, value = Odd.PROFILE.splitlines(), ROWS[place]
    number, name = lines_of(Odd.PROFILE)[place] - 1, place.rpartition(".")[2]
    lines[number] = f"{name} = {otherwise(value)}"
    with odd() as url:
        code, output = doctor(url, "\n".join(lines) + "\n", tmp_path)
    assert code == 0, output
