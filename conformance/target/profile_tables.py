"""The tables of a profile, a dataclass each.

A docstring here is what `specs/profile.schema.json` says of the key; `python docs/profile_schema.py` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

Encoding = Literal["json", "form", "query", "basic"]
Free = MappingProxyType[str, Any]
"""A table whose keys are the user's."""
Words = MappingProxyType[str, str]
"""Likewise, with texts for values."""
USUAL_LEEWAY_S: Final = 300
"""RFC 7519 §4.1.4 lets a server allow for clock skew, "usually no more than a few minutes"."""
SURE_S: Final = 2.0
"""So long after its end a token is surely over: whole seconds on one side, the way on the other."""


def free() -> Free:
    """A free table with nothing in it."""
    return MappingProxyType({})


def words() -> Words:
    """A table of texts with nothing in it."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Step:
    """A request on the way to a login: a page with a CSRF token before it, the exchange of a code after it.

    Values of `extra` and `headers`, and the path, may name what an earlier answer held, as in `{csrf}`. Cookies of
    earlier answers are sent along.
    """

    path: str
    """The path, below the base URL."""
    method: str = "GET"
    """The HTTP method."""
    encoding: Encoding = "json"
    """How `extra` is sent: in a JSON body, a form, or the query."""
    extra: Free = field(default_factory=free)
    """Members of the body, or parameters of the form or the query."""
    headers: Words = field(default_factory=words)
    """Further headers of this request."""
    capture: Words = field(default_factory=words)
    """Names for what the answer holds, and its place: `csrf = "body:csrfToken"`."""


@dataclass(frozen=True, slots=True)
class Login:
    """The first door: an account's name and password for the tokens."""

    path: str = "/login"
    """Empty where there is no login, and the tokens are given with --access-token and --refresh-token."""
    method: str = "POST"
    """The HTTP method."""
    encoding: Encoding = "json"
    """How the credentials are sent; basic is HTTP Basic, with an empty body unless `extra` says otherwise."""
    username: str = "username"
    """The dotted path of the member that holds the name, or the field's name."""
    password: str = "password"  # noqa: S105 - the member's name
    """Likewise for the password."""
    extra: Free = field(default_factory=free)
    """Further members, of any type; the text `null` of JSON is written as `{null}`."""
    headers: Words = field(default_factory=words)
    """Further headers of a login. `{username}` and `{password}` stand for the credentials, here and in `extra`."""
    client: Literal["none", "basic", "post"] = "none"
    """How the OAuth client of --client-id says who it is (RFC 6749 §2.3.1)."""
    access: str = "access_token"
    """The place of the access token in the answer: a dotted path, `cookie:NAME`, or `header:NAME SCHEME`."""
    refresh: str = "refresh_token"
    """The place of the refresh token, likewise."""
    expires_in: str = "expires_in"
    """The dotted path of what the answer says of the access token's life."""
    refresh_expires_in: str = "refresh_expires_in"
    """The dotted path of what it says of the refresh token's life."""
    expiry: Literal["seconds", "milliseconds", "date", "timestamp", "timestamp_ms"] = "seconds"
    """What that is: how long it lives, or the moment at which it ends."""
    capture: Words = field(default_factory=words)
    """For the steps after it: names for what the answer holds, and its place."""
    before: tuple[Step, ...] = ()
    """Requests that come first, each time."""
    after: tuple[Step, ...] = ()
    """Requests that follow; the last one's answer gives the tokens."""


