"""How much the suite costs beyond its requests: a run of a tier against a bare replay of what it sent.

    python benchmarks/replay.py [--rounds 5] [--tier core]

One run is recorded. Then, in turn and each time against a reference server that has just been started in a process of
its own, the suite runs and the recorded requests are sent again by a bare `requests.Session`. The replay puts the
tokens that it is given itself in the place of those of the recording, so that the server does the same work.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

JWT: Final = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+")
OURS: Final = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")

# Loaded by the recorded run only; a run that is timed is nobody's but the suite's.
RECORDER: Final = """
import base64, json, os
from conformance.target.http import HttpClient

SENT, exchanged = [], HttpClient._exchange

def recording(self, session, request):
    new_connection = session is not self._session and session not in self._lanes
    entry = [request.method, request.path, request.headers, base64.b64encode(request.body).decode(), new_connection]
    exchange = exchanged(self, session, request)
    SENT.append([*entry, exchange.response.status, exchange.response.text])
    return exchange

HttpClient._exchange = recording

def pytest_unconfigure(config):
    with open(os.environ["RECORDING"], "w", encoding="utf-8") as file:
        json.dump(SENT, file)
"""


@dataclass(frozen=True)
class Timing:
    """One round: seconds inside, without waiting, of the whole process, and of processor time that it used."""

    inside_s: float
    process_s: float
    cpu_s: float
    requests: int
    as_recorded: int = 0


class Bench:
    """What all rounds share: accounts, a signing key and a folder."""

    def __init__(self, folder: Path, tier: str) -> None:
        """Makes up accounts and a key."""
        self.folder, self.tier = folder, tier
        self.recording = folder / "recording.json"
        (folder / "bench_recorder.py").write_text(RECORDER, encoding="utf-8")
        self.passwords = [secrets.token_urlsafe(16) for _ in range(2)]
        self.key = secrets.token_hex(32)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.server_env = kept | {
            "REFERENCE_ACCOUNTS": f"alice:{self.passwords[0]}\nbob:{self.passwords[1]}",
            "REFERENCE_JWT_SECRET_KEY": self.key,
        }
        self.suite_env = kept | {
            "CONFORMANCE_USERNAME": "alice",
            "CONFORMANCE_PASSWORD": self.passwords[0],
            "CONFORMANCE_SECOND_USERNAME": "bob",
            "CONFORMANCE_SECOND_PASSWORD": self.passwords[1],
            "CONFORMANCE_SIGNING_KEY": self.key,
            "RECORDING": str(self.recording),
            "PYTHONPATH": str(folder),
        }

    @contextmanager
    def server(self) -> Iterator[str]:
        """The URL of a reference server that has just been started."""
        command = [sys.executable, "-m", "conformance", "serve", "--port", "0"]
        with subprocess.Popen(command, env=self.server_env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                found = re.search(r"http://\S+", process.stdout.readline())
                assert found, "the server did not start"
                yield found[0]
            finally:
                process.terminate()

    def suite(self, *, record: bool = False) -> Timing:
        """A run of the tier."""
        report = self.folder / "report.json"
        command = [
            sys.executable,
            "-m",
            "conformance",
            "run",
            "-q",
            f"--tier={self.tier}",
            f"--report-json={report}",
        ]
        with self.server() as url:
            started, used = time.monotonic(), cpu_of_children()
            plugin = ["--", "-p", "bench_recorder"] if record else []
            ended = subprocess.run(
                [*command, url, *plugin],
                cwd=self.folder,
                env=self.suite_env,
                capture_output=True,
                text=True,
                check=False,
            )
            process_s, cpu_s = time.monotonic() - started, cpu_of_children() - used
        if ended.returncode:
            sys.exit(f"the suite did not find the reference server conformant:\n{ended.stdout}{ended.stderr}")
        run = json.loads(report.read_text(encoding="utf-8"))["run"]
        return Timing(run["duration_s"] - run["waited_s"], process_s - run["waited_s"], cpu_s, run["requests"])

    def replay(self) -> Timing:
        """The same requests, sent by a process that does nothing else."""
        with self.server() as url:
            started, used = time.monotonic(), cpu_of_children()
            command = [sys.executable, __file__, "--replay", str(self.recording), url]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            process_s, cpu_s = time.monotonic() - started, cpu_of_children() - used
        inside_s, sent, same = json.loads(output)
        return Timing(inside_s, process_s, cpu_s, sent, same)


def send_again(recording: str, url: str) -> None:
    """Sends what was recorded, and prints the seconds, the number of requests and of statuses as recorded."""
    entries = [
        (method, path, dict(headers), base64.b64decode(body), new, status, JWT.findall(text))
        for method, path, headers, body, new, status, text in json.loads(Path(recording).read_text(encoding="utf-8"))
    ]
    ours: dict[str, str] = {}
    same = 0

    def current(text: str) -> str:
        return JWT.sub(lambda found: ours.get(found[0], found[0]), text)

    shared = requests.Session()
    started = time.monotonic()
    for method, path, headers, body, new, status, issued in entries:
        session = requests.Session() if new else shared
        try:
            answer = session.request(
                method,
                url + path,
                headers={name: current(value).encode("utf-8", "surrogatepass") for name, value in headers.items()},
                data=current(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") or None,
                allow_redirects=False,
                timeout=30,
            )
        except (requests.RequestException, ValueError):
            # Nothing that a client of this library would send: the suite has its own ways.
            continue
        ours.update(zip(issued, JWT.findall(answer.text), strict=False))
        same += answer.status_code == status
        if new:
            session.close()
    print(json.dumps([time.monotonic() - started, len(entries), same]))


def cpu_of_children() -> float:
    """Seconds of processor time that finished child processes have used; a server that still runs is not among them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def spread(values: list[float]) -> str:
    """A median with the range around it."""
    return f"{median(values):6.2f} s   ({min(values):.2f} to {max(values):.2f})"


