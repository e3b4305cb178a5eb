"""What each scenario costs its target, as it was counted in runs on the bundled server.

`costs.toml` holds three such runs, and `python benchmarks/costs.py` writes it anew. Where nothing is told of a
requirement in one of them, it was not judged in it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EXAMINATION: Final = "examination"
"""What comes before the first scenario, in the place of a requirement's id."""


class SetUp(StrEnum):
    """What the suite had been given in a run that was counted."""

    PLAIN = "plain"
    """A URL and two accounts."""
    GIVEN = "given"
    """Everything that options can give as well, `--intrusive` among it."""
    HOOKS = "hooks"
    """The hooks of a profile, too."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was counted.

    Attributes:
        requests: all of them.
        at_login: requests at the login.
        logins: honest logins; each opens a session.
        wrong: wrong passwords for the first account.
        wrong_second: for the second one.
        guesses: for accounts that may be locked.
        ended: logouts and revocations that succeeded.
        at_once: the most requests that were sent at the same instant.
        accounts: accounts made by a hook.
        restarts: restarts by a hook.
        pauses_s: seconds of waiting for time to pass.
    """

    requests: int = 0
    at_login: int = 0
    logins: int = 0
    wrong: int = 0
    wrong_second: int = 0
    guesses: int = 0
    ended: int = 0
    at_once: int = 0
    accounts: int = 0
    restarts: int = 0
    pauses_s: int = 0

    @classmethod
    def total(cls, costs: Iterable[Self]) -> Self:
        """All of them together."""
        each = list(costs)
        sums = {part.name: sum(getattr(cost, part.name) for cost in each) for part in fields(cls)}
        return cls(**{**sums, "at_once": max((cost.at_once for cost in each), default=0)})

    def times(self, count: int) -> Self:
        """So many times as much."""
        return type(self)(**{part.name: getattr(self, part.name) * count for part in fields(self)})


@cache
def counted() -> Mapping[SetUp, Mapping[str, Cost]]:
    """What was counted in each run, by requirement."""
    text = files("conformance.plan").joinpath("costs.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return {setup: {name: Cost(**row) for name, row in data.get(setup, {}).items()} for setup in SetUp}


def cost_of(requirement: str, setup: SetUp) -> Cost:
    """What a requirement's scenario costs in a run like that; by the run that is most like it and judged it."""
    richer = list(SetUp)
    nearest = richer[richer.index(setup) :] + richer[: richer.index(setup)][::-1]
    return next((counted()[like][requirement] for like in nearest if requirement in counted()[like]), Cost())
