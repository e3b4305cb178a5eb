"""Imports point one way, and loading the plugin loads nothing that an ordinary test run can do without."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import conformance

ROOT = Path(conformance.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
BUNDLED = "target.bundled"

# Which parts of the package a part may import, besides itself. The rows go from the ground floor up.
ALLOWED: dict[str, set[str]] = {
    "": set(),
    "inert": set(),
    "interrupts": set(),
    "errors": {"inert"},
    "catalogue": set(),
    "clock": set(),
    "tokens": {"errors"},
    "redaction": {"tokens"},
    "target": {"", "inert", "errors", "catalogue", "clock", "tokens", "redaction"},
    "verdicts": {"errors", "catalogue"},
    "reports": {"", "inert", "errors", "catalogue", "tokens", "verdicts"},
    "fuzz": {"errors", "tokens", "target"},
    "scenarios": {"fuzz", "errors", "catalogue", "clock", "tokens", "target", "verdicts.model"},
    "options": {"errors", "catalogue", "target.profile"},
    "initial": set(),
    "credentials": {"errors", "options", "redaction", "target", "tokens"},
    "plan": {"", "inert", "errors", "catalogue", "options", "target"},
    "run": {"credentials", "errors", "catalogue", "clock", "redaction", "target", "options", "verdicts"},
    "discovery": {"errors", "inert", "redaction", "clock", "tokens", "target", "options", "run"},
    "load": {
        *("", "errors", "inert", "options", "redaction", "reports", "run", "target", "tokens", "verdicts"),
    },
    "pytest_session": {
        *("errors", "interrupts", "catalogue", "plan", "options", "run", "scenarios", "verdicts", "reports"),
    },
    "plugin": {"errors", "catalogue", "options", "pytest_session", "scenarios", "target", "verdicts", "reports"},
    "__main__": {"cli"},
    "fleet": {
        *("", "errors", "inert", "interrupts", "credentials", "options", "redaction", "target", "verdicts", "reports"),
    },
    "cli": {
        *("", "errors", "inert", "interrupts", "catalogue", "options", "run", "pytest_session", "plugin", "target"),
        *("verdicts", "reports", "discovery", "fleet", "initial", "load"),
    },
}
# What a scenario must not do by itself: speak HTTP, open a socket, read a header's syntax.
NOT_IN_SCENARIOS = {"requests", "urllib3", "httpx", "http.client", "http.cookiejar", "socket", "ssl", "urllib.request"}


def name_of(file: Path) -> str:
    """A module's dotted name within the package."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, by its absolute name; of a name, where it comes from."""
    package = ["conformance", *file.relative_to(ROOT).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                is_module = (ROOT.parent / f"{origin}.{alias.name}".replace(".", "/")).with_suffix(".py").exists()
                is_package = (ROOT.parent / f"{origin}.{alias.name}".replace(".", "/")).is_dir()
                found.add(f"{origin}.{alias.name}" if is_module or is_package else origin)
    return found


def inside(names: set[str]) -> set[str]:
    """Those of the names that are modules of this package, without its own name."""
    return {name.partition(".")[2] for name in names if name == "conformance" or name.startswith("conformance.")}


def belongs(name: str, part: str) -> bool:
    """Whether a module is this part of the package, or in it."""
    return name == part or (part != "" and name.startswith(f"{part}."))


def test_every_part_has_its_place() -> None:
    """Each module and package at the top of `conformance` stands in the table of these tests."""
    top = {name_of(file).partition(".")[0] for file in FILES}

    assert top == set(ALLOWED)


@pytest.mark.parametrize("file", FILES, ids=[name_of(file) or "conformance" for file in FILES])
def test_imports_point_one_way(file: Path) -> None:
    """A module imports from its own part and from the parts below it: cli, plugin, scenarios, target, catalogue."""
    own = name_of(file).partition(".")[0]
    allowed = ALLOWED.get(own, set(ALLOWED)) | ({own} if own else set())
    strangers = {name for name in inside(imported(file)) if not any(belongs(name, part) for part in allowed)}

    assert strangers == set()


@pytest.mark.parametrize("file", FILES, ids=[name_of(file) or "conformance" for file in FILES])
def test_the_reference_server_is_reached_from_one_place(file: Path) -> None:
    """Only the module that starts the bundled server imports it."""
    names = {name for name in imported(file) if name.partition(".")[0] == "reference_server"}

    assert bool(names) == (name_of(file) == BUNDLED)


@pytest.mark.parametrize("file", [file for file in FILES if "scenarios" in file.parts], ids=lambda file: file.stem)
def test_scenarios_speak_through_the_target(file: Path) -> None:
    """A scenario sends nothing by itself: it uses no HTTP library, no socket and no client of its own."""
    names = imported(file)
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not {name for name in names if any(name == bad or name.startswith(f"{bad}.") for bad in NOT_IN_SCENARIOS)}
    assert "HttpClient" not in calls


def loaded_by(module: str) -> set[str]:
    """The top-level packages that importing a module alone loads, in a Python of its own."""
    code = f"import json, sys; import {module}; print(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return set(json.loads(output))


def test_the_plugin_costs_an_ordinary_run_little() -> None:
    """Importing the plugin, as any pytest run does where it is installed, loads no server, client or crypto library."""
    heavy = {"flask", "werkzeug", "waitress", "sqlalchemy", "freezegun", "requests", "urllib3", "cryptography", "jwt",
             "schemathesis", "click", "reference_server"}  # fmt: skip

    assert loaded_by("conformance.plugin") & heavy == set()


def test_a_fleet_on_this_machine_needs_little() -> None:
    """The process that conducts it loads neither Dask nor what judges, and the command loads nothing of fleets."""
    heavy = {"distributed", "dask", "pytest", "flask", "reference_server"}

    assert loaded_by("conformance.fleet.conducting") & heavy == set()
    assert "psutil" not in loaded_by("conformance.cli")


def test_the_catalogue_stands_alone() -> None:
    """The catalogue can be read with nothing but the standard library."""
    strangers = loaded_by("conformance.catalogue") - set(sys.stdlib_module_names) - {"conformance"}

    # A virtual environment's own start-up files begin with an underscore.
    assert {name for name in strangers if not name.startswith("_")} <= {"sitecustomize", "usercustomize"}
