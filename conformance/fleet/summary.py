"""What a fleet amounts to: one comparison of all targets, as lines, a page and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from conformance import __version__
from conformance.fleet.outcome import exit_code
from conformance.reports.comparison import Comparison
from conformance.reports.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.fleet.entry import Entry
    from conformance.fleet.outcome import State
    from conformance.fleet.results import Results

SCHEMA_VERSION: Final = 1
NOT_RUN: Final = "not run: the fleet was interrupted"


def compared(entries: Sequence[Entry], states: Mapping[str, State], results: Results) -> Comparison:
    """The verdicts of all targets beside each other, in the order of the fleet's file; one report is read at a time.

    Args:
        entries: the targets.
        states: of those that are finished, by name.
        results: where the reports are.

    Raises:
        ConfigurationError: a report cannot be read any more.
    """
    judged = [entry.name for entry in entries if entry.name in states and states[entry.name].has_report]
    others = [
        (entry.name, states[entry.name].told if entry.name in states else NOT_RUN)
        for entry in entries
        if entry.name not in judged
    ]
    return Comparison.of(_reports(judged, results), unjudged=others, beside=True)


def _reports(names: list[str], results: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in names:
        file = results.report(name)
        yield file.name, read(str(file))


def render(entries: Sequence[Entry], states: Mapping[str, State], comparison: Comparison, *, complete: bool) -> str:
    """The comparison as the text of a JSON file, as `specs/fleet.schema.json` has it."""
    outcomes = [states[entry.name].outcome if entry.name in states else None for entry in entries]
    report = {
        "schema": SCHEMA_VERSION,
        "suite": {"name": "jwt-conformance", "version": __version__},
        "complete": complete,
        "result": exit_code(outcomes).name.lower(),
        "targets": [_target(entry.name, states.get(entry.name)) for entry in entries],
        "requirements": [
            {
                "id": row.id,
                "title": row.title,
                "level": row.level,
                "verdicts": dict(zip(comparison.names, row.verdicts, strict=True)),
            }
            for row in comparison.rows
        ],
    }
    return json.dumps(report, indent=1, ensure_ascii=True) + "\n"


def _target(name: str, state: State | None) -> dict[str, Any]:
    if state is None:
        return {"name": name, "outcome": "not_run", "reason": NOT_RUN, "report": None}
    return {
        "name": name,
        "outcome": str(state.outcome),
        "reason": state.reason,
        "seconds": state.seconds,
        "base_url": state.base_url,
        "summary": state.summary,
        "report": f"{name}.json" if state.has_report else None,
    }
