"""Requests at the same time."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.scenarios.races import chains_alive, ended_by_logout, log_in_together, race_for_one_token, race_out_of
from conformance.scenarios.replays import mourn, story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.http import Exchange
    from conformance.target.session import Account, Session

ROUNDS: Final = 2
"""Each costs a login: a server that sees a replay in the losers of a race rightly ends the session."""
AT_ONCE: Final = 6
LEADS: Final = (0.3, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0)
"""The parts of the time that a refresh takes, after which a logout is sent into it; where it came too late, at once."""


def test_race_01(target: Trial) -> None:
    """Parallel use of one refresh token does not fork its session."""
    target.require_races()
    told = story(target)
    if not told.replay.strict:
        target.not_applicable(f"one refresh token may have several successors here: {told.replay.grace}")
    for turn in range(1, ROUNDS + 1):
        heat = race_for_one_token(target, AT_ONCE)
        mourn(target, told)
        errors = sum(target.crashed(one) for one in heat.answers)
        if errors:
            target.remark(f"{errors} of {len(heat.answers)} parallel requests were answered with a server error")
        if not heat.overlapped or not heat.winners:
            continue
        alive = chains_alive(target, heat)
        forked = not target.expect(
            len(alive) <= 1,
            f"one refresh token in {len(heat.answers)} requests at once, round {turn}",
            expected="at most one chain of refresh tokens that goes on",
            observed=f"{len(heat.winners)} different successors, of which {len(alive)} go on side by side",
            shown_by=[*(("one of the answers", one) for one in heat.winners[:2]),
                      *(("a successor's successor", one) for one in alive[:2])],
            certain=True,
        )  # fmt: skip
        if forked:
            return
    if not target.probes:
        target.inconclusive("no requests with one refresh token were under way at the same time and one of them served")


def test_race_02(target: Trial) -> None:
    """A logout that has returned is not undone by a refresh that was in flight."""
    target.require_races()
    refused = counted = 0
    with target.bracket(target.refresh_door):
        for turn, lead in enumerate(LEADS, start=1):
            if counted == ROUNDS:
                break
            way = race_out_of(target, lead)
            refused += way.logout_was_refused
            if not way.counts:
                continue
            counted += 1
            # What a logout leaves alive at any time is asked elsewhere.
            zombies = way.survivors.keys() & ended_by_logout(target) if way.survivors else set()
            target.expect(
                not zombies,
                f"a logout and a refresh of one session at once, round {turn}",
                expected="no token of the session is good after the logout has returned",
                observed=f"the session's {' and '.join(sorted(zombies))} token is good",
                shown_by=[(name, one) for name, one in (("refresh", way.refresh), ("logout", way.logout)) if one]
                + [(f"the {kind} token afterwards", way.survivors[kind]) for kind in sorted(zombies)],
                certain=True,
            )
    if not counted and refused:
        target.not_applicable("the logout was refused: the refresh came first, or it takes no access token")
    if not counted:
        target.inconclusive("no logout and refresh were under way at the same time")


def test_race_03(target: Trial) -> None:
    """Identities never bleed between users at the same time, and parallel logins all succeed."""
    target.require_races()
    people = (target.account, target.second_account)
    door = next((route for route in target.protected_doors if route.route.identity), None)
    if door is None:
        target.untested("no protected route says whose data it shows", give="identity for one in the profile")
    for account in (*people, *people):
        # One at a time: who is mixed up even then is nobody's race.
        session = target.session(account)
        alone = target.send(door.present(session.access.value, session))
        if door.identity(alone.response) not in {None, account.username}:
            target.not_applicable(f"{door.label} shows the wrong user even to one at a time (see ACCESS-04)")
    sessions = _logged_in(target, people * 2)
    # Where nobody got in, that is the finding, and there is nothing more to ask.
    for refreshing in (False, True, False) if sessions else ():
        _ask_together(target, door, sessions, refreshing=refreshing)
    for session in sessions:
        if not session.ended:
            target.target.keep_for_later(session)


def _logged_in(target: Trial, people: Sequence[Account]) -> list[Session]:
    """The sessions of people who logged in at once, each of whom got in."""
    sessions: list[Session] = []
    for account, exchange, session in log_in_together(target, people):
        if exchange is None or exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            target.remark("a parallel login was not answered, or was refused for its rate")
            continue
        if session is not None:
            sessions.append(session)
        target.expect(
            session,
            f"a login of {account.username!r} among {len(people)} at once",
            expected="tokens, as ever",
            observed=f"{target.login_route.label} answered {exchange.response.status} without them",
            shown_by=[("login", exchange)],
        )
    if not sessions and not target.findings:
        target.inconclusive("no parallel login was answered")
    return sessions


def _ask_together(target: Trial, door: ProtectedDoor, sessions: list[Session], *, refreshing: bool) -> None:
    """Uses every session's access token twice at once, and refreshes each meanwhile where `refreshing` says so."""
    asked = [(session, door.present(session.access.value, session)) for session in sessions * 2]
    if refreshing:
        whole = [session for session in sessions if session.is_complete]
        asked += [(session, target.refresh_route.present(session.refresh.value, session)) for session in whole]
    volley = target.send_together([request for _, request in asked])
    for (session, request), exchange in zip(asked, volley.exchanges, strict=True):
        if exchange is not None and request.path == door.path:
            _belongs(target, door, session, exchange)
        elif exchange is not None:
            target.target.take_over(session, exchange)


def _belongs(target: Trial, door: ProtectedDoor, session: Session, exchange: Exchange) -> None:
    """Claims that an answer is nobody else's; it may be a refusal."""
    shown, owner, status = door.identity(exchange.response), session.account.username, exchange.response.status
    crash = target.crashed(exchange) and status != HTTPStatus.SERVICE_UNAVAILABLE
    if shown is None and not crash:
        return
    target.expect(
        shown == owner,
        f"{door.label} with an access token of {owner!r}, among requests of several users at once",
        expected=f"the data of {owner!r}",
        observed=f"status {status}" + (f" with the data of {shown!r}" if shown else ""),
        shown_by=[("the answer", exchange)],
        certain=shown is not None,
    )
