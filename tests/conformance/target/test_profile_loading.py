"""Loading the file that says how a target speaks."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from conformance.errors import ConfigurationError, nearest
from conformance.target.profile_files import load, shipped
from conformance.target.profile_tables import Protected
from tests.conformance.target.profile_corpus import MISSHAPEN

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    """The path of a profile with this text."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize("name", sorted(set(shipped()) - {"bare"}))
def test_a_shipped_profile_is_whole(name: str) -> None:
    """Each profile that ships loads by its name, says what it is for, and names a protected route."""
    profile = load(name)

    assert profile.name == name
    assert profile.summary
    assert profile.protected
    assert profile.login.path.startswith("/") or not profile.has_login


def test_the_shipped_profiles_are_there() -> None:
    """The default contract, the lesson's app and tokens in cookies have a profile each."""
    assert {"default", "lesson", "cookies"} <= set(shipped())
    assert load("cookies").transport == "cookie"
    assert load("lesson").logout.path == ""


def test_a_file_is_read_with_defaults_for_the_rest(tmp_path: Path) -> None:
    """A profile of one's own needs a protected route and nothing else; its name is the file's unless it says one."""
    profile = load(written(tmp_path, '[[protected]]\npath = "/me"\n'))

    assert profile.name == "mine"
    assert profile.protected == (Protected("/me"),)
    assert profile.login == load("default").login
    assert load(written(tmp_path, 'name = "shop"\n[[protected]]\npath = "/me"\n')).name == "shop"


def test_what_is_extended_is_kept_where_nothing_else_is_said(tmp_path: Path) -> None:
    """An extending profile changes single keys of a table, and replaces lists as a whole."""
    text = 'extends = "default"\n[login]\nusername = "email"\n[lifetimes]\naccess = 300\n'
    profile, parent = load(written(tmp_path, text)), load("default")

    assert profile.login == dataclasses.replace(parent.login, username="email")
    assert (profile.lifetimes.access, profile.lifetimes.refresh) == (300, 3600)
    assert profile.protected == parent.protected
    assert profile.refresh == parent.refresh

    text += '[[protected]]\npath = "/me"\nidentity = "user.name"\n'
    assert load(written(tmp_path, text)).protected == (Protected("/me", identity="user.name"),)


def test_a_file_extends_the_one_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that is a file is found next to its heir, wherever the run was started."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    written(tmp_path, 'extends = "default"\n[login]\npath = "/auth"\n', "base.toml")

    profile = load(written(tmp_path, 'extends = "base.toml"\n[login]\nusername = "email"\n'))

    assert (profile.login.path, profile.login.username) == ("/auth", "email")


def test_free_tables_are_taken_as_they_are(tmp_path: Path) -> None:
    """Further members of the login may be of any JSON type, nested as well."""
    text = 'extends = "default"\n[login.extra]\nremember = true\ndevice = { id = 5, tags = ["a"] }\n'

    assert load(written(tmp_path, text)).login.extra == {"remember": True, "device": {"id": 5, "tags": ["a"]}}


def test_all_keys_of_a_profile_can_be_written(tmp_path: Path) -> None:
    """A profile that states every default of the default profile is that profile."""
    text = shipped()["default"].replace("[lifetimes]", 'transport = "bearer"\n[refusals]\nno_credentials = [401]\n'
                                        '[login]\nmethod = "POST"\npassword = "password"\n[lifetimes]')  # fmt: skip

    assert dataclasses.replace(load(written(tmp_path, text)), name="default") == load("default")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *MISSHAPEN,
        ('extends = "defualt"', ["no profile is named 'defualt'", "did you mean 'default'?"]),
        ('extends = "absent.toml"', ["absent.toml cannot be read"]),
        ("protected = []", ["names no protected route", "add [[protected]]"]),
        ("[login", ["is no TOML"]),
        ("a = 1\na = 2", ["is no TOML"]),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    """An unknown key, a wrong type or a missing member is named with its dotted place and, if close, the right key."""
    if "extends" not in text:
        text = f'extends = "default"\n{text}'

    with pytest.raises(ConfigurationError) as error:
        load(written(tmp_path, text))

    assert all(word in str(error.value) for word in words), str(error.value)


def test_the_mistake_names_its_file(tmp_path: Path) -> None:
    """The message names the file with the mistake: of a chain of profiles, the one it is in."""
    base = written(tmp_path, 'extends = "default"\nunknown = 1\n', "base.toml")
    mine = written(tmp_path, 'extends = "base.toml"\n')

    with pytest.raises(ConfigurationError, match=re.escape(base)) as error:
        load(mine)

    assert mine not in str(error.value)


def test_a_circle_of_profiles_ends(tmp_path: Path) -> None:
    """Profiles that extend each other are an error and not an endless search."""
    written(tmp_path, 'extends = "two.toml"\n', "one.toml")

    with pytest.raises(ConfigurationError, match="extends itself"):
        load(written(tmp_path, 'extends = "one.toml"\n', "two.toml"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lessson", "did you mean 'lesson'?"),
        ("entirely-different", "shipped profiles: "),
        ("absent.toml", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_an_unknown_profile_is_told(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no profile has is answered with the nearest one, or with all; a missing file is told as such."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError, match=re.escape(words)):
        load(name)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a mistake with the file's name, not a traceback."""
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match=r"mine\.toml cannot be read"):
        load(str(tmp_path / "mine.toml"))


def test_a_profile_cannot_be_changed() -> None:
    """A loaded profile is a value: nothing that a scenario does alters it."""
    profile = load("default")

    with pytest.raises(dataclasses.FrozenInstanceError):
        profile.transport = "cookie"  # type: ignore[misc]
    with pytest.raises(TypeError):
        profile.login.extra["x"] = 1  # type: ignore[index]


def test_shipped_texts_are_toml() -> None:
    """What `shipped` gives is the text of the files, for showing as well as for reading."""
    assert all(tomllib.loads(text)["summary"] for text in shipped().values())


def test_only_a_near_name_is_offered() -> None:
    """A suggestion is made where a name comes close, and none otherwise."""
    assert nearest("transprot", ["transport", "login"]) == "; did you mean 'transport'?"
    assert nearest("xyz", ["transport", "login"]) == ""
