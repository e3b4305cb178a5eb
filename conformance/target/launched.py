"""The user's own server, in any language: started by a command, and stopped with everything that it has started."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

import psutil

from conformance.clock import Clock, FakedClock, WaitingClock, libfaketime
from conformance.errors import ConfigurationError, TargetError
from conformance.target import offspring
from conformance.target.http import HttpClient, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_LINES: Final = 8
MOST_READ: Final = 1 << 14
POLL_S: Final = 0.05
STARTING: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""What a proxy answers for a server that has not started yet."""

_CREDENTIALS: Final = re.compile(r"//[^/@\s]+@")
_SHELL: Final = re.compile(r"[|&;<>()$`*?]|^\w+=")
"""What only a shell understands."""


class Launched:
    """A command that runs until it is closed, with everything that it starts."""

    def __init__(self, command: str, base_url: str, redact: Callable[[str], str]) -> None:
        """Starts nothing yet.

        Args:
            command: its words, as a shell would split them.
            base_url: where it is going to answer.
            redact: takes secrets out of what it says.

        Raises:
            ConfigurationError: the command has no words, or this is Windows.
        """
        if os.name != "posix":
            raise ConfigurationError(
                "--launch is not supported on Windows", "start the server yourself, and give its URL alone"
            )
        self.base_url = base_url
        self._words = _split(command)
        self._redact = redact
        self._mark = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._warden: offspring.Warden | None = None
        self._started = 0.0
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the launch
        # Others may enter it, since the command may give up the rights of this user; it holds no secret.
        self.folder = Path(tempfile.mkdtemp(prefix="jwt-conformance-"))
        self.folder.chmod(0o755)

    def start(self, environment: Mapping[str, str], timeout_s: float) -> None:
        """Starts the command, and returns once it answers at the URL.

        Raises:
            ConfigurationError: something listens there already, the command cannot be run, it ends, or it does not
                answer in time. Nothing is left running.
        """
        try:
            self._start(environment)
            self._wait(timeout_s)
        except BaseException:
            self.close()
            raise

    def _start(self, environment: Mapping[str, str]) -> None:
        if self._is_listened_on():
            raise ConfigurationError(
                f"something listens at {self.base_url} already, before the command is launched",
                "stop it, or launch the command on another port; to test what runs there, leave --launch out",
            )
        self._warden = offspring.Warden(self._mark, self.folder)
        self._started = time.time()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                self._words,
                env={**environment, offspring.MARK: self._mark},
                stdin=subprocess.DEVNULL,
                # A file, and no pipe, which would be full some day.
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigurationError(
                f"--launch: {self._words[0]!r} cannot be run: {error.strerror}", _shell_hint(self._words)
            ) from None
        self._warden.watch(self._process.pid, self._started)

    def _wait(self, timeout_s: float) -> None:
        client = HttpClient(self.base_url)
        deadline = time.monotonic() + timeout_s
        while (status := _status(client)) is None or status in STARTING:
            code = self.exit_code
            # A command that ends well may have put its server into the background.
            if code or (code == 0 and not self._family()):
                self._fail(
                    f"the launched command has ended with {_ending(code)}, before anything answered at {self.base_url}",
                    "it must stay in the foreground; try it by itself" if code == 0 else "try it by itself",
                )
            if time.monotonic() > deadline:
                if status is not None:
                    break
                ports = self._ports()
                self._fail(
                    f"nothing answers at {self.base_url} {timeout_s:g} s after the launch",
                    f"the command listens at {', '.join(ports)}: give that in the URL, or another port to the command"
                    if ports
                    else "is this its URL? If it only takes longer to start, give a longer --launch-timeout",
                )
            time.sleep(POLL_S)
        client.close()

    def _is_listened_on(self) -> bool:
        parts = urlsplit(self.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with suppress(OSError), socket.create_connection((parts.hostname or "", port), timeout=1.0):
            return True
        return False

    @property
    def exit_code(self) -> int | None:
        """What the command has ended with, negative for a signal; None while it runs."""
        if self._process is None:
            return None
        if not hasattr(os, "waitid"):  # macOS, before Python 3.13
            return self._process.poll()
        # It stays unreaped, so that its number, by which the session is known, is not given to anybody else.
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    @property
    def post_mortem(self) -> str:
        """What there is to tell of a command that has ended by itself; an empty string while it runs."""
        code = self.exit_code
        if code is None or self._family():
            return ""
        return f"the launched command has ended with {_ending(code)} during the run{self._last_words()}"

    def _family(self) -> list[psutil.Process]:
        return offspring.family(self._mark, self._process.pid) if self._process else []

    def _ports(self) -> list[str]:
        """Where the command listens instead."""
        found = set()
        for process in self._family():
            with suppress(psutil.Error):
                listening = [item for item in process.net_connections("inet") if item.status == psutil.CONN_LISTEN]
                found |= {f"port {item.laddr.port}" for item in listening}
        return sorted(found)

    def _fail(self, message: str, hint: str) -> NoReturn:
        raise ConfigurationError(message + self._last_words(), hint)

    def _last_words(self) -> str:
        """The last lines of its output, redacted before they are cut: half a secret is not recognised."""
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - MOST_READ))
        text = self._output.read().decode("utf-8", "replace")
        lines = _CREDENTIALS.sub("//...@", self._redact(text)).rstrip().splitlines()[-MOST_LINES:]
        return "".join(["; the last of its output:", *(f"\n    | {line[:200]}" for line in lines)]) if lines else ""

    def close(self) -> None:
        """Stops the command and everything that it has started, and removes the files. May be called twice."""
        if self._process is not None:
            offspring.end(self._mark, self._process.pid, started=self._started)
            self._process.wait()
            self._process = None
        if self._warden is not None:
            self._warden.dismiss()
            self._warden = None
        self._output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def clock_for(launched: Launched, client: HttpClient, named: str, *, wait: bool) -> tuple[Clock, dict[str, str]]:
    """The clock of what is going to be launched, and the environment that makes it obey.

    Args:
        launched: not started yet.
        client: what will speak to it.
        named: the file of libfaketime, where the user names one.
        wait: whether the user wants no clock to be moved.

    Raises:
        ConfigurationError: there is no such file.
    """
    own = dict(os.environ)
    if wait:
        return WaitingClock(client.pause, client.max_wait_s), own
    if named and not Path(named).is_file():
        raise ConfigurationError(f"--libfaketime: there is no file {named!r}")
    library = libfaketime.find(launched.folder, Path(named).resolve() if named else None)
    if library is None:
        return WaitingClock(
            client.pause,
            client.max_wait_s,
            because="libfaketime, which would move it, is not installed",
            remedy="libfaketime (apt-get install libfaketime; see docs/guides/clocks.md)",
        ), own
    timestamp = launched.folder / libfaketime.TIMESTAMP
    # A connection that seems to have been idle for weeks is closed by some servers, perhaps under the next request.
    clock = FakedClock(timestamp, client.pause, client.max_wait_s, moved=client.close)
    return clock, libfaketime.environment(library, timestamp, own)


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"--launch cannot be read: {str(error).lower()}", "quote it as for a shell") from None
    if not words:
        raise ConfigurationError("--launch names no command")
    return words


def _shell_hint(words: list[str]) -> str:
    if any(_SHELL.search(word) for word in words):
        return "no shell reads the command; where it needs one, write sh -c '...'"
    return "is it spelt right, and on the PATH?"


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _status(client: HttpClient) -> int | None:
    """The status of whatever answers, or None where nothing does."""
    client.traffic.failures_in_a_row = 0
    try:
        return client.send_once(Request("GET", "/")).response.status
    except TargetError:
        return None
    except ConfigurationError:
        # A certificate that is not trusted, for instance, of which the doctor tells.
        return HTTPStatus.OK
