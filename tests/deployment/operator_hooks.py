"""What an operator lets the suite do to a deployment: make and change accounts, and restart the workers."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from reference_server import Settings, create_app
from reference_server.app import close, services_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_server.accounts import Accounts
    from tests.deployment.deployed import Deployment


@contextmanager
def serving(deployment: Deployment) -> Iterator[str]:
    """The URL of the hooks of `conformance/target/hooks.py`."""
    app = create_app(Settings.from_env(deployment.settings))
    accounts = services_of(app).accounts

    class Hooks(BaseHTTPRequestHandler):
        """Does one thing for each request."""

        def do_POST(self) -> None:
            """Do it."""
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if told["action"] == "restart":
                deployment.stop()
                deployment.start(**{f"REFERENCE_{name}": str(value) for name, value in told["settings"].items()})
            else:
                provision(accounts, told)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hooks) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            close(app)


def provision(accounts: Accounts, told: dict[str, Any]) -> None:
    """Do to an account what the suite asks for, as the commands `flask accounts` would."""
    match told:
        case {"action": "create", "username": name, "password": password}:
            accounts.put(name, password)
        case {"action": "change_password", "username": name, "new_password": password}:
            accounts.put(name, password)
        case {"action": "disable", "username": name}:
            accounts.disable(name)
        case {"action": "delete", "username": name}:
            accounts.remove(name)
