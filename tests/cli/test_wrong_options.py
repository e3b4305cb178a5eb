"""Options, variables and configuration files that mean nothing: told in a sentence, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.command import CREDENTIALS, assert_told, clean, jwt_conformance, plain_pytest
from tests.hostile.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENT_S = 20

# Options, what the environment has beside or instead of the credentials, and the words of the message.
MISTAKES: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "an unknown profile": (("--target-profile", "defualt"), {}, "'defualt'; did you mean 'default'?"),
    "a profile that is not there": (("--target-profile", "mine.toml"), {}, "the profile mine.toml cannot be read"),
    "an unknown tier": (("--tier", "hard"), {}, "--tier 'hard' is none of core, hardened, strict"),
    "a wait in words": (("--max-wait", "soon"), {}, "--max-wait 'soon' is no number of seconds"),
    "a wait with a unit": (("--max-wait", "1h"), {}, "--max-wait '1h' is no number of seconds"),
    "a wait back in time": (("--max-wait", "-1"), {}, "--max-wait '-1' is no number of seconds"),
    "an endless wait": (("--max-wait", "inf"), {}, "--max-wait 'inf' is no number of seconds"),
    "a wait that is no number": (("--max-wait", "nan"), {}, "--max-wait 'nan' is no number of seconds"),
    "no requests at all": (("--rate", "0"), {}, "--rate '0' is no number of requests a second"),
    "a rate in words": (("--rate", "slow"), {}, "--rate 'slow' is no number of requests a second"),
    "an endless rate": (("--rate", "inf"), {}, "--rate 'inf' is no number of requests a second"),
    "nothing at a time": (("--concurrency", "0"), {}, "--concurrency '0' is no number of requests"),
    "half at a time": (("--concurrency", "1.5"), {}, "--concurrency '1.5' is no number of requests"),
    "fewer at a time than processes": (("--concurrency", "1", "-n", "2"), {}, "2 processes cannot keep to"),
    "a key file that is not there": (("--public-key", "@key.pem"), {}, "the file 'key.pem' cannot be read: No such"),
    "a key file without its @": (("--public-key", "key.pem"), {}, "--public-key is no PEM"),
    "a password file that is not there": (("--password", "@secret"), {}, "--password begins with @"),
    "a report that is a folder": (("--report-json", "."), {}, "--report-json '.' is a folder"),
    "the same account twice": (("--second-username", "alice"), {}, "the second account is the first one again"),
    "a variable with a slip": ((), {"CONFORMANCE_PASWORD": "x"}, "CONFORMANCE_PASWORD is no option; did you mean"),
    "a variable that means nothing": ((), {"CONFORMANCE_MAX_WAIT": "soon"}, "'soon' is no number of seconds"),
    "no credentials": ((), dict.fromkeys(CREDENTIALS, ""), "a target needs an account to log in with"),
    "no password": ((), {"CONFORMANCE_PASSWORD": ""}, "--password is missing"),
    "no name": ((), {"CONFORMANCE_USERNAME": ""}, "--username is missing"),
    "no second password": ((), {"CONFORMANCE_SECOND_PASSWORD": ""}, "--second-password is missing"),
}
URLS = {
    "127.0.0.1:8000": "'127.0.0.1:8000' is no URL: it has no scheme",
    "localhost": "'localhost' is no URL: it has no scheme",
    "ftp://127.0.0.1/": "only http and https are spoken, not 'ftp'",
    "http://": "names no host",
    "http://127.0.0.1:0": "names no host to connect to",
    "http://127.0.0.1:99999": "Port out of range",
    "http://[::1": "is no URL",
    "http://127.0.0.1/?tenant=1": "has a query or a fragment",
    "http://127.0.0.1/#top": "has a query or a fragment",
}
FILES = {
    "an unknown option": ("conformance.toml", "usernam = 'x'", "unknown option 'usernam'; did you mean 'username'?"),
    "no TOML": ("conformance.toml", "tier = ", "conformance.toml cannot be read"),
    "strict in words": ("conformance.toml", "strict = 'yes'", "strict is true or false"),
    "a tier in a list": ("conformance.toml", "tier = ['core']", "is none of core, hardened, strict"),
    "a slip in pyproject.toml": ("pyproject.toml", "[tool.jwt-conformance]\nteir = 'core'", "did you mean 'tier'?"),
    "no table in pyproject.toml": ("pyproject.toml", "[tool]\njwt-conformance = 3", "is no table"),
}


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a server that must hear nothing."""
    with Server() as server:
        yield server.url
        assert server.connections == 0


