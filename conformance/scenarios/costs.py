"""What a request costs the target, as far as its answers tell.

Nothing is called slow that was slow once: it has to be slow twice, and far slower than ordinary requests beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError
from conformance.target.http import ANSWER_TIMEOUT_S
from conformance.target.pacing import HeldBackError

if TYPE_CHECKING:
    from conformance.scenarios.bracket import Bracket
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request

TIMES_SLOWER: Final = 4
MOST_SHOWN: Final = 20_000
ORDINARY: Final = "conformance.ordinary.token"


@dataclass(frozen=True, slots=True)
class Cost:
    """What became of one request.

    Attributes:
        seconds: how long the answer took, or the end of the connection.
        exchange: the answer, where there was one.
    """

    seconds: float
    exchange: Exchange | None

    @property
    def hung(self) -> bool:
        """Whether no answer came in all the time there was, as opposed to a connection that was closed."""
        return self.exchange is None and self.seconds > ANSWER_TIMEOUT_S - 1


def cost(target: Trial, request: Request) -> Cost:
    """Sends a request on a connection of its own, which the target may close: that is a refusal as well."""
    started = time.monotonic()
    try:
        exchange = target.send(request, new_connection=True)
    except HeldBackError:
        raise
    except TargetError:
        # A connection that the target closes is no sign that it is lost.
        target.target.client.traffic.failures_in_a_row = 0
        return Cost(time.monotonic() - started, None)
    # Not since the start: the request may have waited for its turn.
    return Cost(exchange.response.elapsed_s, exchange)


def costs_nothing(target: Trial, bracket: Bracket, case: str, token: str, by_s: float, *, usual: str) -> bool:
    """Claims that a token is refused quickly, without a server error.

    Args:
        target: the scenario's target.
        bracket: whose door it is.
        case: what is special about the token.
        token: the token.
        by_s: so many seconds beyond the usual ones are a delay.
        usual: a bad token that nothing is special about; what becomes of it is not held against the target.

    Returns:
        Whether it is.
    """
    request = bracket.token(token)
    first = cost(target, request)
    slow = is_slow(target, bracket, request, first, by_s, usual=usual)
    status = first.exchange.response.status if first.exchange else 0
    crashed = first.exchange is not None and target.crashed(first.exchange)
    error = crashed and not _fails(target, cost(target, bracket.token(usual)))
    observed = f"no answer within {first.seconds:.0f} s" if first.hung else f"the answer took {first.seconds:.1f} s"
    return target.expect(
        not (slow or error),
        case,
        expected=f"a refusal within {by_s} s of the usual time",
        observed=f"{bracket.door.label} answered {status}" if error else observed,
        shown_by=[(f"probe: {case}", first.exchange)] if first.exchange and len(token) < MOST_SHOWN else [],
    )


def is_slow(target: Trial, bracket: Bracket, request: Request, first: Cost, by_s: float, *, usual: str) -> bool:
    """Whether a request takes so many seconds longer than a usual bad token, and does so again."""
    if first.seconds < by_s or first.hung:
        return first.hung
    ordinary = max(cost(target, bracket.token(usual)).seconds for _ in range(2))
    second = cost(target, request).seconds
    return min(first.seconds, second) > by_s + TIMES_SLOWER * ordinary


def _fails(target: Trial, usual: Cost) -> bool:
    return usual.exchange is None or target.crashed(usual.exchange)
