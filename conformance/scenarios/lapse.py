"""Bringing a token past its end: by moving the clock, by waiting, or by minting it with an early one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from conformance.scenarios.leeway import measure
from conformance.target.profile_tables import SURE_S
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.session import Session
    from conformance.target.target import Target
    from conformance.tokens.reading import Token

LEEWAY_STEPS_S: Final = (11, 31, 61, 121, 181)
MINTED_LIFE_S: Final = 3
MINTING: Final = "minting a token with an early end"


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

    @property
    def is_minted(self) -> bool:
        """Whether the suite made it, so that its session is one that scenarios share."""
        return self.how == MINTING


def tolerated_leeway_s(target: Target) -> int:
    """What is not held against the target: the declared leeway in seconds, or the usual one."""
    return target.profile.lifetimes.tolerated_leeway


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
    if lapsed.still_opens and not lapsed.is_minted and may_end_elsewhere(trial, lapsed.session.access):
        untested_elsewhere(trial, lapsed.session.access)
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
    if clock.moves:
        past, opens = _lapse_at_once(trial, session, end)
    else:
        past, opens = SURE_S, True
        for step in (SURE_S, *LEEWAY_STEPS_S, tolerated_leeway_s(target) + SURE_S):
            if not clock.can_reach(end + step):
                break
            clock.reach(end + step)
            opens = _opens(trial, token, session)
            # By now it may have been over for longer: other scenarios had their turn, or the target asked for patience.
            past = max(step, clock.now() - end)
            if not opens:
                break
        target.policy["leeway"] = f"at least {past:.0f} s" if opens else f"less than {past:.0f} s"
    return Lapsed(token, session, clock.how, past, opens)


def _lapse_at_once(trial: Trial, session: Session, end: float) -> tuple[float, bool]:
    """Moves the clock past a token's end: by how much, and whether the token still opens a route then."""
    target, most = trial.target, tolerated_leeway_s(trial.target) + round(SURE_S)
    # A session of others is measured on the way, and this one's token kept as it was.
    token = session.access.value
    leeway = measure(trial, session, most, lambda value, owner: _opens(trial, value, owner))
    target.policy["leeway"] = f"at least {most} s" if leeway is None else f"{leeway} s"
    trial.clock.reach(end + SURE_S + (most if leeway is None else leeway))
    return trial.clock.now() - end, leeway is None and _opens(trial, token, session)


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
            return Lapsed(token, session, MINTING, SURE_S)
    past = tolerated_leeway_s(target) + SURE_S
    token = minter.mint(like, exp=int(target.clock.now() - past))
    return Lapsed(token, session, MINTING, past, _opens(trial, token, session))


def session_to_expire(trial: Trial, kind: Kind) -> Session | None:
    """A session whose token of that kind can be brought past its end by the clock; None where it cannot be."""
    target = trial.target
    if target.clock.moves:
        session = _long_lived(target)
        return session if session.token(kind).expires_at is not None else None
    reserved = target.reserved.get(kind)
    # Where a login ends the user's other sessions, a token that was put by may be dead for that reason.
    if reserved is not None and not target.logins_end_sessions:
        return reserved
    lifetime = target.session().token(kind).lifetime_s
    if lifetime is None or lifetime + SURE_S > target.client.max_wait_s:
        return None
    session = target.login()
    target.client.watch.let_end(session.token(kind))
    return session


def _long_lived(target: Target) -> Session:
    """A session of the scenario's own, whose refresh token outlives its access token, if a login gives that.

    Not so where a session has a longest life, and was last refreshed towards its end.
    """
    session = target.new_session()
    access, refresh = session.access.expires_at, session.refresh.expires_at
    if access is None or refresh is None or refresh > access + SURE_S or not target.profile.has_login:
        return session
    target.keep_for_later(session)
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
    clock = trial.clock
    because = (
        "" if clock.how == clock.name else f", and the suite has to wait for its end, {clock.how.partition(', ')[2]}"
    )
    ways = [clock.remedy, "--signing-key", f"a --max-wait of {lifetime + SURE_S + 1:.0f}"]
    trial.untested(
        f"the {kind} token lives {lifetime:.0f} s{because}",
        give=f"{', '.join(filter(None, ways))}, or a server with lifetimes of a few seconds",
    )


