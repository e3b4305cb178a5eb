"""With what the rows of the forging table are tried, and where.

What a row is tried with matters as much as the row. The factors are the row, the door (every protected route, and the
refresh route with forgeries of the refresh token), the way of sending it (before the genuine token was used; after
that, for the sake of caches, and then twice where a cache of verdicts could be fooled; by `HEAD`), and what varies
within the family, such as the `kid`. Not every combination of them is sent. Every row is tried at a protected route
and at the refresh route with all else as in the genuine token, since that is how a forger would begin; and every two
values of different factors meet in one combination (see `conformance.scenarios.pairs`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.pairs import covering
from conformance.scenarios.published import known_keys
from conformance.target.doors import ProtectedDoor
from conformance.tokens.forging import TABLE, Family, Material, Needs, Row
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance.scenarios.bracket import Bracket
    from conformance.scenarios.trial import Trial
    from conformance.target.giving_doors import RefreshDoor
    from conformance.target.http import Exchange, Request
    from conformance.tokens.reading import Jwt

UNUSED: Final = "before the genuine token was used"
USED: Final = "after the genuine token was used"
HEAD: Final = "by HEAD"
WAYS: Final = (UNUSED, USED, HEAD)
MOST_TRIES: Final = 8
SIGNATURE: Final = re.compile(r"[A-Za-z0-9_-]{12,}")
"""What of a signature is worth hiding."""

Combination = dict[str, str]


def material(target: Trial, kind: Kind, **more: Any) -> Material:
    """Genuine tokens of the kind, for a forger to start from; `more` are further fields."""
    session = target.session()
    token = session.token(kind).jwt
    opposite = session.token(Kind.REFRESH if kind is Kind.ACCESS else Kind.ACCESS).jwt
    earlier = target.target.first_session
    other = earlier.token(kind).jwt if earlier else None
    assert token is not None
    victim: object = "somebody-else"
    if target.target.second_account:
        stranger = target.session(target.second_account).access.jwt
        victim = stranger.claims.get("sub", victim) if stranger else victim
    elif not isinstance(token.claims.get("sub"), str):
        victim = 1
    return Material(
        token,
        other if other and other.segments != token.segments else token,
        opposite,
        victim,
        now=target.clock.now(),
        signing_key=target.target.minter.key if target.target.minter else None,
        origin=target.target.client.base_url,
        **more,
    )


def refuses_forgeries(
    target: Trial,
    doors: Sequence[ProtectedDoor | RefreshDoor] | None = None,
    *,
    cleanly: bool = False,
    suits: Callable[[Jwt], bool] = lambda _token: True,
    nothing_with: str = "of such tokens",
    **more: Any,
) -> None:
    """No forgery of the scenario's rows of the table buys anything at any of the doors.

    Args:
        target: the scenario's target.
        doors: where it is tried; every door whose token is a JWT, unless given.
        cleanly: whether a server error is a finding as well, where an ordinary bad token does not meet with one.
        suits: what the genuine token should be like; some rows can be made of some tokens only.
        nothing_with: of what nothing can be made, where there are no rows.
        more: further material.
    """
    family = TABLE[target.requirement.id]
    doors = target.jwt_doors() if doors is None else doors
    if family.needs_public_key:
        known = known_keys(target)
        more |= {"published": known.jwks, "served": known.served, "pem_files": known.pem_files}
    plan = combinations(target, family, doors, more)
    if not plan:
        target.not_applicable(f"nothing of this kind can be made {nothing_with}")
    for door in doors:
        mine = [one for one in plan if one["door"] == door.label]
        with target.bracket(door) as bracket:
            prober = _Prober(target, family, bracket, cleanly and not _fails_anyway(target, bracket, door))
            prober.send(material(target, door.wants, **more), [one for one in mine if one["way"] != UNUSED])
            if unused := [one for one in mine if one["way"] == UNUSED]:
                _renew(target, door, suits)
                prober.send(material(target, door.wants, **more), unused)


def combinations(
    target: Trial, family: Family, doors: Sequence[ProtectedDoor | RefreshDoor], more: dict[str, Any]
) -> list[Combination]:
    """What is sent: every two values of the factors meet."""
    samples = [material(target, kind, **more) for kind in dict.fromkeys(door.wants for door in doors)]
    rows = dict.fromkeys(row.name for sample in samples for row in family.rows(sample))
    without_head = [door.label for door in doors if not _head_tells(target, door)]
    impossible = {frozenset({("door", label), ("way", HEAD)}) for label in without_head}
    factors = {
        "row": tuple(rows),
        "door": tuple(door.label for door in doors),
        "way": WAYS if len(without_head) < len(doors) else WAYS[:2],
        **family.factors_of(samples[0]),
    }
    likeliest = {name: options[0] for name, options in family.factors_of(samples[0]).items()}
    beginnings = [
        {"row": row, "door": by_kind[index % len(by_kind)].label, **likeliest}
        for by_kind in ([door for door in doors if door.wants is kind] for kind in Kind)
        for index, row in enumerate(rows)
        if by_kind
    ]
    return covering(factors, impossible, beginnings)


def _head_tells(target: Trial, door: ProtectedDoor | RefreshDoor) -> bool:
    """Whether HEAD opens the door to an honest token, and to nobody else; asked once a run."""
    if not isinstance(door, ProtectedDoor) or door.method != "GET":
        return False
    known: dict[str, bool] = target.target.memory.setdefault("HEAD tells", {})
    if door.path not in known:
        session = target.session()
        honest, anonymous = (
            target.send(replace(request, method="HEAD")).response.is_success
            for request in (door.present(session.access.value, session), door.anonymous())
        )
        known[door.path] = honest and not anonymous
    return known[door.path]


def _renew(target: Trial, door: ProtectedDoor | RefreshDoor, suits: Callable[[Jwt], bool]) -> None:
    """Lets the shared session have tokens that nobody has used; the refresh route's own control has seen to that."""
    for attempt in range(MOST_TRIES):
        token = target.session().token(door.wants).jwt
        if (attempt or not isinstance(door, ProtectedDoor)) and (token is None or suits(token)):
            return
        target.target.refresh(target.session())


