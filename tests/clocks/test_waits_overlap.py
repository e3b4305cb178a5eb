"""Waiting for real: a URL alone, and tokens that live some seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.serve import ServerThread
from tests.clocks.running import BOUND_S, reasons
from tests.hostile.command import clean, judge
from tests.hostile.servers import reference_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIFE_S = 10
WAITERS = ("EXPIRY-01", "EXPIRY-03", "EXPIRY-05", "BEARER-01", "REVOKE-09")


@pytest.fixture
def brief() -> Iterator[str]:
    """The URL of a server whose access tokens live ten seconds."""
    with reference_app(ACCESS_LIFETIME=f"{LIFE_S}s") as app, ServerThread(app) as server:
        yield server.base_url


def test_waits_overlap(brief: str, tmp_path: Path) -> None:
    """Five scenarios that let a token expire wait for it together: once, and for little longer than it lives."""
    chosen = " or ".join(name.lower().replace("-", "_") for name in WAITERS)
    ended = judge(brief, "--tier", "strict", "-k", chosen, folder=tmp_path, bound=BOUND_S)
    assert ended.verdicts == dict.fromkeys(WAITERS, "passed"), ended.said
    assert ended.report["run"]["clock"] == "waiting"
    assert ended.report["run"]["duration_s"] < 1.5 * LIFE_S
    assert ended.report["run"]["waited_s"] < 1.5 * LIFE_S
    assert all("time passed by waiting" in reason for reason in reasons(ended).values()), reasons(ended)


def test_a_signing_key_takes_the_place_of_waiting(tmp_path: Path) -> None:
    """Where a minted token is as good, the report says that the suite has minted it."""
    with reference_app(JWT_SECRET_KEY="k" * 64) as app, ServerThread(app) as server:
        chosen = ("-k", "expiry_01 or expiry_02 or expiry_03 or expiry_05", "--signing-key", "k" * 64)
        ended = judge(server.base_url, "--tier", "strict", *chosen, folder=tmp_path, bound=BOUND_S)
    assert set(ended.verdicts.values()) == {"passed"}, ended.said
    assert all("time passed by minting a token with an early end" in reason for reason in reasons(ended).values())


def test_every_verdict_on_expiry_says_how_time_passed(tmp_path: Path) -> None:
    """On the bundled server as well, and for each requirement that lets any pass."""
    names = (*WAITERS, "EXPIRY-04", "EXPIRY-12", "BEARER-04", "LOGIN-08")
    chosen = " or ".join(name.lower().replace("-", "_") for name in names)
    ended = judge("--tier=strict", "-k", chosen, folder=tmp_path, env=clean(), bound=BOUND_S)
    assert ended.verdicts == dict.fromkeys(names, "passed"), ended.said
    assert ended.report["run"]["clock"] == "freezegun"
    assert all("time passed by freezegun" in reason for reason in reasons(ended).values()), reasons(ended)
    assert ended.report["policy"]["leeway"] == "0 s"
