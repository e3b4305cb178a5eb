"""Rotation of refresh tokens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn

from conformance.scenarios.family import MOVES, Answer, replay, require_rotation, rotate
from conformance.scenarios.replays import chain, detected, live_chain, mourn, story
from conformance.scenarios.spare import spare_session
from conformance.tokens.forging.false_copies import FALSE_COPIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Session

ROTATIONS: Final = 2


def test_rotate_01(target: Trial) -> None:
    """Each refresh returns a new refresh token."""
    require_rotation(target)
    session = spare_session(target)
    for turn in range(1, ROTATIONS + 1):
        exchange, rotated = rotate(target, session)
        if session.ended:
            target.inconclusive(f"{target.refresh_route.label} refuses an honest refresh token (see REFRESH-01)")
        target.expect(
            rotated,
            f"refresh {turn} of a session",
            expected="a refresh token in the answer, other than the one that was sent",
            observed="no refresh token, or the one that was sent",
            shown_by=[("refresh", exchange)],
        )


def test_rotate_02(target: Trial) -> None:
    """After rotation the new refresh token works and the old one does not."""
    links = chain(target)
    family, uses = links.family, links.uses
    for generation, exchange in enumerate(family.rotations[1:], start=2):
        # Another scenario may have refreshed it once more since, after it had reached its rightful end.
        broken = not links.unbroken and exchange is family.rotations[-1]
        target.expect(
            not broken,
            f"refresh {generation} of a session, with the refresh token of the one before",
            expected="a new access token",
            observed=f"{target.refresh_route.label} answered {exchange.response.status} without one",
            shown_by=[("the refresh before", family.rotations[generation - 2]), ("refresh", exchange)],
        )
    for generation, (use, opened) in enumerate(uses, start=1):
        target.expect(
            opened,
            f"the access token of refresh {generation}",
            expected="it opens a protected route",
            observed=f"status {use.response.status}",
            shown_by=[("refresh", family.rotations[generation - 1]), ("use", use)],
        )
    told = story(target)
    target.remark(f"rotation: {told.replay.grace}")
    target.expect(
        not MOVES[told.replay.state, told.replay.answer].breaks,
        f"a used refresh token, {told.replay.after_s:.0f} s after its use",
        expected="a refusal, giving nothing away",
        observed=f"{target.refresh_route.label} answered {told.replay.exchange.response.status} with tokens",
        shown_by=[("its use", told.rotation), ("its second use", told.replay.exchange)],
        certain=True,
    )


def test_rotate_03(target: Trial) -> None:
    """A replay of a used refresh token ends the session it came from."""
    told = story(target)
    if told.replay.answer is Answer.SERVED or told.newest is None:
        target.not_applicable("a used refresh token is served again, so no replay is seen as one (see ROTATE-02)")
    if not told.detected and target.profile.refresh.reuse == "nothing":
        target.remark("the profile declares so, which the policy card shows; RFC 9700 §4.14.2 leaves no choice")
    target.expect(
        told.detected,
        "the session's newest refresh token, after a used one was shown again and refused",
        expected="a refusal: the session has ended",
        observed=f"{target.refresh_route.label} answered {told.newest.response.status} with tokens",
        shown_by=[("the replay", told.replay.exchange), ("the newest refresh token", told.newest)],
        certain=True,
    )


def test_rotate_04(target: Trial) -> None:
    """A replay of any earlier generation ends the session, and not only one of the last."""
    told = detected(target)
    door = target.refresh_door
    with target.bracket(door) as bracket:
        family = live_chain(target).family
        oldest = replay(target, family, strict=told.replay.strict)
        mourn(target, told)
        case = f"the first refresh token of a session that was refreshed {len(family.spent)} times"
        target.expect(
            oldest.answer is Answer.REFUSED,
            case,
            expected="a refusal, giving nothing away",
            observed=f"{door.label} answered {oldest.exchange.response.status} with tokens",
            shown_by=[("its use", family.rotations[0]), ("its second use", oldest.exchange)],
            certain=True,
        )
        if oldest.answer is Answer.REFUSED:
            newest = door.present(family.session.refresh.value, family.session)
            bracket.refuses(f"the newest refresh token, after a replay of {case}", newest)


def test_rotate_05(target: Trial) -> None:
    """A replay that is detected stops the access tokens of its session as well."""
    told = detected(target)
    if not told.accesses:
        target.untested("the access tokens expired while a grace was waited out", give="refresh.grace in the profile")
    for witness in told.accesses:
        target.expect(
            not witness.stands,
            f"{witness.name}, after a replay has ended the session",
            expected="a refusal",
            observed=f"{target.protected_routes[0].label} answered {witness.after.response.status}, as before",
            shown_by=[
                ("before the replay", witness.before),
                ("the replay", told.replay.exchange),
                ("after it", witness.after),
            ],
            certain=True,
        )
    ends = not any(witness.stands for witness in told.accesses)
    target.target.policy["access tokens after a replay"] = "end with the session" if ends else "live on"


def test_rotate_06(target: Trial) -> None:
    """A replay ends no session of another user."""
    name = target.second_account.username
    told = detected(target)
    if told.strangers is None:
        target.inconclusive(f"a session of {name!r} could not be refreshed before the replay")
    if told.own and not told.own.stands:
        target.remark("a replay ends the user's other sessions as well, which is a choice")
    target.expect(
        told.strangers.stands,
        f"a session of {name!r}, after a replay in a session of {target.account.username!r}",
        expected="a new access token, as before",
        observed=f"{target.refresh_route.label} answered {told.strangers.after.response.status} without one",
        shown_by=[
            ("before the replay", told.strangers.before),
            ("the replay", told.replay.exchange),
            ("after it", told.strangers.after),
        ],
    )


def test_rotate_07(target: Trial) -> None:
    """A forged or broken token that names a live session does not end it."""
    require_rotation(target)
    target.require_jwt(target.refresh_door.wants)
    _chains_hold(target)
    judged = 0
    for kind, forge in FALSE_COPIES.items():
        session = spare_session(target)
        past = session.snapshot()
        if not rotate(target, session)[1]:
            _does_not_rotate(target, session)
        shown = []
        # The current one first: what is believed of it is believed of the used one, and that is a genuine replay then.
        for generation, owner in (("the current", session), ("a used", past)):
            token = forge(owner.refresh.jwt, target.clock.now()) if owner.refresh.jwt else None
            if token is None:
                continue
            target.target.keep_secret(token, "refresh token, altered")
            exchange = target.send(target.refresh_door.present(token, owner))
            if target.refresh_door.bought(exchange.request, exchange.response):
                target.remark(f"not judged with {kind}, which is believed (see the area of signatures)")
                target.target.take_over(session, exchange)
                break
            shown.append((f"{generation} refresh token with {kind}", exchange))
        else:
            if shown and not _lives_on(target, session, f"after refresh tokens with {kind}", shown):
                return
            judged += len(shown)
    if not judged:
        target.not_applicable("every forgery is believed (see the area of signatures)")


def test_rotate_08(target: Trial) -> None:
    """A refresh that fails for another reason does not spend the token."""
    require_rotation(target)
    _chains_hold(target)
    session, door = spare_session(target), target.refresh_door
    if not rotate(target, session)[1]:
        _does_not_rotate(target, session)
    for case, spoil in SPOILT.items():
        exchange = target.send(spoil(door.present(session.refresh.value, session)))
        if door.bought(exchange.request, exchange.response):
            target.remark(f"{case} does not make a refresh fail")
            target.target.take_over(session, exchange)
            if session.ended:
                session = spare_session(target)
        elif not exchange.response.is_success and not _lives_on(target, session, f"after {case}", [(case, exchange)]):
            return
    if not target.probes:
        target.not_applicable("nothing makes a refresh with a good token fail")


def _chains_hold(target: Trial) -> None:
    """Ends the scenario where refreshing again and again fails by itself."""
    if not chain(target).unbroken:
        target.inconclusive("a chain of refreshes breaks off by itself (see ROTATE-02)")


def _does_not_rotate(target: Trial, session: Session) -> NoReturn:
    if session.ended:
        target.inconclusive(f"{target.refresh_route.label} refuses an honest refresh token (see REFRESH-01)")
    target.not_applicable("the target does not rotate its refresh tokens (see ROTATE-01)")


def _lives_on(target: Trial, session: Session, case: str, shown: list[tuple[str, Exchange]]) -> bool:
    """Claims that the session's current refresh token is good still."""
    exchange = target.target.refresh(session)
    return target.expect(
        not session.ended,
        f"the current refresh token of the session, {case}",
        expected="a new access token",
        observed=f"{target.refresh_route.label} answered {exchange.response.status} without one",
        shown_by=[*shown, ("the current refresh token", exchange)],
    )


# -- Requests that fail for another reason than their token ------------------------------------------------------------


def _with_body(request: Request, body: bytes, content_type: str) -> Request:
    headers = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
    return replace(request, headers=(*headers, ("Content-Type", content_type)), body=body)


def _as_xml(request: Request) -> Request:
    return _with_body(request, request.body or b"<refresh/>", "application/xml")


def _ill_formed(request: Request) -> Request:
    return _with_body(request, (request.body or b"{}")[:-1], "application/json")


def _with_more(request: Request) -> Request:
    sent = json.loads(request.body) if request.body.startswith(b"{") else {}
    more = {**sent, "scope": "no-such-scope", "unexpected": [1]}
    return _with_body(request, json.dumps(more).encode(), "application/json")


def _by(method: str) -> Callable[[Request], Request]:
    return lambda request: replace(request, method=method if request.method != method else "POST")


SPOILT: Final[dict[str, Callable[[Request], Request]]] = {
    "a refresh whose body is of another media type": _as_xml,
    "a refresh whose body is no JSON": _ill_formed,
    "a refresh with members that do not belong there": _with_more,
    "a refresh by PUT": _by("PUT"),
    "a refresh by GET": _by("GET"),
}
