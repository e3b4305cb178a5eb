"""What one pass over a document's operations has shown. Judged once, told by each of the requirements that ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from conformance.errors import TargetError
    from conformance.target.http import Exchange

CRASH: Final = "FUZZ-01"
DIFFERENCE: Final = "FUZZ-02"
OPEN: Final = "FUZZ-03"
LEAST_SHARE: Final = 0.5
"""With fewer truly authenticated requests a pass has seen refusals only, and shows nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that no sound server does.

    Attributes:
        requirement: the one that it breaks.
        operation: where.
        title: what, in few words; of each there is one for an operation.
    """

    requirement: str
    operation: str
    title: str
    expected: str
    observed: str
    exchange: Exchange = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two of them the same."""
        return self.requirement, self.operation, self.title

    @property
    def size(self) -> int:
        """How long its request is."""
        request = self.exchange.request
        return len(request.path) + len(request.body) + sum(len(name) + len(value) for name, value in request.headers)


@dataclass(slots=True)
class Pass:
    """One pass.

    Attributes:
        origin: the document that requests were made up from.
        binding: whether answers had to be as it says.
        operations: how many requests each operation got.
        shut: how many operations were seen to refuse who has no token, and to let in who has one.
        credentialed: how many requests had the credential that their operation wants.
        authenticated: how many of them were truly authenticated.
        seen: what was found, the smallest example of each.
        passing: how much was seen once and not again.
        remarks: what else there is to say.
        ended_by: what made the target unfit for more.
    """

    origin: str
    binding: bool
    operations: dict[str, int] = field(default_factory=dict)
    shut: int = 0
    credentialed: int = 0
    authenticated: int = 0
    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)
    passing: int = 0
    remarks: list[str] = field(default_factory=list)
    ended_by: TargetError | None = None

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(self.operations.values())

    @property
    def share(self) -> float:
        """The share of requests that were truly authenticated, of those that should have been."""
        return self.authenticated / self.credentialed if self.credentialed else 0.0

    def of(self, requirement: str) -> list[Seen]:
        """What was found of a requirement."""
        return [seen for key, seen in self.seen.items() if key[0] == requirement]

    def keep(self, seen: Seen) -> None:
        """Keeps it, unless there is a smaller example."""
        known = self.seen.get(seen.key)
        if known is None or seen.size <= known.size:
            self.seen[seen.key] = seen
