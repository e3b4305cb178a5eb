"""Schemathesis by itself, on the contract, as the guide has it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from reference_server import Settings
from reference_server.serve import ServerThread
from tests.reference_server.api import Api

ROOT = Path(__file__).parents[2]
SETTINGS = replace(Settings(), address_attempts=1_000_000)


def schemathesis(settings: Settings, *args: str) -> subprocess.CompletedProcess[str]:
    """Run it from the checkout on a server with these settings."""
    api = Api(settings)
    command = [Path(sys.executable).parent / "schemathesis", "run", "specs/openapi.yaml", "--seed", "1", *args]
    try:
        with ServerThread(api.app) as server:
            return subprocess.run(
                [*command, "--url", server.base_url], cwd=ROOT, capture_output=True, text=True, check=False
            )
    finally:
        api.close()


def test_the_reference_server_keeps_its_contract() -> None:
    """It logs in by itself, drives every operation, and finds nothing."""
    run = schemathesis(SETTINGS, "--max-time", "10")

    assert run.returncode == 0, run.stdout
    assert "Tested: 14" in run.stdout
    assert "401" not in run.stdout  # nor a warning that authentication fails


def test_every_link_is_followed() -> None:
    """A login leads to the profile, to a refresh and to a logout, and a refresh goes on from there."""
    run = schemathesis(SETTINGS, "--phases", "stateful", "--max-time", "5")

    assert run.returncode == 0, run.stdout
    assert re.search(r"API Links: +6 covered / 6 selected / 6 total", run.stdout), run.stdout


def test_a_crash_is_found() -> None:
    """A body without a member that makes the server fail is found, and how to repeat it."""
    faulty = replace(SETTINGS, fault="missing-member-crashes")

    run = schemathesis(faulty, "--include-path", "/login", "--phases", "coverage")

    assert run.returncode == 1
    assert "Server error" in run.stdout
    assert "curl -X POST" in run.stdout
