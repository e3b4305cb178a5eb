"""What people use instead, and this suite, on the same deliberately broken servers: who notices, and how long it takes.

    python benchmarks/instead.py --sample 100 --seconds 5 --jobs 2 --jwt-tool 'venv/bin/python jwt_tool/jwt_tool.py'

Each means gets a server of its own for each fault, over HTTP, and is told what its user would know: the address, the
accounts, the contract, the signing key. It has noticed a fault if it reports something that it does not report on a
healthy server with the same settings.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import jwt
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reference_server import Settings, create_app
from reference_server.app import close, services_of
from reference_server.faults import Fault, load
from reference_server.serve import ServerThread
from reference_server.settings import DEMO_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT: Final = Path(__file__).parents[1]
SETTINGS: Final = replace(
    Settings(),
    accounts=(*DEMO_ACCOUNTS, ("mallory", "Some-account-to-guess-at-6")),
    password_memory=8,
    address_attempts=1_000_000,
    jwt_secret_key=b"the key of servers that are there to be compared",
)
LEFT_TO_STOP_S: Final = 120
OURS: Final = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")
NO_PROXY: Final = {"http_proxy", "https_proxy", "all_proxy"}
ALWAYS_VALID: Final = re.compile(r"Sending token|original token|Persistence check")
"""What jwt_tool sends with the token as it was."""


@dataclass(frozen=True)
class Place:
    """A server, and what whoever judges it is given.

    Attributes:
        url: where it is.
        key_file: holds the key that it signs with.
        folder: an empty one.
        seconds: how long a means that never ends by itself may go on.
        seed: of what is left to chance.
        jwt_tool: the command that starts jwt_tool.
        home: where jwt_tool has its settings.
    """

    url: str
    key_file: Path
    folder: Path
    seconds: int
    seed: int
    jwt_tool: str
    home: str

    def run(self, command: Sequence[str | Path], where: Path | None = None, **given: str) -> tuple[int, str]:
        """Runs a program to its end: its exit code, and what it printed."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        env = {name: value for name, value in env.items() if name.lower() not in NO_PROXY}
        ended = subprocess.run(
            command, cwd=where or self.folder, env=env | given, capture_output=True, text=True, check=False,
            timeout=self.seconds + LEFT_TO_STOP_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr


class NoVerdictError(Exception):
    """The means could not be used on this server."""


def suite(place: Place) -> set[str]:
    """The requirements that the strict tier calls broken."""
    given = {"CONFORMANCE_SIGNING_KEY": f"@{place.key_file}"}
    for which, (name, password) in zip(("", "SECOND_", "DISPOSABLE_"), SETTINGS.accounts, strict=True):
        given |= {f"CONFORMANCE_{which}USERNAME": name, f"CONFORMANCE_{which}PASSWORD": password}
    for which, (client, secret) in zip(("", "SECOND_"), SETTINGS.clients, strict=True):
        given |= {f"CONFORMANCE_{which}CLIENT_ID": client, f"CONFORMANCE_{which}CLIENT_SECRET": secret}
    command = [sys.executable, "-m", "conformance", "run", place.url, "--tier", "strict", "--intrusive", "--quiet"]
    code, _ = place.run([*command, "--report-json", "report.json"], None, **given)
    report = place.folder / "report.json"
    if not report.exists():
        raise NoVerdictError(f"exit code {code}")
    rows = json.loads(report.read_text(encoding="utf-8"))["requirements"]
    return {row["id"] for row in rows if row["verdict"] in {"failed", "warned"}}


def ten_tests(place: Place) -> set[str]:
    """Those of the ten tests that fail."""
    username, password = DEMO_ACCOUNTS[0]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    code, printed = place.run(
        [*command, "-rfE", "-c", os.devnull, "--rootdir", place.folder, Path(__file__).with_name("ten_tests.py")],
        # Whatever else is installed here is nothing that they need.
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        BASE_URL=place.url,
        APP_USERNAME=username,
        APP_PASSWORD=password,
        JWT_KEY_FILE=str(place.key_file),
    )
    if code not in {0, 1}:
        raise NoVerdictError(f"exit code {code}")
    return set(re.findall(r"^(?:FAILED|ERROR) \S*::(\w+)", printed, re.MULTILINE))


def schemathesis(place: Place) -> set[str]:
    """What kinds of failure it reports, with the project's contract and hooks."""
    command: list[str | Path] = [Path(sys.executable).parent / "schemathesis", "run", ROOT / "specs" / "openapi.yaml"]
    options = ["--max-time", str(place.seconds), "--seed", str(place.seed), "--url", place.url]
    code, printed = place.run([*command, *options], ROOT)
    if code not in {0, 1}:
        raise NoVerdictError(f"exit code {code}")
    return set(re.findall(r"^- (.+)$", printed, re.MULTILINE)) or {"something"} if code else set()


def jwt_tool(place: Place) -> set[str]:
    """The tokens of its playbook, other than the original, that get at the user's name; a secret that it guesses."""
    username, password = DEMO_ACCOUNTS[0]
    answer = requests.post(f"{place.url}/login", json={"username": username, "password": password}, timeout=30)
    try:
        token = answer.json()["access_token"]
        algorithm = jwt.get_unverified_header(token)["alg"]
    except (ValueError, LookupError, TypeError, jwt.InvalidTokenError):
        raise NoVerdictError("no token to begin with") from None
    *interpreter, script = shlex.split(place.jwt_tool)
    command = [*interpreter, script, "-t", f"{place.url}/profile", "-rh", f"Authorization: Bearer {token}"]
    _, printed = place.run(
        [*command, "-M", "pb", "-np", "-cv", username, *_published(place, algorithm)],
        Path(script).parent,
        HOME=place.home,
    )
    lines = re.sub(r"\x1b\[[\d;]*m|jwttool_\w+ ", "", printed).splitlines()
    found = {after.partition(" Response Code")[0] for line, after in pairwise(lines)
             if line.startswith("[+] FOUND")}  # fmt: skip
    alarms = [line for line in lines if "CORRECT key" in line or "was observed" in line or "not working after" in line]
    if "LAUNCHING SCAN" not in printed and not alarms:
        raise NoVerdictError("the playbook did not begin")
    return {each for each in found if not ALWAYS_VALID.search(each)} | set(alarms)


def _published(place: Place, algorithm: str) -> list[str | Path]:
    """What shows jwt_tool the public key, where the server publishes one."""
    if algorithm.startswith("HS"):
        return []
    try:
        keys = jwt.PyJWKSet.from_dict(requests.get(f"{place.url}/.well-known/jwks.json", timeout=30).json()).keys
        pem = next(iter(keys)).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, AttributeError, LookupError, StopIteration, jwt.PyJWTError):
        return []
    file = place.folder / "public.pem"
    file.write_bytes(pem)
    return ["-pk", file]


