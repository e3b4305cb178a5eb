"""What the user wants of the fuzzing stage."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

FUZZ_TIME_S: Final = 15.0
"""How long the stage takes, unless the user wants otherwise."""


def _any_seed() -> int:
    return secrets.randbelow(1_000_000)


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """The budget of the stage, and what it begins with.

    Attributes:
        time_s: how long requests and stories are made up, in seconds.
        seed: what chance begins with; of the same one come the same stories.
        openapi_url: where the target's own OpenAPI document is; empty where the suite's stands for it.
        stories: the folder of stories to begin with, to which those are added that are found; empty for none.
    """

    time_s: float = FUZZ_TIME_S
    seed: int = field(default_factory=_any_seed)
    openapi_url: str = ""
    stories: str = ""
