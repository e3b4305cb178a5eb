"""The file that names a fleet's targets: every mistake is told at once, with its line, and nothing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.errors import ConfigurationError
from conformance.fleet.targets import read
from tests.conformance.fleet.fleets import DEFAULTS, Fleet, target, written

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:9"
ACCOUNT = {"username": "alice", "password": "pw"}
# What stands in the file, and the words of the mistake.
MISTAKES: dict[str, tuple[str, str]] = {
    "no targets": ('[defaults]\ntier = "core"', "it names no target"),
    "an unknown table": ("[default]\n[[target]]\nname = 'a'", "'default' is no table of it; did you mean 'defaults'?"),
    "an option at the top": ("tier = 'core'\n[[target]]\nname = 'a'", "line 1: 'tier' is no table of it; write it"),
    "a table instead of several": ("[target]\nname = 'a'", "target is no array of tables"),
    "a slip in an option": (
        "[[target]]\nname = 'a'\nteir = 'core'",
        "line 3: 'teir' is no option; did you mean 'tier'?",
    ),
    "a slip in the defaults": ("[defaults]\nusernam = 'x'\n[[target]]\nname = 'a'", "did you mean 'username'?"),
    "a name for all": ("[defaults]\nname = 'x'\n[[target]]\nname = 'a'", "line 2: 'name' is no option"),
    "no name": ("[[target]]\ntier = 'core'", "line 1: a target has no name"),
    "a name that is a number": ("[[target]]\nname = 7", "a target has no name"),
    "a name again": ("[[target]]\nname = 'a'\n[[target]]\nname = 'A'", "'A' is the name of two targets: see line 2"),
    "an unknown tier": ("[[target]]\nname = 'a'\ntier = 'hard'", "'a': --tier 'hard' is none of core, hardened"),
    "a list": ("[[target]]\nname = 'a'\ntier = ['core']", "tier wants a text or a number"),
    "a switch for a text": ("[[target]]\nname = 'a'\ntier = true", "tier wants a text or a number"),
    "a text for a switch": ("[[target]]\nname = 'a'\nintrusive = 'maybe'", "intrusive is true or false"),
    "strict in words": ("[[target]]\nname = 'a'\nstrict = 'maybe'", "strict is true or false"),
    "a plan": ("[[target]]\nname = 'a'\nplan = true", "plan cannot be given here: a fleet judges"),
    "a report of its own": ("[[target]]\nname = 'a'\nreport-json = 'x'", "the fleet writes one for each target"),
    "one page for all": ("[defaults]\nreport-html = 'x'\n[[target]]\nname = 'a'", "would be one file for all targets"),
    "one page for two": (
        "[[target]]\nname = 'a'\nreport-html = 'x.html'\n[[target]]\nname = 'b'\nreport-html = './x.html'",
        "report-html './x.html' of 'b' is written by 'a' as well",
    ),
    "no account": (f"[[target]]\nname = 'a'\nbase-url = '{URL}'", "a target needs an account to log in with"),
    "no URL": ("[[target]]\nname = 'a'\nbase-url = 'localhost:1'\nusername = 'x'\npassword = 'y'", "is no URL"),
    "a variable that is not set": ("[[target]]\nname = 'a'\ncanary-host = '${NOT_SET_1}'", "variable NOT_SET_1"),
    "no such profile": ("[[target]]\nname = 'a'\ntarget-profile = 'lessn'", "did you mean 'lesson'?"),
    "no such file": ("[[target]]\nname = 'a'\nsigning-key = '@none.pem'", "the file that this names cannot be read"),
    "a NUL": ('[[target]]\nname = "a"\ncanary-host = "a\\u0000b"', "canary-host holds a NUL"),
}
NAMES = ("", ".", "..", "../up", "/etc/passwd", "a/b", "a\\b", ".hidden", "-o", "a b", "a\n", "a\0b", "ü", "a.",
         "a" * 101, "\x1b[31mred", "\u202e", "C:", "~", "$(id)", "a;b", "%2e%2e")  # fmt: skip


def complaint(folder: Path, text: str, *, remote: bool = False) -> str:
    """What is said of a file."""
    (folder / "targets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        read(str(folder / "targets.toml"), remote=remote)
    return str(told.value)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, tmp_path: Path) -> None:
    """In words that say where it is and what to do."""
    text, words = MISTAKES[mistake]
    assert words in complaint(tmp_path, text)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Those of a line, those of a value and those of what is missing."""
    mistakes = (
        "[[target]]\nname = 'a'\nteir = 'core'",
        "[[target]]\nname = 'b'\ntier = 'hard'",
        "[[target]]\nplan = 1",
    )
    told = complaint(tmp_path, "\n".join(mistakes))
    assert "has 4 mistakes:" in told
    assert len(told.splitlines()) == 5


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    """Whatever could lead out of the folder of results, hide in it, or steer a terminal is refused, and shown inert."""
    escaped = "".join(f"\\u{ord(character):04x}" for character in name)
    told = complaint(tmp_path, f'[[target]]\nname = "{escaped}"')
    assert "has 1 mistake:" in told
    assert not set(told) & set("\x1b\u202e\0")