def _fails_anyway(target: Trial, bracket: Bracket, door: ProtectedDoor | RefreshDoor) -> bool:
    """Whether the door answers any bad token with a server error, which is another requirement's finding."""
    genuine = target.session().token(door.wants).value
    return target.crashed(target.send(bracket.token(genuine[: len(genuine) * 3 // 4])))


class _Prober:
    """Sends forgeries within a bracket."""

    def __init__(self, target: Trial, family: Family, bracket: Bracket, cleanly: bool) -> None:
        self._target, self._family, self._bracket, self._cleanly = target, family, bracket, cleanly
        self._accepted: dict[str, bool] = {}

    def send(self, genuine: Material, plan: Iterable[Combination]) -> None:
        """Forges and sends; what is to be sent twice goes last, and then again."""
        rows = {row.name: row for row in self._family.rows(genuine)}
        held: list[tuple[str, Request]] = []
        again: list[tuple[str, Request]] = []
        for combination in plan:
            row = rows.get(combination["row"])
            forged = row.forge(combination) if row else ""
            # A target that does not sign may have issued what is called a forgery.
            if row is None or not forged or forged in self._target.target.honest_values or self._shows_nothing(row):
                continue
            self._keep(row, forged)
            case, request = self._probe(combination, forged)
            if not row.held_against:
                self._tell(row, case, request)
                continue
            held.append((case, request))
            if self._family.twice and combination["way"] == USED:
                again.append((f"{case}, the second time", request))
        for probes in (held, again):
            exchanges = self._bracket.refuses_each(probes)
            for (case, _), exchange in zip(probes, exchanges, strict=True):
                self._check_error(case, exchange)

    def _shows_nothing(self, row: Row) -> bool:
        """Whether the row's control is accepted as well, which is another requirement's finding."""
        if row.control and row.control not in self._accepted:
            request = self._bracket.token(row.control)
            bought = self._bracket.door.bought(request, self._target.send(request).response)
            self._accepted[row.control] = bool(bought)
        return self._accepted.get(row.control, False)

    def _keep(self, row: Row, forged: str) -> None:
        if row.needs is Needs.SIGNING_KEY or self._family.respells_signature:
            for piece in SIGNATURE.findall(forged.rpartition(".")[2]):
                self._target.target.redactor.add(piece, "signature removed")

    def _probe(self, combination: Combination, forged: str) -> tuple[str, Request]:
        request = self._bracket.token(forged)
        label = self._bracket.door.label
        if combination["way"] == HEAD:
            request, label = replace(request, method="HEAD"), f"HEAD {request.path}"
        own = [value for name, value in combination.items() if name not in {"row", "door", "way"}]
        return f"{', '.join([combination['row'], *own])}, at {label}", request

    def _tell(self, row: Row, case: str, request: Request) -> None:
        """What the sources leave open is told, and not held against the target."""
        exchange = self._target.send(request)
        if self._bracket.door.bought(request, exchange.response):
            self._target.remark(f"accepted, which the sources leave open: {row.name}")
        self._check_error(case, exchange)

    def _check_error(self, case: str, exchange: Exchange) -> None:
        if self._cleanly:
            status = exchange.response.status
            self._target.expect(
                not self._target.crashed(exchange),
                case,
                expected="a refusal that blames the request",
                observed=f"{self._bracket.door.label} answered {status}, and not so to an ordinary bad token",
                shown_by=[(f"probe: {case}", exchange)],
            )
