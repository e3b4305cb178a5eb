"""What the plugin costs a pytest run: collecting the scenarios, and being installed where they are not wanted.

    python benchmarks/startup.py [--rounds 15]

All variants run with the same plugins installed. "Bare" blocks ours and collects one empty test file; "installed" does
not block it; "scenarios" collects the suite's own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Final

OURS: Final = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")
PYTEST: Final = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-c", os.devnull)


def timed(command: list[str], folder: Path) -> float:
    """How many seconds a command takes."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    started = time.monotonic()
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if ended.returncode:
        sys.exit(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}")
    return seconds


def main() -> None:
    """Reads the command line, measures the variants in turn and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        scenarios = str(files("conformance") / "scenarios")
        base = [*PYTEST, "--rootdir", str(folder)]
        variants = {
            "bare": [*base, "-p", "no:conformance.plugin", "test_nothing.py"],
            "installed": [*base, "test_nothing.py"],
            "scenarios": [*base, scenarios],
        }
        for command in variants.values():
            timed(command, folder)
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(rounds):
            for variant, command in variants.items():
                seconds[variant].append(timed(command, folder))
    print(f"pytest --collect-only, {rounds} rounds, after one that is not counted\n")
    for name, values in seconds.items():
        extra = [mine - bare for mine, bare in zip(values, seconds["bare"], strict=True)]
        print(
            f"{name:<12}{median(values):6.3f} s   ({min(values):.3f} to {max(values):.3f})"
            f"   {median(extra) * 1000:+5.0f} ms beyond bare"
        )


if __name__ == "__main__":
    main()
