"""What a run would do, told before anything is sent."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import Tier, load
from conformance.errors import ConfigurationError
from conformance.options import RunSettings
from conformance.plan.costs import EXAMINATION, Cost, SetUp, cost_of, counted
from conformance.plan.plan import Plan
from conformance.plan.prospects import NEEDS
from conformance.plan.text import describe
from tests.hostile.command import CREDENTIALS, SECOND_PASSWORD, assert_told, clean, jwt_conformance, plain_pytest
from tests.hostile.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conformance.catalogue import Requirement

NEAR, FAR = "http://127.0.0.1:9", "https://api.example"
PLAIN = RunSettings(base_url=NEAR, username="alice", password="x", second_username="bob", second_password="y",
                    tier=Tier.STRICT)  # fmt: skip
GIVEN = replace(
    PLAIN, disposable_username="mallory", client_id="a", second_client_id="b", signing_key="k", intrusive=True
)
BOUND_S = 30


def planned(settings: RunSettings, processes: int = 1) -> Plan:
    """The plan of a run of all requirements of the tier."""
    return Plan.of(settings, dict.fromkeys(load().up_to(settings.tier), ""), processes)


def told(settings: RunSettings, processes: int = 1, **how: Any) -> str:
    """Its words, on one line."""
    return " ".join(" ".join(describe(planned(settings, processes), **how)).split())


def ids(*groups: Iterable[Iterable[Requirement]]) -> set[str]:
    """The ids of requirements, however they are grouped."""
    return {requirement.id for group in groups for requirements in group for requirement in requirements}


# -- What is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "pytest", "processes", "doctor"])
def test_nothing_is_sent(command: str, tmp_path: Path) -> None:
    """Whoever asks for the plan of a run hears no connection at all."""
    with Server() as server:
        match command:
            case "pytest":
                ended = plain_pytest("--base-url", server.url, "--plan", folder=tmp_path, bound=BOUND_S)
            case "doctor":
                ended = jwt_conformance("doctor", server.url, "--plan", folder=tmp_path, bound=BOUND_S)
            case _:
                more = ("-n", "2") if command == "processes" else ()
                ended = jwt_conformance("run", server.url, "--plan", *more, folder=tmp_path, bound=BOUND_S)
        assert server.connections == 0

    if command == "doctor":
        assert_told(ended, 2, "the doctor has no plan")
    else:
        assert ended.code == 0, ended.said
        assert ended.out.count("nothing was sent") == 1
        # pytest's own lines may be longer.
        assert max(map(len, ended.out.partition("plan  ")[2].splitlines())) <= 80


def test_a_plan_is_of_what_is_selected(tmp_path: Path) -> None:
    """-k, the tier and an environment variable choose as they do for a run, and -v tells what each scenario costs."""
    env = clean(CONFORMANCE_PLAN="on", **CREDENTIALS)
    ended = jwt_conformance(
        "run", NEAR, "-k", "login_03 or login_04", "--tier", "strict", "-v", folder=tmp_path, env=env, bound=BOUND_S
    )

    assert ended.code == 0, ended.said
    assert "2 of 2 requirements" in ended.out
    rows = [line.split()[0] for line in ended.out.splitlines() if line.startswith(("LOGIN-", EXAMINATION))]
    assert rows == [EXAMINATION, "LOGIN-03", "LOGIN-04"]
    assert SECOND_PASSWORD not in ended.said


def test_a_plan_of_nothing_is_none(tmp_path: Path) -> None:
    """Where no requirement is selected that is told, as it is of a run."""
    ended = jwt_conformance("run", NEAR, "--plan", "-k", "nothing_at_all", folder=tmp_path, bound=BOUND_S)

    assert ended.code == 3
    assert "no requirement is selected" in ended.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--target-profile", "nowhere"), "'nowhere'"),
        (("-n", "2", "--concurrency", "1"), "2 processes cannot keep to --concurrency 1"),
        (("-n", "5"), "5 processes could lock the account between them"),
    ],
)
def test_options_that_fit_no_run_fit_no_plan(options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """A mistake is told by the plan as the run would tell it."""
    ended = jwt_conformance("run", NEAR, "--plan", *options, folder=tmp_path, bound=BOUND_S)

    assert_told(ended, 2, words)


def test_no_account_is_needed_to_plan(tmp_path: Path) -> None:
    """The owner of a server may want to see the plan before there is an account for the run."""
    ended = jwt_conformance("run", FAR, "--plan", folder=tmp_path, env=clean(), bound=BOUND_S)

    assert ended.code == 0, ended.said
    assert "There is no run without an account" in ended.out


# -- What is told ----------------------------------------------------------------------------------------------------


def test_what_is_foreseen_is_what_comes() -> None:
    """What a plan calls untested or absent was not judged in such a run; what was not judged had been doubted."""
    for setup, settings in ((SetUp.PLAIN, PLAIN), (SetUp.GIVEN, GIVEN)):
        plan, judged = planned(settings), set(counted()[setup]) - {EXAMINATION}
        # The fuzzing stage costs what it is given, and is not counted.
        foreseen = {requirement.id for requirement in plan.judged if not requirement.by_fuzzing}

        assert ids(plan.lacking.values(), plan.absent.values()) & judged == set()
        # The bundled server answers with no problem details, and has no metadata, which nobody can know.
        assert foreseen - judged - ids(plan.unless.values()) <= {"ERR-02", "JWKS-05"}
        assert judged <= foreseen


def test_every_capability_has_a_row() -> None:
    """The table of what is needed has a row for each name that the catalogue may use."""
    assert set(NEEDS) == set(load().vocabulary.capabilities)


def test_every_requirement_has_been_counted() -> None:
    """Whatever is planned, the cost is known."""
    all_but_fuzzing = {requirement.id for requirement in load() if not requirement.by_fuzzing}
    assert all_but_fuzzing - set(counted()[SetUp.HOOKS]) <= {"ERR-02"}
    assert cost_of("RATE-01", SetUp.PLAIN).guesses > 0
    assert cost_of(EXAMINATION, SetUp.PLAIN).requests > 5


def test_costs_add_up() -> None:
    """A total is the sum of its parts, but for requests at the same instant."""
    assert Cost.total([Cost(requests=2, at_once=6), Cost(requests=3, wrong=1, at_once=2)]) == Cost(
        requests=5, wrong=1, at_once=6
    )


def test_wrong_passwords_are_told_for_each_account() -> None:
    """Nobody is to be surprised by a locked account."""
    assert "wrong for alice, never more than 4 in a row 1 wrong for bob none for an account that may be" in told(PLAIN)
    assert "wrong for mallory, as many in a row as it takes to be locked" in told(GIVEN)


def test_a_distant_target_is_asked_less_often() -> None:
    """The rate is told, and how long the run takes by it at least."""
    assert "20 a second, so not less than" in told(replace(PLAIN, base_url=FAR))
    assert "as fast as they are answered" in told(PLAIN)
    assert "as fast as they are answered" in told(replace(PLAIN, base_url=FAR, rate=math.inf))
    assert planned(replace(PLAIN, rate=2.0)).at_least_s == pytest.approx(planned(PLAIN).total.requests / 2)


def test_with_one_request_at_a_time_there_are_no_races() -> None:
    """Races are untested then, and the plan says what to give."""
    plan = planned(replace(PLAIN, concurrency=1))

    races = {need: group for need, group in plan.lacking.items() if "--concurrency" in need}
    assert ids(races.values()) == {"RACE-01", "RACE-02", "RACE-03"}
    assert "at most 1 under way at a time" in told(replace(PLAIN, concurrency=1))


def test_each_process_examines_the_target() -> None:
    """More processes cost more."""
    alone = planned(PLAIN).total

    assert planned(PLAIN, 2).total.requests == alone.requests + cost_of(EXAMINATION, SetUp.PLAIN).requests


def test_a_plan_says_what_to_give() -> None:
    """What would be untested is listed with what it lacks, the requirements of an area in short."""
    words = told(replace(PLAIN, second_username=""))

    assert "for lack of --second-username: ACCESS-04/05, BEARER-09, ROTATE-06, REVOKE-03" in words
    assert "absent no tokens in cookies: COOKIE-01 to 11" in words
    assert "unless tokens live longer than --max-wait, 30 s: REVOKE-09, EXPIRY-01/03/04/05" in words


def test_the_bundled_server_lacks_nothing() -> None:
    """It has everything, of its own or on a companion."""
    plan = planned(RunSettings(tier=Tier.STRICT))

    assert (plan.lacking, plan.absent, plan.unless) == ({}, {}, {})
    assert len(plan.judged) == len(load())
    assert "accounts are made, and deleted in the end" in told(RunSettings(tier=Tier.STRICT))


def test_more_processes_than_the_account_bears_have_no_plan() -> None:
    """The mistake is told in the words of the run."""
    with pytest.raises(ConfigurationError, match="5 processes"):
        planned(PLAIN, 5)
