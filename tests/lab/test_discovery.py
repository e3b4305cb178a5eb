"""`discover` finds out how the lab's implementations speak, with nothing but a URL and an account.

Run with LAB_CACHE set to a folder, in which entries are installed that are not there yet; never in CI.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from conformance.discovery import login_ideas
from conformance.discovery.comparing import facts
from conformance.discovery.report import discover
from conformance.options import RunSettings
from conformance.target.profile_files import from_text, load
from tests.hostile.command import jwt_conformance
from tests.packaging.processes import CHECKOUT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = importlib.util.spec_from_file_location("lab_running", CHECKOUT / "lab" / "running.py")
assert SPEC is not None
assert SPEC.loader is not None
running = importlib.util.module_from_spec(SPEC)
sys.modules["lab_running"] = running
SPEC.loader.exec_module(running)

NAMES = sorted(running.entries())
# What a stranger's profile lacks: without its own preset as a hypothesis, nobody can guess these entries.
UNGUESSABLE = {
    "axum-jsonwebtoken": "its login takes `client_id` and `client_secret`",
    "better-auth": "its login is at a path of its own",
    "django-oauth-toolkit": "its token endpoint is at a path of its own, and it publishes no metadata",
    "flask-appbuilder": "its login is at a path of its own, and wants a provider",
    "gin-jwt": "its protected route has a name of its own",
    "pocketbase": "its login is at a path of its own",
}


@pytest.fixture(params=NAMES)
def entry(request: pytest.FixtureRequest) -> Any:
    """One implementation, installed."""
    if os.environ.get("CI") or not os.environ.get("LAB_CACHE"):
        pytest.skip("starts real implementations: set LAB_CACHE to a folder for them, outside CI")
    found = running.entries()[request.param]
    if found.facts["slow_to_install"] and not list(running.CACHE.glob(f"{found.name}-*")):
        pytest.skip(f"{found.name} takes minutes to install: `python lab/running.py {found.name}` does it once")
    try:
        found.installed()
    except running.LabError as error:
        pytest.skip(str(error)[:200])
    return found


@pytest.fixture
def url(entry: Any) -> Iterator[str]:
    """Where it answers."""
    with running.serving(entry) as base_url:
        yield base_url


def settings_of(entry: Any, url: str) -> RunSettings:
    """The first account, and the first client where there is one."""
    username, password = next(iter(entry.facts["accounts"].items()))
    client, secret = next(iter(entry.facts.get("clients", {"": ""}).items()))
    return RunSettings(base_url=url, username=username, password=password, client_id=client, client_secret=secret)


def test_a_profile_is_found_that_the_doctor_finds_nothing_wrong_with(entry: Any, url: str, tmp_path: Path) -> None:
    """It has the preset's login, refresh and logout, and at least one protected route of the preset's."""
    report = discover(settings_of(entry, url))
    file = tmp_path / "found.toml"
    file.write_text(report.profile, encoding="utf-8")

    assert report.exit_code == 0, report
    found, preset = load(str(file)), load(entry.preset)
    mine, theirs = facts(found), facts(preset)
    keys = [key for key in theirs if key.startswith(("login.", "access.", "refresh.", "logout.path"))]
    keys.remove("refresh.refresh") if "refresh.refresh" in keys else None
    assert {key: mine.get(key) for key in keys} == {key: theirs[key] for key in keys}
    assert {route.path for route in found.protected} & {route.path for route in preset.protected}

    given = {name: value for name, value in entry.options.items() if name != "CONFORMANCE_TARGET_PROFILE"}
    doctor = jwt_conformance("doctor", url, "--target-profile", str(file), folder=tmp_path, env=environment(**given))
    assert doctor.code == 0, doctor.said


def test_a_strangers_profile_is_found_or_is_not_presented_as_sure(
    entry: Any, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the preset that was written for it, what is called proven passes the doctor all the same."""
    others = tuple(each for each in login_ideas.presets() if entry.preset not in {each.name, each.extends})
    monkeypatch.setattr(login_ideas, "presets", lambda: others)
    report = discover(settings_of(entry, url))
    file = tmp_path / "found.toml"
    file.write_text(report.profile, encoding="utf-8")

    if report.exit_code:
        assert entry.name in UNGUESSABLE, report
        return
    tomllib.loads(report.profile)
    # Some servers take a path with and without the slash at its end.
    assert from_text(report.profile, "found.toml").login.path.rstrip("/") == load(entry.preset).login.path.rstrip("/")
    given = {name: value for name, value in entry.options.items() if name != "CONFORMANCE_TARGET_PROFILE"}
    doctor = jwt_conformance("doctor", url, "--target-profile", str(file), folder=tmp_path, env=environment(**given))
    assert doctor.code == 0, doctor.said
