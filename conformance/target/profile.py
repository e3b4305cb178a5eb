"""How a target speaks: where its doors are, how tokens come and go, and what its operator declares.

`profile_files` reads this from TOML; the tables are in `profile_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from conformance.target.places import Place, parse
from conformance.target.profile_tables import (
    Access,
    Capabilities,
    Cookies,
    HookTable,
    Lifetimes,
    Login,
    Logout,
    OAuth,
    Protected,
    Refresh,
    Refusals,
    Sessions,
    Tls,
    Words,
    words,
)
from conformance.tokens.reading import Kind

DEFAULT: Final = "default"
"""The profile of a target of which nothing is said."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything the suite knows of a target before it has met it."""

    name: str
    """What the profile is called in reports; the file's name unless it is said."""
    summary: str = ""
    """What it is for, in a line."""
    checked_against: str = ""
    """The software and version that the profile was checked against; empty where it was written from documentation."""
    extends: str = ""
    """The shipped profile, or the file beside this one, whose keys hold where nothing else is said."""
    transport: Literal["bearer", "cookie"] = "bearer"
    """How both tokens travel, unless something else is said of one of them."""
    headers: Words = field(default_factory=words)
    """Headers of every request. `{base_url}` is the target's URL, and `${NAME}` the environment variable NAME."""
    login: Login = field(default_factory=Login)
    access: Access = field(default_factory=Access)
    refresh: Refresh = field(default_factory=Refresh)
    logout: Logout = field(default_factory=Logout)
    protected: tuple[Protected, ...] = ()
    """Routes that want an access token: two at least are better than one."""
    cookies: Cookies = field(default_factory=Cookies)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    capabilities: Capabilities = field(default_factory=Capabilities)
    sessions: Sessions = field(default_factory=Sessions)
    refusals: Refusals = field(default_factory=Refusals)
    oauth: OAuth = field(default_factory=OAuth)
    hooks: HookTable = field(default_factory=HookTable)
    tls: Tls = field(default_factory=Tls)
    bundled: Words = field(default_factory=words)
    """Settings of the bundled server that make it speak this profile."""
    trusted_origins: tuple[str, ...] = ()
    """Origins whose pages may read answers with credentials, such as https://app.example; all others may not."""
    companions: Words = field(default_factory=words)
    """For a capability that the bundled server lacks in this profile, the shipped profile in which it has it."""

    @property
    def has_login(self) -> bool:
        """Whether there is a way to log in."""
        return bool(self.login.path)

    @property
    def has_refresh_token(self) -> bool:
        """Whether there is a refresh token beside the access token."""
        return bool(self.refresh.path) and self.refresh.token == "refresh"  # noqa: S105 - a choice

    def sent_in(self, kind: Kind) -> Place:
        """Where a token of that kind is shown at the door that wants it."""
        stated = (self.access if kind is Kind.ACCESS else self.refresh).sent_in
        if stated:
            return parse(stated, bare="header")
        if self.transport == "cookie":
            return Place("cookie", self._cookie(kind).name, self._cookie(kind).scheme)
        return Place("header", "Authorization", "Bearer")

    def found_in(self, where: Login | Refresh, kind: Kind) -> Place:
        """Where a token of that kind stands in the answer of that door."""
        text = where.access if kind is Kind.ACCESS else where.refresh
        if self.transport == "cookie" and ":" not in text:
            return self._cookie(kind)
        return parse(text)

    def csrf_in(self, kind: Kind) -> Place | None:
        """Where the answer that sets a token tells the proof of intent that goes with it; None where none does."""
        name = self.cookies.access_csrf if kind is Kind.ACCESS else self.cookies.refresh_csrf
        return parse(name, bare="cookie") if name and self.sent_in(kind).where == "cookie" else None

    @property
    def uses_cookies(self) -> bool:
        """Whether a token of either kind is shown in a cookie."""
        kinds = tuple(Kind) if self.has_refresh_token else (Kind.ACCESS,)
        return any(self.sent_in(kind).where == "cookie" for kind in kinds)

    @property
    def is_bearer(self) -> bool:
        """Whether the access token travels as RFC 6750 §2.1 says."""
        place = self.sent_in(Kind.ACCESS)
        return (place.where, place.name.lower(), place.scheme.lower()) == ("header", "authorization", "bearer")

    def declared_format(self, kind: Kind) -> str:
        """What the operator calls a token of that kind: `jwt`, `opaque`, or nothing."""
        return (self.access if kind is Kind.ACCESS else self.refresh).format

    def _cookie(self, kind: Kind) -> Place:
        return parse(f"cookie:{self.cookies.access if kind is Kind.ACCESS else self.cookies.refresh}")
