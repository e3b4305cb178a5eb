"""What of a source is checked and what cannot be, in plain words."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from conformance.catalogue.coverage import in_order
from conformance.reports.text import field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.catalogue import NotTestable
    from conformance.catalogue.coverage import Source


def counts(source: Source) -> str:
    """One line: how much of a source is checked, and how much cannot be."""
    checked, not_testable = len(source.requirements), len(source.statements)
    return (
        f"{source.name:<36} {checked:>3} {'requirement ' if checked == 1 else 'requirements'}"
        f" {not_testable:>3} not testable from outside"
    )


def details(source: Source) -> Iterator[str]:
    """The requirements under each clause of a source, then what cannot be tested, why, and what comes near."""
    yield source.name
    if source.checked:
        yield "  checked"
    for clause in in_order(source.checked):
        place = clause or "as a whole"
        for requirement in source.checked[clause]:
            yield f"    {place:<14} {requirement.id:<11} {requirement.title}"
            place = ""
    if source.not_testable:
        yield "  not testable from outside"
    clauses: dict[NotTestable, list[str]] = defaultdict(list)
    for clause in in_order(source.not_testable):
        for statement in source.not_testable[clause]:
            clauses[statement].append(clause)
    for statement, places in clauses.items():
        yield f"    {', '.join(filter(None, places)) or 'as a whole'}"
        yield from (f"    {line}" for line in field("says", statement.statement))
        yield from (f"    {line}" for line in field("but", f"{statement.reason} ({statement.kind.replace('_', ' ')})"))
        if statement.nearest:
            yield from (f"    {line}" for line in field("near", ", ".join(statement.nearest)))
    yield ""