def reserve(target: Target, waits: set[str]) -> None:
    """Opens, before the first scenario, the sessions whose tokens are left to expire while others run.

    Only where the suite would have to wait for them, and where their lifetime fits the longest wait.

    Args:
        target: the target, examined.
        waits: the kinds of token that the selected scenarios let expire, and an empty string for those that do not.
    """
    if target.clock.moves:
        return
    for kind in Kind:
        lifetime = target.session().token(kind).lifetime_s
        if kind in waits and lifetime is not None and lifetime + SURE_S <= target.client.max_wait_s:
            session = target.new_session()
            for door in target.protected_doors:
                target.send(door.present(session.access.value, session))
            target.reserved[kind] = session
            target.client.watch.let_end(session.token(kind))


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
    trial.remark(f"time passed by {target.clock.how}")
    past = tolerated_leeway_s(target) + SURE_S if target.clock.moves else SURE_S
    target.clock.reach(end + past)
    return Lapsed(token, session, target.clock.how, past)


def may_end_elsewhere(trial: Trial, token: Token) -> bool:
    """Whether a token may end by a clock that nobody has moved.

    A JWT says by itself when it ends. What an opaque one stands for is kept somewhere, perhaps in a cache or a database
    that lets it end by the true time.
    """
    return trial.clock.moves and not trial.clock.covers_stores and token.jwt is None


def untested_elsewhere(trial: Trial, token: Token) -> NoReturn:
    """Ends the scenario: that such a token is still good shows nothing."""
    trial.untested(
        f"the {token.kind} token is opaque and still good on the moved clock, and may end by that of a database",
        give=f"--clock waiting and a --max-wait of {(token.lifetime_s or 0) + SURE_S + 1:.0f}",
    )


def require_agreement(trial: Trial) -> None:
    """Shows, before a refused refresh is held against the target, that a refresh token which is fresh is accepted.

    Raises:
        InconclusiveError: not even that is.
    """
    if not trial.clock.moves or trial.clock.covers_stores:
        return
    fresh = trial.target.login()
    trial.target.refresh(fresh)
    if fresh.ended:
        trial.inconclusive(
            "a refresh token is refused right after its login (see REFRESH-01): if only on the moved clock, then a"
            " database or a cache tells the target another time, and --clock waiting is the way"
        )


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
    trial.remark(f"time passed by {MINTING}")
    return Lapsed(minter.mint(like, exp=int(now - past)), session, MINTING, past)


def session_past_its_access_token(trial: Trial) -> tuple[Session, str]:
    """A session that may be ended, whose refresh token is good, and an access token of it that has expired.

    Raises:
        UntestedError: there is no way to let the time pass; the message says what to give.
    """
    if trial.clock.moves:
        session = _long_lived(trial.target)
        if (end := session.access.expires_at) is None:
            say_what_to_give(trial, Kind.ACCESS)
        trial.clock.reach(end + SURE_S)
        trial.remark(f"time passed by {trial.clock.how}")
        return session, session.access.value
    lapsed = lapsed_access_token(trial)
    if not lapsed.is_minted:
        if not trial.target.is_alive(lapsed.session.refresh):
            trial.untested("the refresh token has ended by then", give="a server whose refresh tokens live longer")
        return lapsed.session, lapsed.value
    session = trial.new_session()
    assert session.access.jwt is not None
    past = tolerated_leeway_s(trial.target) + SURE_S
    return session, trial.minter.mint(session.access.jwt, exp=int(trial.clock.now() - past))
