"""Before the first verdict: tells a wrong configuration from a wrong implementation.

Each step asks one thing of the target. What a user's options, profile or credentials can explain stops the run with
a message and a hint; what only the implementation can explain is left to the scenarios.
"""

from __future__ import annotations

import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import ConfigurationError, ConformanceError, TargetError
from conformance.target import doctor_lifetimes, doctor_routes, timekeeping
from conformance.target.doctor_lines import Line
from conformance.target.explanations import check_route, explain_login, explain_step
from conformance.target.steps import StepError
from conformance.tokens.keys import minter
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.target.doors import ProtectedDoor
    from conformance.target.http import Response
    from conformance.target.session import Account, Session
    from conformance.target.target import Target


LONGEST_SETTLE_S: Final = 3.0


def examine(target: Target, signing_key: str | bytes = "") -> Iterator[Line]:
    """Asks the target one thing after another, and yields a line about each.

    Afterwards every door has learnt what an honest answer looks like, the clock knows the skew, and the target has
    its minter where `signing_key` fits.

    Raises:
        ConfigurationError: the options, the profile or the credentials do not fit the target.
        TargetError: the target does not answer, or answers with server errors.
    """
    try:
        yield from _examine(target, signing_key)
    except ConformanceError as error:
        # The target may have quoted a secret in what the message repeats.
        error.args, error.hint = (target.redactor.text(error.args[0]),), target.redactor.text(error.hint)
        raise


def _examine(target: Target, signing_key: str | bytes) -> Iterator[Line]:
    yield Line(_reach(target))
    session, line = _log_in(target, target.account, "")
    yield Line(line)
    yield from doctor_lifetimes.doubts(target.profile, "login", session.login.response, session)
    # Given tokens may be of any age, and tell nothing of the target's time.
    if target.profile.has_login:
        session, line = timekeeping.follow(target, session)
        if line:
            yield Line(line)
        yield Line(timekeeping.skew(target, session))
    others = []
    if target.second_account:
        other, line = _log_in(target, target.second_account, "second ")
        others.append(other)
        yield Line(line)
    for number, door in enumerate(target.protected_doors):
        yield Line(_open(target, door, session, f"protected[{number}]"))
        _get_to_know(target, door, [session, *others], f"protected[{number}]")
    if target.profile.refresh.path:
        yield from doctor_routes.refresh(target)
    yield from doctor_routes.optional(target)
    yield from doctor_routes.published_keys(target, session)
    if target.profile.has_login:
        target.login_door.opens_to_anyone = bool(_wrong_password(target))
    if signing_key:
        yield Line(_signing_key(target, session, signing_key))
    if target.logout_door and target.profile.has_login:
        yield doctor_routes.logout(target, target.logout_door)


def _reach(target: Target) -> str:
    door = target.protected_doors[0]
    try:
        exchange = target.send(door.anonymous())
    except TargetError as error:
        if not error.hint and target.client.base_url.startswith("http:"):
            error.hint = "is this the right port? Where TLS is spoken, the URL begins with https://"
        raise
    check_route(door, exchange.response, "protected[0]")
    return f"{target.client.base_url} answers"


def _log_in(target: Target, account: Account, which: str) -> tuple[Session, str]:
    if not target.profile.has_login:
        session = target.session(account)
        _check_formats(target, session)
        return session, f"the tokens that were given are used ({_natures(target, session)})"
    try:
        exchange, opened = target.try_login(account)
    except StepError as error:
        raise explain_step(target, error) from None
    if opened is None or not opened.is_complete:
        problem = target.steps.problem
        raise explain_step(target, problem) if problem else explain_login(target, exchange, account, which)
    session = opened
    target.keep_for_later(session)
    _check_formats(target, session)
    return session, f"{which}login works ({_natures(target, session)})"


def _check_formats(target: Target, session: Session) -> None:
    for kind in Kind:
        token = session.token(kind)
        if target.profile.declared_format(kind) == "jwt" and token.value and not token.jwt:
            raise ConfigurationError(
                f"the profile calls the {kind} token a JWT, and it is none", f"set {kind}.format, or leave it out"
            )


