"""Bringing a token past its end: by moving the clock, by waiting, or by minting it with an early one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from conformance.clock import FrozenClock
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.session import Session
    from conformance.target.target import Target

SURE_S: Final = 2.0
"""So long after its end a token is surely over: whole seconds on one side, the way on the other."""

USUAL_LEEWAY_S: Final = 300
"""RFC 7519 §4.1.4 lets a server allow for clock skew, "usually no more than a few minutes"."""

LEEWAY_STEPS_S: Final = (11, 31, 61, 121, 181)
MINTED_LIFE_S: Final = 3


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A token past its end.

    Attributes:
        value: the token.
        session: the session it belongs to.
        how: how its time went by.
        past_s: for how many seconds it had been over when it was last shown.
        still_opens: whether it was still accepted then.
    """

    value: str = field(repr=False)
    session: Session = field(repr=False)
    how: str
    past_s: float
    still_opens: bool = False


def tolerated_leeway_s(target: Target) -> int:
    """What is not held against the target: the declared leeway in seconds, or the usual one."""
    declared = target.profile.lifetimes.leeway
    return USUAL_LEEWAY_S if declared is None else declared


def lapsed_access_token(trial: Trial) -> Lapsed:
    """An access token that was in use and whose end has passed, by as much as the target's leeway needs.

    Cached: a run lets one access token expire and every scenario looks at the same.

    Raises:
        UntestedError: there is no way to let the time pass; the message says what to give.
    """
    target = trial.target
    lapsed: Lapsed = target.memory.get("lapsed access token") or _lapse_access(trial)
    target.memory["lapsed access token"] = lapsed
    trial.remark(f"time passed by {lapsed.how}")
    if lapsed.still_opens and lapsed.past_s < tolerated_leeway_s(target):
        trial.untested(
            f"the access token still opens a route {lapsed.past_s:.0f} s after its end, which may be leeway for clock"
            f" skew of up to {tolerated_leeway_s(target)} s",
            give="the server's leeway in the profile, --signing-key, or a --max-wait of"
            f" {tolerated_leeway_s(target) + 60}",
        )
    return lapsed


def _lapse_access(trial: Trial) -> Lapsed:
    target = trial.target
    session = session_to_expire(trial, Kind.ACCESS)
    if session is None:
        return _mint_access(trial)
    token, end = session.access.value, session.access.expires_at
    assert end is not None
    clock = target.clock
    # In use up to its end, so that a verdict the server has cached would show.
    for moment in (clock.now(), end - 2 * SURE_S):
        if moment + SURE_S / 2 < end and clock.can_reach(moment):
            clock.reach(moment)
            _opens(trial, token, session)
    past, opens = SURE_S, True
    for step in (SURE_S, *LEEWAY_STEPS_S, tolerated_leeway_s(target) + SURE_S):
        if not clock.can_reach(end + step):
            break
        clock.reach(end + step)
        past, opens = step, _opens(trial, token, session)
        if not opens:
            break
    target.policy["leeway"] = f"at least {past:.0f} s" if opens else f"less than {past:.0f} s"
    return Lapsed(token, session, f"{clock.name}", past, opens)


def _mint_access(trial: Trial) -> Lapsed:
    target, session = trial.target, trial.target.session()
    minter, like = target.minter, session.access.jwt
    if minter is None or like is None:
        say_what_to_give(trial, Kind.ACCESS)
    end = target.clock.now() + MINTED_LIFE_S
    token = minter.mint(like, exp=int(end))
    if not _opens(trial, token, session):
        trial.untested(
            "the target accepts no token that the suite minted: it keeps a register of its own",
            give="a --max-wait that covers the lifetime",
        )
    if target.clock.can_reach(end + SURE_S):
        target.clock.reach(end + SURE_S)
        if not _opens(trial, token, session):
            target.policy["leeway"] = f"less than {SURE_S:.0f} s"
            return Lapsed(token, session, "minting a token with an early end", SURE_S)
    past = tolerated_leeway_s(target) + SURE_S
    token = minter.mint(like, exp=int(target.clock.now() - past))
    return Lapsed(token, session, "minting a token with an early end", past, _opens(trial, token, session))


