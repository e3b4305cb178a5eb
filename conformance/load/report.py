"""What a load showed, as JSON, as a page and as lines for a terminal."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from conformance import __version__
from conformance.inert import one_line
from conformance.load.invariants import MEANINGS, Invariant
from conformance.reports.html import exchanges, inline, shown
from conformance.reports.plots import plot
from conformance.reports.templating import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.load.ground import Ground
    from conformance.load.swarm import Course, Plan

SCHEMA_VERSION: Final = 1
RESULTS: Final = {
    "kept": "Every promise was kept under load",
    "broken": "Promises were broken under load",
    "incomplete": "Not enough was seen to say so",
    "suite_fault": "The suite itself is at fault",
}


def to_json(plan: Plan, ground: Ground, course: Course, started: float) -> dict[str, Any]:
    """The report as `specs/load.schema.json` has it.

    Args:
        plan: what was asked for.
        ground: what the target does when alone.
        course: what came of it.
        started: when it began, in seconds since the epoch.
    """
    ledger, redact = course.ledger, ground.target.redactor.text
    return {
        "schema": SCHEMA_VERSION,
        "suite": {"name": "jwt-conformance", "version": __version__},
        "target": {"base_url": ground.target.client.base_url, "profile": ground.target.profile.name},
        "load": {
            "started": dt.datetime.fromtimestamp(started, dt.UTC).isoformat(timespec="seconds"),
            "users": plan.users,
            "spawn_rate": plan.spawn_rate,
            "think_s": plan.think_s,
            "duration_s": plan.duration_s,
            "lasted_s": round(course.lasted_s, 1),
            "workers": plan.workers,
            "accounts": len(ground.accounts),
            "complete": course.complete,
            "suite_faults": [redact(fault) for fault in ledger.faults[:10]],
        },
        "result": _result(course),
        "alone": {
            "rotates": ground.policy.rotates,
            "spent_refresh_token": "refused" if ground.policy.strict else "served",
            "logout_ends": sorted(map(str, ground.logout.kinds)),
            "leeway_s": ground.leeway_s,
        },
        "invariants": [
            {
                "id": str(each),
                "title": MEANINGS[each].title,
                "requirement": MEANINGS[each].requirement or None,
                "checked": count.checked,
                "broken": count.broken,
                "unseen": "" if count.checked else _unseen(each, ground),
                "findings": [asdict(finding) for finding in count.findings],
            }
            for each, count in ledger.counts.items()
        ],
        "routes": course.routes,
        "over_time": course.over_time,
    }


def _result(course: Course) -> str:
    ledger = course.ledger
    if ledger.broken:
        return "broken"
    if ledger.faults:
        return "suite_fault"
    seen = ledger.counts[Invariant.LIVE].checked
    return "kept" if course.complete and seen else "incomplete"


def _unseen(invariant: Invariant, ground: Ground) -> str:
    """Why an invariant was never looked at."""
    match invariant:
        case Invariant.OWN_DATA:
            shown = any(door.route.identity for door in ground.target.protected_doors)
            return "" if shown else "no protected route says whose data it shows: identity in the profile"
        case Invariant.ONE_WINNER if not ground.policy.strict:
            return "a spent refresh token is served even to one user at a time"
        case Invariant.DEAD if not ground.policy.strict and not ground.logout.kinds:
            return "nothing ends a token here but its own time, and none came to that"
        case Invariant.LOGOUT_STANDS if not ground.policy.late_logout.kinds:
            return "no logout ends anything here"
        case Invariant.HONEST_429:
            return "no request was refused for its rate"
        case _:
            return "it did not come to that: give more users, or a longer duration"


def told(report: dict[str, Any]) -> Iterator[str]:
    """The report as lines for a terminal."""
    yield f"{'':28} {'requests':>9} {'per s':>8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'failed':>7}"
    for row in report["routes"]:
        yield (
            f"{one_line(row['name'])[:28]:28} {row['requests']:9} {row['requests_per_s']:8.1f} {row['p50_ms']:8.0f}"
            f" {row['p95_ms']:8.0f} {row['p99_ms']:8.0f} {row['failures']:7}"
        )
    yield ""
    for row in report["invariants"]:
        sign = "broken" if row["broken"] else "kept" if row["checked"] else "unseen"
        times = f"{row['broken']} of {row['checked']}" if row["broken"] else str(row["checked"] or "")
        page = f" ({row['requirement']})" if row["requirement"] and row["broken"] else ""
        yield f"{sign:<7} {times:>14}  {row['title']}{page}" + (f": {row['unseen']}" if row["unseen"] else "")
        for finding in row["findings"][:1]:
            yield f"{'':24}{one_line(finding['case'])}: {one_line(finding['observed'])}"
    yield ""
    yield RESULTS[report["result"]]


def page(report: dict[str, Any]) -> str:
    """The report as a page: one file that needs no network."""
    jinja = environment(autoescape=True)
    jinja.filters |= {"shown": shown}
    parts = inline("compare.js")
    rows = report["over_time"]
    return jinja.get_template("load.html.jinja").render(
        report=report,
        result=RESULTS[report["result"]],
        plots=[
            plot("Requests a second", rows, {"requests_per_s": "all", "failures_per_s": "failed"}),
            plot("Milliseconds until the answer", rows, {"p50_ms": "median", "p95_ms": "95th percentile"}),
            plot("Users", rows, {"users": "users"}),
        ],
        exchanges=exchanges,
        style=Markup(parts.style),  # noqa: S704 - the suite's own file
        style_hash=parts.style_hash,
    )
