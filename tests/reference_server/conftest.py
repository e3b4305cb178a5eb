"""Servers for the tests, each closed when its test is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from reference_server import Settings
from tests.reference_server.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Start(Protocol):
    """Starts a server with some settings."""

    def __call__(self, **settings: Any) -> Api:
        """Start it."""


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