def measure(rounds: int, tier: str) -> None:
    """Records once, then measures both in turn, and prints what a person can read."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), tier)
        bench.suite(record=True)
        suites, replays = [], []
        for _ in range(rounds):
            suites.append(bench.suite())
            replays.append(bench.replay())
    last = replays[-1]
    print(f"{rounds} rounds; {suites[-1].requests} requests a run, {last.requests} in the replay,")
    print(f"of which {last.as_recorded} were answered with the recorded status\n")
    for title, values in (
        ("run, without waiting", [timing.inside_s for timing in suites]),
        ("replay", [timing.inside_s for timing in replays]),
        ("run, whole process", [timing.process_s for timing in suites]),
        ("replay, whole process", [timing.process_s for timing in replays]),
        ("run, processor time", [timing.cpu_s for timing in suites]),
        ("replay, processor time", [timing.cpu_s for timing in replays]),
    ):
        print(f"{title:<24}{spread(values)}")
    pairs = list(zip(suites, replays, strict=True))
    for title, ratios in (
        ("run / replay", [run.inside_s / replay.inside_s for run, replay in pairs]),
        ("the same, processes", [run.process_s / replay.process_s for run, replay in pairs]),
    ):
        print(f"{title:<24}{median(ratios):6.2f}     ({min(ratios):.2f} to {max(ratios):.2f})")
    # Whatever else the machine does makes times longer and never shorter.
    least = min(run.inside_s for run in suites) / min(replay.inside_s for replay in replays)
    print(f"{'the shortest of each':<24}{least:6.2f}")


def main() -> Any:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tier", default="core")
    parser.add_argument("--replay", nargs=2, metavar=("RECORDING", "URL"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.replay:
        send_again(*chosen.replay)
    else:
        measure(chosen.rounds, chosen.tier)


if __name__ == "__main__":
    main()
