"""Faults of the login."""

from __future__ import annotations

import itertools
import secrets
import time
import uuid
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from flask import current_app, g, request
from flask_jwt_extended import decode_token, verify_jwt_in_request

from reference_server.accounts import Account, Passwords
from reference_server.app import services_of
from reference_server.credentials import LoginRequest, RequestReader
from reference_server.faults import fault
from reference_server.faults._tools import TolerantReader, first_username, is_access, live_token_brought, unverified
from reference_server.oauth import Live, OAuth
from reference_server.sessions import Sessions
from reference_server.tokens import ACCESS, REFRESH, Grant, TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from reference_server.database import Database
    from reference_server.keyring import Keyring
    from reference_server.settings import Settings


LATER = 3
"""Which login goes wrong: the first after those of the suite's examination, of which the others need a session."""


@fault(
    "later-login-gives-no-refresh-token",
    "LOGIN-01",
    seen="Google's OAuth 2.0 server gives a refresh token at the first consent only, unless prompt=consent is sent",
)
class NotEveryTime(TokenIssuer):
    """Gives the first account a refresh token at every login but one, where there is an access token alone."""

    logins: ClassVar[Counter[str]] = Counter()
    """By the account's name. A restart forgets none."""

    def at_login(self, account: Account, **session: Any) -> Grant:
        """Count the account's logins, and leave the refresh token out of one."""
        grant = super().at_login(account, **session)
        self.logins[account.name] += 1
        if account.name != first_username() or self.logins[account.name] != LATER:
            return grant
        return replace(grant, refresh_token=None, refresh_expires_in=None)


