"""Serving an application on a free port of the loopback interface, in threads of this process."""

from __future__ import annotations

import importlib.util
import logging
import socket
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from conformance.errors import ConfigurationError
from conformance.target.application import MOST_SAID, Application, Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK: Final = "127.0.0.1"
WORKERS: Final = 8
LONG_S: Final = 10 * 365 * 24 * 3600
START_S: Final = 60.0
STOP_S: Final = 10.0


class Server(ABC):
    """A server that runs until it is closed."""

    def __init__(self) -> None:
        """Takes a free port."""
        self._listener = socket.create_server((LOOPBACK, 0))
        self.base_url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"

    @abstractmethod
    def close(self) -> None:
        """Stops the server and its threads."""


def serve(application: Application, redact: Callable[[str], str]) -> Server:
    """Serves an application.

    Raises:
        ConfigurationError: uvicorn is wanted and not installed, or the application does not start.
    """
    if application.interface is Interface.WSGI:
        return _Waitress(application.call)
    if importlib.util.find_spec("uvicorn") is None:
        raise ConfigurationError(
            "--app is an ASGI application, which uvicorn serves, and uvicorn is not installed",
            "pip install 'jwt-conformance[asgi]'",
        )
    return _Uvicorn(application, redact)


class _Waitress(Server):
    """A WSGI application on waitress."""

    def __init__(self, app: Any) -> None:
        from waitress.server import create_server  # type: ignore[import-untyped] # noqa: PLC0415 - only for WSGI

        super().__init__()
        # A queue that is a request long for a moment is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._server = create_server(
            app,
            sockets=[self._listener],
            threads=WORKERS,
            # The clock is moved by weeks, and an idle connection must not be taken for a forgotten one.
            channel_timeout=LONG_S,
            cleanup_interval=LONG_S,
            # What the application does not say about itself is not said for it.
            ident=None,
        )
        # Nothing of the suite's is on the stack below the application: freezegun would leave it the true time.
        self._thread = threading.Thread(target=self._server.run, name="app", daemon=True)
        self._thread.start()

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self._server.task_dispatcher.shutdown()
        # Sockets belong to the loop's own thread, and the loop ends when it has none to watch.
        self._server.trigger.pull_trigger(self._end)
        self._thread.join(STOP_S)
        self._server.trigger.close()

    def _end(self) -> None:
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._listener.close()
        self._server._map.clear()  # noqa: SLF001 - waitress has no other way to end its loop and leave the pipe open


class _Uvicorn(Server):
    """An ASGI application on uvicorn."""

    def __init__(self, application: Application, redact: Callable[[str], str]) -> None:
        import uvicorn  # noqa: PLC0415 - an optional dependency

        super().__init__()
        config = uvicorn.Config(
            # As it is, and nothing of the suite's around it: see `_Waitress`.
            application.call,
            interface="asgi2" if application.interface is Interface.ASGI2 else "asgi3",
            # Timers of asyncio's own loop are left alone while the clock is moved.
            loop="asyncio",
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Nobody stands in front, so that what a client says of its address is not to be believed.
            proxy_headers=False,
            timeout_graceful_shutdown=int(STOP_S),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="app", daemon=True)
        with _heard("uvicorn.error") as said:
            self._thread.start()
            deadline = time.monotonic() + START_S
            while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
                time.sleep(0.01)
        if not self._server.started:
            self.close()
            # A framework gives its traceback, of which the last line is the error.
            last = next((line for text in said for line in reversed(text.splitlines()) if line.strip()), "")
            raise ConfigurationError(
                f"--app: the application does not start{f': {redact(last).strip()[:MOST_SAID]}' if last else ''}",
                "look into its lifespan: does it need settings, or a database, that are not there?",
            )

    def _run(self) -> None:
        # That the application does not start is told by `started`.
        with suppress(SystemExit):
            self._server.run([self._listener])

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(2 * STOP_S)
        self._listener.close()


@contextmanager
def _heard(name: str) -> Iterator[list[str]]:
    """What a logger says meanwhile, which nobody else hears."""
    said: list[str] = []
    logger = logging.getLogger(name)
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
