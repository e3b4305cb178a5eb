"""Reading a catalogue from files, and what those files must not say."""

from pathlib import Path

import pytest

from conformance.catalogue import Catalogue, CatalogueError, Level, Tier, read

VOCABULARY = """
[tiers]
core = "the least"
hardened = "more"
strict = "all"

[capabilities]
rotation = "a new refresh token each time"
"""

ENTRY = """
[[requirement]]
id = "REFRESH-01"
title = "A title"
level = "SHOULD"
tier = "hardened"
sources = ["RFC 6749 §6"]
needs = ["rotation"]
intrusive = true
how = '''
Send it.
'''
accepts = "Passes: always."
why = "Because."
fix = '''
Do this.

And that.
'''
"""

REFRESH = 'title = "Refreshing"\norder = 2\n' + ENTRY
LOGIN = 'title = "Logging in"\norder = 1\n' + ENTRY.replace("REFRESH-", "LOGIN-")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "_vocabulary.toml").write_text(VOCABULARY, encoding="utf-8")
    return tmp_path


def read_with(directory: Path, **areas: str) -> Catalogue:
    for name, text in areas.items():
        (directory / f"{name}.toml").write_text(text, encoding="utf-8")
    return read(directory)


def test_a_file_becomes_an_area(directory: Path) -> None:
    """An area takes its name from its file, and its texts lose the line breaks at their ends only."""
    (area,) = read_with(directory, refresh=REFRESH).areas
    (requirement,) = area.requirements

    assert (area.name, area.title, area.order) == ("refresh", "Refreshing", 2)
    assert (requirement.level, requirement.tier) == (Level.SHOULD, Tier.HARDENED)
    assert requirement.intrusive is True
    assert requirement.how == "Send it."
    assert requirement.fix == "Do this.\n\nAnd that."


def test_the_order_is_what_the_files_say(directory: Path) -> None:
    """Areas are ordered by their number, not by the names of their files; requirements stay as written."""
    second = ENTRY.replace("REFRESH-01", "REFRESH-00")
    loaded = read_with(directory, login=LOGIN.replace("order = 1", "order = 3"), refresh=REFRESH + second)

    assert [requirement.id for requirement in loaded] == ["REFRESH-01", "REFRESH-00", "LOGIN-01"]


def test_other_files_are_left_alone(directory: Path) -> None:
    """What is no TOML file, such as the package's own code, is no area."""
    (directory / "notes.md").write_text("# Notes", encoding="utf-8")

    assert len(read_with(directory, refresh=REFRESH).areas) == 1


def test_tiers_select_across_areas(directory: Path) -> None:
    """A tier selects from every area what is not beyond it, in report order."""
    strict = LOGIN.replace('"hardened"', '"strict"')
    loaded = read_with(directory, login=strict, refresh=REFRESH)

    assert loaded.up_to(Tier.CORE) == ()
    assert [requirement.id for requirement in loaded.up_to(Tier.HARDENED)] == ["REFRESH-01"]
    assert [requirement.id for requirement in loaded.up_to(Tier.STRICT)] == ["LOGIN-01", "REFRESH-01"]


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ('why = "Because."', "", "'why' is missing"),
        ('why = "Because."', 'why = " "', "'why' is empty"),
        ('why = "Because."', "why = 3", "'why' must be a string"),
        ('why = "Because."', 'why = "Because."\nverified = true', "unknown key 'verified'"),
        ("intrusive = true", "intrusive = 1", "'intrusive' must be true or false"),
        ('"SHOULD"', '"OUGHT"', "level is 'OUGHT', which is none of MUST, SHOULD, MAY"),
        ('"hardened"', '"extreme"', "tier is 'extreme', which is none of core, hardened, strict"),
        ('["rotation"]', '["none"]', "'none' is no capability"),
        ('["rotation"]', "[3]", "hold strings, not 3"),
        ('["RFC 6749 §6"]', "[]", "sources must name at least one"),
        ('["RFC 6749 §6"]', '"RFC 6749 §6"', "'sources' must be an array"),
    ],
)
def test_a_malformed_entry_is_refused(directory: Path, written: str, instead: str, complaint: str) -> None:
    """An entry that says too little, too much or something unknown is refused, with its file and id."""
    assert written in REFRESH

    with pytest.raises(CatalogueError) as caught:
        read_with(directory, login=LOGIN, refresh=REFRESH.replace(written, instead))

    assert str(caught.value).startswith("refresh.toml: REFRESH-01: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize("wrong", ["LOGIN-01", "refresh-01", "REFRESH-1", "REFRESH-001", "REFRESH", "XREFRESH-01"])
def test_an_id_must_carry_the_name_of_its_area(directory: Path, wrong: str) -> None:
    """An id is its area's name in capitals and two digits, or it is refused."""
    with pytest.raises(CatalogueError, match=rf"^refresh\.toml: {wrong}: an id in this file reads REFRESH-01"):
        read_with(directory, refresh=REFRESH.replace("REFRESH-01", wrong))


def test_an_entry_without_an_id_is_told_by_its_place(directory: Path) -> None:
    """Where an entry has no id, its number in the file says which one it is."""
    nameless = ENTRY.replace('id = "REFRESH-01"\n', "")

    with pytest.raises(CatalogueError, match=r"^refresh\.toml: requirement 2: 'id' is missing$"):
        read_with(directory, refresh=REFRESH + nameless)


def test_an_id_is_declared_once(directory: Path) -> None:
    """A second entry under the same id is refused."""
    with pytest.raises(CatalogueError, match=r"^refresh\.toml: REFRESH-01 is declared more than once$"):
        read_with(directory, refresh=REFRESH + ENTRY)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('title = "Refreshing"\n' + ENTRY, "'order' is missing"),
        (REFRESH.replace("order = 2", "order = true"), "'order' must be a whole number"),
        (REFRESH.replace("order = 2", "order = 2\ncolour = 'red'"), "unknown key 'colour'"),
        ('title = "Refreshing"\norder = 2\nrequirement = [1]', "requirement 1 must be a table"),
        ("title = ", "cannot be read"),
    ],
)
def test_a_malformed_area_is_refused(directory: Path, text: str, complaint: str) -> None:
    """An area's file that is no TOML, or not of the expected shape, is refused by its name."""
    with pytest.raises(CatalogueError) as caught:
        read_with(directory, refresh=text)

    assert str(caught.value).startswith("refresh.toml: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ('strict = "all"', "", "must explain core, hardened, strict"),
        ('strict = "all"', 'strict = "all"\nlax = "none"', "must explain core, hardened, strict"),
        ('strict = "all"', "strict = 3", "'strict' must be a string"),
        ("[capabilities]", "[abilities]", "unknown key 'abilities'"),
        ('"a new refresh token each time"', '""', "'rotation' is empty"),
    ],
)
def test_a_malformed_vocabulary_is_refused(directory: Path, written: str, instead: str, complaint: str) -> None:
    """The vocabulary explains exactly the tiers there are, and every capability."""
    (directory / "_vocabulary.toml").write_text(VOCABULARY.replace(written, instead), encoding="utf-8")

    with pytest.raises(CatalogueError) as caught:
        read_with(directory, refresh=REFRESH)

    assert str(caught.value).startswith("_vocabulary.toml: ")
    assert complaint in str(caught.value)


def test_a_catalogue_without_vocabulary_is_refused(tmp_path: Path) -> None:
    """Without its vocabulary, a directory is no catalogue."""
    with pytest.raises(CatalogueError, match=r"^_vocabulary\.toml: cannot be read"):
        read(tmp_path)
