"""Telling two refusals apart, as somebody would who wants to know which accounts exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conformance.target.http import Response

VARIABLE: Final = re.compile(r"\b[0-9a-f-]{8,}\b|[\w-]{20,}|\d+", re.IGNORECASE)
"""Times, counts and ids, which differ between any two answers."""

OF_THE_CONNECTION: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
        "date",
        "age",
        "via",
        "server-timing",
        "alt-svc",
    }
)
"""Headers that depend on the connection, the time or what lies between, and not on who logs in."""


def features(answer: Response, usernames: Collection[str]) -> dict[str, object]:
    """What can be seen of a refusal, but for its times and ids and for the names that may have been sent."""
    names = frozenset(name.lower() for name, _ in answer.headers) - OF_THE_CONNECTION
    sent = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in usernames)
    return {
        "status": answer.status,
        "headers": ", ".join(sorted(names)),
        "challenge": answer.header("WWW-Authenticate") or "",
        "cookies": ", ".join(sorted(answer.cookies)),
        "body": VARIABLE.sub("#", re.sub(sent, "#", answer.text)),
    }


def differences(usual: Sequence[Response], usual_name: str, other: Response, other_name: str) -> dict[str, str]:
    """In what a refusal differs from the usual ones, in words, by feature; what varies among those does not count."""
    # Both names are masked everywhere, lest one that is a word of the message makes a difference.
    wanted, *more = [features(answer, (usual_name, other_name)) for answer in usual]
    seen = features(other, (usual_name, other_name))
    return {
        name: f"{name} {_short(seen[name])} instead of {_short(value)}"
        for name, value in wanted.items()
        if seen[name] != value and all(each[name] == value for each in more)
    }


def _short(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 80 else f"{text[:77]}...") if isinstance(value, str) else text  # noqa: PLR2004