@dataclass(frozen=True, slots=True)
class Access:
    """The access token: how it is shown at a protected route."""

    sent_in: str = ""
    """A place: `header:NAME SCHEME`, `cookie:NAME`, `body:PATH`, `query:NAME`; as `transport` says where empty."""
    format: Literal["", "jwt", "opaque"] = ""
    """What the token is; found out where nothing is declared."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The third door: a refresh token for a new access token."""

    path: str = "/refresh"
    """Empty where there is no refresh."""
    method: str = "POST"
    """The HTTP method."""
    sent_in: str = ""
    """Where the refresh token is shown, as in `access.sent_in`."""
    encoding: Literal["json", "form"] = "json"
    """How members become a body."""
    extra: Free = field(default_factory=free)
    """Further members of the body, or parameters of the form."""
    headers: Words = field(default_factory=words)
    """Further headers of a refresh."""
    client: Literal["none", "basic", "post"] = "none"
    """How the OAuth client says who it is, as at the login."""
    with_access: bool = False
    """Whether the access token is sent along."""
    token: Literal["refresh", "access"] = "refresh"  # noqa: S105 - a choice
    """What is traded: a refresh token, or the access token, which then renews itself."""
    format: Literal["", "jwt", "opaque"] = ""
    """What the refresh token is; found out where nothing is declared."""
    access: str = "access_token"
    """The place of the access token in the answer, as at the login."""
    refresh: str = "refresh_token"
    """The place of a new refresh token, where the answer has one."""
    expires_in: str = "expires_in"
    """The dotted path of what the answer says of the access token's life."""
    refresh_expires_in: str = "refresh_expires_in"
    """Likewise of the refresh token's."""
    expiry: Literal["seconds", "milliseconds", "date", "timestamp", "timestamp_ms"] = "seconds"
    """What that is: how long it lives, or the moment at which it ends."""
    rotation: Literal["", "each", "none"] = ""
    """What the operator declares: a new refresh token with each refresh, or the same one until it expires."""
    reuse: Literal["", "session", "nothing"] = ""
    """What the operator declares of a used refresh token that is shown again: it ends the session, or nothing."""
    grace: int | None = None
    """For how many seconds a used refresh token is still served; None where nothing is declared, 0 for not at all."""


