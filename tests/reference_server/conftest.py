"""Servers for the tests, each closed when its test is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from argon2 import PasswordHasher

from reference_server import Settings, accounts
from tests.reference_server.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Start(Protocol):
    """Starts a server with some settings."""

    def __call__(self, **settings: Any) -> Api:
        """Start it."""


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Hashes that cost next to nothing: what they cost is one test's matter, and hundreds log in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        accounts._hash_of_nobody.cache_clear()
        yield
    accounts._hash_of_nobody.cache_clear()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers, and closes them afterwards."""
    started: list[Api] = []

    def begin(**settings: Any) -> Api:
        started.append(Api(Settings(**settings)))
        return started[-1]

    yield begin
    for api in started:
        api.close()


@pytest.fixture(scope="module", params=["HS256"])
def shared(request: pytest.FixtureRequest) -> Iterator[Api]:
    """A server that a module's tests share, where they only ask for what is refused. `params` are algorithms."""
    api = Api(Settings(algorithm=request.param))
    yield api
    api.close()


@pytest.fixture
def api(start: Start) -> Api:
    """A server with the default settings."""
    return start()
