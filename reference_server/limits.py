"""A limit on guessing passwords: failed logins are counted for each account name and each address."""

from __future__ import annotations

import math
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from limits import RateLimitItemPerMinute
from limits.errors import ConfigurationError
from limits.storage import MemoryStorage

from reference_server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_server.errors import ErrorPresenter

_ACCOUNT_SCOPE = "login-account"
_ADDRESS_SCOPE = "login-address"
# Seconds; and its errors are told as those of any other store.
_REDIS: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 2, "wrap_exceptions": True}


class LoginLimiter:
    """Refuses further logins with 429 once too many have failed within a minute.

    Only answers with status 401 count, so that a body which is merely ill-formed costs nothing, and a
    success forgets the failures of its own account only.
    """

    def __init__(self, app: Flask, settings: Settings, errors: ErrorPresenter) -> None:
        """Count in Redis where the settings name one, else in the memory of this process."""
        self._per_account = RateLimitItemPerMinute(settings.account_attempts)
        self._per_address = RateLimitItemPerMinute(settings.address_attempts)
        self._limiter = Limiter(
            get_remote_address,
            storage_uri=settings.redis_url or "memory://",
            storage_options=_REDIS if settings.redis_url else {},
        )
        try:
            self._limiter.init_app(app)
        except ConfigurationError:
            # The URL may hold a password, so it is not repeated.
            raise SettingsError(
                "REDIS_URL: this cannot be used; write for instance 'redis://localhost:6379', "
                "and install the package 'redis', as jwt-conformance[deploy] does"
            ) from None

        @app.errorhandler(RateLimitExceeded)
        def too_many(_error: RateLimitExceeded) -> Response:
            breached = self._limiter.current_limit
            wait = breached.reset_at - time.time() if breached else 60
            return self.refusal(max(1, math.ceil(wait)))

        self._errors = errors

    def refusal(self, wait: int) -> Response:
        """The answer to one attempt too many, which may be repeated after so many seconds (RFC 6585 §4)."""
        return self._errors.render(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many failed logins; try again later",
            {"Retry-After": str(wait)},
        )

    def account_key(self, name: str) -> str:
        """What the failed logins of an account name are counted under."""
        return name

    def limited(self, attempt: Callable[[], Response]) -> Callable[[], Response]:
        """The same attempt at a login, counted. The name it is for must be in `flask.g.login_name`."""
        by_account = self._limiter.shared_limit(
            str(self._per_account),
            scope=_ACCOUNT_SCOPE,
            key_func=lambda: self.account_key(g.login_name),
            deduct_when=_failed,
        )
        by_address = self._limiter.shared_limit(str(self._per_address), scope=_ADDRESS_SCOPE, deduct_when=_failed)
        return by_address(by_account(attempt))

    def forgive(self, name: str) -> None:
        """Forget the failed logins of this account name."""
        self._limiter.limiter.clear(self._per_account, self.account_key(name), _ACCOUNT_SCOPE)

    def can_count(self) -> bool:
        """Whether failed logins can be counted. Where they cannot, nobody may log in, since guesses would be free."""
        return self._limiter.storage.check()

    def close(self) -> None:
        """Let the thread end that drops expired counts."""
        if isinstance(self._limiter.storage, MemoryStorage):
            self._limiter.storage.timer.join()


def _failed(response: Response) -> bool:
    return response.status_code == HTTPStatus.UNAUTHORIZED
