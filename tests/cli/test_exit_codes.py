"""What a run ends with, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reference_server.serve import ServerThread
from tests.hostile.command import CREDENTIALS, Ended, clean, judge, jwt_conformance, plain_pytest, plugin
from tests.hostile.servers import Server, reference_app

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUND_S = 60
CRASH = "import conformance.scenarios.test_refresh as r\ndef crash(target): raise ZeroDivisionError('oh')\n"


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    """The URL of a server at whose refresh route an access token is as good as a refresh token."""
    with reference_app(FAULT="access-token-refreshes") as app, ServerThread(app) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def hasty() -> Iterator[str]:
    """The URL of a server whose access tokens live shorter than the profile says, which is a broken SHOULD."""
    with reference_app(ACCESS_LIFETIME="5m") as app, ServerThread(app) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def whole(url: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run of everything against a target with nothing wrong in it."""
    return judge(url, folder=tmp_path_factory.mktemp("whole"), bound=BOUND_S)


def test_a_conformant_target_ends_with_0(whole: Ended) -> None:
    """Nothing is broken, and nothing is inconclusive."""
    assert whole.code == 0, whole.said
    assert whole.report["result"] == "conformant"
    assert "result    conformant" in whole.out
    assert set(whole.verdicts.values()) <= {"passed", "untested", "not_applicable"}


def test_a_broken_requirement_ends_with_1(broken: str, tmp_path: Path) -> None:
    """The summary tells which, and how to fix it."""
    ended = judge(broken, "-k", "refresh_02", folder=tmp_path, bound=BOUND_S)
    assert ended.code == 1
    assert ended.verdicts == {"REFRESH-02": "failed"}
    assert "\n  fix " in ended.out
    assert "result    not conformant" in ended.out


def test_a_broken_should_ends_with_1_where_that_is_asked_for(hasty: str, tmp_path: Path) -> None:
    """`--strict` makes the difference, and only to the exit code."""
    chosen = "expiry_06 or expiry_07"
    lenient = judge(hasty, "-k", chosen, folder=tmp_path, bound=BOUND_S)
    assert (lenient.code, lenient.verdicts["EXPIRY-06"]) == (0, "warned")
    strict = judge(hasty, "-k", chosen, "--strict", folder=tmp_path, bound=BOUND_S)
    assert (strict.code, strict.verdicts["EXPIRY-06"]) == (1, "warned")


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_nothing_selected_ends_with_3(options: tuple[str, ...], url: str, tmp_path: Path) -> None:
    """Nothing run is not green, and the run says so."""
    ended = judge(url, "-k", "nonesuch", *options, folder=tmp_path, bound=BOUND_S)
    assert ended.code == 3
    assert "nothing was tested" in ended.said


def test_nothing_tested_ends_with_3(url: str, tmp_path: Path) -> None:
    """A run whose only requirement does not apply shows nothing."""
    ended = judge(url, "-k", "cookie_09", folder=tmp_path, bound=BOUND_S)
    assert (ended.code, ended.verdicts) == (3, {"COOKIE-09": "not_applicable"})
    assert "result    incomplete" in ended.out


def test_a_crash_of_the_suite_ends_with_4(url: str, tmp_path: Path) -> None:
    """It is no verdict on the target: nothing is failed, and the report names the scenario."""
    env = plugin(tmp_path, "crash", f"{CRASH}r.test_refresh_02 = crash\n")
    ended = judge(url, "-k", "refresh_02 or refresh_03", "--", "-p", "crash", folder=tmp_path, env=env, bound=BOUND_S)
    assert ended.code == 4, ended.said
    assert ended.verdicts == {"REFRESH-03": "passed"}
    (fault,) = ended.report["run"]["suite_faults"]
    assert "refresh_02" in fault
    assert "a fault of the suite itself" in ended.out


def test_a_run_that_is_interrupted_ends_with_3(url: str, tmp_path: Path) -> None:
    """What was judged before Ctrl-C is reported, and marked as incomplete."""
    reports = ["--report-json", "report.json", "-v"]
    command = [str(Path(sys.executable).with_name("jwt-conformance")), "run", url, *reports]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=clean(**CREDENTIALS), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        assert process.stdout is not None
        while "test_refresh_01" not in (line := process.stdout.readline()):
            assert line, "the run ended too early"
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    ended = Ended(process.returncode, rest, "", 0, tmp_path)
    assert ended.code == 3, rest
    assert ended.report["run"]["complete"] is False
    assert ended.verdicts["LOGIN-01"] == "passed"
    assert "EXPIRY-01" not in ended.verdicts
    assert "Traceback" not in rest


@pytest.mark.parametrize("target", ["url", "broken"])
def test_plain_pytest_ends_with_0_or_1(target: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Its exit codes are pytest's own."""
    ended = plain_pytest("--base-url", request.getfixturevalue(target), "-k", "refresh_02", folder=tmp_path)
    assert ended.code == (pytest.ExitCode.OK if target == "url" else pytest.ExitCode.TESTS_FAILED), ended.said


def test_several_processes_come_to_the_same_verdicts(whole: Ended, url: str, tmp_path: Path) -> None:
    """`-n 2` changes the time and nothing else."""
    shared = judge(url, "-n", "2", folder=tmp_path, bound=BOUND_S)
    assert shared.code == whole.code
    assert shared.verdicts == whole.verdicts
    assert shared.report["target"] == whole.report["target"]


def test_the_junit_report_names_requirements_and_verdicts(whole: Ended) -> None:
    """Each test case has both as properties."""
    assert {item["requirement"]: item["verdict"] for item in whole.properties} == whole.verdicts


def test_collecting_sends_nothing(tmp_path: Path) -> None:
    """`--collect-only` shows the scenarios and leaves the target alone."""
    with Server() as server:
        ended = jwt_conformance("run", server.url, "--", "--collect-only", folder=tmp_path, bound=BOUND_S)
        assert server.connections == 0
    assert "test_refresh_02" in ended.out


def test_collecting_ends_with_0(url: str, tmp_path: Path) -> None:
    """There is nothing wrong about it."""
    assert jwt_conformance("run", url, "--", "--collect-only", folder=tmp_path, bound=BOUND_S).code == 0


def test_a_json_report_that_cannot_be_written_is_told(url: str, tmp_path: Path) -> None:
    """The verdicts are printed all the same."""
    (tmp_path / "file").touch()
    options = ("-k", "refresh_02", "--report-json", "file/report.json")
    ended = jwt_conformance("run", url, *options, folder=tmp_path, bound=BOUND_S)
    assert ended.code == 2
    assert "the report file/report.json cannot be written: " in ended.said
    assert "Traceback" not in ended.said
    assert "1 passed" in ended.out


def test_a_junit_report_that_cannot_be_written_is_told(url: str, tmp_path: Path) -> None:
    """As above: the exit code is never that of a broken requirement."""
    (tmp_path / "file").touch()
    options = ("-k", "refresh_02", "--junitxml", "file/junit.xml")
    ended = jwt_conformance("run", url, *options, folder=tmp_path, bound=BOUND_S)
    assert ended.code == 2
    assert "Traceback" not in ended.said
