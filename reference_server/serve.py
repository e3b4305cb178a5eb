"""Running the server on waitress: in a thread for a test run, or in the foreground for a person."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from flask import Flask
from waitress.server import create_server  # type: ignore[import-untyped] # waitress has no hints
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped] # as above
from waitress.wasyncore import dispatcher  # type: ignore[import-untyped] # as above

from reference_server.app import close

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from wsgiref.types import WSGIApplication

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

    def __init__(self, app: WSGIApplication, *, port: int = 0) -> None:
        """Serve `app` at once. Port 0 takes a free one."""
        self._app = app
        self._server = _create(app, _LOOPBACK, port)
        self._thread = threading.Thread(target=self._server.run, name="reference-server", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.effective_port)

    @property
    def base_url(self) -> str:
        """Where the server answers, without a trailing slash."""
        return f"http://{_LOOPBACK}:{self.port}"

    def close(self) -> None:
        """Stop listening, end every thread, and give back what the application holds. May be called twice."""
        if not self._thread.is_alive():
            return
        # Workers first: they wake the loop through a pipe, whose number may belong to others once closed.
        self._server.task_dispatcher.shutdown()
        # Sockets belong to the loop's own thread, and the loop ends when it has none to watch.
        self._server.trigger.pull_trigger(lambda: _close_sockets(self._server))
        self._thread.join()
        # Only now: the loop may have gone through the lines above before this thread had finished writing to its pipe.
        self._server.trigger.close()
        if isinstance(self._app, Flask) and "reference_server" in self._app.extensions:
            close(self._app)

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
    """
    server = _create(app, host, port)
    if announce:
        announce(f"serving on http://{host}:{server.effective_port}")
    try:
        server.run()
    finally:
        server.close()
        close(app)


def _create(app: WSGIApplication, host: str, port: int) -> Any:
    # A queue that is a request long for a moment is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # Before the threads: a port that cannot be had must leave none of them behind.
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    workers = _Workers()
    workers.set_thread_count(_WORKERS)
    return create_server(app, sockets=[listener], _dispatcher=workers, **_WAITRESS)


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