def _natures(target: Target, session: Session) -> str:
    """What the tokens are, in words."""
    kinds = []
    for kind in tuple(Kind) if target.profile.has_refresh_token else (Kind.ACCESS,):
        token = session.token(kind)
        nature = f"{token.jwt.algorithm} JWT" if token.jwt else "opaque"
        kinds.append(f"{kind}: {nature}" + (f", {token.lifetime_s:.0f} s" if token.lifetime_s else ""))
    return "; ".join(kinds)


def _open(target: Target, door: ProtectedDoor, session: Session, setting: str) -> str:
    anonymous = target.send(door.anonymous()).response
    started, waited = time.monotonic(), 0.0
    while not (honest := target.send(door.present(session.access.value, session)).response).is_success:
        waited = time.monotonic() - started
        if waited > LONGEST_SETTLE_S:
            break
        time.sleep(0.1)
    check_route(door, honest, setting)
    if not honest.is_success or _looks_refused(door, honest, anonymous):
        explanation = TargetError if honest.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ConfigurationError
        place, identity = door.place(Kind.ACCESS), door.route.identity
        proof = (
            " cookies.access, cookies.csrf_header, cookies.csrf_field, cookies.access_csrf,"
            if place.where == "cookie"
            else ""
        )
        raise explanation(
            f"{door.label} answers {honest.status} to the access token of a fresh login"
            + (f", without {identity!r}, as without any token" if honest.is_success else ""),
            f"is the token shown where it should be, now {place.words}? Set transport, access.sent_in,{proof} or"
            f" {setting}.json, {setting}.headers or headers, if it wants something else as well"
            + (f"; or {setting}.identity" if honest.is_success else ""),
        )
    # A token that was refused at first: LOGIN-02 reports it, every other scenario waits so long.
    if waited:
        target.settle_s = max(target.settle_s, waited + 0.2)
    door.learn(honest, anonymous)
    return f"{door.label} opens to an access token"


def _looks_refused(door: ProtectedDoor, honest: Response, anonymous: Response) -> bool:
    """Whether a refusal came with a success's status: nobody's data, and no more than without any token."""
    if not door.route.identity or door.identifier(honest) is not None:
        return False
    return (honest.status, door.members(honest)) == (anonymous.status, door.members(anonymous))


def _get_to_know(target: Target, door: ProtectedDoor, sessions: list[Session], setting: str) -> None:
    """Checks whose data a route shows; learns who is meant, where that is told by something else than the name."""
    if not door.route.identity:
        return
    for session in sessions[: None if door.route.identity_is == "any" else 1]:
        answer = target.send(door.present(session.access.value, session)).response
        if not answer.is_success:
            raise TargetError(
                f"{door.label} answers {answer.status} to an access token that opened it a moment ago",
                "does the target answer alike each time? It may be overloaded, or several servers behind one address",
            )
        who = door.identifier(answer)
        if who is None:
            raise ConfigurationError(
                f"{door.label} does not say whose data it shows at {door.route.identity!r}",
                f"set {setting}.identity in the target profile, or leave it out",
            )
        if door.route.identity_is == "any" or not target.profile.has_login:
            if door.known_as.setdefault(who, session.account.username) != session.account.username:
                raise ConfigurationError(
                    f"{door.label} shows the same for both accounts at {door.route.identity!r}",
                    f"set {setting}.identity to a member that only one user has",
                )
        elif who != session.account.username:
            raise ConfigurationError(
                f"{door.label} shows {who!r} at {door.route.identity!r}, not the account's name",
                f'set {setting}.identity to the member that holds the user name; or {setting}.identity_is = "any",'
                " where it is another value that only this user has",
            )


def _wrong_password(target: Target) -> str:
    """What a wrong password buys: where it buys tokens, no other refusal at the login can be told."""
    request = target.guess(target.account.username, target.wrong_password())
    return target.login_door.bought(request, target.send(request).response)


def _signing_key(target: Target, session: Session, signing_key: str | bytes) -> str:
    if session.access.jwt is None:
        target.minter_missing = "nothing: the access token is no JWT, so a signing key is of no use"
        return "the signing key is not used: the access token is no JWT"
    try:
        target.minter = replace(minter(signing_key, session.access.jwt), told=target.keep_secret)
    except ConfigurationError as error:
        target.minter_missing = "the target's own signing key: --signing-key"
        return f"the signing key is not used: {error}"
    return "the signing key fits"
