"""What tells an access token from a refresh token, as far as the tokens themselves show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.tokens.reading import Jwt

NAMES: Final = frozenset(
    {
        "type", "typ", "token_type", "tokentype", "token_use", "tokenuse", "token_kind", "tokenkind", "use", "kind",
        "purpose", "ttype", "category", "cat",
    }
)  # fmt: skip
"""Members that say a token's kind, in small letters, whatever comes before a last colon or slash."""

INDIVIDUAL: Final = frozenset({"exp", "iat", "nbf", "jti", "auth_time", "at_hash", "csrf", "nonce"})
"""Members that differ from token to token, of whatever kind."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A member of the header or a claim in which the tokens of one kind agree, and differ from those of the other.

    Attributes:
        place: where it stands.
        access: its value in access tokens; None where they lack it.
        refresh: its value in refresh tokens; None where they lack it.
    """

    place: Literal["header", "claims"]
    name: str
    access: Any
    refresh: Any

    @property
    def is_marker(self) -> bool:
        """Whether its name says that it is there to tell the kinds apart."""
        last = self.name.replace("/", ":").rpartition(":")[2].lower()
        return last in NAMES and (self.place == "claims" or self.name == "typ")

    def __str__(self) -> str:
        """Its name, with a word on where it is."""
        return f"the header's {self.name}" if self.place == "header" else self.name


def differences(access: Sequence[Jwt], refresh: Sequence[Jwt]) -> list[Difference]:
    """Everything in which all of these access tokens differ from all of these refresh tokens in the same way."""
    found = []
    for place in ("header", "claims"):
        sides = [[getattr(token, place) for token in tokens] for tokens in (access, refresh)]
        names = {name for side in sides for members in side for name in members} - INDIVIDUAL
        for name in sorted(names):
            one, other = ([members.get(name) for members in side] for side in sides)
            same = all(value == one[0] for value in one) and all(value == other[0] for value in other)
            if same and one[0] != other[0]:
                found.append(Difference(place, name, one[0], other[0]))
    return found
