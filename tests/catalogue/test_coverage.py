"""The catalogue seen from its sources, and the ids that hold everything together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance.catalogue import Hindrance, load
from conformance.catalogue.coverage import in_order, sources, taken_apart

ROOT = Path(__file__).parents[2]
# The sources of which the project promises to tell what is checked and what is not.
PROMISED = [
    *(f"RFC {number}" for number in (6749, 6750, 7009, 7515, 7517, 7518, 7519, 7662, 8725, 9068, 9110, 9700)),
    *(f"OWASP ASVS 5.0 {chapter}" for chapter in ("V6", "V7", "V9", "V10")),
    "NIST SP 800-63B-4",
]


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_source_has_both_halves(name: str) -> None:
    """Of each source something is checked, and something is said not to be testable."""
    source = {source.name: source for source in sources(load())}[name]

    assert source.requirements
    assert source.statements


def test_nothing_is_lost() -> None:
    """Every requirement and every untestable statement stands under a source."""
    found = sources(load())

    assert set().union(*(source.requirements for source in found)) == {requirement.id for requirement in load()}
    assert set().union(*(source.statements for source in found)) == {item.id for item in load().not_testable}


@pytest.mark.parametrize(
    ("citation", "document", "clause"),
    [
        ("RFC 6749 §5.1", "RFC 6749", "§5.1"),
        ("RFC 7519 §7.2 (step 8)", "RFC 7519", "§7.2 (step 8)"),
        ("ASVS 5.0 V7.2.4", "OWASP ASVS 5.0 V7", "V7.2.4"),
        ("ASVS 5.0 V16.1-16.4", "OWASP ASVS 5.0 V16", "V16.1-16.4"),
        ("NIST SP 800-63B-4 App. A.2", "NIST SP 800-63B-4", "App. A.2"),
        ("OWASP REST Security CS (JWT)", "OWASP REST Security CS", "(JWT)"),
        ("WSTG-SESS-10", "OWASP WSTG", "WSTG-SESS-10"),
        ("lesson", "lesson", ""),
    ],
)
def test_a_citation_is_taken_apart(citation: str, document: str, clause: str) -> None:
    """A citation is a document and, mostly, a clause of it."""
    assert taken_apart(citation) == (document, clause)


def test_numbers_are_ordered_as_numbers() -> None:
    """A reader looks for V10 after V9."""
    assert in_order(["V10.1", "V9.2", "V9.10"]) == ["V9.2", "V9.10", "V10.1"]


def test_an_untestable_statement_says_why() -> None:
    """Each has a kind, a reason, and an id of its own."""
    statements = load().not_testable

    assert len({statement.id for statement in statements}) == len(statements)
    for statement in statements:
        assert statement.kind in Hindrance
        assert statement.reason
        assert statement.sources


def test_no_text_names_what_nobody_defines() -> None:
    """Each id of a requirement in the code, the catalogue, the documentation and the contract exists."""
    defined = {requirement.id for requirement in load()}
    areas = "|".join(sorted({name.partition("-")[0] for name in defined}))
    looks_like_one = re.compile(rf"\b(?:{areas})-[0-9]{{2}}\b")
    files = [
        file
        for folder in ("conformance", "reference_server", "specs", "docs", "lab", "benchmarks")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".toml", ".md", ".yaml", ".json", ".jinja"}
    ]
    named = {
        (name, str(file.relative_to(ROOT)))
        for file in (*files, *ROOT.glob("*.md"))
        for name in looks_like_one.findall(file.read_text(encoding="utf-8"))
    }

    # The guide adds a requirement, under the next id that is free.
    example = {("LOGIN-10", "docs/adding-a-requirement.md")}
    assert {(name, file) for name, file in named if name not in defined} == example
