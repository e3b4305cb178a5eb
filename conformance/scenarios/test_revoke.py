"""Logout and revocation."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import pytest

from conformance.scenarios.clients import CLIENT_OPTIONS
from conformance.scenarios.ended import log_out, logged_out, opens, outlives_restart
from conformance.scenarios.lapse import session_past_its_access_token
from conformance.scenarios.pretences import foreign, naming, without_a_token, written_otherwise
from conformance.scenarios.removed import EVENTS, PASSWORD, removed
from conformance.target.hooks import HookError
from conformance.target.http import Request
from conformance.target.oauth import Revocation, for_clients
from conformance.tokens.reading import Kind, Token

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.session import Session

CONNECTIONS: Final = 4
"""So often a dead token is shown, each time on a new connection: another worker may know nothing of the logout."""


def test_revoke_01(target: Trial) -> None:
    """Once a session is logged out, neither its newest refresh token nor any earlier one gives anything."""
    ended, door = logged_out(target), target.refresh_door
    newest = ended.session.refresh.value
    with target.bracket(door) as bracket:
        if Kind.REFRESH not in ended.dead:
            # It was accepted once, and may be spent by now.
            exchange, case = ended.after[Kind.REFRESH], "the newest refresh token after the logout"
            target.expect(
                holds=False,
                case=case,
                expected="a refusal, giving nothing away",
                observed=f"accepted: {door.label} answered {exchange.response.status} with tokens",
                shown_by=[*ended.answers, (f"probe: {case}", exchange)],
                certain=True,
            )
            return
        for turn in range(1, CONNECTIONS + 1):
            case = f"the newest refresh token after the logout, connection {turn}"
            bracket.refuses(case, door.present(newest, ended.session), cleanly=True, new_connection=True)
        # Last: a spent token that comes back may end the session, and would hide what the logout left open.
        if ended.first_refresh != newest:
            case = "the refresh token of the login, after the logout"
            bracket.refuses(case, door.present(ended.first_refresh, ended.session), cleanly=True)


def test_revoke_02(target: Trial) -> None:
    """Once a session is logged out, its access token opens no protected route."""
    ended = logged_out(target)
    left = ended.session.access.lifetime_s
    if target.profile.sessions.access == "stateless":
        target.not_applicable(
            "the profile declares that access tokens are stateless: they outlive a logout"
            + (f" by up to {left:.0f} s" if left else "")
        )
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            for turn in range(1, CONNECTIONS + 1 if number == 0 else 2):
                bracket.refuses(
                    f"the access token after the logout, at {door.label}, connection {turn}",
                    door.present(ended.session.access.value, ended.session),
                    cleanly=True,
                    new_connection=True,
                )
    if ended.first_access != ended.session.access.value and opens(target, ended.first_access, ended.session):
        target.remark("an earlier access token of the session is good until it expires")


def test_revoke_03(target: Trial) -> None:
    """Nobody is logged out by somebody who does not hold a token of that session."""
    session = _live_session(target)
    for case, request in without_a_token(target, session):
        session, _ = _tries_to_log_out(target, session, case, request)
    other = target.second_account
    intruder = target.new_session(other)
    for case, further in naming(session):
        door = target.logout_door
        honest = door.present(intruder.access.value, intruder, headers=further.headers)
        request = Request(honest.method, honest.path + further.path, honest.headers, further.body)
        session, exchange = _tries_to_log_out(target, session, f"somebody else's token and {case}", request)
        if exchange.response.is_success:
            # The intruder has logged out, and needs another session for the next attempt.
            intruder.ended = True
            intruder = target.new_session(other)
    exchange = target.target.refresh(session)
    if session.ended:
        target.target.refresh(fresh := target.target.login())
        if fresh.ended:
            target.remark("the refresh token was not judged, since a new login's is refused as well (see REFRESH-01)")
            return
    target.expect(
        not session.ended,
        "the refresh token of the account, after all these attempts",
        expected="tokens: nobody who held one has logged out",
        observed=f"{target.refresh_route.label} answered {exchange.response.status} without tokens",
        shown_by=[("refresh", exchange)],
    )


def _live_session(target: Trial) -> Session:
    """The shared session, shown to be good."""
    session = target.session()
    if not opens(target, session.access.value, session):
        # Who could end one could end those that were put by as well.
        target.target.forget_sessions()
        session = target.session()
        if not opens(target, session.access.value, session):
            target.inconclusive("an honest access token opened no protected route (see ACCESS-08)")
    return session


def _tries_to_log_out(target: Trial, session: Session, case: str, request: Request) -> tuple[Session, Exchange]:
    """Sends a logout that must end nothing of the session; returns a session for the next attempt, and the answer."""
    session = session if target.target.is_alive(session.access) else _live_session(target)
    exchange, door = target.send(request), target.protected_doors[0]
    used = target.send(door.present(session.access.value, session))
    holds = bool(door.bought(used.request, used.response)) or not target.target.is_alive(session.access)
    target.expect(
        holds,
        f"a logout with {case}",
        expected="the account's access token is as good as before",
        observed=f"{door.label} answered {used.response.status} to it: the account was logged out",
        shown_by=[(f"logout with {case}", exchange), ("the account's access token, afterwards", used)],
    )
    session.ended = not holds
    return session if holds else _live_session(target), exchange


def test_revoke_04(target: Trial) -> None:
    """Ending what has ended, or never was, is no error of the server's, and a wrong hint keeps no token alive."""
    ended, door = logged_out(target), target.logout_door
    attempts = [(f"a logout with a dead {kind} token", door.present(ended.session.token(kind).value, ended.session,
                 as_kind=kind)) for kind in Kind]  # fmt: skip
    attempts.append(("a logout with a token that is none", door.present("garbage", ended.session)))
    unknown = "f3Xq0v8sJm2LkD7aRz1TnW5yBcHgPe9U"
    if ended.session.access.jwt:
        unknown = foreign(ended.session.access.jwt, jti=unknown)
    attempts.append(("a logout with an unknown token", door.present(unknown, ended.session)))
    for case, request in attempts:
        exchange = target.send(request)
        target.expect(
            not target.crashed(exchange),
            case,
            expected="a success, or a refusal with a 4xx status",
            observed=f"{door.label} answered {exchange.response.status}",
            shown_by=[*ended.answers[:1], (case, exchange)],
        )
    if target.profile.oauth.revocation:
        _revokes_in_any_case(target, unknown)


