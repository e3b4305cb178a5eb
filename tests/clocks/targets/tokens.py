"""HS256 tokens of the standard library alone, and the routes of the default contract over them.

Lifetimes are the usual ones, unless the environment says otherwise: 15 minutes, and a week.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from typing import Any

KEY = b"a-key-of-these-tests-that-is-long-enough"
USERS = {"alice": "a-walrus-and-9-oysters", "bob": "the-carpenter-wept-42"}
ACCESS_S = int(os.environ.get("ACCESS_S", "900"))
REFRESH_S = int(os.environ.get("REFRESH_S", "604800"))
LEEWAY_S = int(os.environ.get("LEEWAY_S", "0"))


def encoded(data: bytes) -> str:
    """Base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(text: str) -> str:
    """The text with its signature."""
    return f"{text}.{encoded(hmac.digest(KEY, text.encode(), hashlib.sha256))}"


def issue(subject: str, kind: str, lifetime_s: int) -> str:
    """A token."""
    now = int(time.time())
    claims = {"sub": subject, "type": kind, "iat": now, "exp": now + lifetime_s, "jti": secrets.token_hex(8)}
    head = {"alg": "HS256", "typ": "JWT"}
    return signed(".".join(encoded(json.dumps(part).encode()) for part in (head, claims)))


def owner(authorization: str, kind: str) -> str:
    """Whose token this is.

    Raises:
        ValueError: it is no good; the message says why.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or signed(token.rpartition(".")[0]) != token:
        raise ValueError("Invalid token")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if claims["type"] != kind:
        raise ValueError("Invalid token")
    if time.time() >= claims["exp"] + LEEWAY_S:
        raise ValueError("Token has expired")
    return str(claims["sub"])


def answer(method: str, path: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of an answer."""
    try:
        match f"{method} {path}":
            case "POST /login":
                return _login(body)
            case "GET /profile":
                return 200, {"username": owner(authorization, "access")}
            case "GET /dashboard":
                return 200, {"message": f"welcome, {owner(authorization, 'access')}"}
            case "POST /refresh":
                return 200, {"access_token": issue(owner(authorization, "refresh"), "access", ACCESS_S)}
    except ValueError as error:
        return 401, {"msg": str(error)}
    return 404, {"msg": "Not found"}


def _login(body: bytes) -> tuple[int, dict[str, Any]]:
    try:
        sent = json.loads(body)
        name, password = sent["username"], sent["password"]
        right = USERS.get(name)
    except (ValueError, TypeError, LookupError):
        return 400, {"msg": "Bad request"}
    if right is None or right != password:
        return 401, {"msg": "Bad username or password"}
    return 200, {"access_token": issue(name, "access", ACCESS_S), "refresh_token": issue(name, "refresh", REFRESH_S)}