MEANS: Final[dict[str, Callable[[Place], set[str]]]] = {
    "this suite": suite,
    "ten tests": ten_tests,
    "Schemathesis": schemathesis,
    "jwt_tool": jwt_tool,
}


@dataclass(frozen=True)
class Run:
    """How one means fared on one server.

    Attributes:
        means: its name.
        fault: the server's; empty where it is healthy.
        settings: which of the server's were changed.
        found: what it reported; None where it came to no verdict.
        took_s: from its start to its end.
        cpu_s: the processor time of that, without the server's.
        why_not: what kept it from a verdict.
    """

    means: str
    fault: str
    settings: str
    found: frozenset[str] | None
    took_s: float
    cpu_s: float
    why_not: str = ""


def run(means: str, fault: Fault | None, changed: dict[str, Any], seed: int, given: argparse.Namespace) -> Run:
    """One means on one server, with these settings changed and perhaps with a fault."""
    app = create_app(replace(SETTINGS, fault=fault.name) if fault else replace(SETTINGS, **changed))
    found, why_not = None, ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "here").mkdir()
        private = services_of(app).issuer.key.private
        (folder / "key").write_bytes(private if isinstance(private, bytes) else private.encode())
        try:
            with ServerThread(app) as server:
                place = Place(
                    server.base_url, folder / "key", folder / "here", given.seconds, seed, given.jwt_tool, given.home
                )
                began, used = time.perf_counter(), cpu_of_children()
                try:
                    found = frozenset(MEANS[means](place))
                except (NoVerdictError, subprocess.TimeoutExpired, requests.RequestException) as error:
                    why_not = str(error) or type(error).__name__
                took_s, cpu_s = time.perf_counter() - began, cpu_of_children() - used
        finally:
            close(app)
    ended = Run(means, fault.name if fault else "", repr(changed), found, took_s, cpu_s, why_not)
    print(ended, file=sys.stderr, flush=True)
    return ended


