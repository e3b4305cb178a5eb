"""Logs as one JSON object a line, without secrets: what clients send is not repeated, only what became of it."""

from __future__ import annotations

import logging
import re
import time
import traceback
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from types import TracebackType

_requests = logging.getLogger("reference_server.requests")

# What gunicorn says of requests that it cannot read, which quotes them: header lines, and addresses with their query.
_QUOTING = re.compile(r"(Invalid request from ip=[^\s:]*|Error handling request\b).*", re.DOTALL)


def install(app: Flask) -> None:
    """Log each request: method, route, status, duration and client. Nothing is done where nobody reads that."""
    if not _requests.isEnabledFor(logging.INFO):
        return

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        # The route's pattern and not the address, in which anything could stand.
        route = request.url_rule.rule if request.url_rule else None
        told = {
            "method": request.method if route else None,
            "route": route,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - g.began) * 1000, 1) if "began" in g else None,
            "client": request.remote_addr,
        }
        _requests.info("answered", extra=told)
        return response


class WithoutQuotes(logging.Filter):
    """Cuts what gunicorn repeats of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut it, and let everything through."""
        record.msg, record.args = _QUOTING.sub(r"\1", record.getMessage()), ()
        return True


class WhereItHappened(logging.Filter):
    """Leaves of an exception its kind and its place: its message may hold whatever was being worked on."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put both into fields of their own, and let everything through."""
        if record.exc_info and record.exc_info[0]:
            kind, _, place = record.exc_info
            record.exception = kind.__name__
            record.stack = _lines(place)
        record.exc_info = record.exc_text = None
        return True


def configuration() -> dict[str, Any]:
    """What `logging.config.dictConfig` takes. Needs python-json-logger, of the extra `deploy`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"quotes": {"()": WithoutQuotes}, "exceptions": {"()": WhereItHappened}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(process)d %(message)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            }
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                # On the handler, which every logger's records pass.
                "filters": ["quotes", "exceptions"],
            }
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": {"level": "INFO", "propagate": True, "handlers": []}},
    }


def _lines(place: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(place)]
