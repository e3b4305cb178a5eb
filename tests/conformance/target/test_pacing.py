"""How fast the suite asks: no faster than the user allows, and more slowly once the target has said "too many"."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from conformance.target.http import HttpClient, Request
from conformance.target.pacing import LimitedError
from reference_server.serve import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Limiter:
    """Answers so many requests within so many seconds, one path's or everybody's, and the others with 429."""

    def __init__(self, most: int, within_s: float, *, path: str = "", retry_after: bool = True) -> None:
        """Counts requests to this path, or to every one."""
        self.most, self.within_s, self.path, self.retry_after = most, within_s, path, retry_after
        self.served: deque[float] = deque()
        self.refused = 0
        self.arrivals: list[float] = []
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """A WSGI application."""
        with self._lock:
            now = time.monotonic()
            self.arrivals.append(now)
            while self.served and self.served[0] <= now - self.within_s:
                self.served.popleft()
            limited = self.path in {"", environ["PATH_INFO"]}
            refused = limited and len(self.served) >= self.most
            self.refused += refused
            if limited and not refused:
                self.served.append(now)
            wait = [("Retry-After", str(int(self.served[0] + self.within_s - now) + 1))] if refused else []
        headers = [("Content-Type", "text/plain"), *(wait if self.retry_after else [])]
        start_response("429 Too Many Requests" if refused else "200 OK", headers)
        return [b"x"]


class Slow(Limiter):
    """Has no limit, takes a while for each request, and counts how many it sees at once."""

    def __init__(self) -> None:
        """Has seen none."""
        super().__init__(10**9, 1)
        self.most = self._now = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """A WSGI application."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.05)
        with self._lock:
            self._now -= 1
        return super().__call__(environ, start_response)


@contextmanager
def served(limiter: Limiter, *, rate: float = math.inf) -> Iterator[HttpClient]:
    """A client of a server with this limit, which may send so many requests a second."""
    with ServerThread(limiter) as server:
        client = HttpClient(server.base_url)
        client.send(Request("GET", "/first"))
        client.pacing.allow(rate)
        client.traffic.requests = 0
        limiter.arrivals.clear()
        yield client
        client.close()


def unlimited() -> Limiter:
    """No limit worth the name."""
    return Limiter(10**9, 1)


def asks(*paths: str) -> list[Request]:
    """A request for each path."""
    return [Request("GET", path) for path in paths]


def statuses(client: HttpClient, *paths: str) -> list[int]:
    """What each is answered, one after another."""
    return [client.send(request).response.status for request in asks(*paths)]


def test_there_are_no_more_requests_a_second_than_allowed() -> None:
    """However a request is sent, it comes a while after the one before."""
    limiter = unlimited()
    with served(limiter, rate=20) as client:
        statuses(client, *["/x"] * 5)
        client.send_once(Request("GET", "/x"))
        client.send_in_a_row(asks("/x", "/x"))

    assert len(limiter.arrivals) == 8
    assert limiter.arrivals[-1] - limiter.arrivals[0] > 6 * 0.05


def test_all_lanes_together_keep_to_the_rate() -> None:
    """Requests that overlap count as any other."""
    limiter = unlimited()
    with served(limiter, rate=20) as client:
        client._quickest_s = 1.0
        exchanges = list(client.send_each(asks(*(f"/{number}" for number in range(9)))))

    assert len(exchanges) == 9
    assert limiter.arrivals[-1] - limiter.arrivals[0] > 7 * 0.05


def test_a_race_saves_up_its_turns_and_then_goes_out_at_once() -> None:
    """A volley of six waits for as long as six requests take, and its requests are not spread."""
    limiter, warm = unlimited(), Request("GET", "/warm")
    with served(limiter) as client:
        client.send_together([warm] * 6, warm)
        client.pacing.allow(10)
        limiter.arrivals.clear()
        statuses(client, "/x")
        client.send_together(asks(*["/race"] * 6), warm)

    alone, *volley = limiter.arrivals
    assert volley[0] - alone > 5 * 0.1
    assert volley[-1] - volley[0] < 3 * 0.1


@pytest.mark.parametrize("retry_after", [True, False])
def test_a_limit_is_met_a_few_times_and_then_kept_to(retry_after: bool) -> None:
    """However many requests there are, all of them are served, and after some refusals there are hardly any more."""
    limiter, paths = Limiter(10, 1.0, retry_after=retry_after), [f"/{number % 3}" for number in range(30)]
    with served(limiter) as client:
        assert statuses(client, *paths) == [200] * 30
        early = limiter.refused
        assert statuses(client, *paths) == [200] * 30

    assert 1 <= early <= 6
    assert limiter.refused - early <= 2
    assert client.pacing.met == limiter.refused


def test_a_limit_on_one_route_slows_no_other() -> None:
    """Where only the login is limited, logins wait, and everything else goes on at full speed."""
    limiter = Limiter(3, 2.0, path="/login")
    with served(limiter) as client:
        assert statuses(client, *["/login", "/x"] * 7) == [200] * 14
        assert 1 <= limiter.refused <= 3
        started = time.monotonic()
        statuses(client, *["/x"] * 30)

    assert time.monotonic() - started < 1.5


def test_requests_that_overlap_are_all_served_in_the_end() -> None:
    """A limit that several requests meet at once is obeyed by all of them, and none is lost."""
    limiter, paths = Limiter(10, 1.0), [f"/{number}" for number in range(30)]
    with served(limiter) as client:
        client._quickest_s = 1.0
        exchanges = list(client.send_each(asks(*paths)))

    assert [exchange.response.status for exchange in exchanges] == [200] * 30
    assert [exchange.request.path for exchange in exchanges] == paths
    assert limiter.refused < 20


def test_a_row_that_is_put_off_is_sent_anew() -> None:
    """Requests that belong on one connection are all sent again after the pause, and none of the answers is a 429."""
    limiter = Limiter(4, 1.0)
    with served(limiter) as client:
        statuses(client, "/before", "/before")
        exchanges, kept = client.send_in_a_row(asks("/row", "/row", "/row"))

    assert [exchange.response.status for exchange in exchanges] == [200] * 3
    assert kept
    assert limiter.refused >= 1


def test_who_wants_to_meet_a_limit_is_not_kept_from_it() -> None:
    """An answer of 429 can be had as it is, at once, though the suite leaves that route alone otherwise."""
    with served(Limiter(2, 60.0)) as client:
        with pytest.raises(LimitedError):
            statuses(client, "/x", "/x")
        with pytest.raises(LimitedError, match="to be left alone"):
            statuses(client, "/x")
        started = time.monotonic()

        assert client.send_once(Request("GET", "/x")).response.status == 429
        assert time.monotonic() - started < 1


def test_with_one_request_at_a_time_nothing_overlaps() -> None:
    """A client that may have one request under way sends probes one by one, however far away the target is."""
    limiter = unlimited()
    with served(limiter) as client:
        client.concurrency, client._quickest_s = 1, 1.0
        threads = threading.active_count()
        for exchange in client.send_each(asks("/1", "/2", "/3")):
            assert exchange.response.status == 200
            assert threading.active_count() == threads


def test_a_race_keeps_to_the_number_of_requests_at_a_time() -> None:
    """A volley of six where two may be under way has two of them under way, and all are sent."""
    limiter, warm = Slow(), Request("GET", "/warm")
    with served(limiter) as client:
        client.concurrency = 2
        volley = client.send_together(asks(*(f"/{number}" for number in range(6))), warm)

    assert len(volley.answered) == 6
    assert volley.overlapped
    assert limiter.most == 2
