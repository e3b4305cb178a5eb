"""The catalogue that ships: what it holds, in which order, and how it is asked."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest

from conformance import catalogue
from conformance.catalogue import Level, Tier, UnknownRequirementError

CORE = [
    "LOGIN-01",
    "LOGIN-02",
    "LOGIN-03",
    "INPUT-01",
    "INPUT-02",
    "INPUT-03",
    "INPUT-04",
    "CRED-01",
    "ACCESS-01",
    "ACCESS-02",
    "ACCESS-03",
    "ACCESS-04",
    "ACCESS-08",
    "BEARER-06",
    "REFRESH-01",
    "REFRESH-02",
    "REFRESH-03",
    "REFRESH-04",
    "REFRESH-05",
    "SIG-01",
    "SIG-02",
    "SIG-03",
    "SIG-04",
    "SIG-05",
    "SIG-06",
    "SIG-18",
    "JWKS-02",
    "LEAK-03",
    "COOKIE-09",
    "ERR-01",
    "EXPIRY-01",
    "EXPIRY-02",
    "EXPIRY-03",
    "EXPIRY-04",
    "EXPIRY-05",
    "EXPIRY-06",
    "EXPIRY-07",
    "EXPIRY-08",
    "EXPIRY-09",
]


def test_core_is_complete_and_in_report_order() -> None:
    """The core tier is the lesson's contract: these requirements, once each, and expiry last."""
    core = [requirement.id for requirement in catalogue.load().up_to(Tier.CORE)]

    assert core == CORE


def test_every_requirement_can_be_acted_on() -> None:
    """Every requirement says how it is checked, what passes and what fails, why it matters and what to do."""
    for requirement in catalogue.load():
        assert requirement.how, requirement.id
        assert "Passes: " in requirement.accepts, requirement.id
        assert re.search(r"\n\n(Fails|Warns|Noted): ", requirement.accepts), requirement.id
        assert requirement.why, requirement.id
        assert requirement.fix, requirement.id
        assert not requirement.title.endswith("."), requirement.id


def test_texts_fit_a_page() -> None:
    """No line of a text is too long to read in a terminal, and a fix is a few lines, not a lecture."""
    for requirement in catalogue.load():
        texts = (requirement.how, requirement.accepts, requirement.why, requirement.fix)
        lines = [line for text in texts for line in text.splitlines()]
        assert max(map(len, lines)) <= 112, requirement.id
        assert 2 <= len([line for line in requirement.fix.splitlines() if line]) <= 6, requirement.id


def test_areas_hold_their_requirements() -> None:
    """An area holds the requirements that carry its name, and the areas together hold all of them."""
    loaded = catalogue.load()

    for area in loaded.areas:
        assert {requirement.area for requirement in area.requirements} == {area.name}
    assert [requirement for area in loaded.areas for requirement in area.requirements] == list(loaded)
    assert len(loaded) == len(list(loaded))


def test_areas_follow_their_order() -> None:
    """Areas stand in the order their files ask for, no two in the same place."""
    areas = catalogue.load().areas
    places = [area.order for area in areas]

    assert places == sorted(set(places))


def test_a_requirement_is_found_by_its_id() -> None:
    """A requirement carries what its file says, as values that need no further reading."""
    requirement = catalogue.load().get("ACCESS-04")

    assert requirement.title == "Each token shows its own owner's data"
    assert requirement.level is Level.MUST
    assert requirement.tier is Tier.CORE
    assert requirement.area == "access"
    assert requirement.needs == ("second_account",)
    assert "OWASP API1:2023" in requirement.sources
    assert requirement.intrusive is False


def test_a_requirement_knows_its_page() -> None:
    """The documentation's address of a requirement derives from its id."""
    assert catalogue.load().get("REFRESH-02").docs_slug == "requirements/refresh/refresh-02"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("REFRESH-2", "REFRESH-02"),
        ("refresh-02", "REFRESH-02"),
        ("BEARR-06", "BEARER-06"),
        ("SIG18", "SIG-18"),
    ],
)
def test_an_unknown_id_names_the_nearest(asked: str, meant: str) -> None:
    """An id with a slip in it is refused with the one that was probably meant."""
    with pytest.raises(UnknownRequirementError, match=f"{asked}.*did you mean {meant}") as caught:
        catalogue.load().get(asked)

    assert caught.value.requirement_id == asked
    assert caught.value.nearest == meant


def test_an_id_like_no_other_names_none() -> None:
    """An id that resembles none is refused without a guess."""
    with pytest.raises(UnknownRequirementError) as caught:
        catalogue.load().get("?")

    assert caught.value.nearest is None
    assert str(caught.value) == "no requirement is called '?'"


def test_tiers_take_in_the_ones_before() -> None:
    """Tiers have an order, and a tier selects everything up to and including itself."""
    loaded = catalogue.load()

    assert Tier.CORE < Tier.HARDENED < Tier.STRICT
    assert max(Tier) is Tier.STRICT
    assert set(loaded.up_to(Tier.CORE)) <= set(loaded.up_to(Tier.HARDENED)) <= set(loaded.up_to(Tier.STRICT))
    assert loaded.up_to(Tier.STRICT) == tuple(loaded)
    assert all(requirement.tier is Tier.CORE for requirement in loaded.up_to(Tier.CORE))


def test_names_read_as_users_write_them() -> None:
    """Levels and tiers print as the words that users type and reports show."""
    assert f"{Level.SHOULD} {Tier.HARDENED}" == "SHOULD hardened"


def test_the_vocabulary_explains_every_name_in_use() -> None:
    """Each tier and each capability that a requirement names has its meaning, and nothing is "none"."""
    loaded = catalogue.load()

    assert list(loaded.vocabulary.tiers) == list(Tier)
    assert {need for requirement in loaded for need in requirement.needs} <= set(loaded.vocabulary.capabilities)
    assert "none" not in loaded.vocabulary.capabilities


def test_the_catalogue_is_read_once_and_cannot_be_changed() -> None:
    """Whoever asks gets the same values, and nobody can alter them for the others."""
    requirement = catalogue.load().get("ERR-01")

    assert catalogue.load() is catalogue.load()
    with pytest.raises(dataclasses.FrozenInstanceError):
        requirement.title = "something else"  # type: ignore[misc]
    with pytest.raises(TypeError):
        catalogue.load().vocabulary.capabilities["magic"] = "anything"  # type: ignore[index]


def test_the_catalogue_stands_on_nothing() -> None:
    """Loading the catalogue imports nothing else of the suite and nothing that is not in Python itself."""
    program = (
        "import json, sys; before = set(sys.modules); import conformance.catalogue as c; c.load();"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    imported = json.loads(done.stdout)

    ours = [name for name in imported if name.startswith("conformance")]
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {"conformance"}
    assert [name for name in ours if not f"{name}.".startswith("conformance.catalogue.")] == ["conformance"]
    assert foreign == set()
