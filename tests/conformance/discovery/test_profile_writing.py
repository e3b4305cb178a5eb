"""What is written can be read again, whatever it holds."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.discovery.findings import Findings, Note, Sureness
from conformance.discovery.writing import profile_toml, toml
from conformance.target.profile_files import from_text, load
from conformance.target.profile_tables import Protected

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**40), 2**40), lambda each: st.lists(each) | st.dictionaries(TEXTS, each)
)


@given(VALUES)
def test_any_value_comes_back(value: Any) -> None:
    """TOML reads what was written as the same value."""
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


@pytest.mark.parametrize("words", ["a\nb = 1", "\x1b[31m", "# x", '"""'])
def test_a_note_stays_on_its_line(words: str) -> None:
    """A comment that repeats what a target said ends where its line ends."""
    assert "\n" not in str(Note(Sureness.OPENAPI, words))
    assert "\x1b" not in str(Note(Sureness.OPENAPI, words))


def test_a_guess_that_is_not_needed_is_a_comment() -> None:
    """Where the login and a route are seen, what was only guessed is not live."""
    findings = Findings(load("bare"))
    findings.set("login", Sureness.SEEN, "it worked", path="/in", access="token")
    findings.set("refresh", Sureness.GUESS, "others do", path="/again")
    findings.add_route(Protected("/me"), Sureness.SEEN, "it opened")
    text = profile_toml(findings, ())

    assert from_text(text, "found.toml").refresh.path == ""
    assert '# path = "/again"' in text


def test_a_guess_is_live_and_marked_where_nothing_works_without_it() -> None:
    """An unproven login is printed as one."""
    findings = Findings(load("bare"))
    findings.set("login", Sureness.GUESS, "others do", path="/in")
    text = profile_toml(findings, ())

    assert tomllib.loads(text)["login"]["path"] == "/in"
    assert "# guess: others do" in text
