"""The catalogue seen from its sources: what of each is checked, what cannot be tested from outside, and why."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Catalogue, NotTestable, Requirement

# A clause follows its document: a section, a chapter or an appendix of it, or the heading in a cheat sheet.
_CLAUSE: Final = re.compile(r"(?P<document>.+?) (?P<clause>§.*|V[0-9].*|App\. .*|\(.*\))")
_NUMBERS: Final = re.compile(r"([0-9]+)")


@dataclass(slots=True)
class Source:
    """One document, and what there is of it.

    Attributes:
        checked: the requirements that rest on a clause, by clause; an empty one stands for the whole document.
        not_testable: statements that cannot be tested from outside, by clause.
    """

    name: str
    checked: dict[str, list[Requirement]] = field(default_factory=lambda: defaultdict(list))
    not_testable: dict[str, list[NotTestable]] = field(default_factory=lambda: defaultdict(list))

    @property
    def requirements(self) -> set[str]:
        """The ids of all requirements that rest on it."""
        return {requirement.id for rows in self.checked.values() for requirement in rows}

    @property
    def statements(self) -> set[str]:
        """The ids of all its statements that cannot be tested from outside."""
        return {statement.id for rows in self.not_testable.values() for statement in rows}


def sources(catalogue: Catalogue) -> list[Source]:
    """Every document that a requirement or an untestable statement cites, in the order of their names."""
    found: dict[str, Source] = {}
    for requirement in catalogue:
        for name, clause in map(taken_apart, requirement.sources):
            found.setdefault(name, Source(name)).checked[clause].append(requirement)
    for statement in catalogue.not_testable:
        for name, clause in map(taken_apart, statement.sources):
            found.setdefault(name, Source(name)).not_testable[clause].append(statement)
    return [found[name] for name in in_order(found)]


def taken_apart(citation: str) -> tuple[str, str]:
    """The document and the clause of a citation; a chapter of OWASP's ASVS counts as a document."""
    match = _CLAUSE.fullmatch(citation)
    if match is None:
        # WSTG-SESS-06 is a test of the Web Security Testing Guide.
        return ("OWASP WSTG", citation) if citation.startswith("WSTG-") else (citation, "")
    document, clause = match["document"], match["clause"]
    if document.startswith("ASVS"):
        document = f"OWASP {document} {clause.partition('.')[0].partition('-')[0]}"
    elif document.startswith("WSTG-"):
        document, clause = "OWASP WSTG", citation
    return document, clause


def in_order(names: Iterable[str]) -> list[str]:
    """Names as a reader looks for them: numbers in them count as numbers."""
    return sorted(
        names,
        key=lambda name: [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _NUMBERS.split(name)],
    )
