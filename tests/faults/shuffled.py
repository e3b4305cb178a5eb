"""A pytest plugin that runs scenarios in a random order, whatever the suite thinks of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the seed."""
    parser.addoption("--shuffle-seed", default="1")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, object, object]:
    """Shuffles what every other plugin has put in order."""
    result = yield
    random.Random(config.getoption("--shuffle-seed")).shuffle(items)  # noqa: S311 - an order, no secret
    return result
