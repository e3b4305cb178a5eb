"""The form of refusals."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange

ABOUT_CREDENTIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def test_err_01(target: Trial) -> None:
    """A refusal is a JSON object with a message, under the same name everywhere."""
    account, login, refresh = target.account, target.login_route, target.refresh_route
    shared = target.session()
    refusals = [
        ("a wrong password", target.send(target.guess(account.username, target.target.wrong_password()))),
        ("a login without password", target.send(login.json(login.without("password", account=account)))),
        ("a login whose body is no JSON", target.send(login.raw(b"{"))),
        (f"{refresh.label} without credentials", target.send(refresh.anonymous())),
        (f"{refresh.label} with garbage", target.send(refresh.present("garbage", shared))),
    ]
    for door in target.protected_routes:
        refusals.append((f"{door.label} without credentials", target.send(door.anonymous())))
        refusals.append((f"{door.label} with garbage", target.send(door.present("garbage", shared))))
    refusals = [(case, exchange) for case, exchange in refusals if exchange.response.is_client_error]
    if not refusals:
        target.inconclusive("nothing was refused, so there is no refusal to look at")
    for case, exchange in refusals:
        target.expect(
            isinstance(exchange.response.json, dict) and _has_words(exchange.response.json),
            f"the answer to {case}",
            expected="a JSON object with a message for a person",
            observed=f"status {exchange.response.status} with {_nature(exchange)}",
            shown_by=[(case, exchange)],
        )
    # What is wrong with a body may be told in a form of its own.
    about_credentials = [
        (case, exchange)
        for case, exchange in refusals
        if exchange.response.status in ABOUT_CREDENTIALS and isinstance(exchange.response.json, dict)
    ]
    names = [{name for name, value in exchange.response.json.items() if _has_words(value)}
             for _, exchange in about_credentials]  # fmt: skip
    if names and all(names):
        target.expect(
            set.intersection(*names),
            "the name of the message's member",
            expected="the same at every route",
            observed="; ".join(sorted({", ".join(sorted(found)) for found in names})),
            shown_by=about_credentials,
        )


def _has_words(value: Any) -> bool:
    match value:
        case str():
            return bool(value.strip())
        case dict():
            return any(_has_words(item) for item in value.values())
        case list():
            return any(_has_words(item) for item in value)
        case _:
            return False


def _nature(exchange: Exchange) -> str:
    data = exchange.response.json
    if not exchange.response.body:
        return "an empty body"
    if data is None:
        return "a body that is no JSON"
    return "a JSON object without a message" if isinstance(data, dict) else "JSON that is no object"
