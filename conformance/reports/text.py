"""Verdicts in plain words, for terminals and logs."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from conformance.inert import inert
from conformance.verdicts.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.catalogue import Requirement
    from conformance.verdicts.model import Finding, Outcome

WIDTH: Final = 110
MOST_CASES: Final = 4


def describe(requirement: Requirement, outcome: Outcome) -> str:
    """What a person needs to act on a verdict: what was expected and observed, why it matters, the fix, a command."""
    return "\n".join(_lines(requirement, outcome))


def _lines(requirement: Requirement, outcome: Outcome) -> Iterator[str]:
    yield f"{requirement.id} {requirement.title} [{requirement.level}, {outcome.verdict.words}]"
    for finding in outcome.findings[:MOST_CASES]:
        yield from _finding(finding)
    if len(outcome.findings) > MOST_CASES:
        yield from field("also", "; ".join(finding.case for finding in outcome.findings[MOST_CASES:]))
    if outcome.reason:
        yield from field("note" if outcome.findings else "reason", outcome.reason)
    if outcome.verdict is Verdict.INCONCLUSIVE:
        return
    yield from field("source", "; ".join(requirement.sources))
    yield from field("why", requirement.why)
    yield from field("fix", requirement.fix)
    command = next((finding.curl for finding in outcome.findings if finding.curl), "")
    if command:
        yield f"  {'repeat':<9} {inert(command)}"


def _finding(finding: Finding) -> Iterator[str]:
    yield from field("case", finding.case)
    yield from field("expected", finding.expected)
    yield from field("observed", finding.observed)


def field(name: str, text: str) -> Iterator[str]:
    """A named text, wrapped; an empty line in it starts a paragraph."""
    label = name
    for paragraph in re.split(r"\n\s*\n", inert(text.strip())):
        lines = textwrap.wrap(" ".join(paragraph.split()), WIDTH - 12, break_long_words=False, break_on_hyphens=False)
        for line in lines:
            yield f"  {label:<9} {line}"
            label = ""


def plain(text: str) -> str:
    """A text of the catalogue, a line for each paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip()))
