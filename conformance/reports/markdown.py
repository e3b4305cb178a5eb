"""The report in Markdown, for a job's summary or a pull request."""

from __future__ import annotations

import re
from html import escape
from typing import Any, Final

from conformance.catalogue import load
from conformance.inert import one_line
from conformance.reports import counting
from conformance.reports.templating import environment
from conformance.reports.text import plain

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]#+!|~@]|:(?=//)|(?<=www)\.|^[-=])")
"""What makes text anything else than text, links that nobody wrote as such included."""
MOST_CASES: Final = 3
"""Of one requirement; GitHub takes a summary of 1 MiB."""
LONGEST_TEXT: Final = 600


def render(report: dict[str, Any], _file: str) -> str:
    """The report as Markdown."""
    jinja = environment(autoescape=False)
    jinja.filters["text"] = text
    rows = report["requirements"]
    return jinja.get_template("report.md.jinja").render(
        report=report,
        conclusion=counting.CONCLUSIONS[report["result"]],
        tiers=counting.tiers(report),
        broken=[row for row in rows if row["verdict"] in {"failed", "warned"} and not row["known"]],
        unclear=[row for row in rows if row["verdict"] == "inconclusive" and not row["known"]],
        known=[row for row in rows if row["known"]],
        wanting=counting.wanting(report),
        policy=counting.policy(report),
        most_cases=MOST_CASES,
        fix_of=lambda name: plain(load().get(name).fix),
    )


def text(value: Any) -> str:
    """A text from elsewhere, on one line, in which nothing is Markdown or HTML."""
    words = one_line(str(value))
    words = words if len(words) <= LONGEST_TEXT else f"{words[:LONGEST_TEXT]}…"
    return _SPECIAL.sub(r"\\\1", escape(words, quote=False))
