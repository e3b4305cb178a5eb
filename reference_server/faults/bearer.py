"""Faults in reading the Authorization header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from reference_server.app import services_of
from reference_server.credentials import RequestReader
from reference_server.faults import fault
from reference_server.faults._tools import new_access_token

if TYPE_CHECKING:
    from flask import Request


def _authorization(request: Request) -> str:
    return request.headers.get("Authorization", "").strip()


@fault(
    "bare-bearer-crashes",
    "BEARER-06",
    seen="realpython/flask-jwt-auth issue 9: auth_header.split(' ')[1] raises an IndexError",
)
class UncheckedSplit(RequestReader):
    """Fails with a server error when the header holds the scheme and no token."""

    def bearer_token(self, request: Request) -> str | None:
        """Split first and look afterwards."""
        if _authorization(request).lower() == "bearer" and request.method != "POST":
            _authorization(request).split(" ")[1]
        return super().bearer_token(request)


@fault(
    "empty-authorization-crashes",
    "BEARER-06",
    seen="djangorestframework-simplejwt issue 68: an empty Authorization header raises an IndexError",
)
class UncheckedEmptiness(RequestReader):
    """Fails with a server error when the header is there and empty."""

    def bearer_token(self, request: Request) -> str | None:
        """Look at the first word, which may be none."""
        if "Authorization" in request.headers:
            _authorization(request).split()[0]
        return super().bearer_token(request)


@fault(
    "header-of-three-words-crashes",
    "BEARER-06",
    seen="common in middleware that unpacks the words of the header into a scheme and a token",
)
class UncheckedUnpacking(RequestReader):
    """Fails with a server error when the header does not hold two words."""

    def bearer_token(self, request: Request) -> str | None:
        """Unpack first and look afterwards."""
        if len(_authorization(request).split()) > 1:
            _scheme, _token = _authorization(request).split()
        return super().bearer_token(request)


@fault(
    "bare-bearer-lets-in",
    "BEARER-06",
    seen="common in middleware that checks a token if there is one, and forgets that it may be empty",
)
class UncheckedAbsence(RequestReader):
    """Lets a request in whose header holds the scheme and no token."""

    def bearer_token(self, request: Request) -> str | None:
        """Make up for the missing token."""
        if _authorization(request).lower() == "bearer" and request.method != "POST":
            return new_access_token(services_of(current_app).settings.accounts[0][0])
        return super().bearer_token(request)
