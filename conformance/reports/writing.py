"""The kinds of report file, and writing one: whole, or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: Final = {
    "report-json": "json_report",
    "report-html": "html",
    "report-sarif": "sarif",
    "report-markdown": "markdown",
    "badge": "badge",
}
"""The option that asks for each, and the module that makes it."""


def write_reports(report: dict[str, Any], files: dict[str, str]) -> None:
    """Writes a run's report in each way that was asked for.

    Args:
        report: as `specs/report.schema.json` has it.
        files: by the option that names it.

    Raises:
        OSError: a file cannot be written; its `filename` says which.
    """
    for option, file in files.items():
        # Loaded where it is used: most runs write none or one of them.
        render: Callable[[dict[str, Any], str], str] = import_module(f"conformance.reports.{KINDS[option]}").render
        write(render(report, file), file)


def write(text: str, file: str) -> None:
    """Writes a text file; one that is there is replaced at once, never left half written.

    Raises:
        OSError: the file, which is its `filename`, cannot be written.
    """
    path = Path(file)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    draft = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, file) from None
        raise
