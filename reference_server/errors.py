"""How the server says no: always JSON, always with the headers the situation asks for."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request
from flask_jwt_extended.exceptions import CSRFError
from limits.errors import StorageError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from reference_server.keyring import NoKeyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_jwt_extended import JWTManager

# What is raised where the database or Redis is away, or there is no key to sign with.
_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, StorageError, NoKeyError)
_NO_TABLE = "42P01"  # PostgreSQL's code: nobody has made them yet
_PAUSE = 5  # seconds after which to try again
REALM = "jwt-conformance reference server"
_log = logging.getLogger("reference_server")

# RFC 6749 §5.2 and §4.1.2.1 where they have a code, else the status in a word.
_CODES = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "content_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_attempts",
}
# Fixed texts: nothing of what was sent comes back, and no version or path is told.
_MESSAGES = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 1 MiB",
}


class ErrorPresenter:
    """Turns refusals into answers."""

    def render(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """An error answer: `{"msg": ..., "error": ...}` with that status and those headers."""
        response = jsonify({"msg": message, "error": code})
        response.status_code = status
        response.headers.update(headers or {})
        return response

    def no_token(self) -> Response:
        """401 for a request without a token: the challenge carries no error code (RFC 6750 §3.1)."""
        return self._unauthorized("unauthorized", "A token is missing", challenge=f'Bearer realm="{REALM}"')

    def bad_token(self, message: str) -> Response:
        """401 for a request whose token is no good (RFC 6750 §3.1)."""
        challenge = f'Bearer realm="{REALM}", error="invalid_token", error_description="{message}"'
        return self._unauthorized("invalid_token", message, challenge=challenge)

    def insufficient_scope(self, scope: str) -> Response:
        """403 for a good token that does not reach so far (RFC 6750 §3.1); a new one like it would not either."""
        message = "The token's scope does not include this"
        challenge = (
            f'Bearer realm="{REALM}", error="insufficient_scope", error_description="{message}", scope="{scope}"'
        )
        return self.render(HTTPStatus.FORBIDDEN, "insufficient_scope", message, {"WWW-Authenticate": challenge})

    def bad_login(self) -> Response:
        """401 for a name and password that do not belong together, whichever of them is wrong."""
        # RFC 9110 §15.5.2 asks for a challenge with every 401; no token was tried, so it has no error code.
        return self._unauthorized("invalid_grant", "Wrong username or password", challenge=f'Bearer realm="{REALM}"')

    def _unauthorized(self, code: str, message: str, *, challenge: str) -> Response:
        return self.render(HTTPStatus.UNAUTHORIZED, code, message, {"WWW-Authenticate": challenge})

    def unavailable(self) -> Response:
        """503 while the database or Redis is away (RFC 9110 §15.6.4). What cannot be checked is not let through."""
        message = "The server cannot do this for the moment; try again later"
        return self.render(
            HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable", message, {"Retry-After": str(_PAUSE)}
        )

    def http_error(self, error: HTTPException) -> Response:
        """The answer to what Flask or Werkzeug refused, with the headers they ask for, such as Allow."""
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        headers = {
            name: value
            for name, value in error.get_headers(request.environ)
            if name.lower() not in {"content-type", "content-length"}
        }
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.render(status, "server_error", "The server failed to answer", headers)
        message = _MESSAGES.get(HTTPStatus(status)) or error.description or HTTPStatus(status).phrase
        return self.render(status, _CODES.get(HTTPStatus(status), "invalid_request"), message, headers)


def install(app: Flask, manager: JWTManager, errors: ErrorPresenter) -> None:
    """Make `errors` answer everything that Flask, its extensions and the views refuse."""

    @manager.unauthorized_loader
    def no_token(_reason: str) -> Response:
        return errors.no_token()

    @manager.invalid_token_loader
    def invalid_token(_reason: str) -> Response:
        # The reason would help a forger and, for some tokens, would repeat what was sent.
        return errors.bad_token("The token is invalid")

    @manager.expired_token_loader
    def expired_token(_header: dict[str, Any], _claims: dict[str, Any]) -> Response:
        return errors.bad_token("Token has expired")

    @manager.revoked_token_loader
    def revoked_token(_header: dict[str, Any], _claims: dict[str, Any]) -> Response:
        return errors.bad_token("Token has been revoked")

    @manager.user_lookup_error_loader
    def no_account(_header: dict[str, Any], _claims: dict[str, Any]) -> Response:
        return errors.bad_token("The account of this token no longer exists")

    # After the manager's own handlers, which would call this a missing token.
    @app.errorhandler(CSRFError)
    def no_csrf_proof(_error: CSRFError) -> Response:
        return errors.bad_token("The CSRF token is missing or does not match")

    _install_failures(app, errors)


def _install_failures(app: Flask, errors: ErrorPresenter) -> None:
    """What is nobody's refusal: the framework's own errors, something that is away, and a mistake in this program."""

    def unavailable(error: Exception) -> Response:
        _log.error("unavailable at %s: %s", request.endpoint, _why(error))
        return errors.unavailable()

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        # What fails after the view, while failed logins are counted, comes in this wrapping.
        original = getattr(error, "original_exception", error)
        return unavailable(original) if _is_away(original) else errors.http_error(error)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        if _is_away(error):
            return unavailable(error)
        # The kind only: a message or a stack may hold a password or a token.
        _log.error("unforeseen %s at %s", type(error).__name__, request.endpoint)
        return errors.render(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", "The server failed to answer")


def _is_away(error: Exception) -> bool:
    return isinstance(error, _AWAY) or getattr(getattr(error, "orig", None), "sqlstate", None) == _NO_TABLE


def _why(error: Exception) -> str:
    """The kind of an error, and its message where that is the server's own: others may hold a password or a token."""
    return str(error) if isinstance(error, NoKeyError) else type(error).__name__
