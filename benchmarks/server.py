"""The reference server against the same routes written straight on Flask-JWT-Extended, and stacks of the lab.

    python benchmarks/server.py [--rounds 5] [--seconds 3] [--lab express-jsonwebtoken --lab simplejwt-rotating]

The first two run on the same WSGI server with as many threads, each with an SQLite file of its own and the same cost of
a password; `bare_app.py` is the second. Everything is up all the time, and in each round every route of every server
has its turn. The client keeps its connections open, and needs what Locust brings: the extra `load`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import gevent
import psutil
from geventhttpclient import HTTPClient

from reference_server.settings import DEMO_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parents[1]
ROUTES: Final = ("profile", "refresh", "refresh without rotation", "login")
REFERENCE, BARE, UNROTATED = "reference server", "bare app", "reference server, REFERENCE_ROTATION=off"
OWN: Final = (REFERENCE, BARE, UNROTATED)
OURS: Final = ("CONFORMANCE_", "REFERENCE_", "DATABASE_URL", "REDIS_URL")
BEARER: Final = "header"
"""Where a refresh token travels; otherwise the name of a member of the body."""


@dataclass(frozen=True)
class Dialect:
    """How a server is spoken to.

    Attributes:
        paths: those of its routes; `refresh` rotates.
        access: the member of an answer that holds the access token.
        refresh: likewise.
        sent_in: where the refresh token goes.
    """

    paths: dict[str, str]
    access: str = "access_token"
    refresh: str = "refresh_token"
    sent_in: str = BEARER


# The login of the lab's stacks is left out: each hashes passwords in its own way, and that is nearly all of its cost.
DIALECTS: Final = {
    REFERENCE: Dialect({"sign in": "/login", "login": "/login", "profile": "/profile", "refresh": "/refresh"}),
    BARE: Dialect(
        {
            "sign in": "/login",
            "login": "/login",
            "profile": "/profile",
            "refresh": "/refresh",
            "refresh without rotation": "/refresh-without-rotation",
        }
    ),
    UNROTATED: Dialect({"sign in": "/login", "refresh without rotation": "/refresh"}),
    "express-jsonwebtoken": Dialect(
        {"sign in": "/login", "profile": "/profile", "refresh without rotation": "/refresh"},
        "accessToken",
        "refreshToken",
        sent_in="refreshToken",
    ),
    "fastify-jwt": Dialect({"sign in": "/login", "profile": "/profile"}, "token", ""),
    "simplejwt": Dialect(
        {
            "sign in": "/api/token/",
            "profile": "/api/profile/",
            "refresh without rotation": "/api/token/refresh/",
        },
        "access",
        "refresh",
        sent_in="refresh",
    ),
    "simplejwt-rotating": Dialect(
        {"sign in": "/api/token/", "profile": "/api/profile/", "refresh": "/api/token/refresh/"},
        "access",
        "refresh",
        sent_in="refresh",
    ),
    "flask-jwt-extended": Dialect(
        {"sign in": "/login", "profile": "/who_am_i", "refresh without rotation": "/refresh"}
    ),
}


@dataclass
class Server:
    """A server that is up."""

    name: str
    url: str
    process: psutil.Process
    account: tuple[str, str]

    @property
    def dialect(self) -> Dialect:
        """How it is spoken to."""
        return DIALECTS[self.name]

    def cpu_s(self) -> float:
        """The processor time that it has used so far, with the processes that it has started."""
        return sum(sum(each.cpu_times()[:2]) for each in (self.process, *self.process.children(recursive=True)))


@dataclass
class Figures:
    """What became of one route of one server in one round."""

    requests: int = 0
    failures: int = 0
    per_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    server_ms: float = 0.0
    client_busy: float = 0.0


@dataclass
class User:
    """One who keeps a connection and a pair of tokens."""

    server: Server
    client: HTTPClient
    access: str = ""
    refresh: str = ""
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    def send(self, route: str) -> bool:
        """Does it once, and keeps the tokens that come back."""
        dialect = self.server.dialect
        method, body, headers = "POST", b"", {}
        if route == "profile":
            method, headers = "GET", {"Authorization": f"Bearer {self.access}"}
        elif "refresh" not in route:
            name, password = self.server.account
            body = json.dumps({"username": name, "password": password}).encode()
        elif dialect.sent_in == BEARER:
            headers = {"Authorization": f"Bearer {self.refresh}"}
        else:
            body = json.dumps({dialect.sent_in: self.refresh}).encode()
        if body:
            headers["Content-Type"] = "application/json"
        answer = self.client.request(method, dialect.paths[route], body, headers)
        content = answer.read()
        if answer.status_code != 200:  # noqa: PLR2004 - the only good one
            return False
        if route != "profile":
            told = json.loads(content)
            self.access = told[dialect.access]
            self.refresh = told.get(dialect.refresh, self.refresh)
        return True

    def repeat(self, route: str, until: float) -> None:
        """Does it until then."""
        while (began := time.perf_counter()) < until:
            if self.send(route):
                self.latencies.append(time.perf_counter() - began)
            else:
                self.failures += 1


def measure(server: Server, route: str, users: int, seconds: float) -> Figures:
    """So many users, each with a session of its own, do it for so long."""
    parts = urlsplit(server.url)
    clients = [HTTPClient(str(parts.hostname), parts.port, network_timeout=60) for _ in range(users)]
    people = [User(server, client) for client in clients]
    # All at once: of connections that come one by one a server with several workers may give all to the same.
    entered = [gevent.spawn(person.send, "sign in") for person in people]
    gevent.joinall(entered, raise_error=True)
    if not all(each.value for each in entered):
        sys.exit(f"{server.name} does not let everybody in")
    used, mine = server.cpu_s(), time.process_time()
    began = time.perf_counter()
    gevent.joinall([gevent.spawn(person.repeat, route, began + seconds) for person in people], raise_error=True)
    took = time.perf_counter() - began
    busy, used = (time.process_time() - mine) / took, server.cpu_s() - used
    for client in clients:
        client.close()
    latencies = [each for person in people for each in person.latencies]
    failures = sum(person.failures for person in people)
    if len(latencies) < 2:  # noqa: PLR2004 - of which there are quantiles
        sys.exit(f"{server.name}: hardly any {route} succeeded, {failures} failed")
    cuts = quantiles(latencies, n=100)
    count = len(latencies)
    return Figures(count, failures, count / took, cuts[49] * 1000, cuts[98] * 1000, used / count * 1000, busy)


@contextmanager
def own(name: str, folder: Path) -> Iterator[Server]:
    """The reference server or the bare app, in a process of its own."""
    database = folder / f"{name.replace(' ', '-')}.db"
    env = {each: value for each, value in os.environ.items() if not each.startswith(OURS)}
    env |= {"DATABASE_URL": f"sqlite:///{database}", "REFERENCE_JWT_SECRET_KEY": os.urandom(32).hex()}
    if name == UNROTATED:
        env["REFERENCE_ROTATION"] = "off"
    command = [sys.executable, __file__, "--serve", name]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            yield Server(name, url, psutil.Process(process.pid), DEMO_ACCOUNTS[0])
        finally:
            process.terminate()


@contextmanager
def of_the_lab(name: str) -> Iterator[Server]:
    """A stack of the lab, installed and started as the lab does it."""
    sys.path.insert(0, str(ROOT))
    from lab.running import entries, serving  # noqa: PLC0415 - not needed otherwise

    entry = entries()[name]
    before = set(psutil.Process().children())
    with serving(entry) as url:
        (process,) = set(psutil.Process().children()) - before
        yield Server(name, url, process, next(iter(entry.facts["accounts"].items())))


def serve(name: str) -> None:
    """Serves one of the two until it is told to end."""
    from reference_server.serve import ServerThread  # noqa: PLC0415 - only in this process

    make: Callable[[], Any]
    if name == BARE:
        from bare_app import create_app as make  # noqa: PLC0415 - as above
    else:
        from reference_server import create_app as make  # noqa: PLC0415 - as above
    with ServerThread(make()) as server:
        print(server.base_url, flush=True)
        while True:
            time.sleep(3600)


def spread(values: list[float], digits: int = 0) -> str:
    """A median with the range around it."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def report(rounds: list[dict[tuple[str, str], Figures]]) -> None:
    """Prints the table of the page of results."""
    print("| route | | requests a second | of the bare app's | p50 | p99 | server's processor time | client busy |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for route in ROUTES:
        for name in DIALECTS:
            if (route, name) not in rounds[0]:
                continue
            each = [one[route, name] for one in rounds]
            bare = [one.get((route, BARE)) for one in rounds]
            ratios = [mine.per_s / other.per_s for mine, other in zip(each, bare, strict=True) if other]
            cost = [mine.server_ms / other.server_ms for mine, other in zip(each, bare, strict=True) if other]
            failed = sum(one.failures for one in each)
            print(
                f"| {route} | {name}{f', {failed} failed' if failed else ''} | {spread([one.per_s for one in each])} |"
                f" {spread(ratios, 2)} | {median(one.p50_ms for one in each):.1f} ms |"
                f" {median(one.p99_ms for one in each):.1f} ms |"
                f" {median(one.server_ms for one in each):.2f} ms, {median(cost):.2f} of the bare app's |"
                f" {median(one.client_busy for one in each):.0%} |"
            )


def main() -> None:
    """Reads the command line, measures everything in turn and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each route of each server in each round")
    parser.add_argument("--users", type=int, default=8)
    known = [name for name in DIALECTS if name not in OWN]
    parser.add_argument("--lab", action="append", default=[], choices=known, help="a stack of the lab, as well")
    parser.add_argument("--route", action="append", choices=ROUTES, help="all of them, if not given")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    rounds: list[dict[tuple[str, str], Figures]] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = [stack.enter_context(own(one, folder)) for one in OWN]
        servers += [stack.enter_context(of_the_lab(one)) for one in given.lab]
        for number in range(given.rounds + 1):
            figures = {
                (route, server.name): measure(server, route, given.users, given.seconds if number else 0.5)
                for route in given.route or ROUTES
                for server in servers
                if route in server.dialect.paths
            }
            if number:
                rounds.append(figures)
    print(f"{given.rounds} rounds of {given.seconds:g} s with {given.users} users, after a short one not counted\n")
    report(rounds)


if __name__ == "__main__":
    main()
