"""A badge: an SVG, or the JSON that shields.io takes as an endpoint."""

from __future__ import annotations

import json
from typing import Any, Final

from conformance.reports.counting import CONCLUSIONS
from conformance.reports.templating import environment

LABEL: Final = "token login"
_COLOURS: Final = {"conformant": "#2c7a3f", "broken": "#b3261e", "incomplete": "#8a6100", "suite_fault": "#5f6368"}
"""Each dark enough for white letters (WCAG 2.2 §1.4.3)."""
_LETTER: Final = 6.6
"""Pixels that a letter takes, about, of the 11 that it is high."""


def render(report: dict[str, Any], file: str) -> str:
    """The badge; the name of the file says which kind."""
    message = words(report)
    colour = _COLOURS[report["result"]]
    if file.lower().endswith(".json"):
        shown = {"schemaVersion": 1, "label": LABEL, "message": message, "color": colour.removeprefix("#")}
        return json.dumps({**shown, "isError": report["result"] == "suite_fault"}) + "\n"
    left, right = (round(len(text) * _LETTER) + 12 for text in (LABEL, message))
    template = environment(autoescape=True).get_template("badge.svg.jinja")
    return template.render(label=LABEL, message=message, colour=colour, left=left, right=right)


def words(report: dict[str, Any]) -> str:
    """The result, how far the run went, and how many requirements are broken, where some are."""
    tier = report["requirements"][-1:] and max(
        (row["tier"] for row in report["requirements"]), key=["core", "hardened", "strict"].index
    )
    failed = sum(row["verdict"] == "failed" and not row["known"] for row in report["requirements"])
    known = sum(bool(row["known"]) for row in report["requirements"])
    extras = [f"{failed} broken"] if failed else [f"{known} known"] if known else []
    return ", ".join([CONCLUSIONS[report["result"]], *([str(tier)] if tier else []), *extras])
