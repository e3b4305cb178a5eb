"""Tokens that the suite signs with the target's own key, and the doors at which they count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.giving_doors import RefreshDoor
    from conformance.tokens.reading import Jwt

    Cases = Iterable[tuple[str, dict[str, Any], dict[str, Any]]]
    MintedCases = Callable[[ProtectedDoor | RefreshDoor, Jwt], Cases]

LEFT_OUT: Final = object()
"""In place of a claim's value: the claim is not there at all."""

LIFE_S: Final = 600
FEW: Final = 2
"""So many of the probes are enough at a further protected route: one verifier mostly serves all of them."""


def minted(trial: Trial, like: Jwt, claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None) -> str:
    """A token with the header and claims of a genuine one, but for the changes, ten minutes to live and a new `jti`."""
    changed = {"exp": int(trial.clock.now()) + LIFE_S, **(claims or {})}
    kept = {name: value for name, value in {**like.claims, **changed}.items() if value is not LEFT_OUT}
    members = {name: value for name, value in {**like.header, **(header or {})}.items() if value is not LEFT_OUT}
    return trial.minter.mint(replace(like, header=members, claims=kept))


def taking_minted(trial: Trial) -> list[tuple[ProtectedDoor | RefreshDoor, Jwt]]:
    """Every door that accepts a token the suite has minted without any change, and what such a token is made from.

    Asked once in a run: to a server that keeps a register, an unknown refresh token of a session may look stolen.

    Raises:
        UntestedError: the suite was not given the key.
        NotApplicableError: there is no such door.
    """
    _ = trial.minter
    taking: dict[str, bool] = trial.target.memory.setdefault("takes minted tokens", {})
    doors = []
    for door in trial.jwt_doors():
        session = trial.session()
        like = session.token(door.wants).jwt
        assert like is not None
        if door.label not in taking:
            request = door.present(minted(trial, like), session)
            taking[door.label] = bool(door.bought(request, trial.send(request).response))
        if taking[door.label]:
            doors.append((door, like))
        else:
            trial.remark(f"not judged at {door.label}, which accepts no minted token: the server keeps a register")
    if not doors:
        trial.not_applicable("the target accepts no minted token: it keeps a register of its own")
    return doors


def refuses_minted(trial: Trial, cases_of: MintedCases, *, without: str, cleanly: bool = False) -> None:
    """No minted token with one of the changes buys anything, at any door that accepts one without.

    Args:
        trial: the scenario's.
        cases_of: for a door and a token that it accepts, changes by name: of the claims, and of the header.
        without: why there is nothing to judge, where there is no change to be made at any door.
        cleanly: whether a refusal must blame the request (4xx) and not the server.
    """
    protected = 0
    for door, like in taking_minted(trial):
        cases = list(cases_of(door, like))
        if door is not trial.refresh_route and cases:
            protected += 1
            cases = cases if protected == 1 else cases[:FEW]
        if not cases:
            continue
        one = f"{door.wants.with_article} token"
        with trial.bracket(door) as bracket:
            probes = (
                (f"{one} with {name}, at {door.label}", bracket.token(minted(trial, like, *changes)))
                for name, *changes in cases
            )
            bracket.refuses_each(probes, cleanly=cleanly)
    if not trial.probes:
        trial.not_applicable(without)
