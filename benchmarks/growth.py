"""How a run grows: with the protected routes of its target, and with the requirements that it judges.

    python benchmarks/growth.py [--rounds 3] [--routes 1 10 50 200] [--requirements 1 10 50]

The target is the reference server with as many further routes as are wanted, all of which do what `/profile` does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from conformance.catalogue import load
from reference_server import Settings, create_app
from reference_server.serve import ServerThread
from reference_server.settings import DEMO_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY: Final = "the key of a server that has more and more routes"
SETTINGS: Final = replace(Settings(), password_memory=8, address_attempts=1_000_000, jwt_secret_key=KEY.encode())
TIERS: Final = ("core", "hardened", "strict")
OURS: Final = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")
PROFILE: Final = 'extends = "default"\n\n[[protected]]\npath = "/profile"\nidentity = "username"\n'


@dataclass(frozen=True)
class Cost:
    """What a run cost."""

    requirements: int
    requests: int
    waited_s: float
    inside_s: float
    cpu_s: float


@contextmanager
def server(routes: int) -> Iterator[str]:
    """The URL of a reference server with so many protected routes that show a profile."""
    app = create_app(SETTINGS)
    for number in range(1, routes):
        app.add_url_rule(f"/profile/{number}", f"profile-{number}", app.view_functions["reference.profile"])
    with ServerThread(app) as running:
        yield running.base_url


def suite(url: str, folder: Path, routes: int, *options: str) -> Cost:
    """A run of the suite on that server."""
    profile = folder / "profile.toml"
    more = (f'\n[[protected]]\npath = "/profile/{number}"\nidentity = "username"\n' for number in range(1, routes))
    profile.write_text(PROFILE + "".join(more), encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    for which, (name, password) in zip(("", "SECOND_"), DEMO_ACCOUNTS, strict=True):
        env |= {f"CONFORMANCE_{which}USERNAME": name, f"CONFORMANCE_{which}PASSWORD": password}
    command = [sys.executable, "-m", "conformance", "run", url, "--quiet", "--report-json", "report.json"]
    used = cpu_of_children()
    ended = subprocess.run(
        [*command, "--target-profile", profile, *options],
        cwd=folder, env=env | {"CONFORMANCE_SIGNING_KEY": KEY}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    used = cpu_of_children() - used
    if ended.returncode:
        sys.exit(f"the suite did not find the reference server conformant:\n{ended.stdout}{ended.stderr}")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    judged = sum(row["verdict"] not in {"untested", "not_applicable"} for row in report["requirements"])
    run = report["run"]
    return Cost(judged, run["requests"], run["waited_s"], run["duration_s"] - run["waited_s"], used)


def cpu_of_children() -> float:
    """Seconds of processor time that finished child processes have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def some(size: int) -> str:
    """An expression for `-k` that selects so many requirements, spread over the catalogue."""
    ids = [requirement.id for requirement in load()]
    chosen = [ids[number * len(ids) // size] for number in range(size)]
    return " or ".join(each.lower().replace("-", "_") for each in chosen)


def report(costs: dict[str, list[Cost]]) -> None:
    """Prints a table of the page of results."""
    print("| | judged | requests | waiting | otherwise | range | the suite's processor time |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, each in costs.items():
        seconds, last = [cost.inside_s for cost in each], each[-1]
        print(
            f"| {name} | {last.requirements} | {last.requests:,} | {median(cost.waited_s for cost in each):.1f} s |"
            f" {median(seconds):.2f} s | {min(seconds):.2f} to {max(seconds):.2f} s |"
            f" {median(cost.cpu_s for cost in each):.2f} s |"
        )
    print()


def main() -> None:
    """Reads the command line, measures each size in turn and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--routes", type=int, nargs="*", default=[1, 10, 50, 200])
    parser.add_argument("--requirements", type=int, nargs="*", default=[1, 10, 50])
    given = parser.parse_args()
    by_routes: dict[str, list[Cost]] = {}
    by_requirements: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(given.rounds):
            for routes in given.routes:
                with server(routes) as url:
                    cost = suite(url, folder, routes, "--tier", "strict")
                by_routes.setdefault(f"{routes} protected routes", []).append(cost)
            with server(1) as url:
                for size in given.requirements:
                    # Less than everything is run, which the exit code would hold against the run.
                    cost = suite(url, folder, 1, "--tier", "strict", "-k", some(size))
                    by_requirements.setdefault(f"{size} selected", []).append(cost)
                for tier in TIERS:
                    by_requirements.setdefault(tier, []).append(suite(url, folder, 1, "--tier", tier))
    print(f"{given.rounds} rounds\n")
    report(by_routes)
    report(by_requirements)


if __name__ == "__main__":
    main()
