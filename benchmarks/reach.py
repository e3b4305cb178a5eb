"""Which of the faults a fuzzer notices: the suite's own fuzzing stage, by itself, on a server with each of them.

    python benchmarks/reach.py [--seconds 9] [--jobs 2] [--area refresh]

The bundled server, whose clock can be moved, with one fault at a time; and as many without any as there are profiles.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from reference_server.faults import load  # noqa: E402 - as above
from tests.faults.kill_run import run_suite  # noqa: E402 - as above

PROFILES: Final = ROOT / "tests" / "faults" / "alone"


def noticed(fault: str, profile: str | None, seconds: int) -> set[str]:
    """The requirements of fuzzing that are broken there, or nothing could be said of: then with a question mark."""
    options = ["--target-profile", str(PROFILES / f"{profile or 'default'}.toml"), "--fuzz-time", str(seconds)]
    with tempfile.TemporaryDirectory() as folder:
        settings = {"fault": fault} if fault else {}
        result = run_suite(Path(folder), *options, "--fuzz-seed", "1", "--", "-m", "fuzz", **settings)
    broken = result.having("failed", "warned", "noted")
    found = broken | {f"{one}?" for one in result.having("inconclusive")}
    print(fault or f"healthy, {profile}", sorted(found), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Tries them all and prints what was noticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=9)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--area", action="append", help="all of them, if not given")
    given = parser.parse_args()
    faults = [fault for fault in load().values() if not given.area or fault.area in given.area]
    profiles = sorted({fault.profile or "default" for fault in faults})
    with ThreadPoolExecutor(given.jobs) as pool:
        healthy = {name: pool.submit(noticed, "", name, given.seconds) for name in profiles}
        tried = {fault.name: pool.submit(noticed, fault.name, fault.profile, given.seconds) for fault in faults}
        found = {name: one.result() for name, one in tried.items()}
    print("| area | faults | by requests | by stories | nothing could be said |\n| --- | --- | --- | --- | --- |")
    total: Counter[str] = Counter()
    for area in sorted({fault.area for fault in faults}):
        mine = [found[fault.name] for fault in faults if fault.area == area]
        counts = {
            "faults": len(mine),
            "requests": sum(bool(one & {"FUZZ-01", "FUZZ-02", "FUZZ-03"}) for one in mine),
            "stories": sum("FUZZ-04" in one for one in mine),
            "unsure": sum(any(name.endswith("?") for name in one) for one in mine),
        }
        total.update(counts)
        print(f"| {area} | {' | '.join(map(str, counts.values()))} |")
    print(f"| all | {' | '.join(map(str, total.values()))} |\n")
    for name, one in healthy.items():
        print(f"healthy, {name}: {', '.join(sorted(one.result())) or 'nothing'}")
    for name, names in found.items():
        if names:
            print(f"{name}: {', '.join(sorted(names))}")


if __name__ == "__main__":
    main()
