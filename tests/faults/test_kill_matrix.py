"""Every fault is caught by the requirements that it declares, and by no others; a healthy server has no finding."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import load as load_catalogue
from reference_server.faults import Fault
from reference_server.faults import load as load_faults
from tests.faults.kill_run import Result, run_suite

ALONE = Path(__file__).parent / "alone"
"""The shipped profiles, without a second server: a fault is on the first one only."""

MOST_AT_ONCE = 8
APART = frozenset(
    frozenset(pair)
    for pair in [
        ("dashboard-open-to-anyone", "empty-scope-means-every-scope"),
        ("refresh-repeats-the-access-token", "refresh-takes-roles-from-the-body"),
        ("csrf-refusal-spends-the-token", "csrf-token-compared-in-part"),
        ("logout-spares-refresh-token", "logout-wants-live-access-token"),
        ("guesses-at-once-lose-count", "limit-believes-header-of-address"),
        ("login-mixes-up-who-logged-in", "rotation-looks-before-it-writes"),
        ("refresh-grants-the-scope-in-the-query", "refresh-repeats-the-access-token"),
        ("naive-double-submit", "authorization-header-switches-csrf-off"),
        ("naive-double-submit", "csrf-refusal-spends-the-token"),
        ("logouts-kept-in-memory", "replay-ends-everybodys-sessions"),
        ("logouts-kept-in-memory", "forged-expired-token-ends-the-session"),
    ]
)
"""Faults of which one hides the other, or which break more together than each alone."""
LONERS = frozenset(
    {
        "cookies-without-samesite",
        "logout-ends-first-refresh-token-only",
        "no-limit-on-guesses",
        "refreshed-token-signed-otherwise",
        "renewed-cookies-readable-by-scripts",
        "wrong-media-type-costs-the-refresh-token",
    }
)
"""Those that many others hide, or that hide them."""
ONE_BY_ONE = "ONE_BY_ONE" in os.environ
"""Whether each fault gets a server of its own, which takes more than twice as long."""

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
    pytest.param(("--target-profile", "tls"), {}, id="tls"),
    pytest.param(("--target-profile", "cookies"), {"tls": "on"}, id="cookies-tls"),
]


@pytest.mark.parametrize(("args", "settings"), HEALTHY)
def test_a_healthy_server_has_no_finding(args: tuple[str, ...], settings: dict[str, str], tmp_path: Path) -> None:
    """A healthy server passes every requirement that applies, and nothing is untested on it."""
    result = run_suite(tmp_path, *args, **settings)
    assert result.exit_code == 0, result.printed
    judged = {requirement.id for requirement in load_catalogue() if not requirement.by_fuzzing}
    assert result.having("passed", "not_applicable") == judged


def _groups() -> list[tuple[Fault, ...]]:
    """Every fault, up to `MOST_AT_ONCE` on a server where what is found tells one from the other.

    A run takes as long with several. First fit, in the order of areas and names: the same groups each time.
    """
    groups: list[list[Fault]] = []
    for fault in load_faults().values():
        if fault.area == "fuzz":
            continue  # These take as long as they are given, and are in tests/fuzz.
        fitting = (group for group in groups if len(group) < MOST_AT_ONCE and all(_fit(fault, one) for one in group))
        group = next(fitting, None)
        if group is None:
            groups.append([fault])
        else:
            group.append(fault)
    return [tuple(group) for group in groups]


def _fit(one: Fault, other: Fault) -> bool:
    names = {one.name, other.name}
    return one.goes_with(other) and names.isdisjoint(LONERS) and frozenset(names) not in APART


@pytest.mark.parametrize("group", _groups(), ids=lambda group: "+".join(fault.name for fault in group))
def test_a_fault_is_caught_by_what_it_breaks_and_by_nothing_else(group: tuple[Fault, ...], tmp_path: Path) -> None:
    """A fault breaks the requirements that it declares; every other keeps the verdict it has on a healthy server.

    Where that does not hold of several at once, each is tried by itself: one may hide another.
    """
    if len(group) > 1 and not ONE_BY_ONE and not _problems(group, tmp_path / "together"):
        return
    problems = {fault.name: _problems((fault,), tmp_path / fault.name) for fault in group}
    assert {name: found for name, found in problems.items() if found} == {}


def _problems(group: tuple[Fault, ...], folder: Path) -> dict[str, Any]:
    """What a run on a server with these faults found beyond what they declare, or did not find."""
    folder.mkdir()
    profile = ALONE / f"{group[0].profile or 'default'}.toml"
    result = run_suite(folder, "--target-profile", str(profile), fault=",".join(fault.name for fault in group))
    if result.exit_code not in {0, 1} or result.report["run"]["suite_faults"]:
        return {"crashed, which is not a kill": result.printed}
    breaks = {id_ for fault in group for id_ in fault.breaks}
    blinds = {id_ for fault in group for id_ in fault.blinds}
    found = result.having("failed", "warned", "noted")
    problems = {
        "missed": _verdicts(result, breaks - found),
        "collateral": _verdicts(result, found - breaks),
        "blinded": _verdicts(result, result.having("inconclusive", "untested") ^ blinds),
        "without words": [
            finding
            for requirement in result.report["requirements"]
            for finding in requirement["findings"]
            if not (finding["case"] and finding["expected"] and finding["observed"])
        ],
    }
    return {name: found for name, found in problems.items() if found}


def test_every_requirement_has_a_fault() -> None:
    """A requirement that no fault breaks has not been shown to be checked."""
    broken = {requirement for fault in load_faults().values() for requirement in fault.breaks}
    assert {requirement.id for requirement in load_catalogue()} == broken


def _verdicts(result: Result, ids: set[str]) -> dict[str, str]:
    return {name: result.reasons.get(name, "not run") for name in ids}
