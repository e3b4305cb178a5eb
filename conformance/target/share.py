"""What one process of a run may ask of the target: under pytest-xdist several of them share one server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

from conformance.errors import ConfigurationError
from conformance.target.target import WRONG_IN_A_ROW


def processes() -> int:
    """How many processes share this run."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


@dataclass(frozen=True, slots=True)
class Share:
    """One process's part.

    Attributes:
        rate: requests a second.
        concurrency: requests at a time; None where the user leaves it to the suite.
        wrong_in_a_row: wrong passwords for one account.
    """

    rate: float
    concurrency: int | None
    wrong_in_a_row: int = WRONG_IN_A_ROW

    @classmethod
    def of(cls, rate: float, concurrency: int | None, processes: int) -> Self:
        """An equal part of what the user allows in all, for each of so many processes.

        A login of any process clears the count of wrong passwords, so that the parts add up to no more than the whole.

        Raises:
            ConfigurationError: there are more processes than it can be shared among.
        """
        if processes > WRONG_IN_A_ROW:
            raise ConfigurationError(
                f"{processes} processes could lock the account between them, by a wrong password each",
                f"give -n {WRONG_IN_A_ROW} or less: a run sends no more than {WRONG_IN_A_ROW} of them in a row",
            )
        if concurrency is not None and concurrency < processes:
            raise ConfigurationError(
                f"{processes} processes cannot keep to --concurrency {concurrency}",
                f"give no -n, or a --concurrency of {processes} or more",
            )
        return cls(rate / processes, concurrency and concurrency // processes, WRONG_IN_A_ROW // processes)
