"""Several requests under way: to save time where a target is far away, and to race."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from conformance.errors import TargetError
from conformance.target.http import LANES, HttpClient, Request
from reference_server.serve import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

AWAY_S = 0.04


class Api:
    """Answers every path with itself, after a while, and counts how many requests it sees at once."""

    def __init__(self, away_s: float) -> None:
        """Takes so long for each."""
        self.away_s = away_s
        self.most = self.now = 0
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """A WSGI application."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.away_s)
        with self.lock:
            self.now -= 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]


@contextmanager
def served(api: Api) -> Iterator[HttpClient]:
    """A client of that server, which knows how far away it is."""
    with ServerThread(api) as server:
        client = HttpClient(server.base_url)
        client.send(Request("GET", "/first"))
        yield client
        client.close()


def asked(count: int) -> list[Request]:
    return [Request("GET", f"/{number}") for number in range(count)]


def test_probes_of_a_distant_target_overlap() -> None:
    """Where each answer takes a while a few requests are under way at once, and the answers come in their order."""
    api = Api(AWAY_S)
    with served(api) as client:
        exchanges = list(client.send_each(asked(9)))

    assert [exchange.response.text for exchange in exchanges] == [f"/{number}" for number in range(9)]
    assert 1 < api.most <= LANES
    assert client.traffic.requests == 10


def test_probes_of_a_near_target_go_one_by_one() -> None:
    """Where answers come at once nothing is gained by threads."""
    api = Api(0)
    with served(api) as client:
        exchanges = list(client.send_each(asked(9)))

    assert [exchange.response.text for exchange in exchanges] == [f"/{number}" for number in range(9)]
    assert api.most == 1


def test_a_target_that_is_lost_among_probes_is_told() -> None:
    """No answer to one of many is the same error as to a single one, and what came before it is not lost."""
    with ServerThread(Api(AWAY_S)) as server:
        client = HttpClient(server.base_url)
        client.send(Request("GET", "/first"))
    with pytest.raises(TargetError):
        list(client.send_each(asked(9)))
    client.close()


def test_a_volley_is_under_way_at_once() -> None:
    """Requests that are fired together are all there before the first is answered, each on its own connection."""
    api = Api(AWAY_S)
    with served(api) as client:
        volley = client.send_together(asked(6), warm_up=Request("GET", "/warm"))

    assert volley.overlapped
    assert api.most == 6
    assert [exchange.response.text for exchange in volley.answered] == [f"/{number}" for number in range(6)]


def test_a_volley_that_nobody_answers_is_empty() -> None:
    """Requests that get no answer are missing from the volley, which then has not overlapped."""
    with ServerThread(Api(0)) as server:
        client = HttpClient(server.base_url)
        client.send_together(asked(2), warm_up=Request("GET", "/warm"))
    volley = client.send_together(asked(2), warm_up=Request("GET", "/warm"))
    client.close()

    assert volley.exchanges == (None, None)
    assert not volley.overlapped
