"""Profiles that mean nothing, and profiles and credentials that do not fit the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.command import CREDENTIALS, assert_told, clean, judge, jwt_conformance, plain_pytest

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 20
ROUTE = '[[protected]]\npath = "/profile"\nidentity = "username"\n'

MEANINGLESS = {
    "no TOML": ("login = [", "is no TOML"),
    "an unknown table": (f"{ROUTE}[logn]\n", "unknown key 'logn'; did you mean 'login'?"),
    "an unknown key": (f"{ROUTE}[login]\npth = '/x'\n", "unknown key 'login.pth'; did you mean 'path'?"),
    "an unknown key of a route": ('[[protected]]\npath = "/p"\nidentiy = "x"\n', "did you mean 'identity'?"),
    "a number as path": (f"{ROUTE}[login]\npath = 3\n", "has 3 at 'login.path', which wants a string"),
    "a string as table": (f"login = 'x'\n{ROUTE}", "has 'x' at 'login', which wants a table"),
    "an unknown transport": (f"transport = 'cookies'\n{ROUTE}", "which wants one of 'bearer', 'cookie'"),
    "a string as routes": ("protected = '/profile'\n", "at 'protected', which wants an array of tables"),
    "numbers as routes": ("protected = [3]\n", "at 'protected'"),
    "a route without path": ('[[protected]]\nidentity = "x"\n', "lacks protected[0].path"),
    "a path that begins nowhere": ('[[protected]]\npath = "profile"\n', "has 'profile' at 'protected[0].path'"),
    "no route": ("summary = 'none'\n", "names no protected route"),
    "an unknown parent": (f"extends = 'defualt'\n{ROUTE}", "'defualt'; did you mean 'default'?"),
    "itself as parent": (f"extends = 'mine.toml'\n{ROUTE}", "extends itself"),
}
MISFITS = {
    "another login path": ('[login]\npath = "/signin"\n', "POST /signin answers 404", "set login.path"),
    "another method": ('[login]\nmethod = "PUT"\n', "PUT /login answers 405", "it allows"),
    "another name's field": ('[login]\nusername = "user"\n', "username: a non-empty string", "password, user"),
    "another password's field": (
        '[login]\npassword = "pass"\n',
        "does not understand the login: 400",
        "pass, username",
    ),
    "another access token": (
        '[login]\naccess = "data.token"\n',
        "the access token is not at 'data.token'; its members are: access_token, expires_in, refresh_expires_in, r",
        "set login.access",
    ),
    "another refresh token": ('[login]\nrefresh = "renewal"\n', "the refresh token is not at", "set login.refresh"),
    "another route": ('[[protected]]\npath = "/me"\n', "GET /me answers 404", "set protected[0].path"),
    "another second route": (
        f'{ROUTE}[[protected]]\npath = "/me"\n',
        "GET /me answers 404",
        "set protected[1].path, now '/me'",
    ),
    "another identity": (
        '[[protected]]\npath = "/profile"\nidentity = "user.name"\n',
        "GET /profile does not say whose data it shows at 'user.name'",
        "set protected[0].identity",
    ),
    "another refresh path": ('[refresh]\npath = "/renew"\n', "POST /renew answers 404", "set refresh.path"),
    "cookies": ('transport = "cookie"\n', "its cookies are: none", "set cookies.access"),
}


def written(folder: Path, text: str) -> tuple[str, str]:
    """The option that names a profile with this text."""
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return ("--target-profile", "mine.toml")


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_profile_that_means_nothing_is_told(name: str, url: str, tmp_path: Path) -> None:
    """The message names the file, the key, and what was wanted there."""
    text, words = MEANINGLESS[name]
    ended = jwt_conformance("doctor", url, *written(tmp_path, text), folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 2, words)
    assert "mine.toml" in ended.err or "defualt" in ended.err


@pytest.mark.parametrize("name", MISFITS)
def test_a_profile_that_does_not_fit_is_told_from_a_broken_target(name: str, url: str, tmp_path: Path) -> None:
    """What the target answers instead is in the message, and the key to change is in the hint."""
    text, words, hint = MISFITS[name]
    profile = written(tmp_path, f'extends = "default"\n{text}')
    ended = jwt_conformance("doctor", url, *profile, folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 2, words)
    assert hint in ended.said


def test_a_run_stops_where_the_doctor_does(url: str, tmp_path: Path) -> None:
    """A wrong path never becomes a verdict."""
    profile = written(tmp_path, 'extends = "default"\n[refresh]\npath = "/renew"\n')
    assert_told(judge(url, *profile, folder=tmp_path, bound=BOUND_S), 2, "POST /renew answers 404")


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("CONFORMANCE_USERNAME", "refuses the account 'no-such-thing' with 401"),
        ("CONFORMANCE_PASSWORD", "refuses the account 'alice' with 401"),
        ("CONFORMANCE_SECOND_USERNAME", "refuses the second account 'no-such-thing' with 401"),
        ("CONFORMANCE_SECOND_PASSWORD", "refuses the second account 'bob' with 401"),
    ],
)
def test_wrong_credentials_are_told_from_a_broken_login(variable: str, words: str, url: str, tmp_path: Path) -> None:
    """The message says which account was refused, and never its password."""
    env = clean(**CREDENTIALS) | {variable: "no-such-thing"}
    ended = judge(url, folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, 2, words)
    option = "--" + variable.removeprefix("CONFORMANCE_").lower().replace("_", "-").rpartition("-")[0]
    assert option.rstrip("-") in ended.err


def test_plain_pytest_tells_wrong_credentials(url: str, tmp_path: Path) -> None:
    """One line that begins with ERROR, the same words, and no traceback."""
    env = clean(**CREDENTIALS) | {"CONFORMANCE_PASSWORD": "no-such-thing"}
    ended = plain_pytest("--base-url", url, folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, "refuses the account 'alice' with 401")


def test_plain_pytest_tells_a_misfit(url: str, tmp_path: Path) -> None:
    """As above, for the profile."""
    profile = written(tmp_path, 'extends = "default"\n[login]\naccess = "token"\n')
    ended = plain_pytest("--base-url", url, *profile, folder=tmp_path, bound=BOUND_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, "the access token is not at 'token'")
