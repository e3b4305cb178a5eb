"""Counts what each scenario costs its target, and writes `conformance/plan/costs.toml`, which `--plan` reads.

    python benchmarks/costs.py

The suite runs three times against the bundled server: with a URL and two accounts, with all that options can give,
and with hooks as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from conformance.plan.costs import Cost, SetUp
from reference_server import Settings, create_app
from reference_server.serve import ServerThread

ROOT = Path(__file__).parents[1]
FILE = ROOT / "conformance" / "plan" / "costs.toml"
KEY = "the key of a server that is there to be counted"
PEOPLE = {"": "alice", "SECOND_": "bob", "DISPOSABLE_": "mallory"}
CLIENTS = {"": "first-app", "SECOND_": "second-app"}

OURS = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")

Counted = dict[str, dict[str, int]]


def secret(name: str) -> str:
    """Somebody's password, no secret at all."""
    return f"{name}-saw-a-Jabberwock-7"


def count(setup: SetUp) -> Counted:
    """What was counted in a run like that, by requirement."""
    settings = {
        "REFERENCE_ACCOUNTS": "\n".join(f"{name}:{secret(name)}" for name in PEOPLE.values()),
        "REFERENCE_CLIENTS": "\n".join(f"{name}:{secret(name)}" for name in CLIENTS.values()),
        "REFERENCE_JWT_SECRET_KEY": KEY,
        "REFERENCE_ADDRESS_ATTEMPTS": "1000",
        "REFERENCE_PASSWORD_MEMORY": "8",
    }
    if setup is SetUp.HOOKS:
        return _run([], {})
    given = {}
    for prefix, name in PEOPLE.items():
        if setup is SetUp.GIVEN or prefix != "DISPOSABLE_":
            given |= {f"CONFORMANCE_{prefix}USERNAME": name, f"CONFORMANCE_{prefix}PASSWORD": secret(name)}
    if setup is SetUp.GIVEN:
        given |= {"CONFORMANCE_INTRUSIVE": "on", "CONFORMANCE_SIGNING_KEY": KEY}
        for prefix, name in CLIENTS.items():
            given |= {f"CONFORMANCE_{prefix}CLIENT_ID": name, f"CONFORMANCE_{prefix}CLIENT_SECRET": secret(name)}
    with ServerThread(create_app(Settings.from_env(settings))) as server:
        return _run([server.base_url], given)


def _run(target: list[str], given: dict[str, str]) -> Counted:
    own = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "costs.json"
        command = [
            sys.executable,
            "-m",
            "conformance",
            "run",
            *target,
            "--tier",
            "strict",
            "--fuzz-time",
            "0",
            "--quiet",
        ]
        # The fuzzing stage costs what it is given.
        subprocess.run(
            [*command, "--", "-p", "benchmarks.counting", f"--costs={file}"],
            cwd=folder,
            env={**own, **given, "PYTHONPATH": str(ROOT)},
            check=True,
            stdout=sys.stderr,
        )
        told: Counted = json.loads(file.read_text(encoding="utf-8"))
        return told


def written(counts: dict[SetUp, Counted]) -> str:
    """The file."""
    lines = [
        "# What each scenario costs its target: written by benchmarks/costs.py, read by conformance/plan/costs.py."
    ]
    parts = [part.name for part in fields(Cost)]
    for setup, costs in counts.items():
        lines += ["", f"[{setup}]"]
        for name, cost in costs.items():
            row = ", ".join(f"{part} = {cost[part]}" for part in parts if cost.get(part))
            lines.append(f"{name} = {{ {row} }}" if row else f"{name} = {{}}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    FILE.write_text(written({setup: count(setup) for setup in SetUp}), encoding="utf-8")
