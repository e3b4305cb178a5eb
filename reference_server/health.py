"""Whether the server can do its work, for whoever sends it requests or starts it anew."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from reference_server.database import Database
    from reference_server.limits import LoginLimiter

OK, AWAY = "ok", "unavailable"


class Health:
    """What the server needs to answer every request, and whether it is there."""

    def __init__(self, database: Database, limiter: LoginLimiter) -> None:
        """Ask these two."""
        self._database = database
        self._limiter = limiter

    def parts(self) -> dict[str, str]:
        """`ok` or `unavailable`, for each thing that the server needs."""
        try:
            self._database.check()
        except SQLAlchemyError:
            database = AWAY
        else:
            database = OK
        return {"database": database, "login_limits": OK if self._limiter.can_count() else AWAY}


def routes(health: Health) -> Blueprint:
    """`/healthz` and `/healthz/live`. They are no part of the API, and are served only where something can be away."""
    blueprint = Blueprint("health", __name__, url_prefix="/healthz")

    @blueprint.get("")
    def ready() -> Response:
        """Say whether requests should be sent here."""
        parts = health.parts()
        whole = all(state == OK for state in parts.values())
        response = jsonify({"status": OK if whole else AWAY, **parts})
        response.status_code = HTTPStatus.OK if whole else HTTPStatus.SERVICE_UNAVAILABLE
        return response

    @blueprint.get("/live")
    def live() -> Response:
        """Answer at all: to start the server anew would not bring back what it needs."""
        return jsonify({"status": OK})

    return blueprint
