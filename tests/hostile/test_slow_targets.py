"""Targets that keep the suite waiting: whatever they do, an answer that takes too long ends the run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.command import assert_told, judge, plugin
from tests.hostile.servers import Server, after, always, answers, hangs, puts_off, trickles_a_body, trickles_headers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flask import Flask

    from tests.hostile.servers import Behaviour

BOUND_S = 20
IMPATIENT = "import conformance.target.http as http\nhttp.ANSWER_TIMEOUT_S = 0.5\n"
MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(hangs, id="never answers"),
        pytest.param(trickles_headers, id="trickles its headers"),
        pytest.param(trickles_a_body, id="trickles its body"),
        pytest.param(puts_off, id="says 100 Continue for ever"),
    ],
)
def test_an_answer_that_never_ends_is_not_waited_for(behaviour: Behaviour, tmp_path: Path) -> None:
    """The time of an answer is bounded as a whole, and not only that of each of its bytes."""
    env = plugin(tmp_path, "impatient", IMPATIENT)
    with Server(always(behaviour)) as server:
        ended = judge(server.url, "--", "-p", "impatient", folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, 3, f"{server.url} did not answer within 0.5 s")


@pytest.mark.parametrize("junk", ["\\", "eyJhbGciOiJ.", "%5c", "&amp;", "[", "a."])
def test_an_answer_that_is_slow_to_search_is_searched_in_time(junk: str, app: Flask, tmp_path: Path) -> None:
    """A megabyte that is made to be hard on regular expressions and parsers delays nobody."""
    crash = answers("500 Internal Server Error", (junk * MEGABYTE)[:MEGABYTE])
    with Server(after(26, crash), app) as server:
        ended = judge(server.url, "-k", "input_01 or input_02", folder=tmp_path, bound=BOUND_S)
    assert ended.code in {1, 3}, ended.said
    assert "Traceback" not in ended.said
    assert (tmp_path / "report.json").stat().st_size < MEGABYTE


def test_answers_that_all_take_long_end_the_run(app: Flask, tmp_path: Path) -> None:
    """A server that is in time, but only just, is not waited for hundreds of times: the run says how much it was."""

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        time.sleep(0.6)
        return app(environ, start_response)

    env = plugin(
        tmp_path, "impatient", "import conformance.target.http as http\nhttp.SLOW_S = http.SLOW_IN_ALL_S = 0.5\n"
    )
    with Server(app=slow) as server:
        ended = judge(server.url, "--max-wait", "2", "--", "-p", "impatient", folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, 3, f"{server.url} is too slow: answers that took more than 0.5 s each took ")
    assert "give a --max-wait of as many seconds" in ended.said
