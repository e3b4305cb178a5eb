"""Origins that nobody has reason to trust, and what an answer grants them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.target.http import Request, Response

STRANGER: Final = "https://evil.example"
NOBODY: Final = "null"
STRANGERS: Final = {"a stranger's origin": STRANGER, "the origin null": NOBODY}


def lookalikes(trusted: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Origins that a careless comparison takes for a trusted one, by what they are."""
    for origin in trusted:
        try:
            parts = urlsplit(origin)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            continue
        if not parts.hostname:
            continue
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        yield "an origin that begins with a trusted one", f"{parts.scheme}://{host}.evil.example{port}"
        yield "an origin that begins with a trusted one and its port", f"{origin}.evil.example"
        yield "an origin that ends with a trusted host", f"{parts.scheme}://evil{host}{port}"
        if parts.scheme == "https":
            yield "a trusted origin over http", f"http://{host}{port}"


def asked_by(request: Request, origin: str) -> Request:
    """The request as a page of that origin has it sent."""
    return replace(request, headers=(*request.headers, ("Origin", origin)))


def preflight(request: Request, origin: str) -> Request:
    """What a browser asks before it sends the request for a page of that origin."""
    headers = (
        ("Origin", origin),
        ("Access-Control-Request-Method", request.method),
        ("Access-Control-Request-Headers", "authorization, content-type"),
    )
    return replace(request, method="OPTIONS", headers=headers, body=b"")


def granted(answer: Response) -> tuple[str, bool]:
    """Whom the answer allows to read it, an empty string being nobody, and whether with credentials."""
    origin = (answer.header("Access-Control-Allow-Origin") or "").strip()
    # The value is compared with regard to case (Fetch §3.2.3).
    return origin, (answer.header("Access-Control-Allow-Credentials") or "").strip() == "true"
