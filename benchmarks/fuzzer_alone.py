"""What Schemathesis finds by itself of the deliberate faults: the contract, its hooks, and nothing of this suite.

    python benchmarks/fuzzer_alone.py --seconds 10 --jobs 2

Each fault gets a server of its own, and each server a run with the same seed and the same time. A run that finds
anything at all has caught the fault, provided that a healthy server yields nothing, which is tried as often as asked.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from reference_server import Settings, create_app
from reference_server.app import close
from reference_server.faults import load
from reference_server.serve import ServerThread

ROOT = Path(__file__).parents[1]
SETTINGS = replace(Settings(), password_memory=8, address_attempts=1_000_000)
LEFT_TO_STOP_S = 60


@dataclass(frozen=True)
class Run:
    """How a run ended: on which fault, with which exit code, and after how many seconds."""

    fault: str
    code: int
    took_s: float


def run(fault: str, seconds: int, seed: int) -> Run:
    """One run on one server; an empty name stands for no fault."""
    app = create_app(replace(SETTINGS, fault=fault or None))
    command = [Path(sys.executable).parent / "schemathesis", "run", ROOT / "specs" / "openapi.yaml"]
    options = ["--max-time", str(seconds), "--seed", str(seed)]
    began = time.perf_counter()
    try:
        with ServerThread(app) as server:
            code = subprocess.run(
                [*command, *options, "--url", server.base_url],
                cwd=ROOT, capture_output=True, check=False, timeout=seconds + LEFT_TO_STOP_S,
            ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        code = -1
    finally:
        close(app)
    return Run(fault, code, time.perf_counter() - began)


def main() -> None:
    """Runs and tells."""
    parser = argparse.ArgumentParser(description="Schemathesis alone on every fault of the registry.")
    parser.add_argument("--seconds", type=int, default=10, help="time for each run")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once")
    parser.add_argument("--healthy", type=int, default=10, help="runs without a fault, with seeds of their own")
    given = parser.parse_args()
    faults = load().values()
    # The contract describes the default profile; with cookies or without OAuth every answer would be a difference.
    apt = [fault for fault in faults if fault.profile is None]
    with ProcessPoolExecutor(given.jobs) as pool:
        healthy = [pool.submit(run, "", given.seconds, seed) for seed in range(1, given.healthy + 1)]
        broken = [pool.submit(run, fault.name, given.seconds, 1) for fault in apt]
        alarms = [done.code for done in (each.result() for each in healthy) if done.code]
        runs = [each.result() for each in broken]
    caught = {one.fault for one in runs if one.code == 1}
    print(f"healthy servers: {given.healthy} runs, {len(alarms)} with a finding")
    print(f"faults: {len(faults)}, of which {len(apt)} in the default profile; caught: {len(caught)}")
    print(f"no verdict: {sorted((one.fault, one.code) for one in runs if one.code not in {0, 1})}")
    print(f"seconds a run: {statistics.median(one.took_s for one in runs):.1f} in the median")
    of_area, in_area = Counter(fault.area for fault in apt), Counter(f.area for f in apt if f.name in caught)
    for area, count in sorted(of_area.items()):
        print(f"{area:<10} {in_area[area]:>3} of {count}")
    print(*sorted(caught), sep="\n")


if __name__ == "__main__":
    main()
