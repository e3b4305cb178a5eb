"""Targets behind a rate limiter: the run keeps to it and goes on where it was, and no verdict is lost or wrong."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from reference_server.serve import ServerThread
from tests.hostile.command import PASSWORD, SECOND_PASSWORD, SECOND_USERNAME, USERNAME, Ended, clean, judge
from tests.hostile.limiters import limited
from tests.hostile.servers import Server, reference_app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flask import Flask

BOUND_S = 120
SOME = "login_03 or login_04 or access_01 or access_02 or access_03 or refresh_01 or refresh_02"
"""Scenarios that log in, and others."""


class Gate(NamedTuple):
    """A limited server's URL, and what its limiter has refused."""

    url: str
    refused: list[str]


@contextmanager
def gate(app: Flask, limit: str, **how: Any) -> Iterator[Gate]:
    """The application behind a limiter."""
    front, refused = limited(app, limit, **how)
    with ServerThread(front) as server:
        yield Gate(server.base_url, refused)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The same run without a limiter."""
    with reference_app() as app, ServerThread(app) as server:
        ended = judge(server.base_url, "-k", SOME, folder=tmp_path_factory.mktemp("usual"), bound=BOUND_S)
    assert ended.code == 0, ended.said
    return ended


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({}, id="429 with Retry-After"),
        pytest.param({"retry_after": False}, id="429 without a word"),
        pytest.param({"status": 503}, id="503 with Retry-After"),
    ],
)
def test_a_limit_on_everything_changes_no_verdict(
    how: dict[str, Any], app: Flask, usual: Ended, tmp_path: Path
) -> None:
    """A run that meets a limit on all requests learns to keep to it, and ends with the verdicts of a run without."""
    with gate(app, "10 per second", **how) as limiter:
        ended = judge(limiter.url, "-k", SOME, folder=tmp_path, bound=BOUND_S)

    assert ended.code == 0, ended.said
    assert ended.verdicts == usual.verdicts
    assert 1 <= len(limiter.refused) <= 12
    assert ended.report["run"]["waited_s"] > 1
    assert ended.report["run"]["logins"] == usual.report["run"]["logins"]


@pytest.mark.parametrize("retry_after", [True, False])
def test_a_limit_on_logins_changes_no_verdict(retry_after: bool, app: Flask, usual: Ended, tmp_path: Path) -> None:
    """The most common limiter, which counts logins, makes the run wait at the login and lose nothing."""
    with gate(app, "6 per 3 seconds", path="/login", retry_after=retry_after) as limiter:
        ended = judge(limiter.url, "-k", SOME, folder=tmp_path, bound=BOUND_S)

    assert ended.code == 0, ended.said
    assert ended.verdicts == usual.verdicts
    assert set(limiter.refused) == {"POST /login"}
    assert len(limiter.refused) <= 12
    assert ended.report["run"]["logins"] == usual.report["run"]["logins"]


def test_two_processes_keep_to_the_limit_as_well(app: Flask, usual: Ended, tmp_path: Path) -> None:
    """Processes that meet the same limit wait for each other, whatever either of them has learnt."""
    with gate(app, "20 per second") as limiter:
        ended = judge(limiter.url, "-k", SOME, "-n", "2", folder=tmp_path, bound=BOUND_S)

    assert ended.code == 0, ended.said
    assert ended.verdicts == usual.verdicts
    assert len(limiter.refused) <= 24


def test_a_rate_below_the_limit_never_meets_it(app: Flask, usual: Ended, tmp_path: Path) -> None:
    """With a rate that the user gives, the target has nothing to refuse."""
    with gate(app, "20 per second") as limiter:
        ended = judge(limiter.url, "-k", SOME, "--rate", "15", folder=tmp_path, bound=BOUND_S)

    assert ended.verdicts == usual.verdicts
    assert limiter.refused == []


@pytest.mark.parametrize(
    ("how", "words", "hint"),
    [
        ({}, "answered 429 for", "give a --max-wait of"),
        ({"retry_after": False}, "after 2 pauses of 2 s", "give a larger --max-wait"),
    ],
)
def test_a_limit_that_outlasts_the_user_s_patience_is_inconclusive(
    how: dict[str, Any], words: str, hint: str, app: Flask, tmp_path: Path
) -> None:
    """What could not be asked is inconclusive and says what to give; what needs no login is judged all the same."""
    with gate(app, "4 per hour", path="/login", **how) as limiter:
        ended = judge(limiter.url, "-k", SOME, "--max-wait", "2", folder=tmp_path, bound=BOUND_S)

    verdicts = ended.verdicts
    assert ended.code == 3, ended.said
    assert "failed" not in verdicts.values()
    assert verdicts["LOGIN-03"] == "inconclusive"
    assert verdicts["ACCESS-01"] == "passed"
    assert words in ended.out
    assert hint in " ".join(ended.out.split())
    # A route that is to be left alone is left alone; without such a word it is tried again now and then.
    assert len(limiter.refused) <= (1 if not how else 60)


def test_a_limit_is_a_finding_where_it_is_looked_for(tmp_path: Path) -> None:
    """The suite may have slowed down: guesses go out at full speed, and an answer of 429 is seen as it is."""
    alone = clean(CONFORMANCE_USERNAME=USERNAME, CONFORMANCE_PASSWORD=PASSWORD)
    disposable = ("--disposable-username", SECOND_USERNAME, "--disposable-password", SECOND_PASSWORD)
    with reference_app(ACCOUNT_ATTEMPTS="8") as app, gate(app, "12 per 2 seconds", path="/login") as limiter:
        ended = judge(
            limiter.url, "--tier", "strict", "--intrusive", "-k", "rate_01 or rate_04 or login_04 or login_03",
            *disposable, folder=tmp_path, bound=BOUND_S, env=alone,
        )  # fmt: skip

    assert ended.verdicts["RATE-01"] == "passed", ended.said
    assert 0 < ended.report["policy"]["wrong passwords before a limit"] <= 12


@contextmanager
def busy_once(app: Flask, at: int, retry_after: int) -> Iterator[str]:
    """The URL of a server that puts off one request, the one of this number."""
    asked = 0

    def front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal asked
        asked += 1
        if asked != at:
            return app(environ, start_response)
        start_response("429 Too Many Requests", [("Retry-After", str(retry_after))])
        return [b""]

    with ServerThread(front) as server:
        yield server.base_url


@pytest.mark.parametrize(("fault", "verdict"), [("", "passed"), ("verdict-cached-by-signature", "failed")])
def test_a_pause_that_outlasts_a_token_makes_the_scenario_run_anew(fault: str, verdict: str, tmp_path: Path) -> None:
    """Forgeries whose model has expired would be refused for that, by a server that accepts them otherwise as well."""
    faults = {"FAULT": fault} if fault else {}
    with reference_app(ACCESS_LIFETIME="8s", **faults) as app, busy_once(app, at=20, retry_after=9) as url:
        ended = judge(url, "-k", "sig_01", "--tier", "strict", folder=tmp_path, bound=BOUND_S)

    assert ended.verdicts == {"SIG-01": verdict}, ended.said
    assert ended.report["run"]["waited_s"] > 8


def test_tokens_that_never_live_long_enough_are_told(tmp_path: Path) -> None:
    """Where a scenario takes longer than a token lives, since the rate is so low, it is inconclusive and says why."""
    with reference_app(ACCESS_LIFETIME="4s") as app, ServerThread(app) as server:
        ended = judge(server.base_url, "-k", "sig_02", "--rate", "4", folder=tmp_path, bound=BOUND_S)

    assert ended.code == 3
    assert ended.verdicts == {"SIG-02": "inconclusive"}
    assert "give a higher --rate, or let tokens live longer" in ended.out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-k", "race_01", "--concurrency", "1"), "give a --concurrency of 2 or more"),
        (("-k", "rate_01", "--intrusive", "--rate", "1.5"), "give a --rate of 2 or more"),
    ],
)
def test_what_the_user_forbids_is_untested(options: tuple[str, ...], reason: str, app: Flask, tmp_path: Path) -> None:
    """No race with one request at a time, and no verdict on a limit that so slow guesses would never meet."""
    with Server(app=app) as server:
        ended = judge(server.url, "--tier", "strict", *options, folder=tmp_path, bound=BOUND_S)

    assert set(ended.verdicts.values()) == {"untested"}
    assert reason in ended.out


def test_a_long_pause_is_announced(app: Flask, tmp_path: Path) -> None:
    """A run that waits for half a minute is not to be taken for one that hangs."""
    with busy_once(app, at=9, retry_after=6) as url:
        ended = judge(url, "-k", "access_01", folder=tmp_path, bound=BOUND_S)

    assert ended.code == 0, ended.said
    assert re.search(r"^waiting for 6 s: [A-Z]+ /\w+ answered 429$", ended.out, re.MULTILINE)
    assert ended.report["policy"]["requests put off"] == 1
