"""Keys that take over from one another, under four workers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import jwt
import pytest

if TYPE_CHECKING:
    from tests.deployment.conftest import Deploy
    from tests.deployment.deployed import Deployment

ANNOUNCED_S = 2
SETTLING_S = 1.5


def kid_of(token: str) -> str | None:
    """The name of the key that signed a token."""
    name: str | None = jwt.get_unverified_header(token).get("kid")
    return name


def published(deployed: Deployment) -> list[str]:
    """The names of the keys in the key set."""
    return [key["kid"] for key in deployed.get("/.well-known/jwks.json").json()["keys"]]


def use(deployed: Deployment, over: threading.Event) -> tuple[int, list[str]]:
    """Log in, look and refresh until it is over: how many answers there were, and those that were no success."""
    count, refused = 0, []
    while not over.is_set():
        tokens = deployed.tokens()
        answers = [deployed.get("/profile", tokens["access_token"])]
        for _ in range(3):
            answers.append(deployed.post("/refresh", tokens["refresh_token"]))
            if answers[-1].status_code == 200:
                tokens = answers[-1].json()
                answers.append(deployed.get("/dashboard", tokens["access_token"]))
        count += len(answers)
        refused += [f"{answer.request.path_url} {answer.text}" for answer in answers if answer.status_code != 200]
    return count, refused


def test_rotation_refuses_no_honest_token(deployed: Deployment) -> None:
    """While users log in and refresh, keys change twice; each token of theirs is good, whichever worker sees it."""
    before = deployed.tokens()
    old = kid_of(before["access_token"])
    over = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        users = [pool.submit(use, deployed, over) for _ in range(4)]
        try:
            first = deployed.flask("keys", "rotate", "--announce", f"{ANNOUNCED_S}s").split(":")[0]
            assert set(published(deployed)) >= {old, first}
            time.sleep(ANNOUNCED_S)
            second = deployed.flask("keys", "rotate", "--announce", "1s").split(":")[0]
            time.sleep(SETTLING_S)
        finally:
            over.set()
        outcomes = [user.result() for user in users]
    assert [refused for _, refused in outcomes] == [[]] * len(users)
    assert sum(count for count, _ in outcomes) > 50

    assert published(deployed)[:3] == [second, first, old]
    assert kid_of(deployed.tokens()["access_token"]) == second
    assert deployed.get("/profile", before["access_token"]).status_code == 200
    renewed = deployed.post("/refresh", before["refresh_token"]).json()
    assert kid_of(renewed["access_token"]) == kid_of(renewed["refresh_token"]) == second


@pytest.mark.parametrize("given", [False, True], ids=["made", "given"])
def test_secrets_take_over_as_well(deploy: Deploy, given: bool) -> None:
    """With HS256 nothing is published, and tokens of the former secret, with a name or without, stay good."""
    settings = {"REFERENCE_JWT_SECRET_KEY": "x" * 32} if given else {}
    deployed = deploy(REFERENCE_ALGORITHM="HS256", **settings)
    before = deployed.tokens()
    assert (kid_of(before["access_token"]) is None) == given
    name = deployed.flask("keys", "rotate", "--announce", "1s").split(":")[0]
    time.sleep(SETTLING_S)
    assert kid_of(deployed.tokens()["access_token"]) == name
    assert {deployed.get("/profile", before["access_token"]).status_code for _ in range(8)} == {200}
    assert deployed.post("/refresh", before["refresh_token"]).status_code == 200
    deployed.stop()
