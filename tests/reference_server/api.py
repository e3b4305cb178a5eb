"""The server as its tests see it: somebody who logs in, and what their tokens open."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import jwt

from reference_server import DEMO_ACCOUNTS, Settings, create_app
from reference_server.app import Services, close, services_of
from reference_server.settings import LEAST_MEMORY

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from reference_server import Collaborators

PASSWORDS = dict(DEMO_ACCOUNTS)
CORE_ROUTES = ("/profile", "/dashboard")


@dataclass(frozen=True)
class Tokens:
    """What one answer gave."""

    access: str
    refresh: str
    body: dict[str, Any]


@dataclass
class Api:
    """One running application."""

    settings: Settings = field(default_factory=Settings)
    collaborators: Collaborators | None = None

    def __post_init__(self) -> None:
        """Start it, with cheap hashes: what they cost is one test's matter, and hundreds log in."""
        settings = replace(self.settings, password_memory=LEAST_MEMORY)
        self.app = create_app(settings, self.collaborators)

    def close(self) -> None:
        """Stop it."""
        close(self.app)

    @property
    def client(self) -> FlaskClient:
        """A new client, which remembers no cookies of others."""
        return self.app.test_client()

    @property
    def services(self) -> Services:
        """What it is made of."""
        return services_of(self.app)

    def try_login(self, username: Any = "alice", password: Any = None) -> TestResponse:
        """Log in with the account's own password, or with another."""
        body = {"username": username, "password": PASSWORDS.get(username) if password is None else password}
        return self.client.post("/login", json=body)

    def login(self, username: str = "alice") -> Tokens:
        """Log in and succeed."""
        answer = self.try_login(username)
        assert answer.status_code == 200, answer.text
        return Tokens(answer.json["access_token"], answer.json.get("refresh_token", ""), answer.json)

    def get(self, path: str, token: str | None = None, **headers: str) -> TestResponse:
        """Ask for a protected resource."""
        return self.client.get(path, headers=bearer(token) | headers)

    def post(self, path: str, token: str | None = None, **kwargs: Any) -> TestResponse:
        """Present a token at /refresh or /logout."""
        return self.client.post(path, headers=bearer(token), **kwargs)

    def refresh(self, token: str) -> Tokens:
        """Refresh and succeed."""
        answer = self.post("/refresh", token)
        assert answer.status_code == 200, answer.text
        return Tokens(answer.json["access_token"], answer.json.get("refresh_token", token), answer.json)

    def opens(self, token: str, path: str = "/profile") -> bool:
        """Whether the token opens a protected resource; anything but 200 and 401 is a mistake of the server."""
        status = self.get(path, token).status_code
        assert status in {200, 401}
        return status == 200

    def forge(self, token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed by the server's own key, like this one but for some claims; None leaves one out."""
        key = self.services.issuer.key
        changed = {name: value for name, value in (claims_of(token) | claims).items() if value is not None}
        headers = {"kid": key.kid} if key.kid else {}
        return jwt.encode(changed, key.private, algorithm=key.algorithm, headers=headers | (header or {}))


def bearer(token: str | None) -> dict[str, str]:
    """The header that presents a token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def basic_auth(client_id: str, secret: str) -> str:
    """The value of an Authorization header by which a client authenticates (RFC 6749 §2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    return jwt.decode(token, options={"verify_signature": False})
