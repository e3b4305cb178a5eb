"""Faults in limiting guesses."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, g, request

from reference_server import clock
from reference_server.accounts import Account, Accounts
from reference_server.app import services_of
from reference_server.faults import fault
from reference_server.faults._tools import is_access
from reference_server.limits import LoginLimiter
from reference_server.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_server.database import Database
    from reference_server.errors import ErrorPresenter
    from reference_server.settings import Settings


@fault(
    "no-limit-on-guesses",
    "RATE-01",
    seen="OWASP API2:2023; common where nobody has added a limiter",
)
class NoLimit(LoginLimiter):
    """Compares as many wrong passwords as anybody sends."""

    def limited(self, attempt: Callable[[], Response]) -> Callable[[], Response]:
        """Leave the attempt alone."""
        return attempt


@fault(
    "limit-lets-the-right-password-in",
    "RATE-01",
    seen="common where failures are counted after the comparison, and only the answer to a failure looks at the count",
)
class LimitOfWords(LoginLimiter):
    """Answers wrong passwords beyond the limit with 429, and lets the right one in all the same."""

    def limited(self, attempt: Callable[[], Response]) -> Callable[[], Response]:
        """Compare before the limit is looked at, which a success escapes."""
        limited = super().limited(attempt)

        def compare_first() -> Response:
            services = services_of(current_app)
            account = services.accounts.by_name(g.login_name)
            return attempt() if services.passwords.matches(account, g.login_password) else limited()

        return compare_first


@fault(
    "guesses-at-once-lose-count",
    "RATE-01",
    seen="Cacti/cacti issue 7683: the count of failures was read, incremented and written back",
)
class LostUpdates(LoginLimiter):
    """Reads the count of failures before it compares a password, and writes it back, increased, afterwards."""

    def __init__(self, app: Flask, settings: Settings, errors: ErrorPresenter) -> None:
        """Count by hand."""
        super().__init__(app, settings, errors)
        self.most = settings.account_attempts
        self.failures: dict[str, tuple[int, int]] = {}

    def limited(self, attempt: Callable[[], Response]) -> Callable[[], Response]:
        """Read, compare, write."""

        def counted() -> Response:
            count, until = self.failures.get(g.login_name, (0, 0))
            if clock.now() >= until:
                count, until = 0, clock.now() + 60
            if count >= self.most:
                return self.refusal(until - clock.now())
            response = attempt()
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                time.sleep(0.005)  # as long as the way to a database and back
                self.failures[g.login_name] = count + 1, until
            return response

        return counted

    def forgive(self, name: str) -> None:
        """Start anew."""
        self.failures.pop(name, None)


@fault(
    "limit-believes-header-of-address",
    "RATE-02",
    seen="long2ice/fastapi-limiter issue 9: a new address in a header with each request gets around the limit",
)
class LimitByHeader(LoginLimiter):
    """Counts failures for a name and the address in X-Real-IP, which the client chooses."""

    def account_key(self, name: str) -> str:
        """Believe the header."""
        return f"{name} {request.headers.get('X-Real-IP', '')}"


class TrimmedNames(Accounts):
    """Finds an account by its name with spaces around it as well."""

    def by_name(self, name: str) -> Account | None:
        """Look for the name without them."""
        return super().by_name(name.strip(" "))


@fault(
    "limit-counts-names-as-typed",
    "RATE-02",
    seen="CVE-2025-6004, openbao/openbao pull request 1632: a space around the name evaded the lockout",
    also=(TrimmedNames,),
)
class LimitByTypedName(LoginLimiter):
    """Trims a name to find its account, and counts failures for the name as it was typed."""


@fault(
    "limit-for-one-spelling-of-the-path",
    "RATE-02",
    seen="common where a proxy limits location = /login, and the application behind it answers at /login/ as well",
)
class LimitByPath(LoginLimiter):
    """Answers logins at /login/ too, and counts them apart."""

    def __init__(self, app: Flask, settings: Settings, errors: ErrorPresenter) -> None:
        """Route the second spelling to the first, which remembers it."""
        super().__init__(app, settings, errors)
        serve = app.wsgi_app

        def tolerant(environ: Any, start_response: Any) -> Any:
            if environ["PATH_INFO"] == "/login/":
                environ |= {"PATH_INFO": "/login", "reference.path": "/login/"}
            return serve(environ, start_response)

        app.wsgi_app = tolerant  # type: ignore[method-assign] # as Flask's documentation wraps it

    def account_key(self, name: str) -> str:
        """Count for each spelling."""
        return f"{name} {request.environ.get('reference.path', '')}"


@fault(
    "any-login-clears-every-count",
    "RATE-03",
    seen="PortSwigger's Web Security Academy, broken brute-force protection: the attacker's own login resets the count",
)
class OneCountForAll(LoginLimiter):
    """Forgets everybody's failures when anybody logs in."""

    def __init__(self, app: Flask, settings: Settings, errors: ErrorPresenter) -> None:
        """Begin without names."""
        super().__init__(app, settings, errors)
        self.names: set[str] = set()

    def account_key(self, name: str) -> str:
        """Remember whose failures are counted."""
        self.names.add(name)
        return name

    def forgive(self, name: str) -> None:
        """Forget them all."""
        for each in self.names | {name}:
            super().forgive(each)


