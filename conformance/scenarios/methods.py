"""Other methods at a route than the one it is for, and what they leave behind."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import TargetError
from conformance.target.pacing import HeldBackError

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.doors import Door
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Session

WRONG_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
NOBODYS_METHOD: Final = "CONFORM"
"""A method that no server knows: what answers it with data answers anything."""
SAFE_METHODS: Final = ("GET", "HEAD")
NOT_OFFERED: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


def sent(target: Trial, request: Request) -> Exchange | None:
    """The exchange; None where the target, or a proxy, hangs up on the method, which is a refusal as well."""
    try:
        return target.send(request)
    except HeldBackError:
        raise
    except TargetError:
        target.remark(f"{request.method} gets no answer")
        return None


def refuses(target: Trial, door: Door, request: Request, how: str = "") -> Exchange | None:
    """Claims that a route refuses another method well. A 401 before that, or a 404, is no worse."""
    exchange = sent(target, request)
    case = f"{request.method} {request.path} {how}".rstrip()
    if exchange is None:
        target.expect(holds=True, case=case, expected="a refusal", observed="no answer")
        return None
    answer = exchange.response
    allowed = {word.strip().upper() for line in answer.all_headers("Allow") for word in line.split(",")}
    problem = ""
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED and not answer.all_headers("Allow"):
        problem = "405 without Allow"
    elif answer.status == HTTPStatus.METHOD_NOT_ALLOWED and door.method not in allowed:
        problem = f"405 with an Allow that leaves out {door.method}, which works: {', '.join(sorted(allowed))}"
    elif target.crashed(exchange) and answer.status != HTTPStatus.NOT_IMPLEMENTED:
        problem = f"a server error, {answer.status}"
    elif answer.status == HTTPStatus.NOT_FOUND:
        target.remark(f"{door.label} answers 404 to other methods, as if it were not there")
    target.expect(
        not problem,
        case,
        expected="405 with the methods that work in Allow, or another refusal",
        observed=problem,
        shown_by=[("probe", exchange)],
    )
    return exchange


def buys_nothing(target: Trial, door: Door, request: Request, how: str) -> Exchange:
    """Claims that the request gets no tokens."""
    exchange = target.send(request)
    bought = door.bought(request, exchange.response)
    target.expect(
        not bought,
        f"{request.method} {door.path} {how}",
        expected="no tokens",
        observed=f"status {exchange.response.status} with {bought}",
        shown_by=[("probe", exchange)],
        certain=True,
    )
    return exchange


def session_that_refreshes(target: Trial) -> Session:
    """A session of the scenario's own that has just been refreshed.

    Raises:
        InconclusiveError: there is none, so that it could not be told whether a request has ended it.
    """
    session = target.new_session()
    exchange = target.target.refresh(session)
    if session.ended:
        # Where a user has one session, that of an earlier login may be over; a new login's is not.
        session = target.target.login()
        exchange = target.target.refresh(session)
    if session.ended:
        target.inconclusive(f"an honest refresh answers {exchange.response.status} without a token (see REFRESH-01)")
    return session


def still_good(target: Trial, session: Session, what: str, after: Exchange) -> Session:
    """Claims that an honest refresh and its access token still work; returns a session for what follows."""
    again = target.target.refresh(session)
    good, shown_by = not session.ended, [("probe", after), ("an honest refresh after it", again)]
    if good:
        door = target.protected_doors[0]
        used = target.send(door.present(session.access.value, session))
        good = bool(door.bought(used.request, used.response))
        shown_by.append(("its access token", used))
    target.expect(
        good,
        f"{what} after {after.request.method} {after.request.path}",
        expected="as good as before",
        observed=f"it is spent or ended: {shown_by[-1][0]} got {shown_by[-1][1].response.status}",
        shown_by=shown_by,
    )
    return session if good else target.target.login()


def alike(target: Trial, case: str, get: Exchange, head: Exchange) -> None:
    """Claims that HEAD is answered as GET is."""
    said = f"{head.response.status} where GET got {get.response.status}"
    same = get.response.status == head.response.status or (get.response.is_success and head.response.is_success)
    if same:
        for name in ("Content-Type", "Cache-Control"):
            ours, theirs = head.response.header(name), get.response.header(name)
            # RFC 9110 §9.3.2 lets HEAD leave a field out, but not say another thing.
            if ours is not None and theirs is not None and ours != theirs:
                same, said = False, f"{name}: {ours} where GET got {theirs}"
    target.expect(same, case, expected="what GET gets", observed=said, shown_by=[("GET", get), ("HEAD", head)])
