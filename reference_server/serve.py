"""Running the server on waitress: in a thread for a test run, or in the foreground for a person."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from flask import Flask
from waitress.channel import HTTPChannel  # type: ignore[import-untyped] # waitress has no hints
from waitress.server import create_server  # type: ignore[import-untyped] # as above
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped] # as above
from waitress.wasyncore import dispatcher  # type: ignore[import-untyped] # as above

from reference_server.app import close, prepare, services_of
from reference_server.tls import Certificate, TlsRelay

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from wsgiref.types import WSGIApplication

    from reference_server.views import Services

_LOOPBACK = "127.0.0.1"
_WORKERS = 8
_WAITRESS: dict[str, Any] = {
    # Tests move the clock by weeks; an idle connection must not be taken for a forgotten one. Seconds.
    "channel_timeout": 10 * 365 * 24 * 3600,
    "cleanup_interval": 10 * 365 * 24 * 3600,
    # The application answers 413 in JSON from 1 MiB on; this only keeps a flood from filling the disk.
    "max_request_body_size": 64 * 1024 * 1024,
    # No Server header, so no version in it.
    "ident": None,
}


class ServerThread:
    """A WSGI application on a loopback port, served by threads of this process.

    Works as a context manager; leaving it stops the server and all its threads.
    """

    def __init__(self, app: WSGIApplication, *, port: int = 0, certificate: Certificate | None = None) -> None:
        """Serve `app` at once, over TLS where a certificate is given. Port 0 takes a free one."""
        _prepare(app)
        self._app = app
        self.certificate = certificate
        self._server = _create(app, _LOOPBACK, 0 if certificate else port, tls=certificate is not None)
        self._relay: TlsRelay | None = None
        if certificate:
            try:
                self._relay = _relay_of(app)(certificate, self._server.effective_port, port=port)
            except OSError:
                self._server.task_dispatcher.shutdown()
                self._server.close()
                raise
        self._thread = threading.Thread(target=self._server.run, name="reference-server", daemon=True)
        self._thread.start()
        _listens_at(app, self.base_url)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._relay.port if self._relay else int(self._server.effective_port)

    @property
    def base_url(self) -> str:
        """Where the server answers, without a trailing slash."""
        return f"{'https' if self._relay else 'http'}://{_LOOPBACK}:{self.port}"

    @property
    def app(self) -> WSGIApplication:
        """What is served."""
        return self._app

    def close(self, *, keep_database: bool = False) -> None:
        """Stop listening, end every thread, and give back what the application holds. May be called twice."""
        if not self._thread.is_alive():
            return
        if self._relay:
            self._relay.close()
        # Workers first: they wake the loop through a pipe, whose number may belong to others once closed.
        self._server.task_dispatcher.shutdown()
        # Sockets belong to the loop's own thread, and the loop ends when it has none to watch.
        self._server.trigger.pull_trigger(lambda: _close_sockets(self._server))
        self._thread.join()
        # Only now: the loop may have gone through the lines above before this thread had finished writing to its pipe.
        self._server.trigger.close()
        if isinstance(self._app, Flask) and _services(self._app):
            close(self._app, keep_database=keep_database)

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.close()


def serve_forever(
    app: Flask,
    *,
    host: str = _LOOPBACK,
    port: int = 8000,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve `app` in the foreground until it is interrupted.

    Args:
        app: the server.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        announce: is told in one line where the server listens, once it does.

    Raises:
        OSError: if the port cannot be had.
        SettingsError: if the database cannot be opened.
    """
    _prepare(app)
    certificate = Certificate() if services_of(app).settings.tls else None
    relay: TlsRelay | None = None
    server = _create(app, _LOOPBACK if certificate else host, 0 if certificate else port, tls=certificate is not None)
    try:
        if certificate:
            relay = _relay_of(app)(certificate, server.effective_port, host=host, port=port)
        _listens_at(app, f"https://{host}:{relay.port}" if relay else f"http://{host}:{server.effective_port}")
        if announce and certificate and relay:
            announce(f"serving on https://{host}:{relay.port}; SSL_CERT_FILE={certificate.authority_file} trusts it")
        elif announce:
            announce(f"serving on http://{host}:{server.effective_port}")
        server.run()
    finally:
        if relay:
            relay.close()
        if certificate:
            certificate.close()
        server.close()
        close(app)


def _prepare(app: WSGIApplication) -> None:
    """Prepare a database that is a server of its own: nobody deploys what is served from here."""
    services = _services(app)
    if services and not services.database.is_embedded:
        assert isinstance(app, Flask)
        prepare(app)


def _listens_at(app: WSGIApplication, url: str) -> None:
    """Let the reference server name that address where its operator has named none."""
    services = _services(app)
    if services and services.settings.public_url is None:
        assert isinstance(app, Flask)
        app.config["PUBLIC_URL"] = url


def _relay_of(app: WSGIApplication) -> type[TlsRelay]:
    """What ends TLS for this application."""
    services = _services(app)
    return services.relay if services else TlsRelay


def _create(app: WSGIApplication, host: str, port: int, *, tls: bool = False) -> Any:
    # A queue that is a request long for a moment is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # Before the threads: a port that cannot be had must leave none of them behind.
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    workers = _Workers()
    workers.set_thread_count(_WORKERS)
    # The application is told which scheme its clients see.
    scheme = "https" if tls else "http"
    server = create_server(app, sockets=[listener], _dispatcher=workers, url_scheme=scheme, **_WAITRESS)
    if services := _services(app):
        server.channel_class = type("Channel", (HTTPChannel,), {"parser_class": services.framing})
    return server


def _services(app: WSGIApplication) -> Services | None:
    """What the application is made of, where it is the reference server."""
    return services_of(app) if isinstance(app, Flask) and "reference_server" in app.extensions else None


class _Workers(ThreadedTaskDispatcher):  # type: ignore[misc] # waitress has no type hints
    """Waitress's worker threads, of which `shutdown` leaves none behind."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[threading.Thread] = []

    def start_new_thread(self, target: Callable[[int], None], thread_no: int) -> None:
        """Start a worker and remember it."""
        worker = threading.Thread(target=target, name=f"reference-server-{thread_no}", args=(thread_no,), daemon=True)
        self._started.append(worker)
        worker.start()

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Let every worker finish what it does, for at most `timeout` seconds, and end."""
        done: bool = super().shutdown(cancel_pending, timeout)
        for worker in self._started:
            worker.join(timeout)
        return done


def _close_sockets(server: Any) -> None:
    """Close the listening socket and every connection, and leave the loop nothing to watch, from within its thread."""
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    dispatcher.close(server)
    server._map.clear()  # noqa: SLF001 - waitress has no other way to end its loop and leave the pipe open