def session_to_expire(trial: Trial, kind: Kind) -> Session | None:
    """A session whose token of that kind can be brought past its end by the clock; None where it cannot be."""
    target = trial.target
    if isinstance(target.clock, FrozenClock):
        session = target.new_session()
        return session if session.token(kind).expires_at is not None else None
    reserved = target.reserved.get(kind)
    # Where a login ends the user's other sessions, a token that was put by may be dead for that reason.
    if reserved is not None and not target.logins_end_sessions:
        return reserved
    lifetime = target.session().token(kind).lifetime_s
    if lifetime is None or lifetime + SURE_S > target.client.max_wait_s:
        return None
    return target.login()


def _opens(trial: Trial, token: str, session: Session) -> bool:
    """Whether any protected route accepts the token."""
    return any(
        door.bought(request, trial.target.send(request).response)
        for door in trial.protected_doors
        for request in (door.present(token, session),)
    )


def say_what_to_give(trial: Trial, kind: Kind) -> NoReturn:
    """Ends the scenario with the options that would let the time pass."""
    lifetime = trial.target.session().token(kind).lifetime_s
    if lifetime is None:
        trial.untested(f"nothing tells when the {kind} token ends", give=f"lifetimes.{kind} in the profile, in seconds")
    trial.untested(
        f"the {kind} token lives {lifetime:.0f} s",
        give=f"--signing-key, a --max-wait of {lifetime + SURE_S + 1:.0f}, or a server with lifetimes of a few seconds",
    )


def reserve(target: Target, waits: set[str]) -> None:
    """Opens, before the first scenario, the sessions whose tokens are left to expire while others run.

    Only where the suite would have to wait for them, and where their lifetime fits the longest wait.

    Args:
        target: the target, examined.
        waits: the kinds of token that the selected scenarios let expire, and an empty string for those that do not.
    """
    if isinstance(target.clock, FrozenClock):
        return
    for kind in Kind:
        lifetime = target.session().token(kind).lifetime_s
        if kind in waits and lifetime is not None and lifetime + SURE_S <= target.client.max_wait_s:
            session = target.new_session()
            for door in target.protected_doors:
                target.send(door.present(session.access.value, session))
            target.reserved[kind] = session


def lapsed_refresh_token(trial: Trial) -> Lapsed:
    """A refresh token whose end has passed, by more than the target's leeway where the clock allows that.

    Raises:
        UntestedError: there is no way to let the time pass; the message says what to give.
    """
    target = trial.target
    session = session_to_expire(trial, Kind.REFRESH)
    if session is None:
        return _mint_refresh(trial)
    token, end = session.refresh.value, session.refresh.expires_at
    assert end is not None
    trial.remark(f"time passed by {target.clock.name}")
    past = tolerated_leeway_s(target) + SURE_S
    if isinstance(target.clock, FrozenClock):
        target.clock.reach(end + past)
        return Lapsed(token, session, target.clock.name, past)
    target.clock.reach(end + SURE_S)
    return Lapsed(token, session, target.clock.name, SURE_S)


def _mint_refresh(trial: Trial) -> Lapsed:
    target, session, door = trial.target, trial.target.new_session(), trial.refresh_door
    minter, like = target.minter, session.refresh.jwt
    if minter is None or like is None:
        say_what_to_give(trial, Kind.REFRESH)
    now, past = int(target.clock.now()), tolerated_leeway_s(target) + SURE_S
    request = door.present(minter.mint(like, exp=now + 600), session)
    if not door.bought(request, trial.send(request).response):
        trial.untested(
            "the target accepts no refresh token that the suite minted: it keeps a register of its own",
            give="a --max-wait that covers the refresh token's lifetime",
        )
    trial.remark("time passed by minting a token with an early end")
    return Lapsed(minter.mint(like, exp=int(now - past)), session, "minting a token with an early end", past)
