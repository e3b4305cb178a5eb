"""How fast the suite asks: at most so many requests a second, and more slowly once the target has said "too many"."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.target.http import Request, Response

REMOTE_RATE: Final = 20.0
"""Requests a second to a target that is not on this machine, unless the user gives a rate."""
FIRST_PAUSE_S: Final = 1.0
"""Where nothing says how long to wait; each further pause for the same request is twice as long."""
MOST_PAUSES: Final = 6
"""So many for one request, at most."""
SHORTEST_S: Final = 1.0
"""Retry-After comes in whole seconds, and so do most limits."""
SLOWER: Final = 1.1
"""Each time the target says "too many", the suite becomes slower by this factor at least."""
NOTICED_S: Final = 5.0
"""Of a pause this long the user is told."""
LONGEST_S: Final = 1e9
"""As good as for ever: a Retry-After may have more digits than there are numbers."""
MUCH_SLOWER: Final = 1.5
REMEMBERED: Final = 256
"""So many requests that were let through, of a route or of all, tell how fast the target takes them."""


class HeldBackError(TargetError):
    """A request was not sent, or not sent again, for the target's good or the verdict's; it says nothing of either."""


class LimitedError(HeldBackError):
    """The target limits the rate of requests, and the user does not want to wait so long."""


def retry_after_s(response: Response) -> float | None:
    """The seconds of a Retry-After header (RFC 9110 §10.2.3), or None where it is absent or unreadable."""
    value = (response.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_S)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def asks_for_patience(answer: Response) -> bool:
    """Whether an answer puts the request off: 429, or a 503 that says for how long."""
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return retry_after_s(answer) is not None
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS


def out_of_patience(request: Request, answer: Response, patience: Patience) -> LimitedError:
    """The words for a limit that was not waited for any longer."""
    asked_s, place = retry_after_s(answer), f"{request.method} {request.path}"
    if patience.pauses:
        times = "a pause" if patience.pauses == 1 else f"{patience.pauses} pauses"
        told = f"the target still limits the rate of requests ({place}) after {times} of {patience.waited_s:.0f} s"
    else:
        wanted = "without saying for how long" if asked_s is None else f"for {asked_s:.0f} s"
        told = f"the target limits the rate of requests ({place} answered {answer.status} {wanted})"
    longer = "a larger --max-wait" if asked_s is None else f"a --max-wait of {math.ceil(asked_s) + 1} or more"
    return LimitedError(told, f"wait, raise the limit for this run, or give {longer} or a lower --rate")


class Pace:
    """Turns, of which none comes sooner than the interval after the one before, over all threads."""

    def __init__(self, interval_s: float = 0.0) -> None:
        """A turn every `interval_s` seconds at most."""
        self.interval_s = interval_s
        self._turn = threading.Lock()
        self._last = self._not_before = self._refused = -math.inf
        self._served: deque[float] = deque(maxlen=REMEMBERED)

    def take(self, sleep: Callable[[float], None], count: int = 1) -> None:
        """Waits for a turn; for requests that go out at once, so many turns are saved up first."""
        with self._turn:
            opens = self._not_before
            sleep(max(self._last + count * self.interval_s, opens) - time.monotonic())
            self._last = time.monotonic()
            # Somebody may have closed it for longer, meanwhile.
            if self._not_before == opens:
                self._not_before = -math.inf

    def served(self) -> None:
        """A request was let through."""
        self._served.append(time.monotonic())

    @property
    def closed_for_s(self) -> float:
        """For how many seconds from now there are no turns, since the target wants it so."""
        return self._not_before - time.monotonic()

    def close_for(self, pause_s: float) -> None:
        """No turn before so many seconds have passed."""
        self._not_before = max(self._not_before, time.monotonic() + pause_s)

    def slow_down(self, pause_s: float, slowest_s: float) -> None:
        """Takes the rate at which the target let requests through up to its refusal, and then a little less.

        How long a limit looks back is not known. Over the right time the rate is the limit's; over any other it is
        less, be it for a time without requests or for the pause that is to come.
        """
        now = time.monotonic()
        if pause_s > SHORTEST_S:
            rates = [count / (now - moment + pause_s) for count, moment in self._counted()]
        elif not self.interval_s:
            # A pause of a second says nothing, as there is none that is shorter.
            rates = [count / max(now - moment, SHORTEST_S) for count, moment in self._counted()]
        else:
            # Others may have used what there was; so not by much, on the strength of a single second.
            since = sum(moment > self._refused for _, moment in self._counted())
            rates = [since / max(now - self._refused, SHORTEST_S), 1 / self.interval_s / MUCH_SLOWER]
        self._refused = now
        learnt_s = 1 / max(rates) if rates else 0.0
        self.interval_s = min(max(learnt_s, self.interval_s) * SLOWER, slowest_s)

    def _counted(self) -> list[tuple[int, float]]:
        """When requests were let through, the newest first, with how many there were from then on."""
        return list(enumerate(reversed(self._served), start=1))


@dataclass(slots=True)
class Patience:
    """How long the suite goes on waiting for one request, in all."""

    left_s: float
    pauses: int = 0
    waited_s: float = 0.0

    def next_pause(self, asked_s: float | None) -> float | None:
        """How long to wait now; None where there is no point in it, or no patience for it.

        The first time, the target's own word is enough. After that it has been shown to be too little.
        """
        growing_s = FIRST_PAUSE_S * 2 ** (self.pauses if asked_s is None else self.pauses - 1)
        pause_s = asked_s if asked_s is not None and not self.pauses else max(asked_s or 0.0, growing_s)
        too_long = (asked_s or 0.0) > self.left_s or (pause_s > 0 and self.left_s <= 0)
        if self.pauses >= MOST_PAUSES or too_long:
            return None
        pause_s = min(pause_s, self.left_s)
        self.pauses, self.left_s, self.waited_s = self.pauses + 1, self.left_s - pause_s, self.waited_s + pause_s
        return pause_s


@dataclass(slots=True)
class Pacing:
    """The pace of one run: what the user allows, and what the target has been seen to allow.

    Many servers limit one route, mostly the login, and some limit everything that comes from one address. The first
    refusal does not tell which. When the next is on the same route, that is asked more slowly from then on; when it is
    on another, everything is.

    Attributes:
        sleep: sleeps for so many seconds, where they are any.
        max_wait_s: the longest wait for one request.
        tell: is told of a pause that somebody would notice.
        met: how many answers have put a request off.
    """

    sleep: Callable[[float], None]
    max_wait_s: float = 30.0
    tell: Callable[[str], None] = field(default=lambda _words: None)
    met: int = 0
    _allowed: Pace = field(default_factory=Pace)
    _everything: Pace = field(default_factory=Pace)
    _routes: dict[str, Pace] = field(default_factory=dict)
    _limited_last: str = ""
    _given_up: set[str] = field(default_factory=set)
    _learning: threading.Lock = field(default_factory=threading.Lock)

    @property
    def per_second(self) -> float:
        """The most requests a second that the user allows."""
        return 1 / self._allowed.interval_s if self._allowed.interval_s else math.inf

    def allow(self, per_second: float) -> None:
        """From now on there are no more requests a second than that."""
        self._allowed.interval_s = 1 / per_second

    def take_turn(self, *requests: Request) -> None:
        """Waits until these requests, which go out at once, may be sent.

        Raises:
            LimitedError: the target wants a longer wait than the user allows.
        """
        routes = [_route(request) for request in requests]
        for route in set(routes):
            closed_for_s = self._pace(route).closed_for_s
            if closed_for_s > self.max_wait_s:
                raise LimitedError(
                    f"the target limits the rate of requests ({route} is to be left alone for another"
                    f" {closed_for_s:.0f} s)",
                    f"wait, raise the limit for this run, or give a --max-wait of {math.ceil(closed_for_s) + 1} or"
                    " more",
                )
        self.take_allowed_turn(len(requests))
        self._everything.take(self.sleep, len(requests))
        for route in set(routes):
            self._pace(route).take(self.sleep, routes.count(route))

    def take_allowed_turn(self, count: int = 1) -> None:
        """Waits for a turn by the user's rate alone: for whoever wants to meet the target's limit."""
        self._allowed.take(self.sleep, count)

    def patience(self, request: Request) -> Patience:
        """The patience for one request; none where the last one to this route was waited for in vain."""
        return Patience(0.0 if _route(request) in self._given_up else self.max_wait_s)

    def served(self, request: Request) -> None:
        """A request was let through."""
        route = _route(request)
        with self._learning:
            self._everything.served()
            self._pace(route).served()
            self._given_up.discard(route)

    def put_off(self, request: Request, answer: Response, patience: Patience) -> bool:
        """Learns from an answer that asks for patience, and closes the route for a while; or gives up.

        Returns:
            Whether the request is to be sent again, at its next turn.
        """
        route, asked_s = _route(request), retry_after_s(answer)
        with self._learning:
            self.met += 1
            pause_s, own = patience.next_pause(asked_s), self._pace(route)
            if pause_s is None:
                self._given_up.add(route)
                # A 503 may be what this one request gets, and no other.
                if asked_s is not None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                    own.close_for(asked_s)
                return False
            # Where several requests were under way, the first to be refused has told all there is to know.
            if own.closed_for_s <= 0:
                if self._limited_last:
                    self._blamed(route, own).slow_down(pause_s, self.max_wait_s)
                self._limited_last = route
            own.close_for(pause_s)
        if pause_s >= NOTICED_S:
            self.tell(f"waiting for {pause_s:.0f} s: {route} answered {answer.status}")
        return True

    def _blamed(self, route: str, own: Pace) -> Pace:
        if self._limited_last == route:
            return own
        if not self._everything.interval_s:
            # What was held against single routes was not theirs.
            for pace in self._routes.values():
                pace.interval_s = 0.0
        return self._everything

    def _pace(self, route: str) -> Pace:
        return self._routes.setdefault(route, Pace())


def _route(request: Request) -> str:
    return f"{request.method} {request.path.partition('?')[0]}"
