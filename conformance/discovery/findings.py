"""What has been found out of a target: a profile that grows, and for each of its keys how sure it is and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from conformance.inert import one_line

if TYPE_CHECKING:
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Protected


class Sureness(StrEnum):
    """How sure a line is, from the surest down."""

    SEEN = "seen"
    """An honest request that was made in this way did what the line says."""
    OPENAPI = "openapi"
    """The target's own OpenAPI document says so."""
    METADATA = "metadata"
    """The target's metadata of RFC 8414, or of OpenID Connect, says so."""
    GUESS = "guess"
    """Others do it in this way."""


@dataclass(frozen=True, slots=True)
class Note:
    """Why a line is as it is."""

    how: Sureness
    words: str

    def __str__(self) -> str:
        """As the comment behind the line."""
        return one_line(f"{self.how}: {self.words}")


@dataclass(slots=True)
class Findings:
    """The profile so far, on top of the preset `bare`.

    Attributes:
        notes: by dotted key, or by the label of a protected route.
        observed: lifetimes in seconds, by what the tokens themselves say.
        asides: by table, lines that are only worth a thought: each is written as a comment.
    """

    profile: Profile
    notes: dict[str, Note] = field(default_factory=dict)
    observed: dict[str, int] = field(default_factory=dict)
    asides: dict[str, list[str]] = field(default_factory=dict)

    def set(self, table: str, how: Sureness, words: str, **values: Any) -> None:
        """Puts values into a table of the profile, or at its top where `table` is empty."""
        if table:
            values_of = replace(getattr(self.profile, table), **values)
            self.profile = replace(self.profile, **{table: values_of})
        else:
            self.profile = replace(self.profile, **values)
        for key in values:
            self.notes[f"{table}.{key}" if table else key] = Note(how, words)

    def add_route(self, route: Protected, how: Sureness, words: str) -> None:
        """Adds a protected route."""
        self.profile = replace(self.profile, protected=(*self.profile.protected, route))
        self.notes[f"{route.method} {route.path}"] = Note(how, words)

    def note_aside(self, table: str, line: str) -> None:
        """Keeps a line for a comment in that table."""
        self.asides.setdefault(table, []).append(one_line(line))

    def is_seen(self, key: str) -> bool:
        """Whether that key, or route, has been seen to be right."""
        return key in self.notes and self.notes[key].how is Sureness.SEEN

    @property
    def is_enough(self) -> bool:
        """Whether the suite can judge the target with it: the login and a protected route are seen."""
        routes = [f"{route.method} {route.path}" for route in self.profile.protected]
        has_session = self.is_seen("login.path") and self.is_seen("login.access")
        return has_session and any(self.is_seen(label) for label in routes)
