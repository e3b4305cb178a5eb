"""How long a fleet takes beside its runs one by one, and how much memory the process needs that conducts it.

    python benchmarks/fleet.py [--targets 200] [--workers 2] [--singles 40] [--parts 1]

The targets are simulated: paths on two servers, each a process, behind which are the reference server and some of its
faults in turn. Single runs are timed before the fleet and after it, each on another of the targets. On a machine that
others use as well, more parts mean a fairer ratio: single runs are timed between them. Memory wants one part.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final

import psutil

from reference_server import Settings, create_app
from reference_server.faults import load as load_faults
from reference_server.serve import ServerThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

OURS: Final = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")
FAULTS: Final = ("", "refresh-token-opens-everything", "", "dashboard-open-to-anyone", "", "access-token-refreshes")
ACCOUNTS: Final = {"alice": "a-walrus-and-9-oysters", "bob": "the-carpenter-wept-42"}
SERVERS: Final = 2
EVERY_S: Final = 0.25
COMMAND: Final = (sys.executable, "-m", "conformance")


def cpu_of_children() -> float:
    """Seconds of processor time that the processes have used which this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def serve() -> None:
    """Serves every simulated target below a path of its own, until standard input ends."""
    lines = "\n".join(f"{name}:{password}" for name, password in ACCOUNTS.items())
    given = {"ACCOUNTS": lines, "ACCOUNT_ATTEMPTS": "1000000", "ADDRESS_ATTEMPTS": "1000000"}
    settings = Settings.from_env({f"REFERENCE_{name}": value for name, value in given.items()})
    faults = load_faults()
    apps = [create_app(*faults[name].apply(settings)) if name else create_app(settings) for name in FAULTS]

    def target(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, number, rest = environ["PATH_INFO"].split("/", 2)
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = f"/{number}", f"/{rest}"
        return apps[int(number) % len(apps)].wsgi_app(environ, start_response)

    with ServerThread(target) as server:  # type: ignore[arg-type] # any WSGI application does
        print(server.base_url, flush=True)
        sys.stdin.read()


@contextmanager
def server(env: dict[str, str]) -> Iterator[str]:
    """A process of simulated targets: its URL."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Bench:
    """What the runs share."""

    def __init__(self, folder: Path, urls: list[str], options: argparse.Namespace) -> None:
        """Makes up the targets."""
        self.folder, self.workers = folder, options.workers
        self.urls = [f"{urls[number % len(urls)]}/{number}" for number in range(options.targets)]
        self.chosen = ["-k", options.keyword] if options.keyword else []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.env = kept | {"THEIR_PASSWORD": ACCOUNTS["alice"], "THEIR_SECOND": ACCOUNTS["bob"]}

    def write(self, number: int) -> None:
        """Writes the file of so many targets; a fleet goes on from the one before."""
        text = '[defaults]\nusername = "alice"\npassword = "${THEIR_PASSWORD}"\n'
        text += 'second-username = "bob"\nsecond-password = "${THEIR_SECOND}"\n'
        for index, url in enumerate(self.urls[:number]):
            text += f'[[target]]\nname = "target-{index:03}"\nbase-url = "{url}"\n'
        (self.folder / "targets.toml").write_text(text, encoding="utf-8")

    def single(self, number: int) -> tuple[float, float]:
        """Seconds that `jwt-conformance run` takes, from its start to its end, and those of processor time."""
        accounts = {
            f"CONFORMANCE_{prefix}{key}": value
            for prefix, account in zip(("", "SECOND_"), ACCOUNTS.items(), strict=True)
            for key, value in zip(("USERNAME", "PASSWORD"), account, strict=True)
        }
        report = self.folder / "single.json"
        command = [*COMMAND, "run", self.urls[number], "--quiet", f"--report-json={report}", *self.chosen]
        began, used = time.monotonic(), cpu_of_children()
        ended = subprocess.run(
            command, cwd=self.folder, env=self.env | accounts, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        if ended.returncode not in {0, 1}:
            sys.exit(f"a single run ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        return seconds, cpu_of_children() - used

    def fleet(self) -> tuple[float, float, list[tuple[int, float]], float]:
        """Seconds; of processor time; MiB by how many targets were finished; and the most, with the comparison."""
        command = [*COMMAND, "fleet", "targets.toml", "--workers", str(self.workers), *self.chosen]
        command += ["--report-html", "all.html", "--report-json", "all.json"]
        began = time.monotonic()
        with subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            memory: list[tuple[int, float]] = []
            done = [0]

            def measure() -> None:
                conductor = psutil.Process(process.pid)
                while process.poll() is None:
                    try:
                        memory.append((done[0], conductor.memory_info().rss / (1 << 20)))
                    except psutil.Error:
                        return
                    time.sleep(EVERY_S)

            watch = threading.Thread(target=measure)
            watch.start()
            for line in process.stdout:
                if found := re.match(r"\[ *(\d+)/", line):
                    done[0] = int(found[1])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            watch.join()
        seconds = time.monotonic() - began
        outcomes = {each["outcome"] for each in json.loads((self.folder / "all.json").read_text())["targets"]}
        if not outcomes <= {"conformant", "broken"}:
            sys.exit(f"the fleet ended with {process.returncode}, and outcomes {outcomes}")
        # Linux counts KiB here, and macOS bytes.
        used = usage.ru_utime + usage.ru_stime
        return seconds, used, memory, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--singles", type=int, default=40, help="so many, spread over the time of the fleet")
    parser.add_argument("--parts", type=int, default=1, help="fleets, each going on from the one before")
    parser.add_argument("--keyword", default="", help="only scenarios whose name matches")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        urls = [stack.enter_context(server(dict(os.environ))) for _ in range(SERVERS)]
        bench = Bench(Path(folder), urls, options)
        times = options.parts + 1
        numbers = [round(index * options.targets / options.singles) for index in range(options.singles)]
        bench.single(0)
        singles = [[bench.single(number) for number in numbers[::times]]]
        seconds = used = most = 0.0
        memory: list[tuple[int, float]] = []
        for part in range(1, times):
            bench.write(round(options.targets * part / options.parts))
            figures = bench.fleet()
            seconds, used, most = seconds + figures[0], used + figures[1], max(most, figures[3])
            memory += figures[2]
            singles.append([bench.single(number) for number in numbers[part::times]])
    share, cost = (mean(figures) * options.targets for figures in zip(*chain.from_iterable(singles), strict=True))
    share /= options.workers
    print(f"{options.targets} targets, {options.workers} workers, {len(os.sched_getaffinity(0))} processors\n")
    for number, values in enumerate(singles):
        walls = [wall for wall, _ in values]
        when = f"after part {number}" if number else "before"
        print(f"{f'a single run, {when}':<32}{mean(walls):8.2f} s   ({min(walls):.2f} to {max(walls):.2f})")
    print(f"{'their sum divided by the workers':<32}{share:8.1f} s")
    print(f"{'the fleet':<32}{seconds:8.1f} s")
    print(f"{'ratio':<32}{seconds / share:8.2f}")
    print(f"{'the same of processor time':<32}{used / cost:8.2f}   ({used:.0f} s, and {cost:.0f} s one by one)\n")
    for quarter in range(4):
        low, high = options.targets * quarter / 4, options.targets * (quarter + 1) / 4
        found = [size for done, size in memory if low <= done < high]
        if found:
            print(
                f"memory, quarter {quarter + 1} of the targets   {median(found):6.1f} MiB   (at most {max(found):.1f})"
            )
    print(f"{'at most, with the comparison':<32}{most:8.1f} MiB")


if __name__ == "__main__":
    main()
