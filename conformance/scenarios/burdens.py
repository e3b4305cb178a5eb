"""Requests that may crash a target or keep it busy, and how it gets over them."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import Door
    from conformance.target.giving_doors import LoginDoor
    from conformance.target.http import Exchange, Request

HUGE: Final = 5 << 20
LONG: Final = 1_000_000
"""Less than the 1 MiB at which many servers stop reading."""
NESTED: Final = 50_000
SLOW_S: Final = 2.0
"""So much longer than twice an ordinary answer, and it is no accident."""
LONGEST_SHOWN: Final = 1 << 14


def answered(target: Trial, request: Request) -> Exchange | None:
    """The exchange; None where the target twice answered nothing to this request, and goes on answering others.

    Raises:
        TargetError: it answers nothing at all any more, or limits the rate of requests.
    """
    traffic = target.target.client.traffic
    for _ in range(2):
        try:
            return target.send(request, new_connection=True)
        except TargetError:
            if not traffic.failures_in_a_row:
                raise
            target.send(target.protected_routes[0].anonymous(), new_connection=True)
    return None


def expect_refusal(target: Trial, door: Door, case: str, request: Request, *, may_hang_up: bool = False) -> float:
    """Claims that a request is refused, and not by a crash; to be used within a bracket.

    Args:
        target: the target.
        door: where it is sent.
        case: what is wrong with it.
        request: the probe.
        may_hang_up: whether closing the connection is a refusal too.

    Returns:
        How many seconds the answer took; none where none came.
    """
    exchange = answered(target, request)
    if exchange is None:
        target.expect(may_hang_up, case, expected="a refusal with a 4xx status", observed="the connection was dropped")
        return 0.0
    bought, answer = door.bought(request, exchange.response), exchange.response
    target.expect(
        door.refuses_cleanly(answer) and not bought,
        case,
        expected="a refusal with a 4xx status, giving nothing away",
        observed=f"{door.label} answered {answer.status}" + (f" with {bought}" if bought else ""),
        shown_by=[(case, cut(exchange))],
        certain=bool(bought),
    )
    return answer.elapsed_s


def cut(exchange: Exchange) -> Exchange:
    """The exchange as evidence, with the beginning of a body that would fill a report."""
    body = exchange.request.body
    return exchange if len(body) <= LONGEST_SHOWN else replace(exchange, request=exchange.request.with_body(body[:500]))


def expect_promptness(
    target: Trial, case: str, make: Callable[[], Request], most_s: float, *, may_hang_up: bool = False
) -> None:
    """Claims that a request is refused, and in time.

    Args:
        target: the target.
        case: what is wrong with it.
        make: makes the request; called again where the first answer took long, since a machine may be busy once.
        most_s: how many seconds the answer may take.
        may_hang_up: whether closing the connection is a refusal too.
    """
    took_s = expect_refusal(target, target.login_door, case, make(), may_hang_up=may_hang_up)
    if took_s > most_s:
        took_s = expect_refusal(target, target.login_door, case, make(), may_hang_up=may_hang_up)
    target.expect(
        took_s <= most_s,
        f"the time of the answer to {case}",
        expected=f"{most_s:.1f} s at most",
        observed=f"{took_s:.1f} s",
    )


def nested(door: LoginDoor, password: str) -> Request:
    """A login with arrays within arrays for a username."""
    place = f"nobody-{secrets.token_hex(6)}"
    body = door.credentials(place, password).body
    return door.raw(body.replace(json.dumps(place).encode(), b"[" * NESTED + b"]" * NESTED))
