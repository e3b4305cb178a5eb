"""The routes. What they do is decided by the services; what they accept, by the contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request, url_for
from flask_jwt_extended import (
    get_current_user,
    get_jwt,
    get_jwt_header,
    jwt_required,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import CSRFError, NoAuthorizationError, RevokedTokenError
from jwt import ExpiredSignatureError

from reference_server import clock, health, oauth
from reference_server.tokens import REFRESH, Grant, TokenIssuer, allows

if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped] # waitress has no hints

    from reference_server.accounts import Accounts, Passwords
    from reference_server.clients import Clients
    from reference_server.cookies import TokenCookies
    from reference_server.credentials import RequestReader
    from reference_server.database import Database
    from reference_server.errors import ErrorPresenter
    from reference_server.limits import LoginLimiter
    from reference_server.oauth import OAuth
    from reference_server.pages import Pages
    from reference_server.renewal import Renewal
    from reference_server.sessions import Sessions
    from reference_server.settings import Settings
    from reference_server.tls import TlsRelay

# How long anybody may keep the key set, in seconds; a new key is published for as long before it signs.
KEY_SET_AGE = 300


@dataclass(frozen=True, slots=True)
class Services:
    """What one application is made of, besides Flask."""

    settings: Settings
    database: Database = field(repr=False)
    passwords: Passwords
    accounts: Accounts
    sessions: Sessions
    issuer: TokenIssuer
    reader: RequestReader
    pages: Pages
    errors: ErrorPresenter
    limiter: LoginLimiter
    clients: Clients
    renewal: Renewal
    oauth: OAuth
    cookies: TokenCookies
    framing: type[HTTPRequestParser]
    relay: type[TlsRelay]


def register(app: Flask, services: Services) -> None:
    """Add the routes of the settings' variant to `app`."""
    routes = Blueprint("reference", __name__)
    _login(routes, services)
    _refresh(routes, services)
    _resources(routes, services)
    if services.settings.variant == "full":
        _logout(routes, services)
        if services.settings.algorithm != "HS256":
            _key_set(routes, services)
        if not services.settings.in_cookies:
            # A client needs the tokens themselves, which a browser's scripts never see.
            app.register_blueprint(oauth.routes(services.oauth))
    if services.settings.is_deployed or services.settings.redis_url:
        app.register_blueprint(health.routes(health.Health(services.database, services.limiter)))
    app.register_blueprint(routes)


def _login(routes: Blueprint, services: Services) -> None:
    issuer, sessions = services.issuer, services.sessions

    def attempt() -> Response:
        account = services.accounts.by_name(g.login_name)
        if not services.passwords.matches(account, g.login_password) or account is None:
            return services.errors.bad_login()
        services.limiter.forgive(account.name)
        now = clock.now()
        session_end = now + issuer.lifetime(REFRESH)
        jti = issuer.new_jti()
        sid = sessions.start(
            account.id, refresh_jti=jti, now=now, expires_at=session_end, client_id=services.clients.own
        )
        grant = issuer.at_login(account, sid=sid, refresh_jti=jti, now=now, session_end=session_end)
        return _hand_out(grant, services)

    limited_attempt = services.limiter.limited(attempt)

    @routes.post("/login")
    def login() -> Response:
        """Trade a username and password for two tokens."""
        credentials = services.reader.login(request)
        g.login_name, g.login_password = credentials.username, credentials.password
        return limited_attempt()


def _refresh(routes: Blueprint, services: Services) -> None:
    @routes.post("/refresh")
    @jwt_required(refresh=True)  # type: ignore[untyped-decorator] # the library's has no types
    def refresh() -> Response:
        """Trade a refresh token for a new access token and, with rotation, for its successor."""
        # Before the token is spent: a request that fails for another reason must not cost the session.
        services.reader.no_body(request)
        grant = services.renewal.renew(get_current_user(), get_jwt(), clock.now())
        if grant is None:
            raise RevokedTokenError(get_jwt_header(), get_jwt())
        return _hand_out(grant, services)


def _resources(routes: Blueprint, services: Services) -> None:
    @routes.get("/profile")
    @jwt_required()  # type: ignore[untyped-decorator] # as above
    def profile() -> Response:
        """Say who the access token belongs to."""
        return jsonify(services.pages.profile(get_current_user()))

    @routes.get("/dashboard")
    @jwt_required()  # type: ignore[untyped-decorator] # as above
    def dashboard() -> Response:
        """Say how many sessions the owner of the access token has."""
        scope = services.settings.dashboard_scope
        if scope is not None and not allows(get_jwt(), scope):
            return services.errors.insufficient_scope(scope)
        return jsonify(services.pages.dashboard(get_current_user(), clock.now()))


def _logout(routes: Blueprint, services: Services) -> None:
    @routes.post("/logout")
    def logout() -> Response:
        """End the session that the token belongs to, be it an access or a refresh token."""
        try:
            verify_jwt_in_request(verify_type=False)
        except (NoAuthorizationError, CSRFError, ExpiredSignatureError):
            # Each kind has a cookie and a proof of its own; whose access token has expired must still get out.
            if not services.settings.in_cookies:
                raise
            verify_jwt_in_request(refresh=True)
        services.reader.no_body(request)
        services.sessions.end(get_jwt(), clock.now())
        response = Response(status=HTTPStatus.NO_CONTENT)
        del response.headers["Content-Type"]
        if services.settings.in_cookies:
            services.cookies.clear(response)
        return response


def _key_set(routes: Blueprint, services: Services) -> None:
    def cacheable(response: Response) -> Response:
        response.cache_control.public = True
        response.cache_control.max_age = KEY_SET_AGE
        return response

    @routes.get("/.well-known/jwks.json")
    def key_set() -> Response:
        """Publish the key that tokens verify with."""
        response = jsonify(services.pages.key_set())
        response.mimetype = "application/jwk-set+json"
        return cacheable(response)

    @routes.get("/.well-known/oauth-authorization-server")
    def metadata() -> Response:
        """Say who issues tokens, and where the key set is."""
        key_set_url = current_app.config["PUBLIC_URL"] + url_for("reference.key_set")
        return cacheable(jsonify(services.pages.metadata(services.settings.issuer, key_set_url)))


def _hand_out(grant: Grant, services: Services) -> Response:
    """The answer that carries tokens (RFC 6749 §5.1), in its body or else in cookies."""
    in_body = not services.settings.in_cookies
    body: dict[str, Any] = {"token_type": grant.token_type, "expires_in": grant.expires_in}
    if in_body:
        body["access_token"] = grant.access_token
    if grant.refresh_token is not None:
        body["refresh_expires_in"] = grant.refresh_expires_in
        if in_body:
            body["refresh_token"] = grant.refresh_token
    response = jsonify(body)
    if not in_body:
        services.cookies.set(response, grant)
    return response
