"""Real implementations: the presets made for them fit, and the suite says of each what the lab has written down.

An entry whose tool is not installed is skipped, but not in CI, which has them all. Those that take minutes to install
run where LAB_SLOW is set.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from conformance.target.profile_files import shipped
from lab import running
from lab.expected import Expected
from lab.running import Entry, entries, serving
from tests.packaging.processes import CHECKOUT, environment, run

JUDGED = ("LOGIN-01", "LOGIN-02", "ACCESS-01", "ACCESS-02", "REFRESH-01", "SIG-01")
EXPRESSION = " or ".join(name.lower().replace("-", "_") for name in JUDGED)
COMMAND = Path(sys.executable).parent / "jwt-conformance"
LAB = entries()
QUICK = [entry for entry in LAB.values() if not entry.is_slow_to_install]
each_entry = pytest.mark.parametrize("entry", LAB.values(), ids=LAB.keys())
PINNED = {
    "requirements.txt": r"(#.*|[\w.-]+==[\w.]+)",
    "package.json": r"\d+\.\d+\.\d+",
    "go.mod": r"v\d+\.\d+\.\d+(-[\w.-]+)?(\+incompatible)?",
    "Cargo.toml": r"=\d+\.\d+\.\d+",
    "pom.xml": r"\d+(\.\d+)*",
}
"""What a version, or a line of a requirements file, looks like that can be only one."""
LOCKS = {"package.json": "package-lock.json", "go.mod": "go.sum", "Cargo.toml": "Cargo.lock"}
SENDS_SOMEWHERE = re.compile(r"://|index-url|find-links|registry|<(plugin)?repositor", re.IGNORECASE)


@each_entry
def test_the_doctor_has_no_doubt_and_the_verdicts_are_the_known_ones(entry: Entry, tmp_path: Path) -> None:
    """With its preset an entry is understood at once, and a run finds what it is known for and nothing else."""
    if entry.is_slow_to_install and not os.environ.get("LAB_SLOW"):
        pytest.skip("slow to install: set LAB_SLOW")
    if not shutil.which(entry.tool) and not os.environ.get("CI"):
        pytest.skip(f"{entry.tool} is not installed")
    report = tmp_path / "report.json"
    with serving(entry) as url:
        told = run([COMMAND, "doctor", url], cwd=tmp_path, env=environment(**entry.options))
        judged = [COMMAND, "run", url, "-k", EXPRESSION, "--report-json", report]
        ended = run(judged, cwd=tmp_path, env=environment(**entry.options))

    assert told.returncode == 0, told.stdout + told.stderr
    assert "doubt" not in told.stdout
    rows: list[dict[str, Any]] = json.loads(report.read_text())["requirements"]
    found = {row["id"]: row["verdict"] for row in rows if row["id"] in JUDGED}
    expected = Expected.of(running.LAB / entry.name).verdicts
    assert found == {name: expected[name] for name in JUDGED}, ended.stdout
    assert ended.returncode == ("failed" in found.values())


@each_entry
def test_an_entry_names_a_shipped_preset(entry: Entry) -> None:
    """What speaks to it comes with the suite."""
    assert entry.preset in shipped()


@each_entry
def test_the_lab_s_page_lists_an_entry(entry: Entry) -> None:
    """Whoever opens the lab finds each entry."""
    assert f"[{entry.name}]({entry.name})" in (CHECKOUT / "lab" / "README.md").read_text()


def test_the_lab_is_wide_enough() -> None:
    """A dozen implementations in four languages are looked at in every run of these tests."""
    assert len(QUICK) >= 12
    assert {entry.language for entry in QUICK} >= {"python", "javascript", "go", "java"}


@each_entry
def test_everything_that_an_entry_installs_is_pinned(entry: Entry) -> None:
    """Whoever repeats a run installs what the verdicts were made with, and the versions that are told are those."""
    text, kind = entry.manifest.read_text(), entry.manifest.name
    versions = asked_for(kind, text)
    assert versions
    assert [version for version in versions if not re.fullmatch(PINNED[kind], version)] == []
    if kind in LOCKS:
        assert entry.manifest.with_name(LOCKS[kind]).is_file()
    # Of what Maven's parent project decides, the manifest does not name the version.
    told = list(entry.facts["versions"].values())[: 1 if kind == "pom.xml" else None]
    assert [version for version in told if version not in text] == []


def asked_for(kind: str, text: str) -> list[str]:
    """The versions that a manifest asks for; of a requirements file its lines."""
    match kind:
        case "package.json":
            data = json.loads(text)
            return [*data["dependencies"].values(), *data.get("devDependencies", {}).values()]
        case "go.mod":
            return re.findall(r"^(?:require)?\s+[\w./-]+ (v\S+)", text, re.MULTILINE)
        case "Cargo.toml":
            rows = tomllib.loads(text)["dependencies"].values()
            return [row if isinstance(row, str) else row["version"] for row in rows]
        case "pom.xml":
            return re.findall(r"<version>([^<]*)</version>", text)
        case _:
            return [line for line in text.splitlines() if line]


@each_entry
def test_no_manifest_names_a_registry(entry: Entry) -> None:
    """Where packages come from is a matter of the machine, and not of an entry.

    Of lock files only npm's says it; Cargo's has one word for the registry, which each machine translates.
    """
    folder = entry.manifest.parent
    assert [name for name in (".npmrc", "pip.conf", ".cargo") if (folder / name).exists()] == []
    lines = [line for line in entry.manifest.read_text().splitlines() if "xmlns" not in line and "xsi:" not in line]
    assert [line for line in lines if SENDS_SOMEWHERE.search(line)] == []
    if (lock := folder / "package-lock.json").exists():
        packages = json.loads(lock.read_text())["packages"]
        assert [name for name, package in packages.items() if "resolved" in package] == []