@pytest.mark.parametrize("name", ["a", "A1", "api.v1_x-y", "1", "a" * 100, "con.json"])
def test_an_ordinary_name_is_taken(name: str, tmp_path: Path) -> None:
    """Letters, digits and three more."""
    written(tmp_path, target(name), defaults="")
    assert [entry.name for entry in read(str(tmp_path / "targets.toml"))] == [name]


@pytest.mark.parametrize("content", [b"[[target", b"\xff\xfe", b""])
def test_a_file_that_is_none_is_told(content: bytes, tmp_path: Path) -> None:
    """No TOML, no text, nothing in it."""
    (tmp_path / "targets.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"is no TOML|names no target"):
        read(str(tmp_path / "targets.toml"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(str(tmp_path / "other.toml"))


def test_targets_take_back_what_the_defaults_say(tmp_path: Path) -> None:
    """A switch that is off and a text that is empty are as if they were not there."""
    defaults = '[defaults]\ntier = "strict"\nintrusive = true\nstrict = true\nmax-wait = 5\n'
    written(tmp_path, target("a"), target("b", max_wait="") + "intrusive = false\nstrict = false\n", defaults=defaults)
    one, other = read(str(tmp_path / "targets.toml"), keyword="access")
    assert dict(one.options) == {"tier": "strict", "intrusive": "on", "max-wait": "5"}
    assert dict(other.options) == {"tier": "strict"}
    assert (one.strict, other.strict, one.keyword) == (True, False, "access")


def test_files_lie_beside_the_file_that_names_them(tmp_path: Path) -> None:
    """Wherever the command is run; what a worker elsewhere has is left as it is written."""
    (tmp_path / "mine.toml").write_text("extends = 'default'\n")
    (tmp_path / "key").write_text("0123456789abcdef\n")
    written(tmp_path, target("a", target_profile="mine.toml", signing_key="@key"), defaults="")
    (entry,) = read(str(tmp_path / "targets.toml"))
    assert entry.resolved({}) == {"target-profile": str(tmp_path / "mine.toml"), "signing-key": f"@{tmp_path / 'key'}"}
    (elsewhere,) = read(str(tmp_path / "targets.toml"), remote=True)
    assert elsewhere.resolved({}) == {"target-profile": "mine.toml", "signing-key": "@key"}


def test_what_changes_the_verdicts_changes_the_digest(tmp_path: Path) -> None:
    """An option, the choice of scenarios or a file; but a secret leaves no trace in it."""

    def digest(keyword: str = "", **options: str) -> str:
        given = {"base_url": URL, **ACCOUNT, **options}
        written(tmp_path, target("a", **given), defaults="")
        return read(str(tmp_path / "targets.toml"), keyword=keyword)[0].digest

    (tmp_path / "mine.toml").write_text("extends = 'default'\n")
    plain, own = digest(), digest(target_profile="mine.toml")
    assert digest() == plain
    assert len({plain, own, digest("access"), digest(tier="strict"), digest(username="bob")}) == 5
    assert digest(password="another") == plain
    (tmp_path / "mine.toml").write_text("extends = 'lesson'\n")
    assert digest(target_profile="mine.toml") != own


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "plain"}, "password would be sent to the scheduler as it is"),
        ({"password": "${PW}", "tier": "hard"}, "--tier 'hard' is none of"),
        ({"password": "${PW}", "target_profile": "lessn"}, "did you mean 'lesson'?"),
        ({"password": "${PW}", "rate": "0"}, "--rate '0'"),
    ],
)
def test_what_is_wrong_everywhere_is_told_of_a_fleet_elsewhere(
    options: dict[str, str], words: str, tmp_path: Path
) -> None:
    """And no secret travels in clear."""
    written(tmp_path, target("a", base_url=URL, username="alice", **options), defaults="")
    told = complaint(tmp_path, (tmp_path / "targets.toml").read_text(), remote=True)
    assert words in told
    assert "plain" not in told


def test_what_nobody_here_can_know_is_no_mistake(tmp_path: Path) -> None:
    """Variables and files of a machine elsewhere."""
    options = {"base_url": "${URL}", "username": "${ME}", "second_username": "${YOU}", "second_password": "${PW2}"}
    more = {
        "password": "@pw",
        "public_key": "@key.pem",
        "rate": "${RATE}",
        "tier": "${TIER}",
        "target_profile": "x.toml",
    }
    written(tmp_path, target("a", **options, **more), defaults="")
    assert read(str(tmp_path / "targets.toml"), remote=True)[0].name == "a"


def test_nothing_runs_where_something_is_wrong(tmp_path: Path) -> None:
    """The command ends with 2 and without a folder of results; the password is not told."""
    written(tmp_path, target("good"), target("wrong", base_url="nowhere"), defaults=DEFAULTS)
    ended = Fleet(tmp_path, env={"FLEET_PASSWORD": "very-secret-97"}).ended()
    assert ended.code == 2, ended.said
    assert "'wrong': 'nowhere' is no URL" in ended.err
    assert "very-secret-97" not in ended.said
    assert not (tmp_path / "fleet").exists()
