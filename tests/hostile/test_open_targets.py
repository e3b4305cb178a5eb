"""Targets that let everybody in: what cannot be told from a success is not passed."""

from __future__ import annotations

import json

import pytest

from tests.hostile.command import Ended, judge
from tests.hostile.servers import Server, always, answers

EVERYTHING = {"username": "alice", "access_token": "2YotnFZFEjr1zCsicMWpAA", "refresh_token": "tGzv3JOkF0XG5Qx2TlKW"}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run against a target that answers 200 with both tokens and the user's name to everything."""
    with Server(always(answers("200 OK", json.dumps(EVERYTHING)))) as server:
        return judge(server.url, folder=tmp_path_factory.mktemp("open"), bound=30)


def test_doors_that_stand_open_are_found_and_not_taken_for_locked(ended: Ended) -> None:
    """Each open door is one finding, and what needs a refusal to be told is inconclusive."""
    assert ended.code == 1, ended.said
    failed = {name for name, verdict in ended.verdicts.items() if verdict == "failed"}
    assert {"LOGIN-03", "ACCESS-01", "REFRESH-03"} <= failed
    assert len(failed) <= 5
    inconclusive = [name for name, verdict in ended.verdicts.items() if verdict == "inconclusive"]
    assert {"INPUT-01", "CRED-01", "ACCESS-02", "REFRESH-02", "SIG-01", "BEARER-06"} <= set(inconclusive)


def test_a_target_that_agrees_to_everything_passes_next_to_nothing(ended: Ended) -> None:
    """A token that opens what is open anyway, and a lifetime that nobody stated, show nothing."""
    passed = {name for name, verdict in ended.verdicts.items() if verdict == "passed"}
    assert passed <= {"LOGIN-01", "JWKS-02", "LEAK-03"}


def test_a_finding_on_an_open_door_can_be_repeated(ended: Ended) -> None:
    """The command to repeat it needs no secret of the run."""
    (finding,) = (row["findings"][0] for row in ended.report["requirements"] if row["id"] == "ACCESS-01")
    assert finding["curl"].startswith("curl -i http://127.0.0.1:")
    assert finding["exchange"][-1]["response"]["status"] == 200
