"""How much load one process of Locust offers, and how much two workers do, as ever more users come.

    python benchmarks/offered.py [--rounds 3] [--users 600] [--seconds 40] [--plot FILE]

The target is an entry of the lab that needs little time of its own, so that whoever sends is what is measured. In each
round both have their turn, against a server that has just been started.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).parents[1]
ENTRY: Final = "golang-jwt"
OURS: Final = ("CONFORMANCE_", "REFERENCE_")
WAYS: Final = {1: "one process", 2: "two workers"}
TEMPLATE: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ plot.width }} {{ plot.height + 20 }}" role="img"
  aria-label="{{ plot.title }}" font-family="sans-serif" font-size="13" fill="#777">
{% for y, label in plot.up -%}
<path d="M{{ plot.left }} {{ y }}H{{ plot.right }}" stroke="#777" stroke-opacity=".4"/>
<text x="{{ plot.left - 6 }}" y="{{ y + 4 }}" text-anchor="end">{{ label }}</text>
{% endfor %}
{%- for x, label in plot.across -%}
<text x="{{ x }}" y="{{ plot.bottom + 18 }}" text-anchor="middle">{{ label }}</text>
{% endfor %}
{%- for curve in plot.curves -%}
<polyline points="{{ curve.points }}" fill="none" stroke="{{ colours[loop.index0] }}" stroke-width="2"/>
<text x="{{ plot.left + 220 * loop.index0 }}" y="{{ plot.height + 14 }}" fill="{{ colours[loop.index0] }}">\
{{ curve.name }}</text>
{% endfor -%}
</svg>
"""
COLOURS: Final = ("#b26a00", "#2a7ab5")


def load(
    url: str, accounts: dict[str, str], workers: int, users: int, seconds: float, think_s: float
) -> dict[str, Any]:
    """The report of one load."""
    (name, password), (second, second_password) = accounts.items()
    env = {key: value for key, value in os.environ.items() if not key.startswith(OURS)} | {
        "CONFORMANCE_USERNAME": name,
        "CONFORMANCE_PASSWORD": password,
        "CONFORMANCE_SECOND_USERNAME": second,
        "CONFORMANCE_SECOND_PASSWORD": second_password,
    }
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "load.json"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "conformance", "load", url, "--target-profile", ENTRY),
                *("--users", str(users), "--duration", f"{seconds:g}s", "--spawn-rate", str(users / seconds)),
                *("--think", str(think_s), "--workers", str(workers), "--report-json", str(report)),
            ],
            cwd=folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{WAYS[workers]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def most(report: dict[str, Any]) -> float:
    """Requests a second, in the best tenth of the run's seconds."""
    rates = sorted(row["requests_per_s"] for row in report["over_time"])
    return median(rates[-max(1, len(rates) // 10) :])


def draw(reports: dict[int, dict[str, Any]], file: str) -> None:
    """Writes the picture of one round."""
    from conformance.reports.plots import plot  # noqa: PLC0415 - where it is wanted
    from conformance.reports.templating import environment  # noqa: PLC0415 - as above

    rows = [
        {"at_s": one["at_s"], "1": one["requests_per_s"], "2": two["requests_per_s"]}
        for one, two in zip(reports[1]["over_time"], reports[2]["over_time"], strict=False)
    ]
    drawing = plot("Requests a second, while users come", rows, {str(key): name for key, name in WAYS.items()})
    text = environment(autoescape=True).from_string(TEMPLATE).render(plot=drawing, colours=COLOURS)
    Path(file).write_text(text, encoding="utf-8")


def main() -> None:
    """Reads the command line, measures and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--think", type=float, default=0.1, help="seconds between two actions of a user, on average")
    parser.add_argument("--plot", help="a file for the picture of the last round")
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from lab.running import entries, serving  # noqa: PLC0415 - as `server.py`

    entry = entries()[ENTRY]
    rates: dict[int, list[float]] = {workers: [] for workers in WAYS}
    reports: dict[int, dict[str, Any]] = {}
    shares: list[float] = []
    for number in range(given.rounds):
        for workers in sorted(WAYS, reverse=bool(number % 2)):
            before = set(psutil.Process().children())
            with serving(entry) as url:
                (server,) = set(psutil.Process().children()) - before
                reports[workers] = load(url, entry.facts["accounts"], workers, given.users, given.seconds, given.think)
                shares.append(sum(server.cpu_times()[:2]) / given.seconds)
            rates[workers].append(most(reports[workers]))
    print(f"up to {given.users} users over {given.seconds:g} s, {given.rounds} rounds, {os.cpu_count()} processors\n")
    print("| | requests a second at most | range |\n| --- | --- | --- |")
    for workers, name in WAYS.items():
        values = rates[workers]
        print(f"| {name} | {median(values):,.0f} | {min(values):,.0f} to {max(values):,.0f} |")
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    print(f"| **two / one**, round by round | **{median(ratios):.2f}** | {min(ratios):.2f} to {max(ratios):.2f} |")
    print(f"\nThe server kept {median(shares):.0%} of a processor busy.")
    if given.plot:
        draw(reports, given.plot)


if __name__ == "__main__":
    main()
