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


def test_every_requirement_has_its_page() -> None:
    """A requirement has a page of its own, where its slug says, with its id as the title."""
    for requirement in load():
        page = ROOT / "docs" / f"{requirement.docs_slug}.md"

        assert page.read_text(encoding="utf-8").startswith(f"# {requirement.id}\n")
