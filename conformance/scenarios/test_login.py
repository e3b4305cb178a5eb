"""Logging in."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial


def test_login_01(target: Trial) -> None:
    """Valid credentials yield two different tokens, at every login and not only at the first."""
    exchange, session = target.target.try_login(target.account)
    status = exchange.response.status
    if target.expect(
        session is not None and session.is_complete,
        "a login with the right password",
        expected="a success with an access token and a refresh token",
        observed=f"{target.login_route.label} answered {status} without both tokens",
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
    login, session = target.target.try_login(target.account, settle=False)
    if session is None:
        target.inconclusive("the login gave no access token (see LOGIN-01)")
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
        login.refuses("an unknown user", target.guess(f"nobody-{secrets.token_hex(6)}", wrong), cleanly=True)
        if other := target.target.second_account:
            login.refuses("another user's password", target.guess(name, other.password), cleanly=True)
        else:
            target.remark("another user's password was not tried: that needs --second-username")
