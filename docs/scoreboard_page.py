"""What the scoreboard's template asks of the scoreboard."""

from __future__ import annotations

from typing import Any

from conformance.catalogue import load
from lab import scoreboard

SIGNS = {
    "passed": "✓",
    "failed": "✗",
    "warned": "!",
    "not_applicable": "–",  # noqa: RUF001 - a dash of that length
    "untested": "?",
    "inconclusive": "~",
    "noted": "i",
}


def values() -> dict[str, Any]:
    """The template's variables."""
    catalogue = load()
    areas = {requirement.id: requirement.area for requirement in catalogue}
    return {
        "board": scoreboard.load(),
        "requirements": [requirement for requirement in catalogue if not requirement.by_fuzzing],
        # A requirement that is new has no verdict before the lab is run.
        "sign": lambda row, name: SIGNS.get(row["verdicts"].get(name), ""),
        "page": lambda name: f"requirements/{areas[name]}/{name.lower()}.md",
        "versions": lambda row: ", ".join(f"{name} {version}" for name, version in row["versions"].items()),
        "count": lambda row, *verdicts: sum(given in verdicts for given in row["verdicts"].values()),
        "words": words,
    }


def words(value: Any) -> str:
    """A value of the policy card."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def lower_first(text: str) -> str:
    """The text as it goes on after a colon."""
    return text[:1].lower() + text[1:]
