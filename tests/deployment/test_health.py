"""What the server says of itself, and what it still does, while the database or Redis is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.deployed import ACCOUNTS, Deployment
from tests.deployment.stores import away

if TYPE_CHECKING:
    import requests

    from tests.deployment.stores import Stores


def assert_away(answer: requests.Response) -> None:
    """It says in JSON that it cannot do this now, and when to come again; and nothing of why."""
    assert answer.status_code == 503
    assert answer.json() == {
        "error": "temporarily_unavailable",
        "msg": "The server cannot do this for the moment; try again later",
    }
    assert int(answer.headers["Retry-After"]) > 0


def test_health_is_told(deployed: Deployment) -> None:
    """A server that has everything it needs is ready, and says what that is."""
    answer = deployed.wait_for(200)
    assert answer.json() == {"status": "ok", "database": "ok", "login_limits": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_redis_nobody_logs_in_and_sessions_go_on(stores: Stores, deployed: Deployment) -> None:
    """Guesses that nobody counts are not let through; what needs no count is served, and all of it again afterwards."""
    tokens = deployed.tokens()
    with away(stores.redis):
        health = deployed.wait_for(503).json()
        assert health == {"status": "unavailable", "database": "ok", "login_limits": "unavailable"}
        assert deployed.get("/healthz/live").status_code == 200
        for password in (ACCOUNTS["alice"], "wrong"):
            assert_away(deployed.login(password=password))
        assert deployed.get("/profile", tokens["access_token"]).status_code == 200
        assert deployed.post("/refresh", tokens["refresh_token"]).status_code == 200
    deployed.wait_for(200)
    assert deployed.login().status_code == 200


def test_without_the_database_every_answer_is_503(stores: Stores, deployed: Deployment) -> None:
    """No token is taken for bad because it cannot be looked up; the same tokens are good again afterwards."""
    tokens = deployed.tokens()
    with away(stores.postgres):
        assert deployed.wait_for(503).json()["database"] == "unavailable"
        assert deployed.get("/healthz/live").status_code == 200
        assert_away(deployed.login())
        assert_away(deployed.get("/profile", tokens["access_token"]))
        assert_away(deployed.post("/refresh", tokens["refresh_token"]))
        assert_away(deployed.get("/.well-known/jwks.json"))
    deployed.wait_for(200)
    # Every worker has lost its connections.
    assert {deployed.get("/profile", tokens["access_token"]).status_code for _ in range(20)} == {200}
    assert deployed.post("/refresh", tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("store", ["postgres", "redis"])
def test_workers_start_while_a_store_is_away(stores: Stores, deployed: Deployment, store: str) -> None:
    """They wait for it, not ready, and are ready once it is there."""
    deployed.stop()
    with away(getattr(stores, store)):
        deployed.start(until=503)
    deployed.wait_for(200)
    assert deployed.login().status_code == 200
