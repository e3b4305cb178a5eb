"""The stores of the deployments, installed here where they are missing and may be, and the deployments."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.debian import install
from tests.deployment.deployed import Deployment, settings
from tests.deployment.stores import Stores, programs, started

if TYPE_CHECKING:
    from collections.abc import Iterator


class Deploy(Protocol):
    """Deploys the server with some settings changed."""

    def __call__(self, **changes: str) -> Deployment:
        """Deploy it."""


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """Both stores, started."""
    install("postgresql", "redis-server", found=programs)
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL and Redis are not both installed")
    with started(found) as both:
        yield both


@pytest.fixture(scope="session")
def deploy(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """Deploys servers, each with databases of its own, and stops them afterwards."""
    started: list[Deployment] = []
    numbers = itertools.count()

    def begin(**changes: str) -> Deployment:
        number = next(numbers)
        database_url = stores.postgres.new_database(f"deployment_{number}")
        deployment = Deployment(
            tmp_path_factory.mktemp("deployment"), settings(database_url, stores.redis.url(number), changes)
        )
        deployment.flask("database", "upgrade")
        started.append(deployment)
        deployment.start()
        return deployment

    yield begin
    for deployment in started:
        deployment.stop()


@pytest.fixture(scope="session")
def deployed(deploy: Deploy) -> Deployment:
    """A deployment that tests share; what one takes away it gives back."""
    return deploy()
