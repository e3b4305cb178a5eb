"""The pages of the requirements say what the catalogue and the fault registry say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conformance.catalogue import load

ROOT = Path(__file__).parents[2]


def test_the_pages_are_up_to_date() -> None:
    """Each page is what would be written now."""
    check = subprocess.run(
        [sys.executable, ROOT / "docs" / "pages.py", "--check"], capture_output=True, text=True, check=False
    )

    assert check.stderr == ""
    assert check.returncode == 0


def test_every_requirement_has_its_place() -> None:
    """A requirement stands on the page and under the heading that its slug names."""
    for requirement in load():
        page, _, anchor = requirement.docs_slug.partition("#")
        headings = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").lower().splitlines()

        assert f"## {anchor}" in headings
