"""Reads reports back that a run has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from conformance.errors import ConfigurationError
from conformance.reports.json_report import SCHEMA_VERSION
from conformance.verdicts.model import Verdict

_MEMBERS: Final = ("suite", "target", "run", "result", "policy", "summary", "requirements")
_OF_A_ROW: Final = ("id", "title", "level", "tier", "verdict", "reason", "findings")


def read(file: str) -> dict[str, Any]:
    """The report in a file that `--report-json` has written.

    Raises:
        ConfigurationError: it cannot be read, or is no such report.
    """
    try:
        report: Any = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file!r} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise ConfigurationError(f"{file!r} is no JSON", "compare what --report-json has written") from None
    if not isinstance(report, dict) or not all(member in report for member in _MEMBERS):
        raise ConfigurationError(f"{file!r} is no report", "compare what --report-json has written")
    if report.get("schema") != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{file!r} is a report of version {report.get('schema')!r}, and this suite reads {SCHEMA_VERSION}"
        )
    rows = report["requirements"]
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise ConfigurationError(f"{file!r} is damaged: a requirement lacks something")
    return report


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and all(key in row for key in _OF_A_ROW)
        and row["verdict"] in set(Verdict)
        and all(isinstance(row[key], str) for key in _OF_A_ROW[:-1])
    )
