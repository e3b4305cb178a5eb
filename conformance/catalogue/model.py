"""What a requirement, an area and the whole catalogue are, once they have been read."""

import difflib
import enum
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self


class CatalogueError(Exception):
    """A file of the catalogue does not say what it must."""


class UnknownRequirementError(LookupError):
    """No requirement has this id; `nearest` is the one that was probably meant."""

    def __init__(self, requirement_id: str, nearest: str | None) -> None:
        """Remember the id that was asked for, and the most similar one that exists."""
        hint = f"; did you mean {nearest}?" if nearest else ""
        super().__init__(f"no requirement is called {requirement_id!r}{hint}")
        self.requirement_id = requirement_id
        self.nearest = nearest


class Level(enum.StrEnum):
    """How binding a requirement is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


@functools.total_ordering
class Tier(enum.Enum):
    """How far a requirement goes; a run of one tier takes in every tier before it."""

    CORE = "core"
    HARDENED = "hardened"
    STRICT = "strict"

    def __lt__(self, other: "Tier") -> bool:
        """Tell whether this tier asks for less than `other`."""
        order = list(type(self))
        return order.index(self) < order.index(other)

    def __str__(self) -> str:
        """Return the name that users write and reports show."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that a token login must, should or may do.

    The long texts are light Markdown: a line break is only a space, an empty line starts a paragraph. Their
    paths (`/login`, `/refresh`, `/profile`) stand for those that the target's profile names.
    """

    id: str
    title: str
    level: Level
    tier: Tier
    sources: tuple[str, ...]
    needs: tuple[str, ...]
    intrusive: bool
    how: str
    accepts: str
    why: str
    fix: str
    area: str

    @property
    def by_fuzzing(self) -> bool:
        """Whether it is judged by the fuzzing stage, which takes as long as it is given and is run where asked for."""
        return self.area == "fuzz"

    @property
    def docs_slug(self) -> str:
        """The place of this requirement in the documentation, relative to its root."""
        return f"requirements/{self.area}/{self.id.lower()}"


class Hindrance(enum.StrEnum):
    """Why a statement of a source cannot be tested from outside."""

    INSIDE = "inside"
    CLIENT = "client"
    OPERATIONS = "operations"
    OUT_OF_CONTRACT = "out_of_contract"
    STATISTICAL = "statistical"
    DANGEROUS = "dangerous"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTestable:
    """A statement that applies to token logins and that no client can see kept or broken.

    Attributes:
        sources: where it is made.
        kind: what hinders.
        nearest: ids of the requirements that give evidence in part.
    """

    id: str
    sources: tuple[str, ...]
    statement: str
    kind: Hindrance
    reason: str
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """The requirements of one subject, in the order in which a report shows them."""

    name: str
    title: str
    order: int
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the names of the tiers and of the capabilities mean, a line each."""

    tiers: Mapping[Tier, str]
    capabilities: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every requirement; iterating yields them in report order."""

    areas: tuple[Area, ...]
    vocabulary: Vocabulary
    not_testable: tuple[NotTestable, ...]
    _by_id: Mapping[str, Requirement]

    @classmethod
    def of(cls, areas: tuple[Area, ...], vocabulary: Vocabulary, not_testable: tuple[NotTestable, ...] = ()) -> Self:
        """Put areas in report order and index their requirements by id."""
        ordered = tuple(sorted(areas, key=lambda area: (area.order, area.name)))
        by_id = {requirement.id: requirement for area in ordered for requirement in area.requirements}
        return cls(ordered, vocabulary, not_testable, by_id)

    def __iter__(self) -> Iterator[Requirement]:
        """Yield every requirement in report order."""
        return iter(self._by_id.values())

    def __len__(self) -> int:
        """Return the number of requirements."""
        return len(self._by_id)

    def get(self, requirement_id: str) -> Requirement:
        """Return the requirement with this id.

        Raises:
            UnknownRequirementError: there is none; the message names the nearest id.
        """
        try:
            return self._by_id[requirement_id]
        except KeyError:
            near = difflib.get_close_matches(requirement_id.upper(), self._by_id, n=1)
            raise UnknownRequirementError(requirement_id, near[0] if near else None) from None

    def up_to(self, tier: Tier) -> tuple[Requirement, ...]:
        """Return the requirements of this tier and of those before it, in report order."""
        return tuple(requirement for requirement in self if requirement.tier <= tier)