@fault(
    "new-session-visible-after-a-second",
    "LOGIN-02",
    seen="common where sessions are written to a primary database and read from a replica that lags behind",
)
class LaggingSessions(Sessions):
    """Refuses the access token of a session that began less than a second ago."""

    def __init__(self, database: Database) -> None:
        """Begin without sessions."""
        super().__init__(database)
        self.began: dict[str, float] = {}

    def start(self, account_id: str, **session: Any) -> str:
        """Remember when the session began."""
        sid = super().start(account_id, **session)
        self.began[sid] = time.time()
        return sid

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Overlook sessions that are too new."""
        too_new = time.time() < self.began.get(claims["sid"], 0) + 1
        return super().is_live(claims, now) and not (too_new and is_access(claims))


@fault(
    "anybodys-password-logs-in",
    "LOGIN-03",
    seen="common in hand-written logins that look for the password by itself and not for the pair",
)
class AnybodysPassword(Passwords):
    """Lets an existing account in with the password of any account."""

    def __init__(self, memory_kib: int) -> None:
        """Begin without hashes."""
        super().__init__(memory_kib)
        self.hashes: list[str] = []

    def hash(self, password: str) -> str:
        """Remember every hash there is."""
        self.hashes.append(super().hash(password))
        return self.hashes[-1]

    def matches(self, account: Account | None, password: str) -> bool:
        """Compare with every one of them."""
        right = super().matches(account, password)
        if account is not None:
            for one in self.hashes:
                right = super().matches(replace(account, password_hash=one), password) or right
        return right


@fault(
    "one-second-one-token",
    "LOGIN-04",
    seen="auth0/node-jsonwebtoken issue 399: without a jti, one payload signed twice within a second is one token",
    # Without rotation and logout, sessions that share their tokens do not end each other.
    profile="lesson",
)
class OneTokenASecond(TokenIssuer):
    """Gives the tokens of the first login again, where the same account logs in twice within one second."""

    def __init__(self, settings: Settings, keys: Keyring) -> None:
        """Begin without logins."""
        super().__init__(settings, keys)
        self.given: dict[tuple[str, int], Grant] = {}

    def at_login(self, account: Account, *, now: int, **session: Any) -> Grant:
        """Have nothing in the tokens but who and when; a session that has ended meanwhile stays ended."""
        earlier, new = self.given.get((account.id, now)), super().at_login(account, now=now, **session)
        if earlier and services_of(current_app).sessions.is_live(unverified(earlier.access_token)[1], now):
            return earlier
        self.given[account.id, now] = new
        return new


@fault(
    "jti-of-subject-and-second",
    "LOGIN-04",
    seen="tymondesigns/jwt-auth issue 364: the jti is the hash of the sub and nbf claims",
)
class HashedJti(TokenIssuer):
    """Derives the id of a login's access token from its owner and the second, and from nothing else."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Hash the two, at a login."""
        if kind == ACCESS and request.path == "/login":
            claims = {**claims, "jti": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{account.id} {claims['nbf']}"))}
        return super().encode(kind, account, claims)


@fault(
    "login-continues-the-callers-session",
    "LOGIN-05",
    seen="sdelements/lets-chat issue 159: the session's id stays what it was before the login",
)
class ContinuedSession(Sessions):
    """Goes on with the session of a live token that comes with the login, whoever it belongs to."""

    def start(self, account_id: str, **session: Any) -> str:
        """Keep the id that is there."""
        sid = super().start(account_id, **session)
        brought: str = live_token_brought()[1].get("sid", sid)
        return brought


@fault(
    "login-answers-with-the-callers-token",
    "LOGIN-05",
    seen="common where a login first looks whether the caller is logged in already, and not as whom",
)
class AnsweredWithOldToken(TokenIssuer):
    """Answers a login that carries a live access token with that very token."""

    def at_login(self, account: Account, **session: Any) -> Grant:
        """Spare the signing."""
        grant = super().at_login(account, **session)
        return replace(grant, access_token=live_token_brought()[0] or grant.access_token)


@fault(
    "session-id-from-the-login-body",
    "LOGIN-05",
    seen="common where a client may name its session, for it to be found again; WSTG-SESS-03 describes the attack",
    also=(TolerantReader,),
)
class NamedByTheCaller(TokenIssuer):
    """Takes the id of the access token from the login's body, where there is a member `jti`."""

    def claims(self, kind: str, **session: Any) -> dict[str, Any]:
        """Leave the refresh token alone, whose id is on record."""
        claims = super().claims(kind, **session)
        if kind == ACCESS and isinstance(brought := g.get("extra", {}).get("jti"), str):
            claims["jti"] = brought
        return claims


@fault(
    "role-from-the-login-body",
    "LOGIN-06",
    seen="OWASP API3:2023: common where a request's members are copied into the object that the token is made of",
    also=(TolerantReader,),
)
class RoleOfOnesOwn(TokenIssuer):
    """Copies a role from the login's body into the access token."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Assign what there is."""
        extra = g.get("extra", {}) if request.path == "/login" and kind == ACCESS else {}
        return super().encode(
            kind, account, {**claims, **{n: v for n, v in extra.items() if n in ("role", "is_admin")}}
        )


@fault(
    "scopes-as-asked-for",
    "LOGIN-06",
    seen="FastAPI's tutorial on OAuth2 scopes puts what the login form asks for into the token, and warns of it",
    also=(TolerantReader,),
)
class ScopesAsAsked(TokenIssuer):
    """Grants every scope that the login's body asks for."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Ask nobody whether the account has it."""
        asked = g.get("extra", {}).get("scope") if request.path == "/login" else None
        return super().encode(kind, account, {**claims, "scope": asked} if asked and kind == ACCESS else claims)


@fault(
    "subject-from-the-login-body",
    "LOGIN-06",
    seen="OWASP API3:2023: common where the id of the user travels in the request beside the name",
    also=(TolerantReader,),
)
class SubjectOfOnesChoice(TokenIssuer):
    """Issues tokens for the `user_id` in the login's body, whoever's password it was."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Look the id up in the request."""
        chosen = g.get("extra", {}).get("user_id") if request.path == "/login" else None
        return super().encode(kind, replace(account, id=chosen) if isinstance(chosen, str) else account, claims)


@fault(
    "lifetime-from-the-login-body",
    "LOGIN-06",
    seen="common where 'remember me' is a number of seconds that the client sends",
    also=(TolerantReader,),
)
class LifetimeOfOnesChoice(TokenIssuer):
    """Lets an access token live for as long as the login's body says."""

    def claims(self, kind: str, *, now: int, **session: Any) -> dict[str, Any]:
        """Believe the number."""
        claims = super().claims(kind, now=now, **session)
        asked = g.get("extra", {}).get("expires_in") if request.path == "/login" else None
        return {**claims, "exp": now + asked} if kind == ACCESS and isinstance(asked, int) else claims


@fault(
    "refresh-merges-its-body-into-the-token",
    "LOGIN-06",
    "REFRESH-06",
    seen="common where the claims of the next token are those of the last, updated with the request",
    also=(TolerantReader,),
)
class ShapedAtRefresh(TokenIssuer):
    """Copies a role from the body of a refresh into the new access token."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Update the claims."""
        asked = g.get("extra", {}).get("role") if request.path == "/refresh" else None
        return super().encode(kind, account, {**claims, "role": asked} if asked and kind == ACCESS else claims)


@fault(
    "expires-in-milliseconds",
    "LOGIN-07",
    seen="OAuth-Apis/apis issue 56: expires_in is in milliseconds",
)
class Milliseconds(TokenIssuer):
    """States the lifetime of an access token in milliseconds."""

    def at_login(self, account: Account, **session: Any) -> Grant:
        """Multiply."""
        grant = super().at_login(account, **session)
        return replace(grant, expires_in=grant.expires_in * 1000)


@fault(
    "expires-in-is-a-string",
    "LOGIN-07",
    "TOKEN-01",
    seen="justingreerbbi/wordpress-oauth-server issue 39: a configured lifetime is returned as a string",
)
class LifetimeAsText(TokenIssuer):
    """States the lifetime of a refreshed access token as a string."""

    def at_refresh(self, account: Account, claims: Mapping[str, Any], **session: Any) -> Grant:
        """Quote it."""
        grant = super().at_refresh(account, claims, **session)
        return replace(grant, expires_in=str(grant.expires_in))  # type: ignore[arg-type] # the fault itself


@fault(
    "token-type-is-jwt",
    "LOGIN-07",
    seen="common where the token's format is taken for its type, which says how it is presented (RFC 6749 §7.1)",
)
class FormatForType(TokenIssuer):
    """Calls the type of a token JWT."""

    def at_login(self, account: Account, **session: Any) -> Grant:
        """Name the format."""
        return replace(super().at_login(account, **session), token_type="JWT")  # noqa: S106 - a scheme


@fault(
    "stale-token-locks-out-of-the-login",
    "LOGIN-08",
    seen="spring-projects/spring-security issue 12599: a route open to all answers 401 to an expired token",
)
class FilteredLogin(RequestReader):
    """Refuses a login that carries an access token which is no good."""

    def login(self, request: Request) -> LoginRequest:
        """Judge whatever token there is, before the route has its say."""
        verify_jwt_in_request(optional=True)
        return super().login(request)


@fault(
    "stale-cookie-locks-out-of-the-refresh",
    "LOGIN-08",
    seen="spring-projects/spring-security issue 14120: a browser cannot leave its stale cookie out",
    profile="cookies",
    token_location="cookies",  # noqa: S106 - a place, not a password
)
class FilteredRefresh(RequestReader):
    """Refuses a refresh that carries an access token, in its cookie, which is no good."""

    def no_body(self, request: Request) -> None:
        """Judge it, though nobody asks for it here."""
        token = request.cookies.get(current_app.config["JWT_ACCESS_COOKIE_NAME"])
        if token and request.path == "/refresh":
            decode_token(token)
        super().no_body(request)


class HandleReader(RequestReader):
    """Knows what opaque refresh tokens stand for."""

    def bearer_token(self, request: Request) -> str | None:
        """Look the token up."""
        token = super().bearer_token(request)
        issuer = services_of(current_app).issuer
        assert isinstance(issuer, HandleIssuer)
        return issuer.handles.get(token or "", token)


class HandleIssuer(TokenIssuer):
    """Gives opaque refresh tokens, and keeps on record what they stand for."""

    def __init__(self, settings: Settings, keys: Keyring) -> None:
        """Begin with an empty record."""
        super().__init__(settings, keys)
        self.handles: dict[str, str] = {}
        self.numbers = itertools.count(1_000_000)

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Leave access tokens as they are."""
        token = super().encode(kind, account, claims)
        if kind != REFRESH:
            return token
        while (handle := self.handle()) in self.handles:
            pass
        self.handles[handle] = token
        return handle

    def handle(self) -> str:
        """A new opaque string."""
        raise NotImplementedError


class HandleOAuth(OAuth):
    """Looks refresh tokens up by their handles."""

    def live(self, token: str) -> Live | None:
        """Find what it stands for."""
        issuer = services_of(current_app).issuer
        assert isinstance(issuer, HandleIssuer)
        return super().live(issuer.handles.get(token, token))


@fault(
    "refresh-tokens-are-counted",
    "LOGIN-09",
    seen="common where the token is the key of its row in the database; WSTG-SESS-01 asks for it",
    also=(HandleReader, HandleOAuth),
)
class CountedTokens(HandleIssuer):
    """Gives opaque refresh tokens that are one number after the other."""

    def handle(self) -> str:
        """Count."""
        return f"{next(self.numbers):032d}"


@fault(
    "refresh-tokens-tell-the-time",
    "LOGIN-09",
    seen="openshift/osin issue 50: tokens that are UUIDs of version 1 differ in a few digits",
    also=(HandleReader, HandleOAuth),
)
class TimedTokens(HandleIssuer):
    """Gives opaque refresh tokens that are UUIDs of version 1."""

    def handle(self) -> str:
        """Look at the clock and the network card."""
        return str(uuid.uuid1())


@fault(
    "refresh-tokens-are-short",
    "LOGIN-09",
    seen="common where a token is made as a coupon's code is",
    also=(HandleReader, HandleOAuth),
)
class ShortTokens(HandleIssuer):
    """Gives opaque refresh tokens of eight hexadecimal digits."""

    def handle(self) -> str:
        """Take 32 random bits."""
        return secrets.token_hex(4)
