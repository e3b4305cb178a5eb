"""A Flask application, and its factory."""

from __future__ import annotations

import warnings
from typing import Any

from flask import Flask, Response, jsonify, request
from tokens import answer

app = Flask(__name__)


@app.route("/<path:path>", methods=["GET", "POST"])
def everything(path: str) -> Response:
    """Answers in JSON."""
    # As a library does that an application has not kept up with.
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    status, data = answer(request.method, f"/{path}", request.headers.get("Authorization", ""), request.data)
    response = jsonify(data)
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """The application."""
    app.config.update(config or {})
    return app


class Holder:
    """Has the application as an attribute."""

    app = app
    number = 42


def make_nothing() -> None:
    """A factory that makes no application."""


def make_error() -> Flask:
    """A factory that fails, and tells a secret."""
    raise RuntimeError("cannot connect with a-walrus-and-9-oysters")
