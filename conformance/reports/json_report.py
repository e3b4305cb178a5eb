"""The report as JSON, as `specs/report.schema.json` fixes it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
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
        "timeline": facts.timeline,
        "baseline": _baseline(verdicts) if verdicts.baseline.file else None,
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
                "known": row.to_json() if (row := verdicts.known(requirement)) else None,
                "probes": outcome.probes,
                "findings": [asdict(finding) for finding in outcome.findings],
            }
            for requirement, outcome in verdicts.outcomes.items()
        ],
    }


def _baseline(verdicts: VerdictSet) -> dict[str, Any]:
    baseline = verdicts.baseline
    rows = {"gone": baseline.stale(verdicts.by_id), "over": baseline.over()}
    return {
        "file": baseline.file,
        **{name: [{"requirement": row.requirement, "case": row.case} for row in found] for name, found in rows.items()},
    }


def render(report: dict[str, Any], _file: str) -> str:
    """The report as the text of a file, in ASCII."""
    return json.dumps(report, indent=1, ensure_ascii=True) + "\n"
