"""What becomes of requests that are sent without TLS to the host of a target that has it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from conformance.errors import TargetError
from conformance.target import raw
from conformance.target.http import Request
from conformance.target.pacing import HeldBackError

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Response


def judge_in_clear(target: Trial, port: int) -> None:
    """Claims that requests at this port, sent without TLS, are neither processed nor redirected.

    They hold no secret: what is sent in clear may be read on the way.
    """
    login, door = target.login_route, target.protected_doors[0]
    body = b"{}"
    sized = (("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close"))
    nothing = Request(login.method, login.path, sized, body)
    garbage = door.present("garbage", target.session(), headers=(("Connection", "close"),))
    for request in (nothing, Request(garbage.method, garbage.path, _without_secrets(garbage.headers))):
        case = f"{request.method} {request.path} at the port {port}, without TLS"
        try:
            plain = raw.converse(target.target.client, request, plain_port=port)
        except HeldBackError:
            raise
        except TargetError:
            # Nobody listens there.
            target.expect(holds=True, case=case, expected="no answer", observed="none")
            continue
        answer = plain.exchange.response
        secured = raw.converse(target.target.client, request).exchange
        problem = ""
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            place = answer.header("Location") or "nowhere"
            if request.method == "GET":
                target.remark(
                    f"GET without TLS is redirected ({answer.status}), and a client's token is in clear by then"
                )
            else:
                problem = f"{answer.status} to {place}, and nobody notices that a password was sent in clear"
        elif plain.answered and _traits(answer) == _traits(secured.response):
            problem = f"{answer.status}, as over TLS: the request was processed"
        target.expect(
            not problem,
            case,
            expected="no answer, or a refusal by somebody who does not process it",
            observed=problem,
            shown_by=[("over TLS", secured), ("without TLS", plain.exchange)],
            certain=True,
        )


def _without_secrets(headers: Any) -> Any:
    """Headers without a cookie's proof of same-site intent, which is the session's own."""
    return tuple((name, value) for name, value in headers if name in {"Authorization", "Connection"})


def _traits(answer: Response) -> tuple[object, ...]:
    """By what an API's own answer is recognised, whatever the time and the request's number in it."""
    members = tuple(sorted(answer.json)) if isinstance(answer.json, dict) else ()
    kind = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
    return answer.status, kind, members, answer.header("WWW-Authenticate")
