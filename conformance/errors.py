"""What can go wrong apart from a broken requirement, each with words for the person who must act on it."""

from __future__ import annotations

import difflib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.inert import inert

if TYPE_CHECKING:
    from collections.abc import Iterable


class ConformanceError(Exception):
    """A problem that ends the run before, or instead of, a verdict.

    Attributes:
        hint: what the user can do about it, or an empty string.
        exit_code: the exit code of `jwt-conformance run`.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        """Keeps the message and, apart from it, the hint."""
        # Either may repeat what a target said.
        super().__init__(inert(message))
        self.hint = inert(hint)

    def __str__(self) -> str:
        """The message, followed by the hint on a line of its own."""
        message = super().__str__()
        return f"{message}\n  hint: {self.hint}" if self.hint else message


class ConfigurationError(ConformanceError):
    """The user's options, profile or credentials do not fit the target."""


class TargetError(ConformanceError):
    """The target cannot be judged: unreachable, lost, rate-limiting or beyond the limits set for an answer."""

    exit_code = 3


class HungUpError(TargetError):
    """The target closed the connection without an answer."""


class SuiteFaultError(ConformanceError):
    """The suite itself has crashed, so that nothing is known of the target."""

    exit_code = 4

    def __init__(self, crash: BaseException) -> None:
        """Tells what crashed and where, in a line."""
        last = traceback.extract_tb(crash.__traceback__)[-1:]
        where = "".join(f" in {Path(frame.filename).name}, line {frame.lineno}" for frame in last)
        super().__init__(f"a fault of the suite itself: {type(crash).__name__}{where}: {crash}", "please report it")


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a candidate comes close, else an empty string."""
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
