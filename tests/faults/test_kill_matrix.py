"""Every fault is caught by the requirements that it declares, and by no others; a healthy server has no finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.catalogue import load as load_catalogue
from reference_server.faults import load as load_faults
from tests.faults.kill_run import Result, run_suite

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = [
    pytest.param((), {}, id="full-HS256"),
    pytest.param((), {"algorithm": "RS256"}, id="full-RS256"),
    pytest.param((), {"algorithm": "ES256"}, id="full-ES256"),
    pytest.param((), {"algorithm": "EdDSA"}, id="full-EdDSA"),
    pytest.param((), {"rotation": "off"}, id="full-HS256-without-rotation"),
    pytest.param((), {"rotation": "off", "algorithm": "RS256"}, id="full-RS256-without-rotation"),
    pytest.param((), {"rotation": "off", "algorithm": "ES256"}, id="full-ES256-without-rotation"),
    pytest.param((), {"rotation": "off", "algorithm": "EdDSA"}, id="full-EdDSA-without-rotation"),
    pytest.param(("--target-profile", "lesson"), {}, id="lesson"),
    pytest.param(("--target-profile", "cookies"), {}, id="cookies"),
    pytest.param(("--target-profile", "cookies"), {"algorithm": "ES256"}, id="cookies-ES256"),
]


@pytest.mark.parametrize(("args", "settings"), HEALTHY)
def test_a_healthy_server_has_no_finding(args: tuple[str, ...], settings: dict[str, str], tmp_path: Path) -> None:
    """A healthy server passes every requirement that applies, and nothing is untested on it."""
    result = run_suite(tmp_path, *args, **settings)
    assert result.exit_code == 0, result.printed
    assert result.having("passed", "not_applicable") == {requirement.id for requirement in load_catalogue()}


@pytest.mark.parametrize("name", load_faults())
def test_a_fault_is_caught_by_what_it_breaks_and_by_nothing_else(name: str, tmp_path: Path) -> None:
    """A fault breaks the requirements that it declares; every other keeps the verdict it has on a healthy server."""
    fault = load_faults()[name]
    args = ("--target-profile", fault.profile) if fault.profile else ()
    result = run_suite(tmp_path, *args, fault=name)
    assert result.exit_code in {0, 1}, f"a crash is not a kill: {result.printed}"
    assert not result.report["run"]["suite_faults"], "a fault of the suite is not a kill"
    found = result.having("failed", "warned", "noted")
    assert _verdicts(result, set(fault.breaks) - found) == {}, "missed"
    assert _verdicts(result, found - set(fault.breaks)) == {}, "collateral"
    assert _verdicts(result, result.having("inconclusive", "untested") ^ set(fault.blinds)) == {}, "blinded"
    for requirement in result.report["requirements"]:
        for finding in requirement["findings"]:
            assert finding["case"], finding
            assert finding["expected"], finding
            assert finding["observed"], finding


def test_every_requirement_has_a_fault() -> None:
    """A requirement that no fault breaks has not been shown to be checked."""
    broken = {requirement for fault in load_faults().values() for requirement in fault.breaks}
    assert {requirement.id for requirement in load_catalogue()} == broken


def _verdicts(result: Result, ids: set[str]) -> dict[str, str]:
    return {name: result.reasons.get(name, "not run") for name in ids}
