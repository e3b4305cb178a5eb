"""The reference server's application, which misbehaving servers stand in front of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.servers import reference_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask


@pytest.fixture(scope="session")
def app() -> Iterator[Flask]:
    """The application, with nothing wrong in it."""
    with reference_app() as app:
        yield app
