"""A plan in words, for a terminal of eighty columns."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Final

from conformance import __version__
from conformance.inert import inert, one_line
from conformance.plan.costs import EXAMINATION
from conformance.target.http import LANES
from conformance.target.target import WRONG_IN_A_ROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.catalogue import Requirement
    from conformance.plan.plan import Plan

WIDTH: Final = 79
INDENT: Final = 11
EXACT: Final = 20
"""Up to so many, a number is told as it was counted."""
MINUTES_S: Final = 120


def describe(plan: Plan, *, each: bool = False) -> Iterator[str]:
    """The plan, a line at a time; with a line for each requirement where `each` says so."""
    settings, total = plan.terms.settings, plan.total
    where = "the bundled server, which is there for the run only" if plan.terms.bundled else settings.base_url
    chosen = len(plan.judged) + sum(len(ids) for group in (plan.lacking, plan.absent) for ids in group.values())
    yield from _field("plan", f"what a run against {one_line(where)} would do; nothing was sent")
    if not plan.terms.bundled and not settings.username:
        yield from _field("", "There is no run without an account: --username and --password.")
    yield from _field("judged", f"{len(plan.judged)} of {chosen} requirements, of the tier {settings.tier}")
    yield from _field("requests", f"{_about(total.requests)}, {_about(total.at_login)} of them at the login")
    yield from _field("", _pace(plan))
    yield from _field("logins", f"{_about(total.logins)}, each of which opens a session")
    yield from _passwords(plan)
    if any(requirement.by_fuzzing for requirement in plan.judged):
        yield from _field(
            "fuzzing", f"as many further requests and logins as fit into {settings.fuzz_time_s:g} s, not counted above"
        )
    yield from _field("waits", "; ".join(_waits(plan)))
    yield from _field("changes", "; ".join(_changes(plan)))
    for name, group in (("untested", plan.lacking), ("absent", plan.absent), ("perhaps", plan.unless)):
        words = {"untested": "for lack of {}", "absent": "{}", "perhaps": "judged, unless {}"}[name]
        label = name
        for what, requirements in group.items():
            yield from _field(label, f"{words.format(inert(what))}: {_names(requirements)}")
            label = ""
    yield from _field(
        "basis",
        f"requests were counted in runs of jwt-conformance {__version__} on its own server. Other servers need some"
        " more or fewer: a request that is put off is sent again, and what fails is looked at twice",
    )
    if each:
        yield from _each(plan)


def _pace(plan: Plan) -> str:
    told = f"at most {plan.terms.settings.concurrency or LANES} under way at a time"
    if not plan.terms.settings.concurrency and plan.total.at_once > LANES:
        told += f", and {plan.total.at_once} where they race"
    if plan.rate == math.inf:
        return f"{told}, as fast as they are answered"
    return f"{told}, {plan.rate:g} a second, so not less than {_time(plan.at_least_s)} in all"


def _passwords(plan: Plan) -> Iterator[str]:
    settings, total = plan.terms.settings, plan.total
    bundled = ("alice", "bob") if plan.terms.bundled else ("", "")
    names = settings.username or bundled[0] or "the account", settings.second_username or bundled[1]
    label = "passwords"
    for name, count in zip(names, (total.wrong, total.wrong_second), strict=True):
        if name and count:
            row = f", never more than {WRONG_IN_A_ROW} in a row" if count > WRONG_IN_A_ROW else ""
            yield from _field(label, f"{_about(count)} wrong for {one_line(name)}{row}")
            label = ""
    yield from _field(label, _guesses(plan) or "none for an account that may be locked")


def _guesses(plan: Plan) -> str:
    if not plan.total.guesses:
        return ""
    whose = one_line(plan.terms.settings.disposable_username) or "accounts that the hook makes"
    return f"{_about(plan.total.guesses)} wrong for {whose}, as many in a row as it takes to be locked"


def _waits(plan: Plan) -> Iterator[str]:
    settings = plan.terms.settings
    if kinds := sorted(plan.waits & {"access", "refresh"}):
        if plan.terms.bundled:
            yield f"none for {' or '.join(kinds)} tokens to expire: the server's clock is moved"
        else:
            yield f"for {' and '.join(kinds)} tokens to expire, where they live {settings.max_wait_s:g} s or less"
    if plan.total.pauses_s and not plan.terms.bundled:
        yield f"{_time(plan.total.pauses_s)} for what takes a moment"
    yield f"up to {settings.max_wait_s:g} s for a request that is put off (429, or 503 with Retry-After)"


def _changes(plan: Plan) -> Iterator[str]:
    total = plan.total
    ended = f"{_about(total.ended)} of the sessions are ended, and the others" if total.ended else "the sessions are"
    yield f"{ended} left to expire"
    if total.accounts and (plan.terms.bundled or plan.terms.profile.hooks.provision.is_given):
        yield f"{_about(total.accounts)} accounts are made, and deleted in the end"
    if total.restarts:
        yield f"restarts: {total.restarts}"


def _each(plan: Plan) -> Iterator[str]:
    yield ""
    yield f"{'':<{INDENT}}{'requests':>9}{'at login':>10}{'logins':>8}{'wrong passwords':>17}"
    rows = {EXAMINATION: plan.examination, **{requirement.id: cost for requirement, cost in plan.judged.items()}}
    for name, cost in rows.items():
        wrong = cost.wrong + cost.wrong_second + cost.guesses
        yield f"{name:<{INDENT}}{cost.requests:>9}{cost.at_login:>10}{cost.logins:>8}{wrong:>17}"


def _names(requirements: Sequence[Requirement]) -> str:
    """The ids, those of an area together: `RATE-01 to 05`."""
    by_area: dict[str, list[str]] = {}
    for requirement in requirements:
        area, _, number = requirement.id.partition("-")
        by_area.setdefault(area, []).append(number)
    return ", ".join(f"{area}-{_run(sorted(numbers))}" for area, numbers in by_area.items())


def _run(numbers: list[str]) -> str:
    first, last = int(numbers[0]), int(numbers[-1])
    if len(numbers) > 2 and last - first == len(numbers) - 1:  # noqa: PLR2004 - two are no range
        return f"{numbers[0]} to {numbers[-1]}"
    return "/".join(numbers)


def _about(count: int) -> str:
    """A number with two digits that mean something."""
    if count <= EXACT:
        return str(count)
    scale = 10 ** (len(str(count)) - 2)
    return f"about {round(count / scale) * scale:,}"


def _time(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < MINUTES_S else f"{math.ceil(seconds / 60)} min"


def _field(name: str, text: str) -> list[str]:
    indent = " " * INDENT
    return textwrap.wrap(text, WIDTH, initial_indent=f"{name:<{INDENT}}", subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
