"""The form of refusals."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from conformance.target.http import Request
from conformance.tokens.reading import finite

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange

PROBLEM: Final = "application/problem+json"
URI_REFERENCE: Final = re.compile(r"[!#-;=?-\[\]_a-z~]*")
ABOUT_CREDENTIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def test_err_01(target: Trial) -> None:
    """A refusal is a JSON object with a message, under the same name everywhere."""
    account, login = target.account, target.login_route
    shared = target.session()
    refusals = [
        ("a wrong password", target.send(target.guess(account.username, target.target.wrong_password()))),
        ("a login without password", target.send(target.login_without_password())),
        ("a login whose body is no JSON", target.send(login.raw(b"{"))),
    ]
    for door in (*target.refresh_routes, *target.protected_routes):
        refusals.append((f"{door.label} without credentials", target.send(door.anonymous())))
        refusals.append((f"{door.label} with garbage", target.send(door.present("garbage", shared))))
    refusals = [(case, exchange) for case, exchange in refusals if exchange.response.is_client_error]
    if not refusals and any(door.unusual for door in (login, *target.protected_routes)):
        target.not_applicable("refusals have a status of their own here, as the profile declares")
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


def test_err_02(target: Trial) -> None:
    """A refusal that calls itself problem details has their members, with their types and its own status."""
    door, login = target.protected_routes[0], target.login_route
    for request in (
        door.anonymous(),
        door.present("garbage", target.session()),
        login.raw(b"{"),
        Request("GET", f"/nothing-{secrets.token_hex(6)}"),
    ):
        target.send(request)
    told = set()
    for exchange in target.target.client.refusals:
        request, answer = exchange.request, exchange.response
        if (answer.header("Content-Type") or "").partition(";")[0].strip().lower() != PROBLEM:
            continue
        # HEAD is answered without the content that its headers describe (RFC 9110 §9.3.2).
        if request.method == "HEAD" or answer.truncated:
            continue
        problem = _misshapen(answer.json, answer.status)
        case = f"{request.method} {request.path.partition('?')[0]}, answered {answer.status}"
        if (case, problem) in told:
            continue
        told.add((case, problem))
        target.expect(
            not problem,
            case,
            expected="members as in RFC 9457 §3.1: URIs, strings, and the status of the answer as a number",
            observed=problem,
            shown_by=[(case, exchange)],
        )
    if not told:
        target.not_applicable(f"no refusal is of the type {PROBLEM}")


def _misshapen(problem: Any, status: int) -> str:
    """What is wrong with problem details, in words; an empty string where nothing is."""
    if not isinstance(problem, dict):
        return "no JSON object"
    if "status" in problem and (isinstance(problem["status"], str) or finite(problem["status"]) != status):
        return f"status is {problem['status']!r}"
    for name in ("title", "detail"):
        if not isinstance(problem.get(name, ""), str):
            return f"{name} is no string"
    for name in ("type", "instance"):
        value = problem.get(name, "")
        if not isinstance(value, str) or not URI_REFERENCE.fullmatch(value):
            return f"{name} is no URI reference"
    return ""
