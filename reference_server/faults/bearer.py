"""Faults in reading the Authorization header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reference_server.credentials import RequestReader
from reference_server.faults import fault

if TYPE_CHECKING:
    from flask import Request

_TOKEN = r"[A-Za-z0-9._-]+"  # noqa: S105 - a pattern


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
        if _authorization(request).lower() == "bearer":
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


class LooseReader(RequestReader):
    """Finds a token in forms of the header that hold none."""

    form = re.compile("")

    def bearer_token(self, request: Request) -> str | None:
        """Try the loose form first."""
        found = self.form.fullmatch(_authorization(request))
        return found.group(1) if found else super().bearer_token(request)


@fault(
    "token-in-quotes-accepted",
    "BEARER-06",
    seen="common in middleware that trims quotes and angle brackets off whatever a client pasted",
)
class QuotedToken(LooseReader):
    """Accepts a token in quotes or angle brackets."""

    form = re.compile(rf"""bearer +["<]({_TOKEN})[">]""", re.IGNORECASE)


@fault(
    "second-token-ignored",
    "BEARER-06",
    seen="common in middleware that takes the second word of the header and never counts them",
)
class FirstOfTwo(LooseReader):
    """Accepts two tokens in one header, and uses the first."""

    form = re.compile(rf"bearer +({_TOKEN}) +{_TOKEN}", re.IGNORECASE)


@fault(
    "space-after-bearer-not-needed",
    "BEARER-06",
    seen="common in middleware that cuts the first six or seven characters off, whatever they are",
)
class CutScheme(LooseReader):
    """Accepts a token that follows the scheme at once, or after a colon or an equals sign."""

    form = re.compile(rf"bearer[:=]?({_TOKEN})", re.IGNORECASE)
