"""A first `conformance.toml`, from what the user says of the API."""

from __future__ import annotations

from typing import Final

import tomlkit

FILE: Final = "conformance.toml"
_COMMENTS: Final = {
    "base-url": "The API under test; `jwt-conformance run URL` overrides it.",
    "username": "An account whose sessions may come and go. Its password stays out of files: set CONFORMANCE_PASSWORD.",
    "second-username": "Somebody else, for what takes two; CONFORMANCE_SECOND_PASSWORD.",
    "target-profile": "How the API speaks: a shipped profile, or a file such as `jwt-conformance discover` writes.",
    "tier": "How far to go: core, hardened or strict.",
    "baseline": "Deviations that are known; `--update-baseline` writes the file.",
    "report-html": "For people; report-sarif, report-markdown and report-json are for programs.",
}
"""What the file says of each option, in this order."""


def text(values: dict[str, str]) -> str:
    """The text of the file.

    Args:
        values: options by name; what has no value is left out.
    """
    document = tomlkit.document()
    for name, comment in _COMMENTS.items():
        if values.get(name):
            document.add(tomlkit.comment(comment))
            document.add(name, values[name])
    written: str = tomlkit.dumps(document)
    return written