@fault(
    "limited-login-is-a-server-error",
    "RATE-04",
    seen="nginx's limit_req answers 503 unless limit_req_status says 429",
)
class LimitAsServerError(LoginLimiter):
    """Answers 503 beyond the limit."""

    def refusal(self, wait: int) -> Response:
        """Change the status."""
        response = super().refusal(wait)
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return response


@fault(
    "retry-after-is-no-time",
    "RATE-04",
    seen="common where the header is filled with str(timedelta), a form that RFC 9110 §10.2.3 does not know",
)
class UnreadableRetryAfter(LoginLimiter):
    """Words Retry-After as hours, minutes and seconds."""

    def refusal(self, wait: int) -> Response:
        """Format it."""
        response = super().refusal(wait)
        response.headers["Retry-After"] = f"0:{wait // 60:02}:{wait % 60:02}"
        return response


@fault(
    "retry-after-is-too-short",
    "RATE-04",
    seen="common where the header holds the limiter's own interval and the account is locked for longer",
)
class HastyRetryAfter(LoginLimiter):
    """Says that one second is enough, and means a minute."""

    def refusal(self, wait: int) -> Response:
        """Promise too much."""
        return super().refusal(min(wait, 1))


@fault(
    "limited-login-may-be-cached",
    "RATE-04",
    seen="common where one rule of a proxy adds Cache-Control: public to whatever it answers; RFC 6585 §4 forbids it",
)
class CacheableLimit(LoginLimiter):
    """Lets shared caches keep the answer to a limited login."""

    def refusal(self, wait: int) -> Response:
        """Add the header."""
        response = super().refusal(wait)
        response.headers["Cache-Control"] = "public, max-age=60"
        return response


class LockedOut(Sessions):
    """Knows which accounts are locked."""

    def __init__(self, database: Database) -> None:
        """Begin without locks."""
        super().__init__(database)
        self.locked_until: dict[str, int] = {}

    def is_locked(self, claims: Mapping[str, Any], now: int) -> bool:
        """Whether the token's owner is locked."""
        return now < self.locked_until.get(claims["sub"], 0)


class LockOfAccounts(LoginLimiter):
    """Locks an account while its logins are limited."""

    def refusal(self, wait: int) -> Response:
        """Lock the account as well."""
        services = services_of(current_app)
        account = services.accounts.by_name(g.login_name)
        if account and isinstance(services.sessions, LockedOut):
            services.sessions.locked_until[account.id] = clock.now() + wait
        return super().refusal(wait)


@fault(
    "lockout-closes-sessions",
    "RATE-05",
    seen="common where a lock is a flag of the account that every request checks, as is_active of Django's users is",
    also=(LockOfAccounts,),
)
class LockedOutOfPages(LockedOut):
    """Refuses the access tokens of an account while its logins are limited."""

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Look whether the owner is locked."""
        return super().is_live(claims, now) and not (is_access(claims) and self.is_locked(claims, now))


@fault(
    "lockout-stops-refreshing",
    "RATE-05",
    seen="common where /refresh runs the checks of the login again, that of the lock included",
    also=(LockOfAccounts,),
)
class LockedOutOfRefreshing(LockedOut):
    """Refuses the refresh tokens of an account while its logins are limited."""

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Look whether the owner is locked."""
        return super().is_live(claims, now) and not (not is_access(claims) and self.is_locked(claims, now))
