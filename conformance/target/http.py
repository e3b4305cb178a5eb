"""One HTTP exchange at a time with the target: kept-alive, bounded in time and size, never redirected."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy
from urllib3.exceptions import HTTPError as Urllib3Error

from conformance.errors import ConfigurationError, HungUpError, TargetError
from conformance.target.causes import explain
from conformance.target.connections import PunctualAdapter
from conformance.target.overtaken import TokenWatch
from conformance.target.pacing import Pacing, asks_for_patience, out_of_patience
from conformance.target.preparing import new_session, prepared
from conformance.target.together import fire
from conformance.tokens.reading import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conformance.target.together import Volley

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 15.0
MAX_BODY_BYTES: Final = 1 << 20
FAR_S: Final = 0.01
"""A target whose quickest answer took so long is far away: probes that do not depend on each other then overlap."""
LONGEST_KEPT: Final = 1 << 14
MOST_KEPT: Final = 1 << 24
"""So many bytes of refusals are kept during a run: each may be a page that shows the source, and there are many."""
LANES: Final = 6
"""So many requests are under way at once, at most, to a target that is far away."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, of those that are sent (RFC 9110 §9.2.1)."""
SLOW_S: Final = 5.0
SLOW_IN_ALL_S: Final = 40.0
"""An answer that takes longer is slow; the slow ones of a run take no longer together than that, or than --max-wait."""
LOST_AFTER: Final = 3
"""So many failed exchanges in a row, and the target counts as lost: nothing more is sent to it."""

