"""Before the first verdict: tells a wrong configuration from a wrong implementation.

Each step asks one thing of the target. What a user's options, profile or credentials can explain stops the run with
a message and a hint; what only the implementation can explain is left to the scenarios.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.clock import WaitingClock
from conformance.errors import ConfigurationError, ConformanceError, TargetError
from conformance.target.session import dig
from conformance.tokens.keys import minter
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.target.doors import Door, ProtectedDoor
    from conformance.target.http import Exchange, Response
    from conformance.target.session import Account, Session
    from conformance.target.target import Target

LONGEST_SETTLE_S: Final = 3.0
NOTABLE_SKEW_S: Final = 2.0
MOST_SEARCHED: Final = 1 << 16
MOST_SAID: Final = 300


def examine(target: Target, signing_key: str | bytes = "") -> Iterator[str]:
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


def _examine(target: Target, signing_key: str | bytes) -> Iterator[str]:
    yield _reach(target)
    session, line = _log_in(target, target.account, "")
    yield line
    yield _skew(target, session)
    if target.second_account:
        yield _log_in(target, target.second_account, "second ")[1]
    for door in target.protected_doors:
        yield _open(target, door, session)
    yield _refresh_route(target)
    target.login_door.opens_to_anyone = bool(_wrong_password(target))
    if signing_key:
        yield _signing_key(target, session, signing_key)


def _reach(target: Target) -> str:
    door = target.protected_doors[0]
    try:
        exchange = target.send(door.anonymous())
    except TargetError as error:
        if not error.hint and target.client.base_url.startswith("http:"):
            error.hint = "is this the right port? Where TLS is spoken, the URL begins with https://"
        raise
    _check_route(door, exchange.response, f"protected[0].path, now {door.path!r}")
    return f"{target.client.base_url} answers"


def _check_route(door: Door, answer: Response, setting: str) -> None:
    """The route exists, for this method, and belongs to an API."""
    content_type = (answer.header("Content-Type") or "").lower()
    if "html" in content_type and answer.is_success:
        raise ConfigurationError(
            f"{door.label} answers with an HTML page", f"is this the API's base URL? Check it, and {setting}"
        )
    if answer.status == HTTPStatus.NOT_FOUND:
        raise ConfigurationError(f"{door.label} answers 404", f"set {setting}, in the target profile, or the base URL")
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
        raise ConfigurationError(
            f"{door.label} answers 405",
            f"it allows {answer.header('Allow') or 'other methods'}; set the method",
        )
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        raise ConfigurationError(
            f"{door.label} redirects to {answer.header('Location') or 'nowhere'}",
            "the suite never follows redirects with credentials: give the URL or path that it leads to",
        )


def _log_in(target: Target, account: Account, which: str) -> tuple[Session, str]:
    exchange, session = target.try_login(account)
    if session is None or not session.is_complete:
        raise _explain_login(target, exchange, account, which)
    target.keep_for_later(session)
    kinds = []
    for kind in Kind:
        token = session.token(kind)
        nature = f"{token.jwt.algorithm} JWT" if token.jwt else "opaque"
        kinds.append(f"{kind}: {nature}" + (f", {token.lifetime_s:.0f} s" if token.lifetime_s else ""))
    return session, f"{which}login works ({'; '.join(kinds)})"


def _explain_login(target: Target, exchange: Exchange, account: Account, which: str) -> Exception:
    door, answer, login = target.login_door, exchange.response, target.profile.login
    status = answer.status
    try:
        _check_route(door, answer, f"login.path, now {door.path!r}")
    except ConfigurationError as error:
        return error
    if answer.is_success:
        if target.profile.transport == "cookie":
            seen = f"its cookies are: {', '.join(sorted(answer.cookies)) or 'none'}"
            places = (target.profile.cookies.access, target.profile.cookies.refresh)
            found = [place in answer.cookies for place in places]
            setting = ("cookies.access", "cookies.refresh")
        else:
            is_object = isinstance(answer.json, dict)
            members = _said(target, ", ".join(sorted(answer.json))) if is_object else ""
            seen = f"its members are: {members or 'none'}" if is_object else "its body is no JSON object"
            places = (login.access, login.refresh)
            found = [isinstance(token := dig(answer.json, place), str) and bool(token) for place in places]
            setting = ("login.access", "login.refresh")
        missing = 0 if not found[0] else 1
        return ConfigurationError(
            f"{door.label} answers {status}, but {('the access', 'the refresh')[missing]} token is not at"
            f" {places[missing]!r}; {seen}",
            f"set {setting[missing]} in the target profile",
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ConfigurationError(
            f"{door.label} refuses the {which}account {account.username!r} with {status}",
            f"check --{which.replace(' ', '-')}username and --{which.replace(' ', '-')}password",
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}:
        return ConfigurationError(
            f"{door.label} does not understand the login: {status} {_said(target, answer.text)}",
            f"members sent: {', '.join(sorted(door.body('', '')))}; set login.username and login.password in the"
            " target profile, or check the credentials",
        )
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TargetError(f"{door.label} answers {status} to an honest login", "look into the server's log")
    return ConfigurationError(f"{door.label} answers {status} to an honest login")


def _said(target: Target, text: str) -> str:
    """The target's own words on one line, redacted before they are cut: half a secret would not be recognised."""
    return " ".join(target.redactor.text(text[:MOST_SEARCHED]).split())[:MOST_SAID]


