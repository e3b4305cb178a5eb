"""Pages that lead somewhere step by step: whoever follows them arrives where they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from conformance.cli import main
from tests.docs.test_profile_pages import DOCS, FENCE
from tests.packaging.processes import CHECKOUT, environment

STEP = re.compile(r"<!-- (append to|replace in) ([\w./]+)(?:: (.*?))? -->\n```\w+\n(.*?)```", re.DOTALL)
PYTESTS_OWN = {"--junitxml"}
WORD = re.compile(r"^```(\w+) ?([\w.]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of a page with this Python's programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = environment(PATH=path, **variables)
    return subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_tutorial_finds_the_fault_and_mends_it(tmp_path: Path) -> None:
    """Each file is saved as it stands there; each command ends as the page says, with the lines that it shows."""
    ended = None
    codes = {"wrong": 1, "right": 0, "": 0}
    for language, word, text in WORD.findall((DOCS / "tutorial.md").read_text(encoding="utf-8")):
        if language == "python":
            (tmp_path / word).write_text(text)
        elif language == "sh":
            ended = run(text, tmp_path)
            assert ended.returncode == codes[word], ended.stdout + ended.stderr
        elif language == "text":
            assert ended is not None
            assert [line for line in text.splitlines() if line not in ended.stdout] == []


def test_the_mended_app_of_the_tutorial_keeps_the_core(tmp_path: Path) -> None:
    """What the page leaves its reader with breaks no MUST of the core that it could have mended."""
    blocks = WORD.findall((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    app = [text for language, word, text in blocks if word == "lesson.py"][-1]
    (tmp_path / "lesson.py").write_text(app)
    command = next(text for language, word, text in blocks if word == "wrong")
    ended = run(command, tmp_path)
    failed = re.findall(r"^failed +(\S+)", ended.stdout, re.MULTILINE)
    assert set(failed) <= {"SIG-04", "BEARER-01"}, ended.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the checkout, without what was made in it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (CHECKOUT / name).is_file() and not name.startswith("lab/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, tmp_path / name)
    shutil.copytree(CHECKOUT / "lab", tmp_path / "lab", ignore=shutil.ignore_patterns("node_modules", "venv", "target"))
    return tmp_path


def test_a_requirement_is_added_by_following_the_page(copy: Path) -> None:
    """Every block is put where its comment says; every command then ends as the page says."""
    page = (DOCS / "adding-a-requirement.md").read_text(encoding="utf-8")
    steps = STEP.findall(page)
    assert len(steps) == 5
    for action, name, old, text in steps:
        file = copy / name
        before = file.read_text(encoding="utf-8")
        if action == "append to":
            file.write_text(before.rstrip("\n") + "\n" + text, encoding="utf-8")
        else:
            line = next(line for line in before.splitlines() if line.strip() == old.strip())
            file.write_text(before.replace(f"{line}\n", text), encoding="utf-8")

    commands = [(word, text) for language, word, text in FENCE.findall(page) if language == "sh"]
    assert len(commands) == 4
    for code, command in commands:
        ended = run(command, copy, PYTHONPATH=str(copy))
        assert ended.returncode == int(code), f"{command}\n{ended.stdout}{ended.stderr}"
        if "login_10" in command:
            assert ("1 passed" if code == "0" else "1 warned") in ended.stdout
        elif "tests/faults" in command:
            assert " passed" in ended.stdout
    assert "## How it is checked" in (copy / "docs/requirements/login/login-10.md").read_text()


def test_every_dispute_names_two_sides_and_what_passes() -> None:
    """No cell is empty, and each row cites a source."""
    text = (DOCS / "disputes.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 10
    for row in rows:
        assert len(row) == 4, row
        assert all(cell.strip() for cell in row)
        assert re.search(r"RFC \d+|ASVS|NIST|OWASP|lesson", " ".join(row)), row


def test_commands_name_programs_that_exist() -> None:
    """The pages call nothing else than the suite, Python and what they explain."""
    for page in sorted(DOCS.glob("*.md")):
        for language, _, text in FENCE.findall(page.read_text(encoding="utf-8")):
            if language == "sh":
                words = [word for word in shlex.split(text) if "=" not in word]
                assert words[0] in {"jwt-conformance", "python", "pip"}, (page, text)


@pytest.mark.parametrize(
    "page",
    [*sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("guides/*.md")), CHECKOUT / "README.md"],
    ids=lambda page: page.name,
)
def test_commands_have_the_options_that_they_are_shown_with(page: Path) -> None:
    """Whoever copies a command from a page is not told that there is no such option."""
    text = page.read_text(encoding="utf-8").replace("\\\n", "")
    for line in re.findall(r"^\W{0,8}(?:\w+=\S+ )*jwt-conformance +(.+)$", text, re.MULTILINE):
        name, *words = shlex.split(line.partition("`")[0], comments=True) or [""]
        command = main.commands.get(name)
        if command is None:
            continue  # a sentence
        _, left, _ = command.make_parser(click.Context(command)).parse_args([*words])
        assert {word.partition("=")[0] for word in left if word.startswith("--")} <= PYTESTS_OWN, line
