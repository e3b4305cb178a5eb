"""What the users of one process share: the target as it is when alone, its doors, the accounts and the ledger."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gevent.queue import Queue

from conformance.load.invariants import Ledger
from conformance.target.evidence import curl, exchange_to_json
from conformance.target.http import HttpClient
from conformance.target.policy import Ending
from conformance.verdicts.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.target.http import Exchange, Request
    from conformance.target.policy import Policy
    from conformance.target.session import Account
    from conformance.target.target import Target
    from conformance.target.together import Volley

LONGEST_IDLE_S: Final = 1.0
"""Servers close idle connections after two seconds and more."""
RACES_AT_ONCE: Final = 4
"""So many races are under way at the same time in one process; each needs connections of its own."""


class Client(HttpClient):
    """A client that lets no connection grow so old that the server may be closing it (RFC 9112 §9.3.1).

    Of a request that changes something nobody knows then whether it took effect, and nobody is to blame.
    """

    _used = 0.0

    def ready(self) -> None:
        """Prepares for requests: drops connections that were idle, and forgets what would make a run give up."""
        now = time.monotonic()
        if now - self._used > LONGEST_IDLE_S:
            self.close()
        self._used = now
        self.traffic.failures_in_a_row, self.traffic.slow_s = 0, 0.0

    def send_together(self, together: Sequence[Request], warm_up: Request, after_s: Sequence[float] = ()) -> Volley:
        """As any client; connections that take no part are closed, or they would grow old while others are used."""
        while len(self._lanes) > len(together):
            self._lanes.pop().close()
        return super().send_together(together, warm_up, after_s)


@dataclass(slots=True)
class Ground:
    """The target of one process, and what its users have in common.

    Attributes:
        target: as the doctor has left it; its doors know what an honest answer looks like.
        policy: what it chooses to do, seen while one user at a time asked.
        accounts: whose sessions are lived.
        may_be_unavailable: whether 503 and lost answers are part of the plan, and held against nobody.
        ledger: what has been found so far.
        tracks: clients for races, each with connections of its own; whoever races takes one and puts it back.
    """

    target: Target
    policy: Policy
    accounts: Sequence[Account]
    may_be_unavailable: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    tracks: Queue[Client] = field(default_factory=Queue)

    def __post_init__(self) -> None:
        """Prepares the clients for races; hides the passwords."""
        for account in self.accounts:
            self.target.redactor.add(account.password, "password")
        for _ in range(RACES_AT_ONCE):
            self.tracks.put(self.new_client())

    @property
    def leeway_s(self) -> float:
        """How long after its end a token may be served, in seconds."""
        return float(self.target.profile.lifetimes.tolerated_leeway)

    @property
    def logout(self) -> Ending:
        """What a user's own logout ends."""
        door = self.target.logout_door
        return self.policy.logouts.get(door.wants, Ending()) if door else Ending()

    def new_client(self) -> Client:
        """A client with connections of its own."""
        given = self.target.client
        client = Client(given.base_url, trusted_ca=given.trusted_ca, headers=given.headers)
        client.watch.now = given.watch.now
        return client

    def close(self) -> None:
        """Closes the connections of races."""
        while not self.tracks.empty():
            self.tracks.get().close()

    def finding(
        self, case: str, expected: str, observed: str, shown_by: Iterable[tuple[str, Exchange]], secrets: Iterable[str]
    ) -> Finding:
        """A breach with its evidence, in which no secret is left.

        Args:
            case: what was done.
            expected: what should have come of it.
            observed: what came of it.
            shown_by: the exchanges that show it, each with what it is.
            secrets: tokens of the session that it happened to.
        """
        redactor = copy.deepcopy(self.target.redactor)
        for value in secrets:
            redactor.add(value.rpartition(".")[2] if value.count(".") == 2 else value, "signature removed")  # noqa: PLR2004
        exchanges = list(shown_by)
        last = exchanges[-1][1].request if exchanges else None
        return Finding(
            case,
            expected,
            redactor.text(observed),
            [exchange_to_json(exchange, note, redactor) for note, exchange in exchanges],
            curl(self.target.client.base_url, last, {}, redactor) if last else "",
        )
