"""Targets that break while they are judged: what held before still holds, and nothing is concluded from the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.hostile.command import Ended, judge, plugin
from tests.hostile.servers import Server, after, answers, closes, hangs

if TYPE_CHECKING:
    from flask import Flask

    from tests.hostile.servers import Behaviour

BOUND_S = 40
GOOD = 200
"""So many requests are answered: enough for some requirements, and not for all."""

# These look at tokens that the run already holds, and send nothing.
LOOK_BACK = {"SIG-04", "EXPIRY-06", "EXPIRY-07"}
IMPATIENT = "import conformance.target.http as http\nhttp.ANSWER_TIMEOUT_S = 2.0\n"


class Broken(NamedTuple):
    """A run against a target that broke, and the words for how it did."""

    ended: Ended
    words: str
    elsewhere: int


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((closes, "closed the connection without an answer"), id="closes"),
        pytest.param((hangs, "did not answer within 2 s"), id="hangs"),
        pytest.param((answers("500 Internal Server Error", '{"msg": "no"}'), "answered 500"), id="500"),
        pytest.param((None, "answered 302"), id="redirects"),
    ],
)
def broken(request: pytest.FixtureRequest, app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """One run for each way to break."""
    behaviour: Behaviour | None
    behaviour, words = request.param
    folder = tmp_path_factory.mktemp("broken")
    with Server() as other:
        behaviour = behaviour or answers("302 Found", Location=other.url)
        with Server(after(GOOD, behaviour), app) as server:
            env = plugin(folder, "impatient", IMPATIENT)
            ended = judge(server.url, "-v", "--", "-p", "impatient", folder=folder, env=env, bound=BOUND_S)
        return Broken(ended, words, other.connections)


def test_nothing_is_concluded_after_the_break(broken: Broken) -> None:
    """What ran before the break keeps its verdict, and what ran after it is neither passed nor failed."""
    judged = broken.ended.in_order
    break_at = next(index for index, (_, verdict) in enumerate(judged) if verdict == "inconclusive")
    before, later = judged[:break_at], judged[break_at:]
    assert len([name for name, verdict in before if verdict == "passed"]) > 5
    assert not [name for name, verdict in later if verdict == "passed" and name not in LOOK_BACK]
    assert "failed" not in dict(judged).values()
    assert len([name for name, verdict in later if verdict == "inconclusive"]) > 10


def test_a_broken_run_is_incomplete_and_says_why(broken: Broken) -> None:
    """The exit code is that of an incomplete run, and the report names the cause, once with every requirement."""
    ended = broken.ended
    assert ended.code == 3, ended.said
    assert ended.report["result"] == "incomplete"
    assert "result    incomplete" in ended.out
    assert "Traceback" not in ended.said
    reasons = [row["reason"] for row in ended.report["requirements"] if row["verdict"] == "inconclusive"]
    assert all(reasons)
    assert broken.words in " ".join(reasons)
    assert broken.words in ended.out


def test_the_json_report_of_a_broken_run_agrees_with_the_terminal(broken: Broken) -> None:
    """Both tell the same verdicts, and as many."""
    words = {name: verdict.replace("_", " ") for name, verdict in broken.ended.verdicts.items()}
    assert words == dict(broken.ended.in_order)
    assert broken.ended.report["summary"]["inconclusive"] == list(words.values()).count("inconclusive")


def test_nothing_goes_where_a_broken_target_leads(broken: Broken) -> None:
    """A target that begins to redirect takes no credential elsewhere."""
    assert broken.elsewhere == 0


def test_a_lost_target_is_left_alone(broken: Broken) -> None:
    """After three requests without an answer nothing more is sent; who answers, however badly, is asked on."""
    is_lost = not broken.words.startswith("answered")
    assert (broken.ended.report["run"]["requests"] == GOOD + 3) == is_lost
