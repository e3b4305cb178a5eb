"""Putting the server together."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from flask_jwt_extended.exceptions import JWTDecodeError
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped] # waitress has no hints
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from reference_server import clock, commands, errors, logs, oauth, views
from reference_server.accounts import Account, Accounts, Passwords
from reference_server.clients import Clients
from reference_server.cookies import TokenCookies
from reference_server.credentials import MalformedCredentialsError, RequestReader
from reference_server.database import Database
from reference_server.errors import ErrorPresenter
from reference_server.headers import AnswerHeaders
from reference_server.keyring import Keyring, OneKey
from reference_server.keys import PrivateKey, PublicKey, SigningKey
from reference_server.limits import LoginLimiter
from reference_server.oauth import OAuth
from reference_server.pages import Pages
from reference_server.renewal import Renewal
from reference_server.sessions import Sessions
from reference_server.settings import Settings
from reference_server.shared_keys import SharedKeys
from reference_server.tls import TlsRelay
from reference_server.tokens import TokenIssuer
from reference_server.verification import TokenVerifier
from reference_server.views import Services

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger("reference_server")
LARGEST_BODY = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Collaborators:
    """The parts of the server that can be replaced, each by a subclass. A fault replaces one.

    Attributes:
        verifier: decides whether a token is genuine and current.
        issuer: decides what tokens say, how long they live and how they are signed.
        passwords: hashes passwords and compares them.
        accounts: looks accounts up.
        sessions: starts, rotates and ends sessions, and knows which are live.
        reader: finds credentials in requests.
        pages: decides what the protected resources and the key set show.
        errors: words refusals.
        oauth: serves OAuth clients.
        cookies: puts tokens into a browser's cookies, and takes them away.
        limiter: counts failed logins.
        headers: says what every answer says, whatever it is about.
        framing: tells where messages begin and end.
        relay: speaks TLS for it, where that is on.
    """

    verifier: type[TokenVerifier] = TokenVerifier
    issuer: type[TokenIssuer] = TokenIssuer
    passwords: type[Passwords] = Passwords
    accounts: type[Accounts] = Accounts
    sessions: type[Sessions] = Sessions
    reader: type[RequestReader] = RequestReader
    pages: type[Pages] = Pages
    errors: type[ErrorPresenter] = ErrorPresenter
    oauth: type[OAuth] = OAuth
    cookies: type[TokenCookies] = TokenCookies
    limiter: type[LoginLimiter] = LoginLimiter
    headers: type[AnswerHeaders] = AnswerHeaders
    framing: type[HTTPRequestParser] = HTTPRequestParser
    relay: type[TlsRelay] = TlsRelay


def create_app(
    settings: Settings | None = None,
    collaborators: Collaborators | None = None,
    *,
    database: Database | None = None,
) -> Flask:
    """The server as a WSGI application.

    Args:
        settings: what the operator chose; read from the environment when absent.
        collaborators: replacements for parts of the server; what the settings' fault asks for when absent.
        database: one that is open already; what the settings name when absent.

    Raises:
        SettingsError: for settings that cannot be used.
    """
    if settings is None:
        settings = Settings.from_env(os.environ)
    if collaborators is None:
        settings, collaborators = _with_fault(settings)
    app = Flask("reference_server", static_folder=None)
    app.config.from_mapping(_configuration(settings))
    # A redirect to the canonical spelling would make clients send a password again, elsewhere.
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]

    presenter = collaborators.errors()
    limiter = collaborators.limiter(app, settings, presenter)
    database = database or Database(settings.database_url)
    passwords = collaborators.passwords(settings.password_memory)
    sessions = collaborators.sessions(database)
    accounts = collaborators.accounts(database, passwords)
    clients = Clients(settings.clients)
    keys = _keyring(settings, database)
    issuer = collaborators.issuer(settings, keys)
    renewal = Renewal(settings, sessions, issuer)
    services = Services(
        settings=settings,
        database=database,
        passwords=passwords,
        accounts=accounts,
        sessions=sessions,
        issuer=issuer,
        reader=collaborators.reader(),
        pages=collaborators.pages(sessions, keys),
        errors=presenter,
        limiter=limiter,
        clients=clients,
        renewal=renewal,
        oauth=collaborators.oauth(clients, accounts, sessions, renewal),
        cookies=collaborators.cookies(),
        framing=collaborators.framing,
        relay=collaborators.relay,
    )
    app.extensions["reference_server"] = services
    if database.is_embedded:
        prepare(app)

    _install_verifier(app, collaborators.verifier(keys), services)
    _install_request_rules(app, services, collaborators.headers())
    views.register(app, services)
    commands.register(app)
    return app


def prepare(app: Flask) -> None:
    """Make what the database of `app` still lacks: tables, the settings' accounts, a signing key. Twice is once.

    With SQLite, `create_app` has done it. A database that workers share is prepared by whoever deploys them.

    Raises:
        SettingsError: the database cannot be opened, or no tables be made in it.
    """
    services = services_of(app)
    services.database.prepare()
    for name, password in services.settings.accounts:
        services.accounts.put(name, password)
    services.issuer.keys.prepare()


def services_of(app: Flask) -> Services:
    """The parts that `create_app` made `app` of."""
    services: Services = app.extensions["reference_server"]
    return services


def close(app: Flask, *, keep_database: bool = False) -> None:
    """Give back what `app` holds: connections, and a thread that counts. It answers no request afterwards."""
    services_of(app).limiter.close()
    if not keep_database:
        services_of(app).database.close()


def _with_fault(settings: Settings) -> tuple[Settings, Collaborators]:
    if settings.fault is None:
        return settings, Collaborators()
    # Imported here since faults are built out of this module.
    from reference_server import faults  # noqa: PLC0415

    return faults.combined([faults.get(name.strip()) for name in settings.fault.split(",")], settings)


def _keyring(settings: Settings, database: Database) -> Keyring:
    """The keys of the database, where the settings have a secret to seal them with; else the one of the settings."""
    if settings.keyring_secret:
        return SharedKeys(database, settings, settings.keyring_secret)
    if settings.database_url and not settings.has_key:
        _log.warning(
            "the signing key is made anew at each start: set REFERENCE_JWT_SECRET_KEY, REFERENCE_JWT_PRIVATE_KEY "
            "or REFERENCE_KEYRING_SECRET for tokens to outlive a restart and to suit every worker"
        )
    return OneKey(SigningKey.from_settings(settings))


def _configuration(settings: Settings) -> dict[str, Any]:
    """What Flask and Flask-JWT-Extended are to know."""
    prefix = "__Host-" if settings.cookie_secure else ""
    return {
        "MAX_CONTENT_LENGTH": LARGEST_BODY,
        "PUBLIC_URL": (settings.public_url or "http://127.0.0.1:8000").rstrip("/"),
        "MAX_FORM_MEMORY_SIZE": LARGEST_BODY,
        "JWT_ALGORITHM": settings.algorithm,
        "JWT_ENCODE_ISSUER": settings.issuer,
        "JWT_DECODE_ISSUER": settings.issuer,
        "JWT_ENCODE_AUDIENCE": settings.audience,
        "JWT_DECODE_AUDIENCE": settings.audience,
        "JWT_TOKEN_LOCATION": [settings.token_location],
        "JWT_COOKIE_CSRF_PROTECT": settings.in_cookies,
        "JWT_COOKIE_SECURE": settings.cookie_secure,
        "JWT_COOKIE_SAMESITE": "Strict",
        "JWT_ACCESS_COOKIE_NAME": f"{prefix}access_token_cookie",
        "JWT_REFRESH_COOKIE_NAME": f"{prefix}refresh_token_cookie",
        "JWT_ACCESS_CSRF_COOKIE_NAME": f"{prefix}csrf_access_token",
        "JWT_REFRESH_CSRF_COOKIE_NAME": f"{prefix}csrf_refresh_token",
    }


def _install_verifier(app: Flask, verifier: TokenVerifier, services: Services) -> None:
    verifier.init_app(app)
    errors.install(app, verifier, services.errors)

    @verifier.encode_key_loader
    def signer(_identity: str) -> bytes | PrivateKey:
        return services.issuer.key.signer

    @verifier.decode_key_loader
    def key_of(header: dict[str, Any], _claims: dict[str, Any]) -> bytes | PublicKey:
        key = verifier.keys.verifying(header.get("kid"))
        if key is None:
            raise JWTDecodeError("No key has this name")
        return key.verifier

    @verifier.additional_headers_loader
    def name_the_key(_identity: str) -> dict[str, str]:
        kid = services.issuer.key.kid
        return {"kid": kid} if kid else {}

    @verifier.token_in_blocklist_loader
    def is_over(_header: dict[str, Any], claims: Mapping[str, Any]) -> bool:
        return not services.sessions.is_live(claims, clock.now())

    @verifier.user_lookup_loader
    def owner(_header: dict[str, Any], claims: Mapping[str, Any]) -> Account | None:
        return services.accounts.by_id(claims["sub"])


def _install_request_rules(app: Flask, services: Services, answer_headers: AnswerHeaders) -> None:
    cookie_names = (app.config["JWT_ACCESS_COOKIE_NAME"], app.config["JWT_REFRESH_COOKIE_NAME"])

    @app.before_request
    def bound_the_body() -> None:
        # Flask would notice only where a view reads the body.
        if (request.content_length or 0) > LARGEST_BODY:
            raise RequestEntityTooLarge

    @app.before_request
    def tidy_credentials() -> None:
        """Leave Flask-JWT-Extended one spelling of the Authorization header, and no cookie twice.

        By itself it compares the scheme with regard to case, and takes the one Bearer value of a list.
        """
        try:
            token = services.reader.bearer_token(request)
            header = f"Bearer {token}" if token else ""
        except MalformedCredentialsError:
            # Two values after the scheme: refused as an invalid token wherever a token is needed.
            header = "Bearer malformed credentials"
        # OAuth clients show credentials of their own, which the library never sees.
        if (header or "Authorization" in request.headers) and request.blueprint != oauth.NAME:
            request.environ["HTTP_AUTHORIZATION"] = header
        if services.reader.ambiguous_cookies(request, cookie_names):
            request.environ["HTTP_COOKIE"] = ""

    app.after_request(answer_headers.complete)
    logs.install(app)
