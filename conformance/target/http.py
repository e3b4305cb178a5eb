"""One HTTP exchange at a time with the target: kept-alive, bounded in time and size, never redirected."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.cookies import RequestsCookieJar
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError as Urllib3Error

from conformance import __version__
from conformance.errors import ConfigurationError, TargetError
from conformance.target.causes import explain
from conformance.target.connections import PunctualAdapter

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 15.0
MAX_BODY_BYTES: Final = 1 << 20
LOST_AFTER: Final = 3
"""So many failed exchanges in a row, and the target counts as lost: nothing more is sent to it."""

Headers = tuple[tuple[str, str], ...]


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
            return json.loads(self.body)
        except (ValueError, RecursionError):
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

    def __init__(self, base_url: str, *, max_wait_s: float = 30.0) -> None:
        """Prepares connections to `base_url`; nothing is sent yet. `max_wait_s` bounds an obeyed Retry-After."""
        self.base_url = check_base_url(base_url)
        self.max_wait_s = max_wait_s
        self.traffic = Traffic()
        self._session = self._new_session()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        # Otherwise an Authorization header from ~/.netrc would turn an anonymous probe into a login.
        session.trust_env = False
        session.proxies.update(get_environ_proxies(self.base_url))
        session.verify = (
            os.environ.get("REQUESTS_CA_BUNDLE")
            or os.environ.get("CURL_CA_BUNDLE")
            or os.environ.get("SSL_CERT_FILE")
            or True
        )
        session.cookies = _NoCookies()
        session.headers.clear()
        session.headers.update(
            {
                "User-Agent": f"jwt-conformance/{__version__}",
                "Accept": "application/json, */*;q=0.5",
                # A compressed answer could be a bomb, and no answer here is long.
                "Accept-Encoding": "identity",
            }
        )
        adapter = PunctualAdapter(ANSWER_TIMEOUT_S)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def close(self) -> None:
        """Closes every kept connection."""
        self._session.close()

    def send(self, request: Request, *, new_connection: bool = False) -> Exchange:
        """Sends one request and reads its answer within the limits.

        An answer of 429 is obeyed once where its Retry-After is at most `max_wait_s` seconds.

        Raises:
            TargetError: no answer, too late, or still rate-limited.
            ConfigurationError: the certificate is not trusted.
        """
        exchange = self._send(request, new_connection=new_connection)
        if exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            pause = retry_after_s(exchange.response)
            if pause is None or pause > self.max_wait_s:
                wanted = "without saying for how long" if pause is None else f"for {pause:.0f} s"
                raise TargetError(
                    f"the target limits the rate of requests ({request.method} {request.path} answered 429 {wanted})",
                    "wait, raise the limit for this run, or give a larger --max-wait",
                )
            self.pause(pause)
            exchange = self._send(request, new_connection=new_connection)
            if exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise TargetError(
                    f"the target still limits the rate of requests after its own Retry-After of {pause:.0f} s"
                )
        return exchange

    def pause(self, seconds: float) -> None:
        """Sleeps, and counts the time as waited."""
        if seconds > 0:
            self.traffic.waited_s += seconds
            time.sleep(seconds)

    def _send(self, request: Request, *, new_connection: bool) -> Exchange:
        if self.traffic.failures_in_a_row >= LOST_AFTER:
            raise TargetError(f"{self.base_url} stopped answering earlier in this run; nothing more was sent")
        session = self._new_session() if new_connection else self._session
        self.traffic.requests += 1
        sent_at, started = time.time(), time.monotonic()
        try:
            with session.send(
                self._prepared(session, request),
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
        finally:
            if new_connection:
                session.close()
        self.traffic.failures_in_a_row = 0
        response = Response(status, headers, body, time.monotonic() - started, truncated)
        return Exchange(request, response, sent_at)

    def _prepared(self, session: requests.Session, request: Request) -> requests.PreparedRequest:
        url = self.base_url + request.path
        prepared = session.prepare_request(
            requests.Request(request.method, url, _encoded(request.headers), data=request.body or None)
        )
        # requests resolves escapes that need not be there; a scenario asks for the spelling that it asks for.
        prepared.url = url
        return prepared


def _encoded(headers: Headers) -> dict[str, str | bytes]:
    """Headers as they are sent: what is not ASCII, a user's name for instance, as UTF-8."""
    return {name: value if value.isascii() else value.encode("utf-8", "surrogatepass") for name, value in headers}


class _NoCookies(RequestsCookieJar):
    """A jar that stays empty: a scenario states each credential that it sends."""

    def set_cookie(self, *_args: Any, **_kwargs: Any) -> None:
        return None


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


def retry_after_s(response: Response) -> float | None:
    """The seconds of a Retry-After header (RFC 9110 §10.2.3), or None where it is absent or unreadable."""
    value = (response.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rare

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
