"""What one process may ask of the target, and how much that is in all."""

from __future__ import annotations

import math

import pytest

from conformance.errors import ConfigurationError
from conformance.options import RunSettings
from conformance.run import open_target
from conformance.target.share import Share
from conformance.target.target import WRONG_IN_A_ROW

FAR, NEAR = "https://api.example", "http://127.0.0.1:9"


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_the_shares_add_up_to_no_more_than_the_whole(processes: int) -> None:
    """However many processes there are, together they keep to what the user allows, and each may do something."""
    share = Share.of(20.0, 6, processes)

    assert share.rate * processes == pytest.approx(20)
    assert share.concurrency is not None
    assert 1 <= share.concurrency <= 6 / processes
    assert 1 <= share.wrong_in_a_row <= WRONG_IN_A_ROW / processes


@pytest.mark.parametrize(("concurrency", "processes", "words"), [(6, 5, "could lock"), (1, 2, "cannot keep to")])
def test_what_cannot_be_shared_is_told(concurrency: int, processes: int, words: str) -> None:
    """There is no half of a wrong password, nor of a request."""
    with pytest.raises(ConfigurationError, match=words):
        Share.of(20.0, concurrency, processes)


@pytest.mark.parametrize(
    ("url", "rate", "per_second"),
    [(FAR, None, 20), (NEAR, None, math.inf), (FAR, math.inf, math.inf), (FAR, 3.0, 3), (NEAR, 3.0, 3)],
)
def test_a_distant_target_is_asked_less_often(
    url: str, rate: float | None, per_second: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the user gives a rate, there is one off this machine and none on it."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    run = open_target(RunSettings(base_url=url, username="alice", password="x", rate=rate))
    try:
        assert run.target.client.pacing.per_second == pytest.approx(per_second)
    finally:
        run.close()


def test_processes_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of pytest-xdist knows how many there are."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    run = open_target(RunSettings(base_url=FAR, username="alice", password="x", concurrency=6))
    try:
        client = run.target.client
        assert (client.pacing.per_second, client.concurrency, run.target.wrong_in_a_row) == (10, 3, 2)
    finally:
        run.close()
