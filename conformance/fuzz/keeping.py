"""Stories that were found once, kept in a folder of the user's and told first the next time."""

from __future__ import annotations

import hashlib
import json
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.errors import ConfigurationError
from conformance.fuzz.telling import Move, Step

if TYPE_CHECKING:
    from collections.abc import Sequence


def kept(folder: str) -> list[list[Step]]:
    """The stories of a folder, in the order of their files' names; none where there is no folder.

    Raises:
        ConfigurationError: a file in it cannot be read, or is no story.
    """
    return [_read(file) for file in sorted(Path(folder).glob("*.json"))] if folder else []


def keep(folder: str, steps: Sequence[Step]) -> None:
    """Writes a story down, once.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    text = json.dumps([[step.move, step.who, step.which, step.where] for step in steps]) + "\n"
    file = Path(folder) / f"story-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--fuzz-stories {folder!r} cannot be written: {error.strerror}") from None


def _read(file: Path) -> list[Step]:
    try:
        rows: Any = json.loads(file.read_text(encoding="utf-8"))
        # A number of any other type ends in an error of Python's.
        steps = [Step(Move(move), *map(operator.index, numbers)) for move, *numbers in rows]
    except (OSError, ValueError, TypeError, RecursionError):
        raise ConfigurationError(
            f"--fuzz-stories: {str(file)!r} is no story", "remove the file; each holds what a run has written"
        ) from None
    return steps
