"""Stories of any order: what no sound server is accused of, what a broken one is, and that a seed tells it again."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conformance.fuzz.stories import Tale, explore, tell
from conformance.fuzz.telling import Move, Step, without
from conformance.target.policy import learn
from reference_server.faults import load as load_faults
from reference_server.settings import DEMO_ACCOUNTS
from tests.conformance.scenarios.test_rotation_policies import RotatingApi, target
from tests.conformance.support import answer
from tests.faults.kill_run import run_suite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.kill_run import Result

CHOICES: list[dict[str, Any]] = [
    {},
    {"rotates": False},
    {"grace_s": 10.0},
    {"grace_s": 10.0, "same": True},
    {"until_used": True},
    {"until_used": True, "same": True},
    {"detects": False},
    {"ends_user": True},
    {"ends_access": False},
    {"one_session": True},
    {"one_session": True, "ends_access": False},
]
SETTINGS = [
    pytest.param((), {}, id="default"),
    pytest.param((), {"rotation": "off"}, id="without-rotation"),
    pytest.param(("--target-profile", "lesson"), {}, id="lesson"),
    pytest.param(("--target-profile", "cookies"), {}, id="cookies"),
]


def told(api: RotatingApi, seconds: float = 2.0, seed: int = 1) -> Tale:
    """Stories told to an API in this process."""
    judged = target(api)
    return explore(judged, learn(judged), seconds, seed)


def fuzzed(folder: Path, *args: str, seconds: int = 9, **settings: str) -> Result:
    """A run of the stories alone; what is found ends it before its time."""
    return run_suite(folder, "-k", "fuzz_04", "--fuzz-time", str(seconds), *args, "--", "-m", "fuzz", **settings)


def finding(result: Result) -> dict[str, Any]:
    """The one finding of a run."""
    (requirement,) = result.report["requirements"]
    (found,) = requirement["findings"]
    return dict(found)


@pytest.mark.parametrize("policy", CHOICES, ids=str)
def test_a_choice_is_no_finding(policy: dict[str, Any]) -> None:
    """Whatever the sources leave to a server, and however it combines it."""
    tale = told(RotatingApi(**policy))

    assert tale.shortest is None, tale.shortest
    assert not tale.passing
    assert tale.ended_by is None
    assert tale.stories > 1
    assert tale.judged > 20


@pytest.mark.parametrize(("args", "settings"), SETTINGS)
def test_a_healthy_server_is_not_contradicted(args: tuple[str, ...], settings: dict[str, str], tmp_path: Path) -> None:
    """The bundled server, however it is set, keeps to the model in every order."""
    result = fuzzed(tmp_path, *args, **settings)

    assert result.verdicts == {"FUZZ-04": "passed"}, result.printed
    assert "stories" in result.reasons["FUZZ-04"]


SHORTEST = {
    # Two logins, two logouts, and a token that lives again.
    "second-logout-forgets-the-first": 5,
    # A login, a logout, a while, and a token that lives again.
    "logout-is-forgotten-with-the-access-token": 4,
}


@pytest.mark.parametrize("fault", [name for name, fault in load_faults().items() if "FUZZ-04" in fault.breaks])
def test_a_fault_of_the_order_is_told_in_the_shortest_story(fault: str, tmp_path: Path) -> None:
    """One finding, and no step too many."""
    result = fuzzed(tmp_path, "--fuzz-seed", "1", seconds=90, fault=fault)
    found = finding(result)

    assert result.verdicts == {"FUZZ-04": "failed"}, result.printed
    assert len(found["case"].split("; ")) == SHORTEST[fault], found["case"]
    assert "has been logged out" in found["expected"]
    assert "accepted" in found["observed"]
    assert found["curl"].startswith("curl ")


def test_time_goes_by_for_an_application_of_ones_own(tmp_path: Path) -> None:
    """As for the bundled server."""
    (name, password), (second, second_password) = DEMO_ACCOUNTS
    accounts = ("--username", name, "--password", password)
    accounts += ("--second-username", second, "--second-password", second_password)
    fault = "logout-is-forgotten-with-the-access-token"
    app = ("--app", "reference_server:create_app", *accounts)
    result = fuzzed(tmp_path, *app, "--fuzz-seed", "1", seconds=90, fault=fault, address_attempts="1000000")

    assert "time goes by" in finding(result)["case"]


def test_a_seed_tells_the_same_story_again(tmp_path: Path) -> None:
    """What one run has printed lets another one see the same."""
    faulty = {"fault": "older-generations-are-served"}
    (tmp_path / "first").mkdir()
    (tmp_path / "again").mkdir()
    first = fuzzed(tmp_path / "first", "--fuzz-seed", "7", seconds=90, **faulty)
    again = fuzzed(tmp_path / "again", "--fuzz-seed", "7", seconds=90, **faulty)

    assert "--fuzz-seed 7" in first.printed
    assert finding(first)["case"] == finding(again)["case"]


def test_a_story_that_was_found_is_told_first_the_next_time(tmp_path: Path) -> None:
    """It is kept in its shortest form; the next run tells it before it makes up any, and so needs no time."""
    faulty, stories = {"fault": "older-generations-are-served"}, ("--fuzz-stories", "stories", "--fuzz-time", "0")
    first = fuzzed(tmp_path, "--fuzz-seed", "7", "--fuzz-stories", "stories", seconds=90, **faulty)
    (kept,) = (tmp_path / "stories").iterdir()
    again = fuzzed(tmp_path, "--fuzz-seed", "8", *stories, **faulty)
    sound = fuzzed(tmp_path, "--fuzz-stories", "stories")

    assert finding(first)["case"] == finding(again)["case"]
    assert [kept] == list((tmp_path / "stories").iterdir())
    assert sound.verdicts == {"FUZZ-04": "passed"}


def test_a_file_that_is_no_story_is_told(tmp_path: Path) -> None:
    """By its name, and the requirement is not judged."""
    (tmp_path / "stories").mkdir()
    (tmp_path / "stories" / "x.json").write_text('[["fly", 0, 0, 0]]')
    result = fuzzed(tmp_path, "--fuzz-stories", "stories")

    assert "'stories/x.json' is no story" in result.printed
    assert result.verdicts == {"FUZZ-04": "inconclusive"}


def test_what_happens_once_only_is_not_judged() -> None:
    """A server that fails in one moment, and not when the story is told again, is not accused of its order."""
    api = RotatingApi()
    count = 0

    def hiccup(_request: Any) -> Any:
        nonlocal count
        count += 1
        if count == 40:
            return answer(401, {"msg": "no"})
        return None

    api.overrides["GET /dashboard"] = hiccup
    tale = told(api)

    assert tale.shortest is None
    assert tale.passing


def test_a_login_is_left_out_with_its_session() -> None:
    """Whoever comes later is counted anew."""
    steps = [Step(Move.LOGIN), Step(Move.LOGIN, 1), Step(Move.USE, 0), Step(Move.REFRESH, 1), Step(Move.WAIT)]

    assert without(steps, 0) == [Step(Move.LOGIN, 1), Step(Move.REFRESH, 0), Step(Move.WAIT)]
    assert without(steps, 2) == [*steps[:2], *steps[3:]]


def test_a_story_of_steps_is_judged() -> None:
    """A plain story of a sound server has nothing to find."""
    judged = target(RotatingApi())
    steps = [Step(Move.LOGIN), Step(Move.REFRESH), Step(Move.REPLAY), Step(Move.USE)]

    assert tell(judged, learn(judged), steps) is None


@pytest.mark.parametrize(
    ("args", "selected"),
    [
        (("--tier", "core"), False),
        (("--tier", "strict"), True),
        (("--tier", "strict", "--fuzz-time", "0"), False),
        (("--tier", "strict", "--base-url", "http://127.0.0.1:9", "--username", "a", "--password", "b"), False),
        (("--base-url", "http://127.0.0.1:9", "--username", "a", "--password", "b", "-m", "fuzz"), True),
        (("--tier", "strict", "-m", "not fuzz"), False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_stage_is_a_part_of_what_asks_for_it(args: tuple[str, ...], *, selected: bool) -> None:
    """`-m fuzz` asks for it, and so does the strict tier on the suite's own server; nothing else."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "conformance/scenarios", *args],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip

    assert ("test_fuzz_04" in listed) is selected
    if "-m" in args and selected:
        assert "test_login_01" not in listed
