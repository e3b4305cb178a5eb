"""What the tests of fleets share: a file of targets, and a fleet that runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.clocks.running import Traces, eventually
from tests.hostile.command import PASSWORD, USERNAME, Ended

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping

BOUND_S = 60
FEW = "login_01 or access_01 or access_02"
"""The scenarios that most of these tests run: an honest server passes them, and two of the faults break one."""
DEFAULTS = f"""
[defaults]
username = "{USERNAME}"
password = "${{FLEET_PASSWORD}}"
"""
SECRETS = {"FLEET_PASSWORD": PASSWORD}


def target(name: str, **options: str) -> str:
    """A table of the file; an underscore in an option's name stands for its hyphen."""
    lines = [f'{key.replace("_", "-")} = "{value}"' for key, value in options.items()]
    return "\n".join([f'\n[[target]]\nname = "{name}"', *lines, ""])


def written(folder: Path, *tables: str, defaults: str = DEFAULTS) -> None:
    """Writes the file of targets."""
    (folder / "targets.toml").write_text(defaults + "".join(tables), encoding="utf-8")


class Fleet:
    """`jwt-conformance fleet targets.toml`, in a session of its own, as a terminal has it."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        env: Mapping[str, str] | None = None,
        keyword: str = FEW,
        terminal: int | None = None,
    ) -> None:
        """Starts it; a terminal takes the place of its standard output."""
        self.folder = folder
        self.traces = Traces(Path(tempfile.mkdtemp(dir=folder, prefix="traces-")))
        base = {name: value for name, value in self.traces.env.items() if not name.startswith("CONFORMANCE_")}
        self.env = {**base, **SECRETS, **(env or {})}
        command = [str(Path(sys.executable).with_name("jwt-conformance")), "fleet", "targets.toml", "-k", keyword]
        self._began = time.monotonic()
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [*command, *options], cwd=folder, env=self.env, stdin=subprocess.DEVNULL,
                stdout=out if terminal is None else terminal, stderr=err,
                start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return (self.folder / "out").read_text() + (self.folder / "err").read_text()

    def when(self, holds: Callable[[], bool], within_s: float = BOUND_S) -> None:
        """Waits until something has come to pass."""
        assert eventually(lambda: holds() or self.process.poll() is not None, within_s), self.said
        assert self.process.poll() is None, self.said

    def ended(self, number: signal.Signals | None = None, within_s: float = BOUND_S) -> Ended:
        """Its end, after a signal if one is given; nothing that it has started is left."""
        if number is not None:
            os.kill(self.process.pid, number)
        try:
            code = self.process.wait(within_s)
        finally:
            self.process.kill()
        out, err = (self.folder / "out").read_text(), (self.folder / "err").read_text()
        assert "Traceback" not in out + err, out + err
        assert self.traces.are_gone(10), (self.traces.processes(), self.traces.files())
        return Ended(code, out, err, time.monotonic() - self._began, self.folder)


def fleet(folder: Path, *options: str, keyword: str = FEW, env: Mapping[str, str] | None = None) -> Ended:
    """One to its end."""
    return Fleet(folder, *options, env=env, keyword=keyword).ended()


def report(folder: Path, name: str, out: str = "fleet") -> dict[str, Any]:
    """A target's report."""
    data: dict[str, Any] = json.loads((folder / out / f"{name}.json").read_text(encoding="utf-8"))
    return data


def outcomes(folder: Path, file: str = "all.json") -> dict[str, str]:
    """How each target fared, by the fleet's own report."""
    data = json.loads((folder / file).read_text(encoding="utf-8"))
    return {each["name"]: each["outcome"] for each in data["targets"]}
