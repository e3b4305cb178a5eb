"""Reading `Set-Cookie` as a browser does (RFC 6265 §5.2): nothing is an error, and the last of an attribute counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.target.http import Response

HOST_PREFIX: Final = "__host-"
SECURE_PREFIX: Final = "__secure-"
_MAX_AGE: Final = re.compile(r"-?\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One `Set-Cookie` line.

    Attributes:
        name: the cookie's name.
        value: its value, without the quotation marks around it.
        attributes: their values, by name in lower case.
    """

    name: str
    value: str = field(repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_secure(self) -> bool:
        """Whether it is sent over https only."""
        return "secure" in self.attributes

    @property
    def is_http_only(self) -> bool:
        """Whether scripts cannot read it."""
        return "httponly" in self.attributes

    @property
    def same_site(self) -> str:
        """`SameSite` in lower case, or an empty string."""
        return self.attributes.get("samesite", "").lower()

    @property
    def domain(self) -> str:
        """`Domain` without its leading dot; empty where the cookie stays with its host."""
        return self.attributes.get("domain", "").removeprefix(".").lower()

    @property
    def prefix(self) -> str:
        """`__host-` or `__secure-`, where the name begins so in any case of letters, or an empty string."""
        return next((each for each in (HOST_PREFIX, SECURE_PREFIX) if self.name.lower().startswith(each)), "")

    def path(self, request_path: str) -> str:
        """Where it is sent to: its `Path` or, without one, the folder of the request (RFC 6265 §5.1.4)."""
        stated = self.attributes.get("path", "")
        return stated if stated.startswith("/") else request_path.rpartition("/")[0] or "/"

    def breaks_prefix(self) -> str:
        """Why a browser that knows the prefix ignores this line, or an empty string."""
        if self.prefix and not self.is_secure:
            return "without Secure"
        if self.prefix == HOST_PREFIX and self.attributes.get("path") != "/":
            return "with another Path than /"
        return "with a Domain" if self.prefix == HOST_PREFIX and self.domain else ""

    def lifetime_s(self, now: float) -> float | None:
        """How long it is kept from `now`, in seconds; None until the browser closes."""
        max_age = self.attributes.get("max-age", "")
        if _MAX_AGE.fullmatch(max_age):
            return float(max_age)
        try:
            return parsedate_to_datetime(self.attributes["expires"].replace("-", " ")).timestamp() - now
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def clears(self, now: float) -> bool:
        """Whether it removes the cookie of that name, path and domain."""
        lifetime = self.lifetime_s(now)
        return lifetime is not None and lifetime <= 0


def set_cookies(answer: Response) -> list[SetCookie]:
    """Every cookie that an answer sets or clears, in order."""
    return [_read(line) for line in answer.all_headers("Set-Cookie")]


def covers(cookie_path: str, request_path: str) -> bool:
    """Whether a cookie of that path is sent with a request (RFC 6265 §5.1.4)."""
    return request_path == cookie_path or request_path.startswith(cookie_path.rstrip("/") + "/")


def _read(line: str) -> SetCookie:
    pair, *rest = line.split(";")
    name, _, value = pair.partition("=")
    attributes = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in rest)}
    return SetCookie(name.strip(), value.strip().strip('"'), attributes)
