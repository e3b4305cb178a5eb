"""Where a redirect leads, as far as the suite goes after it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from conformance.target.http import Request

if TYPE_CHECKING:
    from conformance.target.http import Exchange


def redirected(base_url: str, exchange: Exchange) -> Request | None:
    """The request, without any credential, that goes where the answer points to.

    None where it is no redirect, or leads out of `base_url`: to another host the suite sends nothing.
    """
    answer, asked = exchange.response, exchange.request
    place = answer.header("Location")
    if not place or not HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return None
    try:
        there, here = urlsplit(urljoin(base_url + asked.path, place)), urlsplit(base_url)
    except ValueError:
        return None
    inside = there.path == here.path or there.path.startswith(f"{here.path}/")
    if (there.scheme, there.netloc) != (here.scheme, here.netloc) or not inside:
        return None
    path = there.path[len(here.path) :] or "/"
    return Request(asked.method, f"{path}?{there.query}" if there.query else path)