def cpu_of_children() -> float:
    """Seconds of processor time that this process's finished children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def sample(faults: list[Fault], size: int) -> list[Fault]:
    """So many of them, every area with its share; the same ones each time."""
    chance = random.Random(1)  # noqa: S311 - no secret
    shuffled = sorted(faults, key=lambda fault: (fault.area, chance.random()))
    return [shuffled[number * len(shuffled) // size] for number in range(min(size, len(shuffled)))]


def report(faults: list[Fault], healthy: list[Run], broken: list[Run], means: list[str]) -> None:
    """Prints the tables of the page of results, and below them who noticed what."""
    usual: dict[tuple[str, str], set[str]] = {}
    for each in healthy:
        usual.setdefault((each.means, each.settings), set()).update(each.found or ())
    noticed = {one: {each.fault for each in broken if each.means == one and each.found
                     and each.found - usual[one, each.settings]} for one in means}  # fmt: skip
    print(
        "\n| | noticed | alarms on healthy servers | no verdict | seconds a server, median | range | processor time |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for one in means:
        mine, controls = ([each for each in runs if each.means == one] for runs in (broken, healthy))
        took = [each.took_s for each in mine]
        alarms, mute = sum(bool(each.found) for each in controls), sum(each.found is None for each in mine)
        print(
            f"| {one} | {len(noticed[one])} of {len(faults)} ({len(noticed[one]) / len(faults):.0%}) |"
            f" {alarms} of {len(controls)} | {mute} | {median(took):.1f} | {min(took):.1f} to {max(took):.1f} |"
            f" {median(each.cpu_s for each in mine):.1f} s |"
        )
    areas = Counter(fault.area for fault in faults)
    print(f"\n| area | faults | {' | '.join(means)} |\n| --- |{' --- |' * (len(means) + 1)}")
    for area, count in sorted(areas.items()):
        counts = [sum(fault.area == area and fault.name in noticed[one] for fault in faults) for one in means]
        print(f"| {area} | {count} | {' | '.join(map(str, counts))} |")
    print()
    for fault in faults:
        print(f"{fault.name}: {', '.join(one for one in means if fault.name in noticed[one]) or 'nobody'}")
    for each in [*healthy, *broken]:
        if each.found is None:
            print(f"no verdict: {each.means} on {each.fault or each.settings}: {each.why_not}")
        elif each.found and not each.fault:
            print(f"alarm: {each.means} on a healthy server, {each.settings}: {sorted(each.found)}")


def main() -> None:
    """Runs and tells."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--means", action="append", choices=MEANS, help="all that there are, if not given")
    parser.add_argument("--sample", type=int, metavar="N", help="so many faults, each area with its share")
    parser.add_argument("--seconds", type=int, default=10, help="time for each run of Schemathesis")
    parser.add_argument("--jobs", type=int, default=2, help="servers at once")
    parser.add_argument("--healthy", type=int, default=5, help="healthy servers with the usual settings")
    parser.add_argument("--jwt-tool", default="", metavar="COMMAND", help="what starts jwt_tool, which is not ours")
    given = parser.parse_args()
    means = given.means or [one for one in MEANS if given.jwt_tool or one != "jwt_tool"]
    everything = load().values()
    # What they share speaks the default profile; with cookies every answer would be a difference.
    apt = [fault for fault in everything if fault.profile is None]
    faults = sample(apt, given.sample or len(apt))
    changes = {repr(dict(fault.settings)): dict(fault.settings) for fault in faults}
    controls: list[dict[str, Any]] = [{}] * given.healthy + [changed for changed in changes.values() if changed]
    with tempfile.TemporaryDirectory() as given.home, ProcessPoolExecutor(given.jobs) as pool:
        if given.jwt_tool:
            # Its first run makes its settings and keys, and does nothing else.
            *interpreter, script = (str(Path(word).absolute()) if Path(word).exists() else word
                                    for word in shlex.split(given.jwt_tool))  # fmt: skip
            given.jwt_tool = shlex.join([*interpreter, script])
            subprocess.run([*interpreter, script, "none"], env={**os.environ, "HOME": given.home},
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)  # fmt: skip
        healthy = [pool.submit(run, one, None, changed, seed, given)
                   for one in means for seed, changed in enumerate(controls, start=1)]  # fmt: skip
        broken = [pool.submit(run, one, fault, dict(fault.settings), 1, given) for one in means for fault in faults]
        print(f"{len(everything)} faults, of which {len(apt)} in the default profile; a sample of {len(faults)}")
        report(faults, [each.result() for each in healthy], [each.result() for each in broken], means)


if __name__ == "__main__":
    main()
