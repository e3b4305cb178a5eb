"""Each shape that a profile can express: a healthy server of it is not accused, and a fault in it is found."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from conformance.errors import ConfigurationError, ConformanceError
from conformance.verdicts.model import Verdict
from tests.hostile.command import clean, jwt_conformance
from tests.shapes import logins, refusals, renewals, showings
from tests.shapes.api import ACCOUNTS
from tests.shapes.judging import doubts, judge, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shapes.api import Api

SHAPES: Final[tuple[type[Api], ...]] = (*logins.SHAPES, *showings.SHAPES, *renewals.SHAPES, *refusals.SHAPES)
KEY: Final = logins.Headers.KEY


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHAPE_API_KEY", KEY)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_healthy_server_is_not_accused(shape: type[Api], tmp_path: Path) -> None:
    """The doctor doubts nothing, and no requirement of the core is broken or inconclusive."""
    api = shape()
    judged = judge(api, tmp_path, **api.options())
    assert doubts(judged) == []
    assert judged.broken == {}


@pytest.mark.parametrize(
    ("shape", "fault"),
    [(shape, fault) for shape in SHAPES for fault in shape.FAULTS],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_fault_is_found(shape: type[Api], fault: str, tmp_path: Path) -> None:
    """The same fault is found in every shape, by the requirement that it breaks."""
    api = shape(fault)
    judged = judge(api, tmp_path, only=shape.FOUND_BY[fault], **api.options())
    assert set(judged.broken) == set(shape.FOUND_BY[fault])
    assert all(why.startswith("failed") for why in judged.broken.values()), judged.broken


# -- What must never be seen -------------------------------------------------------------------------------------------


def test_what_the_environment_holds_is_in_no_output(tmp_path: Path) -> None:
    """The real command on a server that repeats its API key to everybody: neither the screen nor the report has it."""

    class Repeats(logins.Headers):
        def shows(self, owner: str) -> object:
            return {"username": owner, "your key": KEY}

    (name, password), *_ = ACCOUNTS.items()
    env = clean(CONFORMANCE_USERNAME=name, CONFORMANCE_PASSWORD=password, SHAPE_API_KEY=KEY)
    with running(Repeats("takes refresh tokens"), tmp_path) as (url, file):
        options = ("--target-profile", str(file), "--report-json", "report.json", "-k", "access or leak", "-v")
        ended = jwt_conformance("run", url, *options, folder=tmp_path, env=env, bound=120)
    report = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert ended.code == 1, ended.said
    assert "ACCESS-02" in ended.said
    assert "<SHAPE_API_KEY>" in report
    assert KEY not in ended.said + report
    assert password not in ended.said + report
    assert {row["verdict"] for row in json.loads(report)["requirements"] if row["id"] == "ACCESS-02"} == {"failed"}


@pytest.mark.parametrize("value", ["", None])
def test_a_variable_that_is_not_set_is_told(value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable, and the place that wants it."""
    monkeypatch.delenv("SHAPE_API_KEY")
    if value is not None:
        monkeypatch.setenv("SHAPE_API_KEY", value)
    with pytest.raises(ConfigurationError) as error:
        judge(logins.Headers(), tmp_path)
    assert "environment variable SHAPE_API_KEY at headers.X-Api-Key" in str(error.value)


def test_a_variable_of_several_lines_is_told_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No header can hold it."""
    monkeypatch.setenv("SHAPE_API_KEY", f"{KEY}\nX-More: 1")
    with pytest.raises(ConfigurationError) as error:
        judge(logins.Headers(), tmp_path)
    assert "SHAPE_API_KEY holds a line break" in str(error.value)
    assert KEY not in str(error.value)


def test_a_captured_value_is_hidden(tmp_path: Path) -> None:
    """A code that a step of a login gives is as good as a password for a while, and stands in no report."""
    api = logins.CodeForTokens("takes refresh tokens")
    judged = judge(api, tmp_path, only=("LOGIN-01", "ACCESS-02"))
    assert not [value for value in api.pages.values() if value in judged.said]


@pytest.mark.parametrize("shape", [logins.CsrfPage, logins.CodeForTokens], ids=lambda shape: shape.__name__)
def test_people_who_log_in_at_once_take_every_step(shape: type[Api], tmp_path: Path) -> None:
    """A login of several steps is not accused of refusing whoever took the first alone."""
    judged = judge(shape(), tmp_path, only=("RACE-03",), intrusive=True)
    assert judged.outcomes["RACE-03"].verdict is Verdict.PASSED, judged.outcomes["RACE-03"]


# -- Tokens that are given ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        (renewals.Given, {"username": "alice", "password": "x"}, "has no login, so a token has to be given"),
        (renewals.NoRefresh, {"access_token": "x"}, "tokens are given, and the profile has a login"),
        (renewals.GivenOpaque, {"refresh_token": "x"}, "a refresh token is given, and the profile has no refresh"),
        (renewals.Given, {"refresh_token": "nobody's"}, "the refresh token that was given buys nothing"),
        (renewals.Given, {"access_token": "nobody's"}, "GET /me answers 401 to the access token"),
    ],
)
def test_tokens_that_do_not_do_are_told(shape: type[Api], options: dict[str, str], words: str, tmp_path: Path) -> None:
    """What was given, the login and the profile have to go together."""
    with pytest.raises(ConformanceError, match=re.escape(words)):
        judge(shape(), tmp_path, **options)


# -- What a shape has not is not held against it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "name", "verdict"),
    [
        (renewals.NoRefresh, "ROTATE-01", Verdict.NOT_APPLICABLE),
        (renewals.RenewsItself, "ROTATE-01", Verdict.NOT_APPLICABLE),
        (renewals.NoRefresh, "EXPIRY-07", Verdict.NOT_APPLICABLE),
        (renewals.NoRefresh, "EXPIRY-10", Verdict.PASSED),
        (logins.Basic, "LOGIN-08", Verdict.NOT_APPLICABLE),
        (renewals.FormBasic, "LOGIN-08", Verdict.NOT_APPLICABLE),
        (showings.CookieWithScheme, "COOKIE-08", Verdict.NOT_APPLICABLE),
        (renewals.RefreshCookie, "COOKIE-08", Verdict.NOT_APPLICABLE),
        (refusals.SaysNull, "ACCESS-07", Verdict.PASSED),
        (refusals.Crashes, "CRED-09", Verdict.PASSED),
        (refusals.Crashes, "REVOKE-04", Verdict.NOT_APPLICABLE),
        (renewals.JsonBody, "REFRESH-05", Verdict.PASSED),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", str(value)),
)
def test_what_a_shape_lacks_is_not_held_against_it(
    shape: type[Api], name: str, verdict: Verdict, tmp_path: Path
) -> None:
    """Beyond the core: a requirement on what a shape has not, or cannot be asked of it, accuses nobody."""
    api = shape()
    assert judge(api, tmp_path, only=(name,), **api.options()).outcomes[name].verdict is verdict
