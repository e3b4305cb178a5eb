"""The report as JSON, as `specs/report.schema.json` fixes it."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from conformance import __version__

if TYPE_CHECKING:
    from conformance.verdicts.verdict_set import VerdictSet

SCHEMA_VERSION: Final = 1


def to_json(verdicts: VerdictSet) -> dict[str, Any]:
    """The verdicts, with their evidence, as one JSON object."""
    facts = verdicts.facts
    return {
        "schema": SCHEMA_VERSION,
        "suite": {"name": "jwt-conformance", "version": __version__},
        "target": {
            "base_url": facts.base_url,
            "profile": facts.profile,
            "bundled": facts.bundled,
            "capabilities": facts.capabilities,
            "algorithm": facts.algorithm,
            "access_lifetime_s": facts.access_lifetime_s,
            "refresh_lifetime_s": facts.refresh_lifetime_s,
        },
        "run": {
            "started": datetime.fromtimestamp(facts.started, UTC).isoformat(timespec="seconds"),
            "duration_s": facts.duration_s,
            "waited_s": facts.waited_s,
            "requests": facts.requests,
            "logins": facts.logins,
            "clock": facts.clock,
            "complete": not verdicts.interrupted,
            "suite_faults": list(verdicts.suite_faults),
        },
        "result": verdicts.exit_code.name.lower(),
        "policy": facts.policy,
        "summary": verdicts.summary,
        "requirements": [
            {
                "id": requirement.id,
                "title": requirement.title,
                "level": str(requirement.level),
                "tier": str(requirement.tier),
                "sources": list(requirement.sources),
                "verdict": str(outcome.verdict),
                "reason": outcome.reason,
                "probes": outcome.probes,
                "findings": [asdict(finding) for finding in outcome.findings],
            }
            for requirement, outcome in verdicts.outcomes.items()
        ],
    }


def write(verdicts: VerdictSet, file: str) -> None:
    """Writes the report; a file that is there is replaced at once, never left half written.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(file)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_text(json.dumps(to_json(verdicts), indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
