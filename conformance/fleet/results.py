"""The folder of a fleet's results, which is also what it resumes from: a report and a state for each target."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from conformance.errors import ConfigurationError
from conformance.fleet.outcome import Finished, Outcome, State
from conformance.reports import reading
from conformance.reports.writing import write

if TYPE_CHECKING:
    from conformance.fleet.entry import Entry

OWN: Final = ".fleet"
"""The folder in it that holds the states."""


class Results:
    """A folder with `NAME.json`, as `--report-json` writes it, and `.fleet/NAME.json`.

    Of a target the report is written before the state, and each at once or not at all: what has a state is finished.
    """

    def __init__(self, folder: str) -> None:
        """Makes the folder where it is not there, and keeps other fleets out of it.

        Raises:
            ConfigurationError: it cannot be written, or another fleet writes into it.
        """
        self.folder = Path(folder)
        self._own = self.folder / OWN
        self.scratch = self._own / "runs"
        try:
            self._own.mkdir(parents=True, exist_ok=True)
            self._lock: IO[bytes] = (self._own / "lock").open("wb")
        except OSError as error:
            raise ConfigurationError(f"--out {folder!r} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise ConfigurationError(
                f"another fleet writes into {folder!r}", "wait for its end, or give another folder with --out"
            ) from None
        # What is there was left by a fleet that was killed.
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        """The folder."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lets others in."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._lock.close()

    def report(self, name: str) -> Path:
        """Where a target's report is."""
        return self.folder / f"{name}.json"

    def state(self, entry: Entry) -> State | None:
        """What is known of a target as its entry is now; None where it has not been run, or was another then."""
        try:
            data: Any = json.loads(self._state(entry.name).read_text(encoding="utf-8"))
            state = State.from_json(data)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        is_there = self.report(entry.name).is_file() or not state.has_report
        return state if state.name == entry.name and state.digest == entry.digest and is_there else None

    def forget(self, entry: Entry) -> None:
        """Has a target judged anew, whatever is known of it."""
        self._state(entry.name).unlink(missing_ok=True)

    def keep(self, entry: Entry, finished: Finished) -> State:
        """Writes down what came of a run.

        Raises:
            ConfigurationError: a file cannot be written.
        """
        outcome, reason = finished.outcome, finished.reason
        base_url, summary, is_complete = "", {}, False
        file = self.report(entry.name)
        # Until the new state is there, none is better than one that belongs to another report.
        self.forget(entry)
        try:
            has_report = self._write_report(file, finished.report)
            if has_report:
                report = reading.read(str(file))
                base_url, summary = str(report["target"].get("base_url", "")), dict(report["summary"])
                is_complete = report["run"].get("complete") is True
                if not report["requirements"]:
                    # It hung, say, before anything was judged.
                    file.unlink()
                    has_report = is_complete = False
        except ConfigurationError as error:
            file.unlink()
            has_report, outcome, reason = False, Outcome.CRASHED, f"the run has written no report: {error}"
        except OSError as error:
            raise ConfigurationError(f"{str(file)!r} cannot be written: {error.strerror}") from None
        state = State(
            entry.name, entry.digest, outcome, reason, finished.seconds,
            complete=is_complete, has_report=has_report, base_url=base_url, summary=summary,
        )  # fmt: skip
        try:
            write(json.dumps(state.to_json(), indent=1) + "\n", str(self._state(entry.name)))
        except OSError as error:
            raise ConfigurationError(f"{error.filename!r} cannot be written: {error.strerror}") from None
        return state

    def _write_report(self, file: Path, content: bytes) -> bool:
        if content:
            write(content.decode("utf-8", "replace"), str(file))
        else:
            file.unlink(missing_ok=True)
        return bool(content)

    def _state(self, name: str) -> Path:
        return self._own / f"{name}.json"
