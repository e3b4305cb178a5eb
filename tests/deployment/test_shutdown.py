"""SIGTERM ends the server, and no request."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import requests

from reference_server.gunicorn_conf import threads

if TYPE_CHECKING:
    from tests.deployment.deployed import Deployment

PAUSE_S = 1.5


def test_requests_under_way_are_finished(deployed: Deployment) -> None:
    """Refreshes that wait for the database get their tokens after SIGTERM; then every process ends, well.

    They are no more than one worker has threads for, since one may get them all.
    """
    logins = [deployed.tokens() for _ in range(threads)]
    database_url = deployed.settings["DATABASE_URL"]
    with psycopg.connect(database_url) as blocker, ThreadPoolExecutor(len(logins) + 1) as pool:
        blocker.execute("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE")
        answers = [pool.submit(deployed.post, "/refresh", tokens["refresh_token"]) for tokens in logins]
        wait_until_blocked(database_url, len(logins))
        ended = pool.submit(deployed.stop)
        time.sleep(PAUSE_S)
        assert not ended.done()
        blocker.rollback()
        assert [answer.result().status_code for answer in answers] == [200] * len(logins)
        assert ended.result() == 0
    assert refuses(deployed)
    deployed.start()


def wait_until_blocked(database_url: str, number: int) -> None:
    """Return once so many of the workers' connections wait for a lock."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 10
    with psycopg.connect(database_url, autocommit=True) as watcher:
        while time.monotonic() < deadline:
            row = watcher.execute(count).fetchone()
            if row and row[0] == number:
                return
            time.sleep(0.05)
    raise AssertionError(f"not all requests wait: {row}")


def refuses(deployed: Deployment) -> bool:
    """Whether nobody listens any more."""
    try:
        deployed.get("/healthz/live")
    except requests.ConnectionError:
        return True
    return False