def _revokes_in_any_case(target: Trial, unknown: str) -> None:
    """The endpoint of RFC 7009 answers 2xx whatever the token, and a wrong hint does not keep one alive."""
    if not target.target.clients:
        target.remark(f"the revocation endpoint was not asked: that needs {CLIENT_OPTIONS}")
        return
    endpoint = Revocation(for_clients(target.profile), target.target.clients[0])
    session, door = target.new_session(), target.refresh_door
    session.ended = True
    token = session.refresh.value
    with target.bracket(door) as bracket:
        hinted = target.send(endpoint.revoke(token, "access_token"))
        if hinted.response.status == HTTPStatus.UNAUTHORIZED:
            target.inconclusive(f"{endpoint.label} does not know the client")
        case = "a refresh token that was revoked with the hint that it is an access token"
        bracket.refuses(case, door.present(token, session), cleanly=True)
    answers = [("a refresh token with a wrong hint", hinted)]
    for case, request in (
        ("the same token again", endpoint.revoke(token)),
        ("the same token with an unknown hint", endpoint.revoke(token, "saml_assertion")),
        ("an unknown token", endpoint.revoke(unknown)),
        ("a token that is none", endpoint.revoke("garbage", "refresh_token")),
    ):
        answers.append((case, target.send(request)))
    for case, exchange in answers:
        target.expect(
            exchange.response.is_success,
            f"revoking {case}",
            expected="200: it is good for nothing any more (RFC 7009 §2.2)",
            observed=f"{endpoint.label} answered {exchange.response.status}",
            shown_by=[(f"revoking {case}", exchange)],
        )


def test_revoke_05(target: Trial) -> None:
    """A token that was revoked, or spent, is refused in whatever way it is written."""
    ended, judged = logged_out(target), 0
    for door in target.one_of_each:
        if door.wants not in ended.dead:
            target.remark(f"not judged of the {door.wants} token, which outlives the logout (see REVOKE-01, REVOKE-02)")
            continue
        judged += 1
        token = ended.session.token(door.wants).value
        with target.bracket(door) as bracket:
            for case, request in written_otherwise(target, door, token, ended.session):
                bracket.refuses(f"a revoked {door.wants} token, {case}", request)
    judged += _refuses_a_spent_token(target)
    if not judged:
        target.not_applicable("no token is dead after the logout (see REVOKE-01), and none is spent by a refresh")


