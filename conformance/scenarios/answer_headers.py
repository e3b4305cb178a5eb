"""What the headers of an answer say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from conformance.tokens.reading import JWT_SHAPE, read_jwt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conformance.target.http import Exchange, Response

URL_HEADERS: Final = ("Location", "Content-Location", "Refresh", "Link", "Set-Cookie")
YEAR_S: Final = 31536000
_MAX_AGE: Final = re.compile(r'(?:^|;)\s*max-age\s*=\s*"?(\d+)"?\s*(?=;|$)', re.IGNORECASE)


def repeated(exchange: Exchange, values: Mapping[str, str]) -> list[str]:
    """The names of those values that body or headers repeat."""
    answer = exchange.response
    said = "\n".join([answer.text, *(value for _, value in answer.headers)])
    return [name for name, value in values.items() if value in said]


def has(answer: Response, name: str, *values: str) -> bool:
    """Whether a header of that name holds one of the values, whatever their case."""
    said = ", ".join(answer.all_headers(name)).lower()
    return any(value in said for value in values)


def unframed(answer: Response) -> bool:
    """Whether browsers are told not to show the answer in a frame."""
    # Older, and understood wherever frame-ancestors is: Django and Spring send it by default.
    by_option = has(answer, "X-Frame-Options", "deny", "sameorigin")
    return by_option or has(answer, "Content-Security-Policy", "frame-ancestors", "default-src 'none'")


def keeps_its_address(answer: Response) -> bool:
    """Whether browsers are told not to pass the answer's address on to wherever it links."""
    return bool(answer.header("Referrer-Policy")) and not has(answer, "Referrer-Policy", "unsafe-url")


def hsts_s(answer: Response) -> int | None:
    """The seconds of Strict-Transport-Security; None where it does not count.

    Of several headers a browser takes the first, and none that has no max-age or two of them (RFC 6797 §6.1, §8.1).
    """
    ages = _MAX_AGE.findall(answer.header("Strict-Transport-Security") or "")
    return int(ages[0]) if len(ages) == 1 else None


def urls(answer: Response) -> Iterator[str]:
    """The values of headers that hold addresses."""
    for name in URL_HEADERS:
        for value in answer.all_headers(name):
            # Of a cookie, where it belongs; its value is where a token may be.
            yield value if name != "Set-Cookie" else value.partition(";")[2]


def has_token(text: str, known: Iterable[str]) -> bool:
    """Whether it holds a token that is known, or anything that is a JWT."""
    return any(token in text for token in known) or any(read_jwt(found) for found in JWT_SHAPE.findall(text))
