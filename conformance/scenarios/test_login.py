"""Logging in."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.scenarios.endings import UntestedError
from conformance.scenarios.giving import given_tokens, judge_ids, judge_strings, misstated, told
from conformance.scenarios.lapse import lapsed_access_token, require_agreement
from conformance.scenarios.shaping import adopted, judge_shape, privileges, with_members
from conformance.tokens.randomness import ENOUGH
from conformance.tokens.reading import Kind, read_jwt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange
    from conformance.target.profile_tables import Login, Refresh
    from conformance.target.session import Session
    from conformance.tokens.reading import Token

IN_A_ROW: Final = 4


def test_login_01(target: Trial) -> None:
    """Valid credentials yield two different tokens, at every login and not only at the first."""
    route = target.login_route
    exchange, session = target.target.try_login(target.account)
    status, refreshes = exchange.response.status, target.profile.has_refresh_token
    if target.expect(
        session is not None and session.is_complete,
        "a login with the right password",
        expected=f"a success with {' and '.join(f'{kind.with_article} token' for kind in target.kinds)}",
        observed=f"{route.label} answered {status} without {'both tokens' if refreshes else 'one'}",
        shown_by=[("login", exchange)],
    ):
        assert session is not None
        target.expect(
            session.access.value != session.refresh.value,
            "the two tokens of one login",
            expected="two different strings",
            observed="one string served as both tokens",
            shown_by=[("login", exchange)],
        )
        target.target.keep_for_later(session)


def test_login_02(target: Trial) -> None:
    """A new access token opens every protected route at once, as the user who logged in."""
    route = target.login_route
    login, session = target.target.try_login(target.account, settle=False)
    if session is None:
        target.inconclusive(f"{route.label} gave no access token (see LOGIN-01)")
    for door in target.protected_doors:
        exchange = target.send(door.present(session.access.value, session))
        answer = exchange.response
        shown_by = [("login", login), ("at once", exchange)]
        if target.expect(
            answer.is_success,
            f"{door.label} at once after the login",
            expected="a success",
            observed=f"{door.label} answered {answer.status} to a brand-new access token",
            shown_by=shown_by,
        ):
            target.expect(
                door.identity(answer) in {None, target.account.username},
                f"whose data {door.label} shows",
                expected=f"the data of {target.account.username!r}",
                observed=f"the data of {door.identity(answer)!r}",
                shown_by=shown_by,
            )
    target.clock.let_pass(target.target.settle_s)
    target.target.keep_for_later(session)


def test_login_03(target: Trial) -> None:
    """A wrong password, an unknown user and another user's password get no tokens."""
    wrong = target.target.wrong_password()
    name = target.account.username
    with target.bracket(target.login_route) as login:
        login.refuses("a wrong password", target.guess(name, wrong), cleanly=True)
        login.refuses("an unknown user", target.guess(target.account.nobody(), wrong), cleanly=True)
        if other := target.target.second_account:
            login.refuses("another user's password", target.guess(name, other.password), cleanly=True)
        else:
            target.remark("another user's password was not tried: that needs --second-username")


def test_login_04(target: Trial) -> None:
    """Logins in quick succession give token strings, and token ids, of which each is new."""
    logins = [target.target.try_login(target.account, settle=False) for _ in range(IN_A_ROW)]
    sessions = [session for _, session in logins if session]
    if len(sessions) < IN_A_ROW:
        target.inconclusive(f"only {len(sessions)} of {IN_A_ROW} logins gave an access token (see LOGIN-01)")
    starts = [exchange.sent_at for exchange, _ in logins]
    if min(later - earlier for earlier, later in itertools.pairwise(starts)) >= 1:
        target.remark("no two logins fell into one second, so a clock of seconds would not have shown")
    for kind in Kind:
        tokens = [session.token(kind) for session in sessions if session.token(kind).value]
        for what, values in (("string", [token.value for token in tokens]), ("jti", list(_ids(tokens)))):
            # The text of a claim, since its value may be of any type.
            repeated = len(values) - len(set(map(str, values)))
            target.expect(
                not repeated,
                f"the {what} of the {kind} tokens of {IN_A_ROW} logins in a row",
                expected="a new one each time",
                observed=f"{repeated} of {len(values)} had been given before",
                shown_by=[(f"login {number}", exchange) for number, (exchange, _) in enumerate(logins[:2], 1)],
                certain=True,
            )
    target.clock.let_pass(target.target.settle_s)
    _keep(target, sessions)