def environment(changes: dict[str, Any]) -> dict[str, str]:
    """Credentials with changes; an empty value takes one away."""
    return {name: value for name, value in (clean(**CREDENTIALS) | changes).items() if value}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_options_is_told_before_anything_is_sent(mistake: str, nobody: str, tmp_path: Path) -> None:
    """The message names the option and what is wrong with it, and the exit code is that of wrong usage."""
    options, changes, words = MISTAKES[mistake]
    ended = jwt_conformance("run", nobody, *options, folder=tmp_path, env=environment(changes), bound=SILENT_S)
    assert_told(ended, 2, words)


@pytest.mark.parametrize("mistake", ["an unknown profile", "an unknown tier", "a variable with a slip", "no password"])
def test_plain_pytest_tells_the_same(mistake: str, nobody: str, tmp_path: Path) -> None:
    """Without the command a mistake is one line that begins with ERROR, and no traceback."""
    options, changes, words = MISTAKES[mistake]
    env = environment(changes)
    ended = plain_pytest("--base-url", nobody, *options, folder=tmp_path, env=env, bound=SILENT_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, words)


@pytest.mark.parametrize("url", URLS)
def test_what_is_no_base_url_is_told(url: str, tmp_path: Path) -> None:
    """The URL is the first thing that is checked."""
    assert_told(jwt_conformance("doctor", url, folder=tmp_path, bound=SILENT_S), 2, URLS[url])


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_in_a_configuration_file_is_told(name: str, nobody: str, tmp_path: Path) -> None:
    """The message names the file and the key."""
    file, text, words = FILES[name]
    (tmp_path / file).write_text(text)
    assert_told(jwt_conformance("run", nobody, folder=tmp_path, bound=SILENT_S), 2, words)


def test_somebody_elses_broken_pyproject_is_theirs(url: str, tmp_path: Path) -> None:
    """A pyproject.toml that cannot be read says nothing to the suite, and stops nothing."""
    (tmp_path / "pyproject.toml").write_text("[tool")
    assert jwt_conformance("doctor", url, folder=tmp_path, bound=SILENT_S).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--usrname", "alice"), "'--username'"),
        (("rnu",), "Did you mean 'run'?"),
        (("list", "--tier", "hard"), "'core', 'hardened', 'strict'"),
        (("serve", "--port", "99999"), "99999 is not in the range"),
    ],
)
def test_a_slip_in_the_command_line_is_told_with_what_was_meant(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    """The nearest name comes with the message."""
    ended = jwt_conformance(*arguments, folder=tmp_path, bound=SILENT_S)
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.said


def test_an_option_that_pytest_does_not_know_is_told(url: str, tmp_path: Path) -> None:
    """Plain pytest says which argument it is."""
    ended = plain_pytest("--base-url", url, "--usrname", "alice", folder=tmp_path, bound=SILENT_S)
    assert ended.code == pytest.ExitCode.USAGE_ERROR
    assert "unrecognized arguments: --usrname" in ended.err


@pytest.mark.parametrize("value", ["@dmiral-Nelson-1805", "@"])
def test_a_password_that_begins_with_an_at_sign_is_not_repeated(value: str, tmp_path: Path) -> None:
    """It may be the password and no file, so the message does not quote it."""
    env = environment({"CONFORMANCE_PASSWORD": value})
    ended = jwt_conformance("doctor", "http://127.0.0.1:9", folder=tmp_path, env=env, bound=SILENT_S)
    assert_told(ended, 2, "--password begins with @")
    assert "Nelson" not in ended.said


def test_credentials_in_the_url_are_refused_and_not_repeated(tmp_path: Path) -> None:
    """A password in the URL would end up in reports; the message says where it belongs instead."""
    url = "http://alice:Swordfish-1932@127.0.0.1:9/api"
    ended = jwt_conformance("run", url, folder=tmp_path, bound=SILENT_S)
    assert_told(ended, 2, "the target's URL carries credentials")
    assert "--username and --password" in ended.err
    assert "Swordfish" not in ended.said


def test_plain_pytest_does_not_repeat_credentials_in_the_url_either(tmp_path: Path) -> None:
    """pytest-base-url's line of the header loses them, too."""
    ended = plain_pytest("--base-url", "http://alice:Swordfish-1932@127.0.0.1:9", folder=tmp_path, bound=SILENT_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, "the target's URL carries credentials")
    assert "Swordfish" not in ended.said
