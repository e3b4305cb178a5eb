"""What Schemathesis needs beyond the contract: somebody who logs in.

Read by `schemathesis.toml`. Requests that need an access token share one session, which is renewed before it expires; a
refresh and a logout each spend a session of their own, so that no other request meets a dead token.
"""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, Any

import requests
import schemathesis

if TYPE_CHECKING:
    from schemathesis import AuthContext, Case, HookContext

# Not the account of the contract's examples: wrong passwords for that one are a part of the fuzzing.
USERNAME = os.environ.get("CONFORMANCE_USERNAME", "bob")
PASSWORD = os.environ.get("CONFORMANCE_PASSWORD", "Tempest-and-teacup-7")
CLIENT = os.environ.get("CONFORMANCE_CLIENT_ID", "reference-app")
CLIENT_SECRET = os.environ.get("CONFORMANCE_CLIENT_SECRET", "Through-the-glass-1865")
EXAMPLE = "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
TIMEOUT_S = 10
SHARED_FOR_S = 10
"""So long requests share a session: less than any access token of use lives."""

http = requests.Session()


@schemathesis.hook
def filter_case(_context: HookContext, case: Case) -> bool:
    """Leaves out guesses at the password of the account that the hooks log in with: it would be locked for a while."""
    return not (case.path == "/login" and isinstance(case.body, dict) and case.body.get("username") == USERNAME)


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Puts a genuine refresh token in the place of the contract's example, which has expired long ago."""
    if isinstance(case.body, dict) and EXAMPLE in case.body.values():
        genuine = str(_login(case.operation.base_url)["refresh_token"])
        case.body = {name: genuine if value == EXAMPLE else value for name, value in case.body.items()}


@schemathesis.auth(refresh_interval=None)
class Sessions:
    """Gives each request the credential that its operation is documented to need."""

    def __init__(self) -> None:
        """Begins without a session."""
        self._access, self._until = "", 0.0

    def get(self, case: Case, _context: AuthContext) -> str | tuple[str, str] | None:
        """The credential: a token, or a client's name and secret; None where the operation needs none."""
        schemes = {name for needed in case.operation.definition.raw.get("security", []) for name in needed}
        if schemes & {"clientBasic", "clientPost"}:
            return CLIENT, CLIENT_SECRET
        if "refreshToken" in schemes:
            return str(_login(case.operation.base_url)["refresh_token"])
        if not schemes:
            return None
        if time.monotonic() > self._until:
            self._access = str(_login(case.operation.base_url)["access_token"])
            self._until = time.monotonic() + SHARED_FOR_S
        return self._access

    def set(self, case: Case, data: str | tuple[str, str] | None, _context: AuthContext) -> None:
        """Puts it into the header."""
        if isinstance(data, str):
            case.headers["Authorization"] = f"Bearer {data}"
        elif data:
            encoded = base64.b64encode(":".join(data).encode()).decode()
            case.headers["Authorization"] = f"Basic {encoded}"


def _login(base_url: str) -> dict[str, Any]:
    """A new session's tokens; waits where logins are limited for a while.

    Raises:
        requests.RequestException: the API does not answer, or refuses an honest login.
    """
    while True:
        answer = http.post(f"{base_url}/login", json={"username": USERNAME, "password": PASSWORD}, timeout=TIMEOUT_S)
        if answer.status_code != requests.codes.too_many_requests:
            answer.raise_for_status()
            return dict(answer.json())
        time.sleep(float(answer.headers["Retry-After"]))