def _ids(tokens: list[Token]) -> Iterator[Any]:
    return (token.jwt.claims["jti"] for token in tokens if token.jwt and "jti" in token.jwt.claims)


def _keep(target: Trial, sessions: list[Session]) -> None:
    """Leaves sessions to other scenarios; only the last, where a login ends the user's other sessions."""
    first, door = sessions[0], target.target.protected_doors[0]
    request = door.present(first.access.value, first)
    if door.opens_to_anyone or door.bought(request, target.send(request).response):
        for session in sessions:
            target.target.keep_for_later(session)
    else:
        target.target.logins_end_sessions = True
        target.target.keep_for_later(sessions[-1])


def test_login_05(target: Trial) -> None:
    """A login makes its tokens itself, whatever tokens and ids come along with the credentials."""
    account, canary = target.account, str(uuid.uuid4())
    honest = target.login_door.credentials(account.username, account.password)
    brought = target.session(target.target.second_account)
    # As a login gives it: the tokens of a refresh may say other things.
    plain = target.target.first_session or target.session()
    cookies = target.profile.cookies
    jar = {cookies.access: brought.access.value, cookies.refresh: brought.refresh.value}
    jar |= dict.fromkeys(("sessionid", "session", "sid", "PHPSESSID", "JSESSIONID"), canary)
    carried = (
        ("Authorization", f"Bearer {brought.access.value}"),
        ("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())),
    )
    members = dict.fromkeys(("access_token", "refresh_token", "jti", "sid", "session_id", "csrf"), canary)
    requests = {
        "a login with the tokens of another session in its headers": replace(honest, headers=honest.headers + carried),
        "a login with tokens and ids in its body": with_members(honest, members),
    }
    with target.bracket(target.login_door):
        for case, request in requests.items():
            exchange, session = target.target.try_login(account, request=request)
            if session is None:
                target.remark(f"{case} was refused with {exchange.response.status}")
            found = list(adopted(session, exchange, brought, plain, canary)) if session else []
            shown_by = [(case, exchange)]
            for door in target.protected_doors[: 1 if session else 0]:
                assert session is not None
                shown = target.send(door.present(session.access.value, session))
                shown_by.append((f"{door.label} with the new token", shown))
                if (who := door.identity(shown.response)) not in {None, account.username}:
                    found.append(f"the identity {who!r}")
            if target.expect(
                not found,
                case,
                expected="a refusal (4xx), or new tokens that hold nothing of what came along",
                observed="taken over: " + ", ".join(found),
                shown_by=shown_by,
                certain=True,
            ):
                target.expect(
                    not target.crashed(exchange),
                    case,
                    expected="no server error",
                    observed=f"{target.login_door.label} answered {exchange.response.status}",
                    shown_by=shown_by,
                )
                if session:
                    target.target.keep_for_later(session)


def test_login_06(target: Trial) -> None:
    """Members added to a login or a refresh shape neither whose its tokens are, nor what they allow, nor how long."""
    account, plain, groups = target.account, target.session(), privileges(target)
    everything = {name: value for group in groups.values() for name, value in group.items()}
    honest = target.login_door.credentials(account.username, account.password)
    with target.bracket(target.login_door):
        for name, added in {"all of them": everything, **groups}.items():
            case = f"members added to a login: {name}"
            exchange, session = target.target.try_login(account, request=with_members(honest, added))
            if judge_shape(target, case, exchange, session, plain, added) and session:
                target.target.keep_for_later(session)
            if exchange.response.is_success:
                break
    if not target.profile.has_refresh_token:
        return
    refresh = target.refresh_door
    with target.bracket(refresh):
        own = target.new_session()
        request = with_members(refresh.present(own.refresh.value, own), everything)
        exchange = target.send(request)
        got = bool(refresh.bought(request, exchange.response))
        if got:
            target.target.take_over(own, exchange)
        judge_shape(target, "members added to a refresh", exchange, own if got else None, plain, everything)


def test_login_07(target: Trial) -> None:
    """An answer that gives an access token names its type, and tells in seconds how long it lives."""
    session, profile = target.new_session(), target.profile
    replies: list[tuple[str, Exchange, Login | Refresh, Token]]
    replies = [("login", session.login, profile.login, session.access)]
    refreshed = target.target.refresh(session)
    if target.refresh_routes and not session.ended:
        replies.append(("refresh", refreshed, profile.refresh, session.access))
    if profile.found_in(profile.login, Kind.ACCESS).where == "cookie" and all(
        told(each.response.json, where)[1] is None for _, each, where, _ in replies
    ):
        target.not_applicable("the tokens travel in cookies, which have a lifetime of their own")
    for name, exchange, where, token in replies:
        kind, lifetime = told(exchange.response.json, where)
        shown_by = [(name, exchange)]
        scheme = profile.sent_in(Kind.ACCESS).scheme or "Bearer"
        target.expect(
            isinstance(kind, str) and kind.lower() in {"bearer", scheme.lower()},
            f"token_type in the answer to a {name}",
            expected=f"{scheme}, in any case",
            observed="none" if kind is None else repr(kind),
            shown_by=shown_by,
        )
        problem = misstated(lifetime, token, where.expiry)
        target.expect(
            not problem,
            f"{where.expires_in or 'expires_in'} in the answer to a {name}",
            expected="the seconds that the token lives, as a number"
            if where.expiry == "seconds"
            else f"how long the token lives, as the profile declares ({where.expiry})",
            observed=problem,
            shown_by=shown_by,
        )


@pytest.mark.waits("access")
def test_login_08(target: Trial) -> None:
    """A dead access token, sent along with good credentials or a good refresh token, does no harm."""
    try:
        words, dead = "expired", lapsed_access_token(target).value
    except UntestedError:
        words, dead = "garbage", "garbage"
        target.remark("an expired token was not tried")
    session, door = target.session(), target.target.protected_doors[0]
    honest = target.login_door.credentials(target.account.username, target.account.password)
    name = door.place(Kind.ACCESS).header
    carried = tuple(pair for pair in door.present(dead, session).headers if pair[0] == name)
    if not carried or name in {each for each, _ in honest.headers}:
        target.not_applicable("the access token travels in no header, or in one that a login needs for itself")
    if name == "Authorization" and "grant_type" in target.profile.login.extra:
        target.not_applicable("the login is a token endpoint, where that header is the client's (RFC 6749 §2.3.1)")
    request = replace(honest, headers=honest.headers + carried)
    exchange, given = target.target.try_login(target.account, request=request)
    if given:
        target.target.keep_for_later(given)
    target.expect(
        given,
        f"a login that carries a dead access token ({words})",
        expected="a success, as without that token",
        observed=f"{target.login_door.label} answered {exchange.response.status}",
        shown_by=[("login", exchange)],
    )
    if target.profile.transport != "cookie" or not target.profile.has_refresh_token:
        return
    refresh, own = target.refresh_door, target.new_session()
    request = refresh.present(own.refresh.value, own)
    further = f"; {target.profile.cookies.access}={dead}"
    headers = tuple((name, value + further if name == "Cookie" else value) for name, value in request.headers)
    exchange = target.send(replace(request, headers=headers))
    got = bool(refresh.bought(request, exchange.response))
    if got:
        target.target.take_over(own, exchange)
    else:
        require_agreement(target)
    target.expect(
        got,
        f"a refresh that carries a dead access token ({words})",
        expected="a success, as without that token",
        observed=f"{refresh.label} answered {exchange.response.status}",
        shown_by=[("refresh", exchange)],
    )


def test_login_09(target: Trial) -> None:
    """Opaque tokens vary too much to be guessed, and neither count nor tell the time."""
    own = target.new_session()
    for _ in range(ENOUGH):
        if not own.ended:
            target.target.refresh(own)
    for kind in Kind:
        if own.token(kind).jwt is None:
            for _ in range(ENOUGH - len(given_tokens(target, kind))):
                target.target.keep_for_later(target.target.login())
        given = given_tokens(target, kind)
        opaque = [value for value in given if read_jwt(value) is None]
        if opaque:
            judge_strings(target, kind, opaque)
        else:
            judge_ids(target, kind, given)
    if not target.probes:
        target.not_applicable("every token is signed, so that nobody can guess one")