@dataclass(frozen=True, slots=True)
class Logout:
    """The way out."""

    path: str = ""
    """Empty where there is none."""
    method: str = "POST"
    """The HTTP method."""
    takes: Literal["either", "access", "refresh", "both"] = "either"
    """Which token it wants to see."""
    sent_in: str = ""
    """The refresh token's place, where it differs from the refresh's."""
    encoding: Literal["json", "form"] = "json"
    """How members become a body."""
    extra: Free = field(default_factory=free)
    """Further members of the body, or parameters of the form."""
    headers: Words = field(default_factory=words)
    """Further headers of a logout."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A route that wants an access token."""

    path: str
    """The path, below the base URL."""
    method: str = "GET"
    """The HTTP method."""
    identity: str = ""
    """The dotted path of what names the user, where there is one."""
    identity_is: Literal["username", "any"] = "username"
    """Whether that is the name which logs in, or another value of the user's, the same each time."""
    scope: str = ""
    """What the token's scopes have to include, where the route asks for one."""
    json: Free = field(default_factory=free)
    """A body to send, where the route wants one."""
    headers: Words = field(default_factory=words)
    """Further headers of this route."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names used where tokens travel in cookies, and the proof of same-site intent, read from one place and sent back.

    A CSRF value's place is a cookie's name, or `body:PATH` or `header:NAME` of the answer that sets the token.
    """

    access: str = "access_token_cookie"
    """The access token's cookie: its name, and the word before the value if there is one."""
    refresh: str = "refresh_token_cookie"
    """The refresh token's cookie, likewise."""
    csrf_header: str = "X-CSRF-TOKEN"
    """The header in which the proof goes back; empty where there is none."""
    csrf_field: str = ""
    """A member of the body that holds the value as well, where the target looks for it there."""
    access_csrf: str = "csrf_access_token"
    """Where the proof for the access token comes from."""
    refresh_csrf: str = "csrf_refresh_token"
    """Where the proof for the refresh token comes from."""
    cross_site: bool = False
    """What the operator declares: pages of other sites are meant to use the cookies, so SameSite=None is no mistake."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """What the operator declares, in seconds; nothing is taken for granted where nothing is declared."""

    access: int | None = None
    """How many seconds an access token lives."""
    refresh: int | None = None
    """How many seconds a refresh token lives."""
    leeway: int | None = None
    """For how many seconds an expired token is tolerated."""
    session: int | None = None
    """For how many seconds refreshing can keep one login alive, however often it is done."""

    @property
    def tolerated_leeway(self) -> int:
        """What is not held against the target: the declared leeway in seconds, or the usual one."""
        return USUAL_LEEWAY_S if self.leeway is None else self.leeway


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the target offers beside the core; an empty path means that it does not."""

    jwks: str = ""
    """The path of the JWK Set, where keys are published."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """What the operator declares of how sessions end, where the sources leave a choice."""

    access: Literal["revocable", "stateless"] = "revocable"
    """Stateless access tokens are looked up in no register: they are good until they expire, whatever ends before."""
    logout: Literal["one", "all"] = "one"
    """What the logout ends: the session of the token, or every session of its owner."""
    password_change: Literal["ends", "asks"] = "ends"  # noqa: S105 - a choice, no password
    """A change of password ends the sessions that there are, or the user is asked whether it should."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """The endpoints of RFC 6749, 7009 and 7662, where there are any; the clients come from the options."""

    token: str = ""
    """The path of the token endpoint (RFC 6749 §3.2)."""
    revocation: str = ""
    """The path of the revocation endpoint (RFC 7009)."""
    introspection: str = ""
    """The path of the introspection endpoint (RFC 7662)."""
    client_authentication: Literal["basic", "post"] = "basic"
    """How a client says who it is there."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A command or an HTTP call of the operator's, and how many seconds it may take. `hooks.py` says what it gets."""

    command: tuple[str, ...] = ()
    """The program and its arguments."""
    url: str = ""
    """The URL that is called by POST."""
    timeout: int = 30
    """How many seconds it may take."""

    @property
    def is_given(self) -> bool:
        """Whether there is anything to call."""
        return bool(self.command or self.url)

    @property
    def problem(self) -> str:
        """Why it cannot be called, or an empty string."""
        if self.command and self.url:
            return "names a command and a URL, of which one is enough"
        if self.url and not self.url.startswith(("http://", "https://")):
            return f"has the URL {self.url!r}, which is none of http or https"
        if self.command and (not self.command[0] or any("\0" in word for word in self.command)):
            return "names a command that cannot be one"
        return f"has a timeout of {self.timeout} s, which is no time at all" if self.timeout < 1 else ""


@dataclass(frozen=True, slots=True)
class HookTable:
    """What the operator lets the suite do that no client can."""

    provision: Hook = field(default_factory=Hook)
    """Makes, changes, disables and deletes accounts."""
    reconfigure: Hook = field(default_factory=Hook)
    """Restarts the server, with other settings."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Statuses that count as each kind of refusal, where the target's own differ from what the sources want."""

    no_credentials: tuple[int, ...] = (401,)
    """Statuses of a request without any token."""
    bad_token: tuple[int, ...] = ()
    """Statuses of a token that is malformed, altered, expired or of the wrong kind, beside those that are usual."""
    login: tuple[int, ...] = ()
    """Statuses of wrong credentials, beside those that are usual."""
    malformed: tuple[int, ...] = ()
    """Statuses of a body that cannot be read or lacks a member, beside those that are usual."""

    @property
    def declared(self) -> frozenset[int]:
        """Every status that the operator calls a refusal."""
        return frozenset({*self.no_credentials, *self.bad_token, *self.login, *self.malformed})


@dataclass(frozen=True, slots=True)
class Tls:
    """What cannot be seen from an https URL: the port, if any, at which the same host is asked without TLS; 0 for none.

    Where nothing is declared, a target on port 443 is taken to have port 80.
    """

    plain_port: int | None = None
    """The port; 0 for none."""
