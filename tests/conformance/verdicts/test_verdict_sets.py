"""What a whole run amounts to."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from conformance.catalogue import Tier, load
from conformance.verdicts.model import Outcome, Verdict
from conformance.verdicts.verdict_set import ExitCode, RunFacts, VerdictSet
from tests.conformance.support import requirement

CORE, HARDENED = Tier.CORE, Tier.HARDENED
P, F, W, N = Verdict.PASSED, Verdict.FAILED, Verdict.WARNED, Verdict.NOTED
NA, U, I = Verdict.NOT_APPLICABLE, Verdict.UNTESTED, Verdict.INCONCLUSIVE  # noqa: E741 - short names make a table
GOOD, BROKEN, INCOMPLETE, FAULT = (
    ExitCode.CONFORMANT,
    ExitCode.BROKEN,
    ExitCode.INCOMPLETE,
    ExitCode.SUITE_FAULT,
)


def verdicts(core: list[Verdict], hardened: list[Verdict] | None = None, **rest: Any) -> VerdictSet:
    """A set with these verdicts on made-up requirements of two tiers."""
    pairs = [*((CORE, verdict) for verdict in core), *((HARDENED, verdict) for verdict in hardened or [])]
    outcomes = {}
    for number, (tier, verdict) in enumerate(pairs):
        item = requirement(tier=tier, name=f"DEMO-{number:02}")
        outcomes[item] = Outcome(item.id, verdict)
    return VerdictSet(outcomes, RunFacts(base_url="http://api.test"), **rest)


@pytest.mark.parametrize(
    ("core", "hardened", "code"),
    [
        ([P], [], GOOD),
        ([P, NA, U, N], [], GOOD),
        ([P, W], [], GOOD),
        ([P, F], [], BROKEN),
        ([F], [], BROKEN),
        ([F, I], [], BROKEN),
        ([P, I], [], INCOMPLETE),
        ([I], [], INCOMPLETE),
        ([], [], INCOMPLETE),
        ([U], [], INCOMPLETE),
        ([NA], [], INCOMPLETE),
        ([NA, U], [], INCOMPLETE),
        ([W], [], INCOMPLETE),
        ([N], [], INCOMPLETE),
        ([P], [P], GOOD),
        ([P], [U], INCOMPLETE),
        ([P], [U, U], INCOMPLETE),
        ([P], [U, NA], INCOMPLETE),
        ([P], [U, W], GOOD),
        ([U], [P], INCOMPLETE),
        ([P], [NA], GOOD),
        ([U], [F], BROKEN),
    ],
)
def test_the_exit_code_follows_from_the_verdicts(core: list[Verdict], hardened: list[Verdict], code: ExitCode) -> None:
    """A broken MUST outweighs what could not be judged; a run or a tier in which nothing was judged is not green."""
    assert verdicts(core, hardened).exit_code is code
    assert verdicts(core, hardened).conformant == (code is GOOD)


@pytest.mark.parametrize(
    ("core", "rest", "code"),
    [
        ([P, W], {"strict": True}, BROKEN),
        ([P, N], {"strict": True}, GOOD),
        ([W, I], {"strict": True}, BROKEN),
        ([P], {"strict": True}, GOOD),
        ([P], {"interrupted": True}, INCOMPLETE),
        ([P, F], {"interrupted": True}, BROKEN),
        ([P], {"suite_faults": ("x::test_y",)}, FAULT),
        ([F], {"suite_faults": ("x::test_y",)}, FAULT),
        ([I], {"suite_faults": ("x::test_y",), "interrupted": True, "strict": True}, FAULT),
        ([], {"suite_faults": ("x::test_y",)}, FAULT),
    ],
)
def test_the_run_s_own_circumstances_count(core: list[Verdict], rest: dict[str, Any], code: ExitCode) -> None:
    """Strictness makes a warning a failure, an interrupted run is incomplete, and the suite's own fault comes first."""
    assert verdicts(core, **rest).exit_code is code


def test_no_combination_of_verdicts_is_green_without_a_pass() -> None:
    """Whatever the verdicts are, the run is conformant only with something passed, nothing failed, all judged."""
    for size in range(4):
        for core in itertools.combinations_with_replacement(Verdict, size):
            if verdicts(list(core)).conformant:
                assert P in core
                assert not {F, I} & set(core)


def test_the_codes_are_those_of_the_command() -> None:
    """The numbers are promised to scripts and never change."""
    assert {code.name: int(code) for code in ExitCode} == {
        "CONFORMANT": 0,
        "BROKEN": 1,
        "USAGE": 2,
        "INCOMPLETE": 3,
        "SUITE_FAULT": 4,
    }


def test_the_summary_counts_every_kind() -> None:
    """Each verdict has a count, nought included, and together they are all requirements."""
    summary = verdicts([P, P, F, NA], [U]).summary

    assert summary == {
        "passed": 2,
        "failed": 1,
        "warned": 0,
        "noted": 0,
        "not_applicable": 1,
        "untested": 1,
        "inconclusive": 0,
    }
    assert list(summary) == [str(verdict) for verdict in Verdict]


def test_outcomes_stand_in_the_order_of_the_catalogue() -> None:
    """However a run was ordered, its report follows the catalogue; what that does not know is left out."""
    names = ["SIG-02", "NOBODY-77", "LOGIN-03", "LOGIN-01", "EXPIRY-01"]

    concluded = VerdictSet.conclude({name: Outcome(name, P) for name in names}, RunFacts(), strict=True)

    assert [item.id for item in concluded.outcomes] == ["LOGIN-01", "LOGIN-03", "SIG-02", "EXPIRY-01"]
    assert concluded.strict
    assert [(area.name, [item.id for item, _ in rows]) for area, rows in concluded.by_area.items()] == [
        ("login", ["LOGIN-01", "LOGIN-03"]),
        ("sig", ["SIG-02"]),
        ("expiry", ["EXPIRY-01"]),
    ]


def test_rows_are_picked_by_verdict() -> None:
    """Asked for some verdicts, the set gives the requirements that have them, in order."""
    shown = verdicts([P, F, W, F])

    assert [item.id for item, _ in shown.having(F)] == ["DEMO-01", "DEMO-03"]
    assert [item.id for item, _ in shown.having(W, F)] == ["DEMO-01", "DEMO-02", "DEMO-03"]
    assert shown.having() == []


def test_every_area_of_the_catalogue_can_be_grouped() -> None:
    """A set with all requirements shows every area once."""
    concluded = VerdictSet.conclude({item.id: Outcome(item.id, P) for item in load()}, RunFacts())

    assert list(concluded.by_area) == list(load().areas)
    assert sum(map(len, concluded.by_area.values())) == len(load())
