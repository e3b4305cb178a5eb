"""How long a whole run takes from the command to the verdict, and how much memory it needs at its peak.

    python benchmarks/footprint.py [--rounds 7]

The target is the bundled server, in the same process, so that its time and memory are part of the figures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import Final

OURS: Final = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")
COMMANDS: Final = {
    "run": ("-m", "conformance", "run", "-q", "--tier=core"),
    "one scenario": ("-m", "conformance", "run", "-q", "-k", "refresh_02"),
    "empty Python": ("-c", "pass"),
}


def once(arguments: tuple[str, ...], folder: str) -> tuple[float, float]:
    """Seconds and MiB that one process took."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    # Not Popen.wait: the resources of this very child are wanted.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} exited with {process.returncode}")
    # Linux counts KiB here, and macOS bytes.
    return seconds, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Reads the command line, measures and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        measured = {name: [once(arguments, folder) for _ in range(rounds)] for name, arguments in COMMANDS.items()}
    print(f"against the bundled server, {rounds} rounds\n")
    for name, pairs in measured.items():
        seconds, peaks = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        print(
            f"{name:<14}{median(seconds):6.2f} s   ({min(seconds):.2f} to {max(seconds):.2f})"
            f"   peak {median(peaks):5.0f} MiB   ({min(peaks):.0f} to {max(peaks):.0f})"
        )


if __name__ == "__main__":
    main()
