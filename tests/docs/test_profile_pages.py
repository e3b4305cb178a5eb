"""What the documentation says of profiles is complete, and every profile in it can be loaded and does what is said."""

from __future__ import annotations

import re
import runpy
from typing import TYPE_CHECKING

import pytest
import requests

from conformance.target.profile_files import from_text, shipped
from tests.packaging.processes import CHECKOUT, run_well, serving, with_our_commands

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

DOCS = CHECKOUT / "docs"
PAGES = [DOCS / "profiles.md", *sorted((DOCS / "guides").glob("*.md")), CHECKOUT / "README.md"]
FENCE = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = ("target-profile", "[tool.jwt-conformance]", "[[known]]", "[defaults]")
"""What a block of TOML begins with that holds the options of a run, a baseline, or the targets of a fleet."""
ALICE = {"username": "alice", "password": "Looking-glass-1871"}


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """The blocks of a language on a page: the word beside the language, and the text."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [(word, text) for name, word, text in found if name == language]


PROFILES = {
    f"{page.stem}-{number}": text
    for page in PAGES
    for number, (_, text) in enumerate(blocks(page, "toml"), 1)
    if not text.startswith(OPTIONS)
}
"""Every profile that is shown, by where it is."""


@pytest.mark.parametrize("text", PROFILES.values(), ids=PROFILES.keys())
def test_a_profile_that_is_shown_can_be_loaded(text: str) -> None:
    """Every key in it exists and takes what is written; a fragment is one of a profile that extends `bare`."""
    whole = text if "extends" in text else f'extends = "default"\n{text}'

    assert from_text(whole, "shown.toml").protected


def test_every_key_has_a_meaning() -> None:
    """Whoever adds a key to a profile has said what it means, below it, in `conformance/target/profile.py`."""
    reference = runpy.run_path(str(DOCS / "profile_reference.py"))
    keys = [(table.title, key.name, key.meaning) for table in reference["tables"]() for key in table.keys]

    assert len(keys) > 70
    assert [key for key in keys if not key[2]] == []


def test_every_preset_is_listed_once() -> None:
    """A preset says in a line what it speaks to, and the list says what it was checked against."""
    listed = re.findall(r"^\| `([\w-]+)` \|", (DOCS / "presets.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(listed) == sorted(shipped())
    assert [name for name, text in shipped().items() if not from_text(text, name).summary] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_within_the_documentation_leads_somewhere(page: Path) -> None:
    """The file is there, and has the heading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


def headings(file: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def test_the_guide_to_cookies_describes_a_server_with_both_in_cookies(tmp_path: Path) -> None:
    """With the names in the guide the doctor has no doubt about a server that sets them."""
    (tmp_path / "cookies.toml").write_text(dict(blocks(DOCS / "guides" / "cookies.md", "toml"))["full"])
    with bundled(tmp_path, REFERENCE_TOKEN_LOCATION="cookies") as url:
        command = ["jwt-conformance", "doctor", url, "--target-profile", "cookies.toml"]
        account = {f"CONFORMANCE_{name.upper()}": value for name, value in ALICE.items()}
        told = run_well(command, cwd=tmp_path, env=with_our_commands(**account))

    assert "doubt" not in told
    assert "POST /refresh gives a new access token" in told


def test_the_guide_to_oauth_shows_how_to_give_tokens(tmp_path: Path) -> None:
    """Tokens from two files do instead of a login."""
    page = DOCS / "guides" / "oauth.md"
    (tmp_path / "given.toml").write_text(dict(blocks(page, "toml"))["given"])
    script = dict(blocks(page, "sh"))["given"]
    with bundled(tmp_path) as url:
        tokens = requests.post(f"{url}/login", json=ALICE, timeout=10).json()
        for kind in ("access", "refresh"):
            (tmp_path / f"{kind}.txt").write_text(tokens[f"{kind}_token"])
        told = run_well(
            ["bash", "-c", script.replace("http://localhost:8000", url)], cwd=tmp_path, env=with_our_commands()
        )

    assert "the tokens that were given are used" in told
    assert "doubt" not in told


def bundled(folder: Path, **settings: str) -> AbstractContextManager[str]:
    """The bundled server, with these settings: its URL."""
    command = ["jwt-conformance", "serve", "--port", "0"]
    return serving(command, cwd=folder, log=folder / "serve.log", env=with_our_commands(**settings))
