"""Reading the schemas of an OpenAPI document within limits: a document may be huge, point into itself, or lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from conformance.target.places import dig

DEEPEST: Final = 12
"""So many references, or levels of nesting, are followed."""
MOST_STEPS: Final = 2000
"""So many nodes of a document are looked at for one of its operations."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body: its dotted path, its schema, and whether it has to be there."""

    path: str
    schema: dict[str, Any]
    required: bool

    @property
    def kind(self) -> str:
        """Its JSON type; of several, the first that is not null."""
        named = self.schema.get("type")
        several = named if isinstance(named, list) else [named]
        return next((each for each in several if isinstance(each, str) and each != "null"), "string")

    @property
    def choices(self) -> list[Any]:
        """The values that it may have, where they are listed; its default comes first."""
        listed = self.schema.get("enum")
        found = list(listed) if isinstance(listed, list) else []
        for name in ("const", "default"):
            if self.schema.get(name) is not None:
                found.insert(0, self.schema[name])
        return found


class Schemas:
    """What a document says of values; only references within it are followed."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Looks at nothing yet."""
        self._document = document
        self._left = MOST_STEPS

    def begin(self) -> None:
        """Starts counting anew, for the next operation."""
        self._left = MOST_STEPS

    def resolved(self, value: Any) -> dict[str, Any]:
        """What a reference leads to; nothing where it leads elsewhere, or nowhere."""
        for _ in range(DEEPEST):
            self._left -= 1
            if not isinstance(value, dict) or self._left < 0:
                return {}
            where = value.get("$ref")
            if where is None:
                return value
            if not isinstance(where, str) or not where.startswith("#/"):
                return {}
            value = self._at(where)
        return {}

    def _at(self, where: str) -> Any:
        value: Any = self._document
        for name in where.removeprefix("#/").split("/"):
            key = name.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, dict) else dig(value, key)
        return value

    def members(self, schema: Any, prefix: str = "", *, needed: bool = True, depth: int = 0) -> list[Member]:
        """The members of an object, and of the objects in it; of alternatives, those of all."""
        found: list[Member] = []
        if depth > DEEPEST:
            return found
        schema = self.resolved(schema)
        for combination in ("allOf", "oneOf", "anyOf"):
            parts = schema.get(combination)
            for part in parts if isinstance(parts, list) else ():
                found += self.members(part, prefix, needed=needed and combination == "allOf", depth=depth + 1)
        listed = schema.get("required")
        required = {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()
        properties = schema.get("properties")
        for name, value in properties.items() if isinstance(properties, dict) else ():
            if self._left < 0:
                break
            inner = self.resolved(value)
            wanted = needed and name in required
            below = self.members(inner, f"{prefix}{name}.", needed=wanted, depth=depth + 1)
            found += below or [Member(f"{prefix}{name}", inner, wanted)]
        return found
