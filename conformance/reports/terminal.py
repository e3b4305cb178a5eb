"""The summary at the end of a run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from conformance.inert import inert, one_line
from conformance.reports.text import WIDTH, describe
from conformance.verdicts.baseline import pasteable
from conformance.verdicts.model import Verdict
from conformance.verdicts.verdict_set import ExitCode

if TYPE_CHECKING:
    import pytest

    from conformance.verdicts.verdict_set import VerdictSet

QUIET: Final = -2
"""pytest's verbosity under -qq: the lines per requirement are left out."""

_COLOURS: Final = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "red",
    Verdict.WARNED: "yellow",
    Verdict.NOTED: "cyan",
    Verdict.NOT_APPLICABLE: "light",
    Verdict.UNTESTED: "yellow",
    Verdict.INCONCLUSIVE: "red",
}
_CONCLUSIONS: Final = {
    ExitCode.CONFORMANT: "conformant",
    ExitCode.BROKEN: "not conformant",
    ExitCode.INCOMPLETE: "incomplete: not everything that was asked for could be judged",
    ExitCode.SUITE_FAULT: "a fault of the suite itself; please report it",
}


def summarise(verdicts: VerdictSet, out: pytest.TerminalReporter) -> None:
    """Writes a line per requirement, grouped by area, then the details of what is broken."""
    out.ensure_newline()
    for area, rows in verdicts.by_area.items() if out.verbosity > QUIET else ():
        out.section(area.title, sep="-", bold=True)
        for requirement, outcome in rows:
            verdict, known = outcome.verdict, verdicts.known(requirement)
            out.write(f"{verdict.words + (', known' if known else ''):<15}", **{_COLOURS[verdict]: True})
            out.write_line(f"{requirement.id:<11} {requirement.title}")
            if outcome.reason and verdict in {Verdict.UNTESTED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE}:
                out.write_line(f"{'':<15}{'':<11} {one_line(outcome.reason)}")
    for heading, kinds in (
        ("What is broken", (Verdict.FAILED,)),
        ("What should be better", (Verdict.WARNED, Verdict.NOTED)),
        # Where every requirement has its line above, the reason stands there.
        ("What could not be judged", (Verdict.INCONCLUSIVE,) if out.verbosity <= QUIET else ()),
    ):
        rows = [row for row in verdicts.having(*kinds) if verdicts.known(row[0]) is None]
        if rows:
            out.section(heading, sep="=", bold=True)
        for requirement, outcome in rows:
            first, *rest = describe(requirement, outcome).splitlines()
            out.write_line(first, **{_COLOURS[outcome.verdict]: True, "bold": True})
            out.write_line("\n".join(rest) + "\n")
    if verdicts.baseline.file:
        _compare(verdicts, out)
    _close(verdicts, out)


def _compare(verdicts: VerdictSet, out: pytest.TerminalReporter) -> None:
    """What is put up with, what need not be any more, and what would have to be for the run not to fail."""
    baseline, outcomes = verdicts.baseline, verdicts.by_id
    known = [(requirement, row) for requirement in verdicts.outcomes if (row := verdicts.known(requirement))]
    if known:
        out.section("What is known", sep="=", bold=True)
    for requirement, row in known:
        out.write_line(f"{requirement.id} {requirement.title} [{outcomes[requirement.id].verdict.words}]")
        until = f"until {row.expires}" if row.expires else ""
        for line in (row.reason, row.issue, until):
            out.write_line(f"  {one_line(line)}") if line else None
    for heading, rows, advice in (
        ("gone", baseline.stale(outcomes), "take the row out: what it puts up with no longer happens"),
        ("over", baseline.over(), "mend it, or give the row another day"),
    ):
        for row in rows:
            case = f" ({one_line(row.case)})" if row.case else ""
            out.write_line(f"{heading:<9} {row.requirement} {row.verdict.words}{case}: {advice}", red=True)
    if lines := pasteable(baseline.missing(outcomes)):
        out.section(f"Rows for {one_line(baseline.file)}", sep="=", bold=True)
        out.write_line("\n".join(lines))


def _close(verdicts: VerdictSet, out: pytest.TerminalReporter) -> None:
    facts, code = verdicts.facts, verdicts.exit_code
    out.section("jwt-conformance", sep="=", bold=True)
    where = "the bundled reference server" if facts.bundled else facts.base_url
    out.write_line(f"target    {one_line(where)}, profile {one_line(facts.profile)}, {_nature(verdicts)}")
    out.write_line(
        f"run       {facts.requests} requests, {facts.logins} logins, {facts.duration_s:.1f} s"
        + (f", of which {facts.waited_s:.1f} s waiting" if facts.waited_s else "")
    )
    if card := "; ".join(f"{name}: {_words(value)}" for name, value in facts.policy.items() if value is not None):
        out.write_line("\n".join(textwrap.wrap(f"policy    {inert(card)}", WIDTH, subsequent_indent=" " * 10)))
    counts = [f"{count} {name.replace('_', ' ')}" for name, count in verdicts.summary.items() if count]
    out.write_line(f"verdicts  {', '.join(counts) or 'none'}")
    good = code is ExitCode.CONFORMANT
    out.write_line(f"result    {_CONCLUSIONS[code]}", green=good, red=not good, bold=True)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _nature(verdicts: VerdictSet) -> str:
    facts = verdicts.facts
    lifetimes = [
        f"{kind} {seconds:.0f} s"
        for kind, seconds in (("access", facts.access_lifetime_s), ("refresh", facts.refresh_lifetime_s))
        if seconds
    ]
    return ", ".join([one_line(facts.algorithm or "opaque tokens"), *lifetimes])
