"""What goes over the wire: sessions that add nothing of their own, and requests as they are stated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import requests
from requests.cookies import RequestsCookieJar
from requests.utils import get_environ_proxies
from urllib3 import HTTPHeaderDict

from conformance import __version__
from conformance.target.connections import PunctualAdapter

if TYPE_CHECKING:
    from conformance.target.http import Headers, Request


def new_session(base_url: str, trusted_ca: str, answer_timeout_s: float) -> requests.Session:
    """A session that keeps no cookie and reads no `.netrc`, with the proxies of the environment."""
    session = _Session()
    # Otherwise an Authorization header from ~/.netrc would turn an anonymous probe into a login.
    session.trust_env = False
    session.proxies.update(get_environ_proxies(base_url))
    session.verify = (
        trusted_ca
        or os.environ.get("REQUESTS_CA_BUNDLE")
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
    adapter = PunctualAdapter(answer_timeout_s)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def prepared(session: requests.Session, base_url: str, request: Request) -> requests.PreparedRequest:
    """The request as it is stated, with what the session adds to every one."""
    url = base_url + request.path
    made = session.prepare_request(
        requests.Request(request.method, url, _encoded(request.headers), data=request.body or None)
    )
    # requests resolves escapes that need not be there, and writes methods in capitals; a scenario asks for the
    # spelling that it asks for.
    made.url, made.method = url, request.method
    if _is_unusual(request.headers):
        made.headers = _line_by_line(made, request.headers)
    return made


def _encoded(headers: Headers) -> dict[str, str | bytes]:
    """Headers as they are sent: what is not ASCII, a user's name for instance, as UTF-8."""
    return {name: _bytes(value.strip()) for name, value in headers}


def _bytes(value: str) -> str | bytes:
    return value if value.isascii() else value.encode("utf-8", "surrogatepass")


def _is_unusual(headers: Headers) -> bool:
    """Whether requests would not send them as stated: one name twice, or white space around a value."""
    names = [name.lower() for name, _ in headers]
    return len(set(names)) < len(names) or any(value != value.strip() for _, value in headers)


def _line_by_line(made: requests.PreparedRequest, headers: Headers) -> Any:
    """What requests has prepared, with each of these headers on a line of its own and as it stands."""
    lines, stated = HTTPHeaderDict(), {name.lower() for name, _ in headers}
    for name, value in made.headers.items():
        if name.lower() not in stated:
            lines.add(name, value)
    for name, value in headers:
        lines.add(name, _bytes(value))  # type: ignore[arg-type] # bytes go through as they are
    return lines


class _Session(requests.Session):
    """Looks at no redirect: requests would read its body, whatever its length, to see where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the base class's signature
        return None


class _NoCookies(RequestsCookieJar):
    """A jar that stays empty: a scenario states each credential that it sends."""

    def set_cookie(self, *_args: Any, **_kwargs: Any) -> None:
        return None
