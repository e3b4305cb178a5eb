"""A server with nothing wrong in it, for commands that are given something wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.serve import ServerThread
from tests.hostile.servers import reference_app

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Where the reference server answers."""
    with reference_app() as app, ServerThread(app) as server:
        yield server.base_url
