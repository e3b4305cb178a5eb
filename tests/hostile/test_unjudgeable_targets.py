"""Targets of which nothing can be learnt: one message names the cause, and no requirement has a verdict."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.hostile.command import assert_told, judge, jwt_conformance, plain_pytest, plugin
from tests.hostile.servers import Server, always, answers, breaks_off, closes, first, speaks_no_http

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flask import Flask

    from tests.hostile.servers import Behaviour

BOUND_S = 20
BOTH_TOKENS = '{"access_token": "2YotnFZFEjr1zCsicMWpAA", "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA"}'
TOO_MANY = "429 Too Many Requests"

TARGETS: dict[str, tuple[Behaviour, int, str]] = {
    "401 to everything": (answers("401 Unauthorized", '{"msg": "no"}'), 2, "refuses the account 'alice' with 401"),
    "403 to everything": (answers("403 Forbidden", '{"msg": "no"}'), 2, "refuses the account 'alice' with 403"),
    "404 to everything": (answers("404 Not Found", '{"msg": "no"}'), 2, "GET /profile answers 404"),
    "405 to everything": (answers("405 Method Not Allowed", Allow="PATCH"), 2, "GET /profile answers 405"),
    "500 to everything": (answers("500 Internal Server Error", "{}"), 3, "POST /login answers 500"),
    "200 and an empty object": (answers("200 OK", "{}"), 2, "not at 'access_token'; its members are: none"),
    "200 and an empty body": (answers("200 OK"), 2, "not at 'access_token'; its body is no JSON object"),
    "200 and a name": (answers("200 OK", '{"username": "alice"}'), 2, "its members are: username"),
    "200 and a number as token": (
        answers("200 OK", '{"access_token": 1, "refresh_token": "x"}'),
        2,
        "the access token is not at 'access_token'",
    ),
    "200 and both tokens": (
        answers("200 OK", BOTH_TOKENS),
        2,
        "to the access token of a fresh login, without 'username'",
    ),
    "a page": (answers("200 OK", "<html>Welcome</html>", Content_Type="text/html"), 2, "with an HTML page"),
    "an error page": (answers("400 Bad Request", "<h1>no</h1>", Content_Type="text/html"), 2, "does not understand"),
    "a long Retry-After": (answers(TOO_MANY, Retry_After="3600"), 3, "limits the rate of requests"),
    "no Retry-After": (answers(TOO_MANY), 3, "still limits the rate of requests (GET /profile) after 2 pauses of 2 s"),
    "a Retry-After in words": (answers(TOO_MANY, Retry_After="soon"), 3, "still limits the rate of requests"),
    "429 after its own Retry-After": (answers(TOO_MANY, Retry_After="0"), 3, "still limits the rate of requests"),
    "a redirect into the void": (answers("302 Found"), 2, "GET /profile redirects to nowhere"),
    "connections that close": (closes, 3, "closed the connection without an answer"),
    "half an answer": (breaks_off, 3, "broke off in the middle of an answer"),
    "another protocol": (speaks_no_http, 3, "does not answer in well-formed HTTP"),
    "headers without end": (
        answers("200 OK", **{f"X_{number}": "y" for number in range(200)}),
        3,
        "the headers of an answer from 127.0.0.1",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_of_which_nothing_can_be_learnt_has_no_verdicts(name: str, tmp_path: Path) -> None:
    """Whatever answers everything alike, or not at all, passes nothing and fails nothing."""
    behaviour, code, words = TARGETS[name]
    with Server(always(behaviour)) as server:
        ended = judge(server.url, "--max-wait", "2", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, code, words)
    assert not (tmp_path / "report.json").exists()


def test_a_login_that_never_works_is_told_from_a_target_that_never_works(app: Flask, tmp_path: Path) -> None:
    """Where all else works, the credentials are to be checked."""

    def never_logs_in(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/login":
            return app(environ, start_response)
        start_response("401 Unauthorized", [("Content-Type", "application/json")])
        return [b'{"msg": "no"}']

    with Server(app=never_logs_in) as server:
        ended = judge(server.url, folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 2, "POST /login refuses the account 'alice' with 401")
    assert "check --username and --password" in ended.err


def test_nothing_goes_where_a_redirect_leads(tmp_path: Path) -> None:
    """A redirect to another host is named and not followed: that host hears of no credential."""
    with Server(always(answers("200 OK", "{}"))) as other:
        moved = answers("307 Temporary Redirect", Location=f"{other.url}/elsewhere")
        with Server(always(moved)) as server:
            ended = judge(server.url, folder=tmp_path, bound=BOUND_S)
        assert other.connections == 0
    assert_told(ended, 2, f"GET /profile redirects to {other.url}/elsewhere")
    assert "never follows redirects" in ended.err


def test_a_short_retry_after_is_obeyed(app: Flask, tmp_path: Path) -> None:
    """A target that wants a pause of a second gets it, and is judged."""
    with Server(first(answers(TOO_MANY, Retry_After="1")), app) as server:
        ended = judge(server.url, "-k", "refresh_02", folder=tmp_path, bound=BOUND_S)
    assert ended.code == 0, ended.said
    assert ended.verdicts == {"REFRESH-02": "passed"}
    assert ended.report["run"]["waited_s"] >= 1


def test_a_port_where_nobody_listens_refuses_connections(tmp_path: Path) -> None:
    """That is told, with the question whether the server is running."""
    # Bound and not listening: no other process can take the port meanwhile.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{held.getsockname()[1]}"
        ended = judge(f"http://{host}", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 3, f"{host} refuses connections")
    assert "is the server running" in ended.err


def test_a_name_that_nobody_knows_is_blamed(tmp_path: Path) -> None:
    """A host name that cannot be resolved is told from a server that is down."""
    nobody = "import socket\ndef fail(*_): raise socket.gaierror(-2, 'unknown')\nsocket.getaddrinfo = fail\n"
    env = plugin(tmp_path, "nobody_knows", nobody)
    ended = judge("http://api.invalid", "--", "-p", "nobody_knows", folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, 3, "the host name of http://api.invalid cannot be resolved")


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "exa mple"])
def test_a_name_that_can_be_nobodys_is_blamed(host: str, tmp_path: Path) -> None:
    """What is no host name at all is a mistake in the options."""
    ended = judge(f"http://{host}.invalid", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 2, f"http://{host}.invalid names no host")


@pytest.mark.parametrize("name", ["401 to everything", "500 to everything", "connections that close"])
def test_plain_pytest_judges_nothing_either(name: str, tmp_path: Path) -> None:
    """Without the command there is the same message, and pytest's own exit code for a usage error."""
    behaviour, _, words = TARGETS[name]
    with Server(always(behaviour)) as server:
        ended = plain_pytest("--base-url", server.url, folder=tmp_path, bound=BOUND_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, words)


@pytest.mark.parametrize("name", ["401 to everything", "connections that close"])
def test_several_processes_judge_nothing_either(name: str, tmp_path: Path) -> None:
    """Under pytest-xdist the message comes once, whichever process met the problem."""
    behaviour, code, words = TARGETS[name]
    with Server(always(behaviour)) as server:
        ended = judge(server.url, "-n", "2", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, code, words)


def test_the_doctor_says_the_same(tmp_path: Path) -> None:
    """`jwt-conformance doctor` ends with the message and the exit code of a run."""
    with Server(always(answers("500 Internal Server Error", "{}"))) as server:
        ended = jwt_conformance("doctor", server.url, folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 3, "POST /login answers 500")
    assert "can judge this target" not in ended.out