def _refuses_a_spent_token(target: Trial) -> bool:
    """Whether a spent refresh token could be judged; written otherwise first, since showing it may end its session."""
    session, door = target.new_session(), target.refresh_door
    token = session.refresh.value
    target.target.refresh(session)
    if session.ended or not session.rotated:
        return False
    session.ended = True
    with target.bracket(door):
        shown = [(case, target.send(request)) for case, request in written_otherwise(target, door, token, session)]
        plain = target.send(door.present(token, session))
        if door.bought(plain.request, plain.response):
            target.remark("not judged of a spent refresh token, which is accepted as it is")
            return False
        for case, exchange in shown:
            bought = door.bought(exchange.request, exchange.response)
            target.expect(
                not bought,
                f"a spent refresh token, {case}",
                expected="a refusal, giving nothing away",
                observed=f"accepted: {door.label} answered {exchange.response.status} with {bought}",
                shown_by=[("the same token as it was given", plain), (f"probe: {case}", exchange)],
                certain=True,
            )
    return True


def test_revoke_06(target: Trial) -> None:
    """Logging out one session leaves the user's other session as it was."""
    if target.profile.sessions.logout == "all":
        target.not_applicable("the profile declares that the logout ends every session of the user")
    ended = logged_out(target)
    if ended.neighbour is None:
        target.not_applicable("a user has one session: a login ends the one before")
    for token, exchange, good in ended.neighbour:
        target.expect(
            good,
            f"another session of the same user, {token}, after the logout of one",
            expected="as good as before",
            observed=f"{exchange.request.method} {exchange.request.path} answered {exchange.response.status}",
            shown_by=[*ended.answers, (token, exchange)],
        )


def test_revoke_07(target: Trial) -> None:
    """Disabling or deleting an account, or changing its password, ends the sessions that it has."""
    with target.bracket(target.refresh_door):
        for event in EVENTS:
            if event is PASSWORD and target.profile.sessions.password_change == "asks":  # noqa: S105 - a choice
                target.remark("the profile declares that users choose, with a new password, whether sessions end")
                continue
            found = removed(target, event)
            if isinstance(found, HookError):
                target.remark(f"not judged after {event}: {found}")
                continue
            exchange = found.after[Kind.REFRESH]
            target.expect(
                Kind.REFRESH in found.dead,
                f"a refresh token from before {event}",
                expected="a refusal",
                observed=f"accepted: {target.refresh_door.label} answered {exchange.response.status} with tokens",
                shown_by=[(f"refresh after {event}", exchange)],
                certain=True,
            )
            if Kind.ACCESS not in found.dead:
                target.remark(f"an access token from before {event} is good until it expires")
    if not target.probes:
        target.untested("nothing could be done to an account", give="a hooks.provision that can, in the profile")


@pytest.mark.waits("a moment")
def test_revoke_08(target: Trial) -> None:
    """What a logout has ended stays ended when the target is started anew."""
    ended = logged_out(target)
    if not ended.dead:
        target.not_applicable("the logout ends no token at all (see REVOKE-01, REVOKE-02)")
    witness = _live_session(target)
    target.restart()
    if not outlives_restart(target, witness):
        target.not_applicable("a restart ends every session, for instance because the signing key is made anew")
    for door in target.one_of_each:
        if door.wants not in ended.dead:
            continue
        with target.bracket(door) as bracket:
            token = ended.session.token(door.wants).value
            case = f"the {door.wants} token of a session that was logged out before the restart"
            bracket.refuses(case, door.present(token, ended.session))
            if door.wants is Kind.REFRESH and ended.first_refresh != token:
                case = "a refresh token that was spent, and logged out, before the restart"
                bracket.refuses(case, door.present(ended.first_refresh, ended.session))


@pytest.mark.waits("refresh")
def test_revoke_09(target: Trial) -> None:
    """A user whose access token has expired can log out with what the client has left."""
    if Kind.REFRESH not in logged_out(target, of_any_age=True).dead:
        target.not_applicable("the logout ends no refresh token, whatever it is shown (see REVOKE-01)")
    session, expired = session_past_its_access_token(target)
    target.target.refresh(session)
    if session.ended:
        target.inconclusive("after the access token's end, a refresh gave no tokens (see EXPIRY-05)")
    session.access = Token(expired, Kind.ACCESS)
    answers = log_out(target, session)
    exchange = target.send(target.refresh_door.present(session.refresh.value, session))
    bought = target.refresh_door.bought(exchange.request, exchange.response)
    with target.bracket(target.refresh_door):
        target.expect(
            not bought,
            "a logout with an expired access token, and one with the refresh token",
            expected="one of them ends the session",
            observed=f"{', '.join(f'{name}: {answer.response.status}' for name, answer in answers)}; and the refresh"
            f" token still gives {bought}",
            shown_by=[*answers, ("refresh afterwards", exchange)],
            certain=True,
        )
