"""The suite's verdicts on a learner's app are the ones that the lab has written down, with their reasons."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.packaging.processes import CHECKOUT, environment, run, serving

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY = CHECKOUT / "lab" / "flask_jwt_extended_lesson"
CREDENTIALS = {
    "CONFORMANCE_USERNAME": "alice",
    "CONFORMANCE_PASSWORD": "tea-with-the-hatter-71",
    "CONFORMANCE_SECOND_USERNAME": "bob",
    "CONFORMANCE_SECOND_PASSWORD": "builds-a-bridge-by-noon-28",
}
# What a run can be given beside the URL; the rows of expected.toml that need it name it.
Given = Literal["nothing", "short lifetimes", "signing key"]


def with_our_python(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with this Python's commands first, so that `flask` is the one installed here."""
    return {**env, "PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])}


def judged(
    folder: Path, given: Given, *options: str, profile: Path = ENTRY / "profile.toml", **settings: str
) -> tuple[int, dict[str, str]]:
    """The run's exit code, and its verdict on each core requirement; `settings` are the app's."""
    report = folder / "report.json"
    secret = folder / "secret"
    secret.write_text(secrets.token_hex(32))
    if given == "signing key":
        options = (*options, "--signing-key", f"@{secret}")
    command = ["jwt-conformance", "run", "--tier", "core", "--report-json", str(report), *options]
    command += ["--target-profile", str(profile)]
    app = environment(JWT_SECRET_KEY=secret.read_text(), **settings)
    with serving([ENTRY / "start"], cwd=folder, log=folder / "app.log", env=with_our_python(app)) as url:
        ended = run([*command, url], cwd=folder, env=with_our_python(environment(**CREDENTIALS)))
    assert report.exists(), ended.stdout + ended.stderr
    requirements: list[dict[str, Any]] = json.loads(report.read_text())["requirements"]
    return ended.returncode, {row["id"]: row["verdict"] for row in requirements if row["tier"] == "core"}


def deviations(verdicts: Mapping[str, str]) -> dict[str, str]:
    """The verdicts that say that something is wrong, with the app or with the run."""
    return {name: verdict for name, verdict in verdicts.items() if verdict in {"failed", "warned", "inconclusive"}}


def expected(given: Given) -> dict[str, str]:
    """The rows of expected.toml that a run shows which was given no more than that."""
    rows = tomllib.loads((ENTRY / "expected.toml").read_text())["deviation"]
    return {row["requirement"]: row["verdict"] for row in rows if row.get("needs", given) == given}


def test_a_url_and_two_accounts_show_what_the_learner_got_wrong(tmp_path: Path) -> None:
    """With nothing but a URL and credentials the findings are those of expected.toml, and the run fails."""
    code, verdicts = judged(tmp_path, "nothing")
    assert deviations(verdicts) == expected("nothing")
    assert code == 1
    assert verdicts["ACCESS-02"] == verdicts["REFRESH-02"] == "passed"
    assert verdicts["EXPIRY-01"] == "untested"


def test_short_lifetimes_show_that_tokens_expire(tmp_path: Path) -> None:
    """An app whose tokens live for seconds has the same findings, and its expiry is judged by waiting."""
    profile = tmp_path / "short.toml"
    profile.write_text(f"extends = {json.dumps(str(ENTRY / 'profile.toml'))}\n[lifetimes]\naccess = 4\nrefresh = 40\n")
    code, verdicts = judged(
        tmp_path,
        "short lifetimes",
        "--max-wait",
        "60",
        profile=profile,
        FLASK_JWT_ACCESS_TOKEN_EXPIRES="4",
        FLASK_JWT_REFRESH_TOKEN_EXPIRES="40",
    )
    assert deviations(verdicts) == expected("short lifetimes")
    assert code == 1
    assert {verdicts[f"EXPIRY-0{number}"] for number in (1, 3, 4, 5)} == {"passed"}


def test_the_signing_key_shows_that_tokens_expire_without_waiting(tmp_path: Path) -> None:
    """With the app's own key the suite mints what has expired, and finds that it is refused."""
    code, verdicts = judged(tmp_path, "signing key")
    assert deviations(verdicts) == expected("signing key")
    assert code == 1
    assert verdicts["EXPIRY-02"] == verdicts["EXPIRY-04"] == "passed"


def test_every_expected_row_says_why() -> None:
    """A known deviation is listed once, with its verdict and a reason for whoever reads the lab."""
    rows = tomllib.loads((ENTRY / "expected.toml").read_text())["deviation"]
    for row in rows:
        assert set(row) - {"needs"} == {"requirement", "verdict", "reason"}
        assert row["verdict"] in {"failed", "warned"}
        assert len(row["reason"]) > 20
    assert len({row["requirement"] for row in rows}) == len(rows)


@pytest.mark.parametrize("distribution", ["Flask", "Flask-JWT-Extended", "PyJWT", "Werkzeug"])
def test_the_versions_that_the_rows_speak_of_are_pinned(distribution: str) -> None:
    """Whoever repeats the run can install what the findings were made with."""
    assert f"\n{distribution}==" in (ENTRY / "requirements.txt").read_text()
