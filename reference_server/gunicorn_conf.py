"""How gunicorn runs the server: `gunicorn -c python:reference_server.gunicorn_conf`, with the server's settings.

Options of the command line come before these; `--bind`, `--workers` and `--threads` are those one may want.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reference_server import Settings, SettingsError, logs
from reference_server.app import close

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

wsgi_app = "reference_server:create_app()"
workers = int(os.environ.get("WEB_CONCURRENCY", "4"))
# Requests wait for the database or for a hash, which both let other threads run.
worker_class = "gthread"
threads = 4
# After SIGTERM no connection is taken, and requests under way have so many seconds to end.
graceful_timeout = 30
# Who is a proxy, REFERENCE_TRUSTED_PROXIES tells. By itself gunicorn would believe whoever asks from this machine.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
# A socket for commands to gunicorn, at the same place for every server of one user: signals do.
control_socket_disable = True
# The server logs its requests itself, without what clients send.
logconfig_dict = logs.configuration()


def on_starting(server: Arbiter) -> None:
    """Refuse, in one line and before any worker starts, what workers could not agree on."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    if server.cfg.workers > 1 and (missing := unshared(settings)):
        raise SystemExit(f"each worker would have its own {missing} for all of them")


def unshared(settings: Settings) -> str | None:
    """What each worker would have for itself, and what makes it one; None where all is shared."""
    if settings.database_url is None:
        return "sessions: set DATABASE_URL"
    if settings.redis_url is None:
        return "count of failed logins: set REDIS_URL"
    if not (settings.has_key or settings.keyring_secret):
        return "signing key: set REFERENCE_KEYRING_SECRET, or give the key"
    return None


def worker_exit(_server: Arbiter, worker: Worker) -> None:
    """Give back the worker's connections."""
    if app := getattr(worker, "wsgi", None):
        close(app)
