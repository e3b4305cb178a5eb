"""The reference server as one deploys it, on gunicorn, PostgreSQL and Redis: with more workers, and under load.

    python benchmarks/deployed.py workers [--rounds 5] [--seconds 3]
    python benchmarks/deployed.py load [--users 200] [--duration 5m] [--report-html FILE]

PostgreSQL and Redis are those that the tests of `tests/deployment` start, with what those tests need installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import psutil

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from server import REFERENCE, Figures, Server, measure, spread  # noqa: E402 - as above

from tests.deployment.deployed import ACCOUNTS, WORKERS, Deployment, settings  # noqa: E402 - as above
from tests.deployment.stores import programs, started  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTES: Final = ("profile", "refresh", "login")
NUMBERS: Final = (1, 2, 4)


@contextmanager
def stores() -> Iterator[dict[str, str]]:
    """The settings of a server on an empty database; nobody's address is limited, for all users have the same one."""
    found = programs()
    if found is None:
        sys.exit("this needs PostgreSQL and Redis: the packages postgresql and redis-server")
    with started(found) as both:
        attempts = {"REFERENCE_ADDRESS_ATTEMPTS": "1000000"}
        yield settings(both.postgres.new_database("benchmark"), both.redis.url(0), attempts)


@contextmanager
def deployed(workers: int, given: dict[str, str]) -> Iterator[Deployment]:
    """The server with so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder), given, workers=workers)
        deployment.flask("database", "upgrade")
        deployment.start()
        try:
            yield deployment
        finally:
            deployment.stop()


def settle(server: Server) -> None:
    """Waits until every worker has started: the first one to be ready would be given all connections."""
    used = -1.0
    while (now := server.cpu_s()) - used > 0.02:  # noqa: PLR2004 - seconds of processor time, in half a second
        used = now
        time.sleep(0.5)


def compare_workers(rounds: int, seconds: float, users: int) -> None:
    """Prints what one, two and four workers do."""
    found: dict[tuple[str, int], list[Figures]] = {}
    with stores() as given:
        for number in range(rounds + 1):
            for workers in NUMBERS:
                with deployed(workers, given) as deployment:
                    assert deployment.process is not None
                    process = psutil.Process(deployment.process.pid)
                    server = Server(REFERENCE, deployment.url, process, next(iter(ACCOUNTS.items())))
                    settle(server)
                    for route in ROUTES:
                        figures = measure(server, route, users, seconds if number else 0.5)
                        if number:
                            found.setdefault((route, workers), []).append(figures)
    print(f"{rounds} rounds of {seconds:g} s with {users} users, {os.cpu_count()} processors\n")
    print("| route | workers | requests a second | of one worker's | p99 | workers' processor time | client busy |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (route, workers), each in found.items():
        ratios = [mine.per_s / one.per_s for mine, one in zip(each, found[route, 1], strict=True)]
        print(
            f"| {route} | {workers} | {spread([one.per_s for one in each])} | {spread(ratios, 2)} |"
            f" {median(one.p99_ms for one in each):.1f} ms | {median(one.server_ms for one in each):.2f} ms |"
            f" {median(one.client_busy for one in each):.0%} |"
        )


def crowd(users: int, duration: str, page: str | None) -> None:
    """Prints what `jwt-conformance load` says."""
    (name, password), (second, second_password) = ACCOUNTS.items()
    env = os.environ | {
        "CONFORMANCE_USERNAME": name,
        "CONFORMANCE_PASSWORD": password,
        "CONFORMANCE_SECOND_USERNAME": second,
        "CONFORMANCE_SECOND_PASSWORD": second_password,
    }
    with stores() as given, deployed(WORKERS, given) as deployment:
        report = deployment.folder / "load.json"
        command = [sys.executable, "-m", "conformance", "load", deployment.url, "--users", str(users)]
        command += ["--duration", duration, "--report-json", str(report), *(["--report-html", page] if page else [])]
        code = subprocess.run(command, env=env, check=False).returncode
        checked = sum(row["checked"] for row in json.loads(report.read_text(encoding="utf-8"))["invariants"])
    print(f"\nexit code {code}; {checked:,} answers held against the promises")


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    workers = kinds.add_parser("workers")
    workers.add_argument("--rounds", type=int, default=5)
    workers.add_argument("--seconds", type=float, default=3.0)
    workers.add_argument("--users", type=int, default=16)
    load = kinds.add_parser("load")
    load.add_argument("--users", type=int, default=200)
    load.add_argument("--duration", default="5m")
    load.add_argument("--report-html")
    given = parser.parse_args()
    if given.kind == "workers":
        compare_workers(given.rounds, given.seconds, given.users)
    else:
        crowd(given.users, given.duration, given.report_html)


if __name__ == "__main__":
    main()
