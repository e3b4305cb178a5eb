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


@pytest.fixture
def api(start: Start) -> Api:
    """A server with the default settings."""
    return start()
