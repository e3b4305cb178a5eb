"""The rule that holds catalogue and scenarios together: one scenario a requirement, under the requirement's name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

import conformance.scenarios
from conformance import plugin
from conformance.catalogue import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

MODULES = [
    importlib.import_module(f"conformance.scenarios.{found.name}")
    for found in pkgutil.iter_modules(conformance.scenarios.__path__)
    if found.name.startswith("test_")
]
SCENARIOS: list[tuple[ModuleType, str, Callable[..., object]]] = [
    (module, name, function)
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("test") and function.__module__ == module.__name__
]


def requirement_id(name: str) -> str:
    """The requirement that a function is named after."""
    return name.removeprefix("test_").replace("_", "-").upper()


def test_every_requirement_has_exactly_one_scenario() -> None:
    """No requirement is without a scenario or has two, and no scenario names what the catalogue does not define."""
    named = Counter(requirement_id(name) for _, name, _ in SCENARIOS)
    defined = Counter(requirement.id for requirement in load())

    assert {"without a scenario": sorted(defined - named), "with no requirement": sorted(named - defined)} == {
        "without a scenario": [],
        "with no requirement": [],
    }


def test_every_area_has_one_module() -> None:
    """The scenarios of an area are in the module that has the area's name."""
    assert {module.__name__.rpartition(".test_")[2] for module in MODULES} == {area.name for area in load().areas}


@pytest.mark.parametrize(("module", "name", "scenario"), SCENARIOS, ids=[name for _, name, _ in SCENARIOS])
def test_a_scenario_is_what_its_name_says(module: ModuleType, name: str, scenario: Callable[..., object]) -> None:
    """A scenario is named after a requirement of its module's area, takes the target, and states a property."""
    area = module.__name__.rpartition(".test_")[2]

    assert re.fullmatch(rf"test_{area}_\d\d", name)
    assert load().get(requirement_id(name)).area == area
    assert list(inspect.signature(scenario).parameters) == ["target"]
    assert scenario.__doc__
    assert scenario.__doc__.strip().endswith(".")
    assert not re.match(r"(?i)\s*(tests?|checks?|verif\w+|ensures?|asserts?)\b", scenario.__doc__)


@pytest.mark.parametrize("module", MODULES, ids=[module.__name__.rpartition(".")[2] for module in MODULES])
def test_scenarios_stand_in_the_order_of_the_catalogue(module: ModuleType) -> None:
    """Within a module, scenarios are in the order of their requirements, so that a run reads like the report."""
    area = module.__name__.rpartition(".test_")[2]
    written = [line for _, line in sorted((inspect.getsourcelines(f)[1], n) for m, n, f in SCENARIOS if m is module)]

    assert [requirement_id(name) for name in written] == [item.id for item in load() if item.area == area]


@pytest.mark.parametrize(("module", "name", "scenario"), SCENARIOS, ids=[name for _, name, _ in SCENARIOS])
def test_the_plugin_knows_the_scenario(module: ModuleType, name: str, scenario: Callable[..., object]) -> None:
    """The plugin finds each scenario's requirement by its name, and only in this package."""

    class Item:
        """As much of a pytest item as the plugin looks at."""

        originalname = name
        nodeid = f"{module.__name__}::{name}"

    item, stranger = Item(), Item()
    item.module, stranger.module = module, pytest  # type: ignore[attr-defined]

    found = plugin.requirement_of(item)  # type: ignore[arg-type]
    assert found is not None
    assert found.id == requirement_id(scenario.__name__)
    assert plugin.requirement_of(stranger) is None  # type: ignore[arg-type]