def _skew(target: Target, session: Session) -> str:
    """Estimates how far the target's clock is ahead, from the Date header and the token's `iat`."""
    exchange = session.login
    sent = exchange.sent_at + exchange.response.elapsed_s / 2
    stated: list[float] = []
    with suppress(TypeError, ValueError):
        # The header counts whole seconds, so the true time is on average half a second later.
        stated.append(parsedate_to_datetime(exchange.response.header("Date") or "").timestamp() + 0.5 - sent)
    issued_at = session.access.jwt.number("iat") if session.access.jwt else None
    if issued_at is not None:
        stated.append(issued_at + 0.5 - sent)
    skew = min(stated, key=abs, default=0.0)
    if abs(skew) < NOTABLE_SKEW_S:
        return "the clocks agree"
    if isinstance(target.clock, WaitingClock):
        target.clock.skew_s = skew
    return f"the target's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's: allowed for"


def _open(target: Target, door: ProtectedDoor, session: Session) -> str:
    anonymous = target.send(door.anonymous()).response
    started, waited = time.monotonic(), 0.0
    while not (honest := target.send(door.present(session.access.value, session)).response).is_success:
        waited = time.monotonic() - started
        if waited > LONGEST_SETTLE_S:
            break
        time.sleep(0.1)
    _check_route(door, honest, f"the path {door.path!r} in protected")
    if not honest.is_success:
        explanation = TargetError if honest.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ConfigurationError
        raise explanation(
            f"{door.label} answers {honest.status} to the access token of a fresh login",
            "check how the profile presents tokens (transport), and that this route wants nothing else",
        )
    # A token that was refused at first: LOGIN-02 reports it, every other scenario waits so long.
    if waited:
        target.settle_s = max(target.settle_s, waited + 0.2)
    door.learn(honest, anonymous)
    who = door.identity(honest)
    if door.route.identity and who is None:
        raise ConfigurationError(
            f"{door.label} does not say whose data it shows at {door.route.identity!r}",
            "set identity for this route in the target profile, or leave it out",
        )
    if who not in {None, target.account.username}:
        raise ConfigurationError(
            f"{door.label} shows {who!r} at {door.route.identity!r}, not the account's name",
            "set identity to the member that holds the user name, or leave it out",
        )
    return f"{door.label} opens to an access token"


def _refresh_route(target: Target) -> str:
    door = target.refresh_door
    exchange = target.send(door.anonymous())
    _check_route(door, exchange.response, f"refresh.path, now {door.path!r}")
    door.opens_to_anyone = bool(door.bought(exchange.request, exchange.response))
    return f"{door.label} is there"


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
