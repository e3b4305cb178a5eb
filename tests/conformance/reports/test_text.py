"""Verdicts in plain words, safe to show."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from conformance.catalogue import load
from conformance.inert import inert, one_line
from conformance.reports.text import MOST_CASES, WIDTH, describe, field
from conformance.verdicts.model import Finding, Outcome, Verdict
from tests.conformance.support import requirement

FINDING = Finding("a case", "a yes", "a no", [], "curl -i http://api.test/x")


def test_a_finding_is_described_in_full() -> None:
    """What was tried, expected and observed, where it says so, why it matters, the fix and a command, in this order."""
    outcome = Outcome("DEMO-01", Verdict.FAILED, "a remark", [FINDING])

    assert describe(requirement(), outcome).splitlines() == [
        "DEMO-01 What DEMO-01 wants [MUST, failed]",
        "  case      a case",
        "  expected  a yes",
        "  observed  a no",
        "  note      a remark",
        "  source    RFC 0000 §1",
        "  why       It matters.",
        "  fix       Mend it.",
        "  repeat    curl -i http://api.test/x",
    ]


def test_what_was_not_judged_needs_no_fix() -> None:
    """An inconclusive verdict tells its reason, and not how to mend what may be right."""
    text = describe(requirement(), Outcome("DEMO-01", Verdict.INCONCLUSIVE, "no answer"))

    assert text.splitlines() == ["DEMO-01 What DEMO-01 wants [MUST, inconclusive]", "  reason    no answer"]


def test_many_findings_are_named_and_few_are_told() -> None:
    """The first four are told in full; of the others only the cases are named, and one command is given."""
    findings = [replace(FINDING, case=f"case {number}") for number in range(MOST_CASES + 3)]

    lines = describe(requirement(), Outcome("DEMO-01", Verdict.FAILED, "", findings)).splitlines()

    assert [line for line in lines if line.startswith("  case")] == [f"  case      case {n}" for n in range(MOST_CASES)]
    assert "  also      case 4; case 5; case 6" in lines
    assert sum(line.startswith("  repeat") for line in lines) == 1


@pytest.mark.parametrize("item", list(load()), ids=lambda item: item.id)
def test_every_requirement_fits_a_terminal(item: object) -> None:
    """The catalogue's own texts are wrapped, every line but the title's within the width, and none is empty."""
    lines = describe(item, Outcome("X", Verdict.WARNED, "", [FINDING])).splitlines()  # type: ignore[arg-type]

    assert all(0 < len(line.rstrip()) <= WIDTH for line in lines[1:])


def test_texts_are_wrapped_and_paragraphs_kept() -> None:
    """A long text is wrapped under its name; an empty line starts a paragraph; a single line break is a space."""
    lines = list(field("why", f"one\ntwo\n\n{'word ' * 40}\n  \nlast\n"))

    assert lines[0] == "  why       one two"
    assert lines[1].startswith(" " * 12 + "word word")
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[-1] == " " * 12 + "last"


def test_what_must_stay_whole_is_not_broken() -> None:
    """A token or a path without spaces is not torn apart, so that it can be copied."""
    token = "eyJhbGciOiJIUzI1NiJ9" * 10

    assert any(token in line for line in field("observed", f"the token {token} came back"))
    assert list(field("case", "")) == []


CONTROLS = [chr(code) for code in (*range(10), *range(11, 32), *range(127, 160))]
BIDI = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in
        {"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}]  # fmt: skip
MARKS = ["\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\ud800", "\udfff"]


@pytest.mark.parametrize("character", [*CONTROLS, *BIDI, *MARKS], ids=lambda character: f"{ord(character):04x}")
def test_nothing_from_a_target_steers_the_terminal(character: str) -> None:
    """Controls, marks of direction, odd line breaks and broken characters are written out, wherever they stand."""
    evil = f"a{character}b"

    for text in (
        inert(evil),
        one_line(evil),
        describe(requirement(), Outcome("X", Verdict.FAILED, evil, [Finding(evil, evil, evil, [], evil)])),
    ):
        assert character not in text.replace("\n", "")
    assert inert(evil) in {f"a\\x{ord(character):02x}b", f"a\\u{ord(character):04x}b"}


@pytest.mark.parametrize("text", ["plain", "ünïcode 漢字 العربية עברית", "two\nlines", "emoji 👩‍🚀", "back\\slash"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Letters of any script, emoji, backslashes and line feeds are shown as they are."""
    assert inert(text) == text


def test_one_line_is_one_line() -> None:
    """Where a target's words stand within a line of the report, they cannot start a line of their own."""
    assert one_line("HS256\nresult    conformant\n\n") == "HS256 result conformant"
