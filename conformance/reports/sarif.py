"""The findings as SARIF 2.1.0, for code scanning: a rule for each requirement, a result for each that is broken.

A web API has no lines of code to point at: a result's location is the route that was asked, as a relative reference.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final
from urllib.parse import quote

from conformance.catalogue import load
from conformance.catalogue.links import link_of
from conformance.inert import inert
from conformance.reports.text import plain

_LEVELS: Final = {"failed": "error", "warned": "warning", "noted": "note", "inconclusive": "none"}
_SEVERITY: Final = {"core": "9.0", "hardened": "6.5", "strict": "3.5"}
"""What GitHub sorts by, of a broken MUST; a SHOULD is rated lower."""
LONGEST_TEXT: Final = 2000
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: dict[str, Any], _file: str) -> str:
    """The report as a SARIF log."""
    return json.dumps(to_sarif(report), indent=1, ensure_ascii=True) + "\n"


def to_sarif(report: dict[str, Any]) -> dict[str, Any]:
    """The report as a SARIF log, with every requirement that was asked for as a rule."""
    rows = report["requirements"]
    index = {row["id"]: number for number, row in enumerate(rows)}
    results = [
        _result(row, finding, index[row["id"]], report["target"]["base_url"])
        for row in rows
        if row["verdict"] in _LEVELS
        for finding in row["findings"] or [None]
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": report["suite"]["name"],
                        "semanticVersion": report["suite"]["version"],
                        "rules": [_rule(row) for row in rows],
                    }
                },
                "invocations": [
                    {"executionSuccessful": report["result"] != "suite_fault", "startTimeUtc": _utc(report)}
                ],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _utc(report: dict[str, Any]) -> str:
    return str(report["run"]["started"]).replace("+00:00", "Z")


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    requirement = load().get(row["id"])
    sources = [f"{name} ({link})" if (link := link_of(name)) else name for name in requirement.sources]
    rule = {
        "id": requirement.id,
        "name": "".join(word.capitalize() for word in requirement.id.split("-")),
        "shortDescription": {"text": requirement.title},
        "fullDescription": {"text": plain(requirement.why)},
        "help": {
            "text": f"{plain(requirement.fix)}\n\nSources: {'; '.join(sources)}",
            "markdown": f"{requirement.fix.strip()}\n\nSources: {'; '.join(sources)}",
        },
        "defaultConfiguration": {"level": {"MUST": "error", "SHOULD": "warning", "MAY": "note"}[requirement.level]},
        "properties": {
            "tags": ["security", requirement.area, str(requirement.tier)],
            "precision": "very-high",
            "security-severity": _SEVERITY[str(requirement.tier)] if requirement.level == "MUST" else "3.0",
        },
    }
    link = next(filter(None, map(link_of, requirement.sources)), "")
    return {**rule, "helpUri": link} if link else rule


def _result(row: dict[str, Any], finding: dict[str, Any] | None, index: int, base_url: str) -> dict[str, Any]:
    case = finding["case"] if finding else ""
    text = f"{case}: expected {finding['expected']}, observed {finding['observed']}" if finding else row["reason"]
    asked = finding["exchange"][-1]["request"] if finding and finding["exchange"] else {"method": "", "path": ""}
    result: dict[str, Any] = {
        "ruleId": row["id"],
        "ruleIndex": index,
        "level": _LEVELS[row["verdict"]],
        "kind": "open" if row["verdict"] == "inconclusive" else "fail",
        "message": {"text": inert(text or row["title"])[:LONGEST_TEXT]},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(asked["path"])}},
                "logicalLocations": [
                    {
                        "fullyQualifiedName": inert(f"{asked['method']} {base_url}{asked['path']}"),
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {
            "requirementAndCase/v1": hashlib.sha256(f"{row['id']}\0{case}".encode("utf-8", "replace")).hexdigest()
        },
    }
    if row["known"]:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": row["known"]["reason"]}]
    return result


def _uri(path: str) -> str:
    """A relative reference for the route, whatever characters a hostile path has."""
    return quote(path.partition("?")[0].lstrip("/") or "login", safe="/%")