Headers = tuple[tuple[str, str], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: a path relative to the target's URL, never normalised."""

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""

    def with_body(self, body: bytes) -> Request:
        """The same request with another body."""
        return replace(self, body=body)


@dataclass(frozen=True)
class Response:
    """What came back. Every `Set-Cookie` line stays a line of its own."""

    status: int
    headers: Headers
    body: bytes
    elapsed_s: float
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all_headers(self, name: str) -> list[str]:
        """Every header of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        """The body as UTF-8, ill-formed bytes replaced."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None where it is none."""
        try:
            return parse_json(self.body)
        except ValueError:
            return None

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_client_error(self) -> bool:
        """Whether the status is a 4xx: a refusal that blames the request."""
        return HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies that this answer sets, by name; a cookie that it clears is absent."""
        jar: dict[str, str] = {}
        for line in self.all_headers("Set-Cookie"):
            name, _, value = line.split(";", 1)[0].partition("=")
            if value.strip().strip('"'):
                jar[name.strip()] = value.strip().strip('"')
        return jar


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, with the suite's own time of sending in seconds since the epoch."""

    request: Request
    response: Response
    sent_at: float


@dataclass(slots=True)
class Traffic:
    """What a run sent, counted."""

    requests: int = 0
    logins: int = 0
    waited_s: float = 0.0
    failures_in_a_row: int = field(default=0, repr=False)
    slow_s: float = field(default=0.0, repr=False)


def check_base_url(url: str) -> str:
    """The URL without its trailing slash.

    Raises:
        ConfigurationError: it has no http(s) scheme or no host, or it carries credentials, a query or a fragment.
    """
    if "://" not in url:
        raise ConfigurationError(f"{url!r} is no URL: it has no scheme", f"write http://{url} or https://{url}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL: {error}") from None
    if parts.username or parts.password:
        raise ConfigurationError(
            "the target's URL carries credentials",
            "remove them; the account goes into --username and --password",
        )
    if parts.scheme not in {"http", "https"}:
        raise ConfigurationError(f"{url!r}: only http and https are spoken, not {parts.scheme!r}")
    if not parts.hostname or port == 0:
        raise ConfigurationError(f"{url!r} names no host to connect to")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{url!r} is no base URL: it has a query or a fragment")
    return url.rstrip("/")


class HttpClient:
    """A target's HTTP side. Cookies are not kept, redirects not followed, `.netrc` not read."""

    def __init__(self, base_url: str, *, max_wait_s: float = 30.0, trusted_ca: str = "", headers: Headers = ()) -> None:
        """Prepares connections to `base_url`; nothing is sent yet.

        Args:
            base_url: where the target answers.
            max_wait_s: how long one request may be put off by the target, in seconds.
            trusted_ca: a file of certificates to trust instead of the machine's own.
            headers: what every request says, unless it says otherwise itself.
        """
        self.base_url = check_base_url(base_url)
        self.headers = headers
        self.max_wait_s = max_wait_s
        self.concurrency: int | None = None
        """The most requests at a time; None for `LANES` and, where they race, as many as that takes."""
        self.pacing = Pacing(self._wait_for_turn, max_wait_s)
        self.watch = TokenWatch()
        self.traffic = Traffic()
        self.pauses: Callable[[float], None] = lambda _seconds: None
        """Is told of each pause before it begins, in seconds."""
        self._trusted_ca = trusted_ca
        self._session = self._new_session()
        self._lanes: list[requests.Session] = []
        self.refusals: list[Exchange] = []
        """What was refused in this run, for whoever looks at refusals as such; without requests of great length,
        and no more than fit into `MOST_KEPT`."""
        self._kept = 0
        self._quickest_s = math.inf
        self._counting = threading.Lock()

    def _new_session(self) -> requests.Session:
        return new_session(self.base_url, self._trusted_ca, ANSWER_TIMEOUT_S)

    @property
    def trusted_ca(self) -> str:
        """The file of certificates that are trusted instead of the machine's own, if any."""
        return self._trusted_ca

    @property
    def is_local(self) -> bool:
        """Whether the target is on this machine."""
        return urlsplit(self.base_url).hostname in {"localhost", "127.0.0.1", "::1"}

    @property
    def origin(self) -> str:
        """The target's own origin (RFC 6454 §6.2): scheme, host and port."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def trusted(self) -> str:
        """The file of certificates that are trusted."""
        return self._session.verify if isinstance(self._session.verify, str) else DEFAULT_CA_BUNDLE_PATH

    @property
    def is_proxied(self) -> bool:
        """Whether requests go through a proxy of the environment's."""
        return bool(select_proxy(self.base_url, dict(self._session.proxies)))

    def close(self) -> None:
        """Closes every kept connection."""
        for session in (self._session, *self._lanes):
            session.close()
        self._lanes.clear()

    def send_together(self, together: Sequence[Request], warm_up: Request, after_s: Sequence[float] = ()) -> Volley:
        """Sends requests at once, each on a connection of its own that is open by then.

        An answer of 429 stays what it is. Where fewer may be under way, the others follow as soon as they can.

        Args:
            together: what is sent; as many connections are opened, and kept for the next time.
            warm_up: a harmless request that opens a connection.
            after_s: how many seconds later each is sent; none of them, unless given.

        Raises:
            TargetError: the target did not answer the harmless request.
        """
        at_once = min(len(together), self.concurrency or len(together))
        while len(self._lanes) < at_once:
            session = self._new_session()
            self._lanes.append(session)
            self.take_turn(warm_up)
            self._exchange(session, warm_up)
        self.take_turn(*together)
        return fire(self._exchange, self._lanes[:at_once], together, after_s)

    def send_in_a_row(self, row: Sequence[Request]) -> tuple[list[Exchange], bool]:
        """Sends requests one after another on a connection that has carried nothing else.

        Where one of them is put off, all of them are sent anew after the pause.

        Returns:
            The exchanges, and whether that one connection was kept for all of them.

        Raises:
            TargetError: no answer came, or the target limits the rate of requests.
        """

        def attempt() -> tuple[list[Exchange], bool]:
            session = self._new_session()
            try:
                exchanges = [self._exchange_in_turn(session, request) for request in row]
                adapter = session.get_adapter(self.base_url)
                assert isinstance(adapter, PunctualAdapter)
                return exchanges, adapter.connections_opened == 1
            finally:
                session.close()

        def put_off(result: tuple[list[Exchange], bool]) -> Response:
            answers = [exchange.response for exchange in result[0]]
            return next(filter(asks_for_patience, answers), answers[-1])

        return self.patiently(row[0], attempt, put_off)

    def send(self, request: Request, *, new_connection: bool = False) -> Exchange:
        """Sends one request and reads its answer within the limits.

        An answer that puts it off is obeyed, for `max_wait_s` seconds in all.

        Raises:
            TargetError: no answer, too late, or still rate-limited.
            ConfigurationError: the certificate is not trusted.
        """
        if not new_connection:
            return self._send(self._session, request)
        session = self._new_session()
        try:
            return self._send(session, request)
        finally:
            session.close()

    def send_once(self, request: Request) -> Exchange:
        """Sends one request, as `send` does; but an answer of 429 stays what it is.

        Nor does it wait for what the target would rather have: it may be there to meet the limit.

        Raises:
            TargetError: no answer, or too late.
        """
        self.pacing.take_allowed_turn()
        self.watch.check(request)
        return self._exchange(self._session, request)

    def send_each(self, each: Iterable[Request]) -> Iterator[Exchange]:
        """Sends requests that do not depend on each other, as `send` would, and yields the exchanges in their order.

        To a target that is far away a few are under way at once.

        Raises:
            TargetError: as for `send`, once the exchanges before it have been yielded.
        """
        lanes = self.concurrency or LANES
        if self._quickest_s < FAR_S or lanes == 1:
            yield from map(self.send, each)
            return
        while len(self._lanes) < lanes:
            self._lanes.append(self._new_session())
        free: SimpleQueue[requests.Session] = SimpleQueue()
        for session in self._lanes[:lanes]:
            free.put(session)

        def send(request: Request) -> Exchange:
            session = free.get()
            try:
                return self._send(session, request)
            finally:
                free.put(session)

        with ThreadPoolExecutor(lanes, thread_name_prefix="lane") as pool:
            yield from pool.map(send, each)

    def _send(self, session: requests.Session, request: Request) -> Exchange:
        exchange = self.patiently(
            request, lambda: self._exchange_in_turn(session, request), lambda exchange: exchange.response
        )
        if exchange.response.status >= HTTPStatus.BAD_REQUEST and len(request.body) <= LONGEST_KEPT:
            self._keep(exchange)
        return exchange

    def _keep(self, exchange: Exchange) -> None:
        with self._counting:
            self._kept += len(exchange.response.body) + sum(len(value) for _, value in exchange.response.headers)
            if self._kept <= MOST_KEPT:
                self.refusals.append(exchange)

    def completed(self, request: Request) -> Request:
        """The request with the headers that every request has."""
        stated = {name.lower() for name, _ in request.headers}
        missing = tuple(pair for pair in self.headers if pair[0].lower() not in stated)
        return replace(request, headers=(*request.headers, *missing)) if missing else request

    def patiently(self, request: Request, attempt: Callable[[], T], answer_of: Callable[[T], Response]) -> T:
        """What an attempt brings; made again after a pause for as long as its answer asks for one.

        Args:
            request: what is sent, or begins what is sent.
            attempt: takes its turn by itself.
            answer_of: the answer by which to judge it.

        Raises:
            LimitedError: the target limits the rate of requests for longer than the user allows.
        """
        patience = self.pacing.patience(request)
        while True:
            result = attempt()
            answer = answer_of(result)
            if not asks_for_patience(answer):
                self.pacing.served(request)
                return result
            if not self.pacing.put_off(request, answer, patience):
                if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    return result
                raise out_of_patience(request, answer, patience)

    def take_turn(self, *requests: Request) -> None:
        """Waits until these requests, which go out at once, may be sent.

        Raises:
            LimitedError: the target wants a longer wait than the user allows.
            OvertakenError: a token that one of them carries has ended meanwhile.
        """
        self.pacing.take_turn(*requests)
        for request in requests:
            self.watch.check(request)

    def _wait_for_turn(self, seconds: float) -> None:
        if seconds > 0:
            with self.watch.across():
                self.pause(seconds)

    def _exchange_in_turn(self, session: requests.Session, request: Request) -> Exchange:
        self.take_turn(request)
        return self._exchange(session, request)

    def pause(self, seconds: float) -> None:
        """Sleeps, and counts the time as waited."""
        if seconds > 0:
            with self._counting:
                self.traffic.waited_s += seconds
            self.pauses(seconds)
            time.sleep(seconds)

    def _exchange(self, session: requests.Session, request: Request) -> Exchange:
        adapter = session.get_adapter(self.base_url)
        assert isinstance(adapter, PunctualAdapter)
        opened = adapter.connections_opened
        try:
            return self._attempt(session, request)
        except HungUpError:
            # A kept connection may just have ended; what is safe may then be sent again (RFC 9112 §9.3.1).
            if request.method not in SAFE_METHODS or adapter.connections_opened > opened:
                raise
            return self._attempt(session, request)

    def _attempt(self, session: requests.Session, request: Request) -> Exchange:
        if self.traffic.failures_in_a_row >= LOST_AFTER:
            raise TargetError(f"{self.base_url} stopped answering earlier in this run; nothing more was sent")
        if self.traffic.slow_s > max(SLOW_IN_ALL_S, self.max_wait_s):
            raise TargetError(
                f"{self.base_url} is too slow: answers that took more than {SLOW_S:g} s each took"
                f" {self.traffic.slow_s:.0f} s together; nothing more was sent",
                "give a --max-wait of as many seconds as slow answers may take in all",
            )
        with self._counting:
            self.traffic.requests += 1
        request = self.completed(request)
        sent_at, started = time.time(), time.monotonic()
        try:
            with session.send(
                prepared(session, self.base_url, request),
                allow_redirects=False,
                stream=True,
                timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                verify=session.verify,
                proxies=session.proxies,
            ) as answer:
                body, truncated = _read(answer, deadline=started + ANSWER_TIMEOUT_S)
                headers = tuple((str(key), str(value)) for key, value in answer.raw.headers.items())
                status = answer.status_code
        except (requests.RequestException, Urllib3Error, OSError, ValueError) as error:
            self.traffic.failures_in_a_row += 1
            raise explain(
                error, self.base_url, connect_timeout_s=CONNECT_TIMEOUT_S, answer_timeout_s=ANSWER_TIMEOUT_S
            ) from None
        self.traffic.failures_in_a_row = 0
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.method == "HEAD":
            # Some servers close the connection after a crash without saying so: the next request would meet its end.
            # Some send content after HEAD: the next answer would begin with it.
            session.close()
        elapsed = time.monotonic() - started
        if elapsed > SLOW_S:
            with self._counting:
                self.traffic.slow_s += elapsed
        self._quickest_s = min(self._quickest_s, elapsed)
        response = Response(status, headers, body, elapsed, truncated)
        return Exchange(request, response, sent_at)


def _read(answer: requests.Response, deadline: float) -> tuple[bytes, bool]:
    body = bytearray()
    while len(body) <= MAX_BODY_BYTES:
        # read1 returns what has arrived, so that a body that trickles in meets the deadline.
        chunk = answer.raw.read1(65536, decode_content=True)
        if not chunk:
            return bytes(body), False
        body += chunk
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("the body took too long")
    return bytes(body[:MAX_BODY_BYTES]), True


def is_shared_cacheable(response: Response) -> bool:
    """Whether Cache-Control lets a cache that many share keep this answer (RFC 9111 §5.2.2)."""
    directives = {
        part.partition("=")[0].strip().lower()
        for line in response.all_headers("Cache-Control")
        for part in line.split(",")
    }
    return bool(directives & {"public", "s-maxage"}) and not directives & {"no-store", "private"}
