"""The API of the guide "Your first verdict": a shop whose author has not thought of one thing.

SHOP_FIXED=1 repairs it; SHOP_SECRET is what it signs with.
"""

from __future__ import annotations

import os
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import jwt
from flask import Flask, Response, jsonify, request

SECRET = os.environ.get("SHOP_SECRET") or secrets.token_hex(32)
PASSWORDS = {"alice@shop.example": "tea-with-the-hatter-71", "bob@shop.example": "builds-a-bridge-by-noon-28"}
LIFETIMES = {"access": timedelta(minutes=15), "refresh": timedelta(hours=12)}
app = Flask(__name__)


def token(kind: str, email: str) -> str:
    """A token of that kind for somebody."""
    now = datetime.now(UTC)
    claims = {"sub": email, "kind": kind, "iat": now, "exp": now + LIFETIMES[kind], "jti": uuid.uuid4().hex}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def owner(text: object, *kinds: str) -> str | None:
    """Whose token it is, if it is one of these kinds and good."""
    try:
        claims = jwt.decode(str(text), SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        return None
    return str(claims["sub"]) if claims.get("kind") in kinds else None


def refused(status: int, why: str) -> Response:
    """A refusal as this API writes it."""
    answer = jsonify({"error": why})
    answer.status_code = status
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def members(*names: str) -> list[str] | None:
    """The texts of the JSON body at these names, and None where it does not hold them."""
    body = request.get_json(silent=True)
    values = [body.get(name) for name in names] if isinstance(body, dict) else [None]
    return [str(value) for value in values] if all(isinstance(value, str) and value for value in values) else None


@app.post("/api/auth/login")
def login() -> Response:
    """Both tokens for an e-mail address and a password."""
    given = members("email", "password")
    if given is None:
        return refused(HTTPStatus.BAD_REQUEST, "email and password are wanted")
    email, password = given
    expected = PASSWORDS.get(email, "")
    if not secrets.compare_digest(password.encode("utf-8", "surrogatepass"), expected.encode()) or not expected:
        return refused(HTTPStatus.UNAUTHORIZED, "wrong email or password")
    answer = jsonify({"data": {f"{kind}Token": token(kind, email) for kind in ("access", "refresh")}})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@app.post("/api/auth/refresh")
def refresh() -> Response:
    """A new access token for a refresh token."""
    given = members("refreshToken")
    if given is None:
        return refused(HTTPStatus.BAD_REQUEST, "a refreshToken is wanted")
    email = owner(given[0], "refresh")
    if email is None:
        return refused(HTTPStatus.UNAUTHORIZED, "this refresh token is not good")
    answer = jsonify({"data": {"accessToken": token("access", email)}})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@app.get("/api/me")
def me() -> Response:
    """Who the token belongs to."""
    kinds = ("access",) if os.environ.get("SHOP_FIXED") else ("access", "refresh")
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    email = owner(text.strip(), *kinds) if scheme.lower() == "bearer" else None
    return refused(HTTPStatus.UNAUTHORIZED, "please log in") if email is None else jsonify({"email": email})


@app.errorhandler(404)
@app.errorhandler(405)
@app.errorhandler(415)
def no_such_thing(error: Exception) -> Response:
    """Errors of the routing, in the manner of all others."""
    return refused(getattr(error, "code", 400), str(error))
