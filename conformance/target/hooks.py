"""What no client can do, and the operator lets the suite do: make and change accounts, and restart the target.

A hook is a command or an HTTP call that the profile describes. It is given one JSON object, on its standard input or
as the body of a POST:

    {"action": "create", "username": "...", "password": "..."}
    {"action": "change_password", "username": "...", "password": "...", "new_password": "..."}
    {"action": "disable", "username": "..."}
    {"action": "delete", "username": "..."}
    {"action": "restart", "settings": {}}

A restart without settings goes back to those that the target had at first. The settings that the suite asks for are
`ACCESS_LIFETIME` and `REFRESH_LIFETIME`: a number and a unit, such as `45s`, `7m`, `2h`, `1d` or `1w`.

A command succeeds with the exit code 0, a call with a 2xx status. Exit code 64 (EX_USAGE) or status 501 says that the
hook does not offer the action.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from conformance.errors import ConformanceError
from conformance.target.connections import PunctualAdapter
from conformance.target.session import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.target.profile_tables import Hook

NOT_OFFERED_CODE: Final = 64
MOST_SAID: Final = 200
MOST_READ: Final = 4096
SUCCESSES: Final = range(200, 300)


class HookError(ConformanceError):
    """A hook did not do what it was asked for; the message says how it failed, and repeats no secret."""


class Hooks(ABC):
    """What the operator lets the suite do."""

    @abstractmethod
    def provision(self, action: str, **details: str) -> None:
        """Does something to an account.

        Raises:
            HookError: it was not done.
        """

    @abstractmethod
    def restart(self, settings: Mapping[str, Any]) -> None:
        """Restarts the target, with some settings changed; returns once it answers again.

        Raises:
            HookError: it was not done.
        """


@dataclass(slots=True)
class DescribedHooks(Hooks):
    """The hooks that a profile describes.

    Attributes:
        redact: takes secrets out of what a hook says when it fails.
    """

    provisioning: Hook
    reconfiguring: Hook
    redact: Callable[[str], str] = field(default=lambda text: text)

    def provision(self, action: str, **details: str) -> None:
        """Calls `hooks.provision`."""
        self._call("provision", self.provisioning, {"action": action, **details})

    def restart(self, settings: Mapping[str, Any]) -> None:
        """Calls `hooks.reconfigure`."""
        self._call("reconfigure", self.reconfiguring, {"action": "restart", "settings": dict(settings)})

    def _call(self, name: str, hook: Hook, document: dict[str, Any]) -> None:
        if not hook.is_given:
            raise HookError(f"the profile describes no hook {name}", f"describe hooks.{name} in the target profile")
        run = _run_command if hook.command else _post
        problem = run(hook, json.dumps(document).encode())
        if problem:
            # The hook may quote what it was given. Redacted before it is cut: half a secret is not recognised.
            told = " ".join(self.redact(problem).split())[:MOST_SAID]
            raise HookError(f"the hook {name} did not {document['action'].replace('_', ' ')}: {told}")


def _run_command(hook: Hook, document: bytes) -> str:
    """Runs the command; returns what went wrong, or an empty string."""
    # A file, and no pipe: a server that the command has started would hold a pipe open for as long as it runs.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command
                hook.command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, so that what a shell started ends with it.
                start_new_session=True,
            )
        except OSError as error:
            return f"{hook.command[0]!r} cannot be run: {error.strerror}"
        try:
            process.communicate(document, timeout=hook.timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            return f"it was not done after {hook.timeout} s"
        if process.returncode == NOT_OFFERED_CODE:
            return "it does not offer that"
        output.seek(0)
        said = output.read(MOST_READ).decode("utf-8", "replace").strip()
    return f"exit code {process.returncode}: {said}" if process.returncode else ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()


def _post(hook: Hook, document: bytes) -> str:
    """Calls the URL; returns what went wrong, or an empty string."""
    session = requests.Session()
    adapter = PunctualAdapter(hook.timeout)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    try:
        with (
            session,
            session.post(
                hook.url,
                data=document,
                headers={"Content-Type": "application/json"},
                timeout=hook.timeout,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            said = answer.raw.read(MOST_READ, decode_content=True).decode("utf-8", "replace")
    except (requests.Timeout, Urllib3Timeout, TimeoutError):
        return f"no answer within {hook.timeout} s"
    except (requests.RequestException, Urllib3Error, OSError, ValueError) as error:
        return f"the call failed: {type(error).__name__}"
    if answer.status_code == HTTPStatus.NOT_IMPLEMENTED:
        return "it does not offer that"
    return "" if answer.status_code in SUCCESSES else f"status {answer.status_code}: {said}"


@dataclass(slots=True)
class Provisioner:
    """Accounts that the suite makes for itself by a hook, and removes in the end."""

    hooks: Hooks
    keep_secret: Callable[[str, str], None]
    _made: list[str] = field(default_factory=list)

    def create(self, *, username: str = "", password: str = "") -> Account:
        """A new account, with a random name and password unless they are given.

        Raises:
            HookError: there is none.
        """
        account = Account(
            username or f"conformance-{secrets.token_hex(6)}", password or f"{secrets.token_urlsafe(16)}-Aa1!"
        )
        self.keep_secret(account.password, "password")
        self.hooks.provision("create", username=account.username, password=account.password)
        if account.username not in self._made:
            self._made.append(account.username)
        return account

    def change_password(self, account: Account, new_password: str = "") -> Account:
        """The account with a new password, a random one unless it is given.

        Raises:
            HookError: it keeps the old one.
        """
        changed = Account(account.username, new_password or f"{secrets.token_urlsafe(16)}-Aa1!")
        self.keep_secret(changed.password, "password")
        self.hooks.provision(
            "change_password",
            username=account.username,
            password=account.password,
            new_password=changed.password,
        )
        return changed

    def disable(self, account: Account) -> None:
        """Forbids the account to log in, and keeps it.

        Raises:
            HookError: it was not done.
        """
        self.hooks.provision("disable", username=account.username)

    def delete(self, account: Account) -> None:
        """Removes the account.

        Raises:
            HookError: it was not done.
        """
        self.hooks.provision("delete", username=account.username)
        if account.username in self._made:
            self._made.remove(account.username)

    def close(self) -> None:
        """Removes what was made, as far as the hook can."""
        for username in list(self._made):
            with suppress(HookError):
                self.hooks.provision("delete", username=username)
        self._made.clear()
