"""`jwt-conformance load`, against servers that are sound, that break under load, and that nobody should load."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from reference_server.serve import ServerThread
from tests.hostile.command import CREDENTIALS, PASSWORD, SECOND_PASSWORD, Ended, clean, jwt_conformance
from tests.hostile.servers import reference_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

SPECS = Path(__file__).parents[2] / "specs"
BRIEFLY = ("--users", "12", "--spawn-rate", "50", "--think", "0.1", "--duration", "5s")
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]{20,}")
RACING = {
    "rotation-looks-before-it-writes": {"one-winner"},
    "refresh-writes-an-ended-session-back": {"logout-stands"},
    "current-user-in-a-shared-variable": {"own-data"},
    "login-mixes-up-who-logged-in": {"own-data"},
    "one-login-at-a-time": {"no-server-error"},
}
"""The registry's faults that only requests at the same time show, and what each breaks for certain."""


def validator() -> Draft202012Validator:
    """Of the report, whose findings are those of a run's report."""
    load, run = (json.loads((SPECS / f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("load", "report"))
    registry = Registry().with_resource("report.schema.json", Resource.from_contents(run))
    return Draft202012Validator(load, registry=registry)


def load(url: str, *options: str, folder: Path, **variables: str) -> Ended:
    """Runs the command with both reports."""
    reports = ("--report-json", "report.json", "--report-html", "report.html")
    env = clean(**CREDENTIALS, **variables)
    return jwt_conformance("load", url, *reports, *options, folder=folder, env=env, bound=120)


def broken(report: dict[str, Any]) -> set[str]:
    """The promises that were not kept."""
    return {row["id"] for row in report["invariants"] if row["broken"]}


def looked_at(report: dict[str, Any]) -> set[str]:
    """The promises that were looked at."""
    return {row["id"] for row in report["invariants"] if row["checked"]}


def assert_safe(ended: Ended) -> None:
    """Nobody learns a secret from what was printed or written, and nothing looks like a crash."""
    written = [file.read_text(encoding="utf-8") for file in ended.folder.glob("report.*")]
    for text in (ended.said, *written):
        assert PASSWORD not in text
        assert SECOND_PASSWORD not in text
        assert not JWT.search(text)
        assert "Traceback" not in text


@pytest.fixture(scope="module")
def sound() -> Iterator[str]:
    """A server without a fault."""
    with reference_app() as app, ServerThread(app) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def kept(sound: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A load that a sound server bore."""
    return load(sound, *BRIEFLY, folder=tmp_path_factory.mktemp("kept"))


def test_a_sound_server_keeps_every_promise(kept: Ended) -> None:
    """Everything that users do was done, every promise but that on the rate was looked at, and none was broken."""
    assert kept.code == 0, kept.said
    assert "Every promise was kept under load" in kept.out
    assert looked_at(kept.report) == {row["id"] for row in kept.report["invariants"]} - {"honest-429"}
    assert {row["name"] for row in kept.report["routes"]} == {
        *("log in", "use /profile", "use /dashboard", "refresh", "log out", "race", "leave while refreshing"),
        *("use a dead refresh token", "use a dead access token", "Aggregated"),
    }
    assert_safe(kept)


def test_the_report_is_what_its_schema_says(kept: Ended) -> None:
    """The figures of the whole are the sum of its parts, and there is a row for nearly each second."""
    validator().validate(kept.report)
    *parts, whole = kept.report["routes"]
    assert whole["requests"] == sum(row["requests"] for row in parts)
    assert 3 <= len(kept.report["over_time"]) <= 7


@pytest.mark.parametrize("name", RACING)
def test_a_fault_that_only_load_shows_is_found(name: str, tmp_path: Path) -> None:
    """With its evidence, which is safe to publish."""
    with reference_app(FAULT=name) as app, ServerThread(app) as server:
        ended = load(server.base_url, *BRIEFLY, folder=tmp_path)

    assert ended.code == 1, ended.said
    assert broken(ended.report) >= RACING[name], ended.out
    validator().validate(ended.report)
    findings = [one for row in ended.report["invariants"] if row["id"] in RACING[name] for one in row["findings"]]
    assert all(one["exchange"] and one["curl"] for one in findings)
    assert_safe(ended)


@pytest.mark.parametrize(
    "name", ["spent-refresh-token-refreshes", "logout-spares-access-token", "logout-spares-refresh-token"]
)
def test_what_is_wrong_without_load_is_no_finding_of_load(name: str, tmp_path: Path) -> None:
    """Spent tokens that are served and logouts that end nothing are for `run` to tell; here nobody is held to them."""
    with reference_app(FAULT=name) as app, ServerThread(app) as server:
        ended = load(server.base_url, *BRIEFLY, folder=tmp_path)

    assert ended.code == 0, ended.said
    assert ("a spent refresh token is served even to one user at a time" in ended.out) == name.startswith("spent")


def test_workers_share_the_users(sound: str, tmp_path: Path) -> None:
    """What two processes saw is in one report."""
    ended = load(sound, *BRIEFLY, "--workers", "2", folder=tmp_path)

    assert ended.code == 0, ended.said
    assert ended.report["load"]["workers"] == 2
    counts = {row["id"]: row["checked"] for row in ended.report["invariants"]}
    assert counts["own-data"]
    assert counts["answered"] >= 0.9 * ended.report["routes"][-1]["requests"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_load_reports_what_it_saw(workers: str, sound: str, tmp_path: Path) -> None:
    """Ctrl-C ends it within seconds, with a report that says so, and leaves no process behind."""
    command = [str(Path(sys.executable).with_name("jwt-conformance")), "load", sound, "--report-json", "report.json"]
    command += ["--users", "5", "--duration", "10m", "--think", "0.1", "--workers", workers]
    with subprocess.Popen(
        command, cwd=tmp_path, env=clean(**CREDENTIALS), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert "requests/s" in process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        began = time.monotonic()
        out, _ = process.communicate(timeout=40)
        assert time.monotonic() - began < 30
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert process.returncode == 3, out
    assert report["result"] == "incomplete"
    assert not report["load"]["complete"]
    assert looked_at(report)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in listed.splitlines() if "--worker-of" in line and sound in line]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--duration", "soon"), "--duration 'soon' is no time"),
        (("--worker-of", "elsewhere"), "--worker-of 'elsewhere' is no address"),
        (("--accounts", "missing.csv"), "--accounts 'missing.csv' cannot be read: No such file"),
        (("--accounts", "bad.csv"), "--accounts 'bad.csv', line 2: it is no account"),
        (("--accounts", "empty.csv"), "--accounts 'empty.csv' holds no account"),
    ],
)
def test_a_mistake_is_told(options: tuple[str, ...], words: str, sound: str, tmp_path: Path) -> None:
    """In the user's words, before any load."""
    (tmp_path / "bad.csv").write_text("alice,secret-4711\nbob\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    ended = load(sound, *options, folder=tmp_path)

    assert ended.code == 2, ended.said
    assert words in ended.err
    assert "secret-4711" not in ended.said
    assert "Traceback" not in ended.said


def test_nobody_elses_server_is_loaded_by_mistake(sound: str, tmp_path: Path) -> None:
    """A target that is not on this machine takes a word more."""
    ended = load(sound.replace("127.0.0.1", "127.0.0.2"), *BRIEFLY, folder=tmp_path)

    assert ended.code == 2, ended.said
    assert "give --intrusive, if it is yours to load" in ended.err


def test_users_do_not_share_an_account_whose_sessions_end_each_other(tmp_path: Path) -> None:
    """Or every refusal would be blamed on the target; with an account each, they are loaded."""
    with reference_app(FAULT="logout-ends-every-session-of-the-user") as app, ServerThread(app) as server:
        refused = load(server.base_url, *BRIEFLY, folder=tmp_path)
        borne = load(server.base_url, "--users", "2", "--think", "0.1", "--duration", "4s", folder=tmp_path)

    assert refused.code == 2, refused.said
    assert "a logout ends the other sessions of its user here" in refused.err
    assert borne.code == 0, borne.said


def test_errors_in_an_outage_are_forgiven_where_it_was_planned(tmp_path: Path) -> None:
    """A 503 now and then is held against the target, unless the user says that it is part of the plan."""

    def flaky(app: Flask) -> Any:
        turn = iter(range(1_000_000))

        def serve(environ: Any, start: Any) -> Any:
            if next(turn) > 60 and next(turn) % 5 == 0:
                start("503 Service Unavailable", [("Content-Type", "application/json"), ("Retry-After", "1")])
                return [b"{}"]
            return app(environ, start)

        return serve

    with reference_app() as app:
        for options, code in (((), 1), (("--allow-unavailable",), 0)):
            with ServerThread(flaky(app)) as server:
                ended = load(server.base_url, *BRIEFLY, *options, folder=tmp_path)
            assert ended.code == code, ended.said
            assert broken(ended.report) == ({"no-server-error"} if code else set())
