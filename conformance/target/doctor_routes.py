"""The doctor at the routes beside the login and the protected ones: refresh, logout, OAuth's endpoints, keys."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from conformance.target import doctor_lifetimes
from conformance.target.doctor_lines import Line
from conformance.target.explanations import check_route, said
from conformance.target.http import Request
from conformance.target.profile import DEFAULT
from conformance.target.profile_files import load
from conformance.tokens.reading import HMAC_ALGORITHMS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.target.doors import LogoutDoor
    from conformance.target.session import Session
    from conformance.target.target import Target

OAUTH_ROUTES: Final = ("token", "revocation", "introspection")
NOT_THERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


def refresh(target: Target) -> Iterator[Line]:
    """Refreshes twice: of a token that works once, only the second shows whether its successor was found."""
    door = target.refresh_door
    exchange = target.send(door.anonymous())
    check_route(door, exchange.response, "refresh")
    door.opens_to_anyone = bool(door.bought(exchange.request, exchange.response))
    shown = door.place(door.wants)
    session = target.session()
    first = honest = target.refresh(session)
    if not session.ended:
        yield from doctor_lifetimes.doubts(target.profile, "refresh", first.response, session)
        honest = target.refresh(session)
    if not session.ended:
        yield Line(f"{door.label} gives a new access token")
        return
    again = "" if honest is first else " of the refresh before"
    names = ["sent_in", "encoding", "extra", "headers", "client", "with_access", "token"]
    settings = [f"refresh.{name}" for name in names]
    if shown.where == "cookie":
        settings += ["cookies.csrf_header", "cookies.csrf_field", "cookies.refresh_csrf"]
    if honest.response.is_success:
        settings = ["refresh.access"]
    if again:
        settings = ["refresh.refresh, the place of the new refresh token", *settings]
    found = target.profile.found_in(target.profile.refresh, Kind.ACCESS)
    yield Line(
        f"{door.label} answers {honest.response.status} without an access token {found.words}"
        f" to an honest {door.wants} token{again} {shown.words}: {said(target, honest.response.text)}",
        f"if the target is right, set {' or '.join((', '.join(settings[:-1]), settings[-1])).removeprefix(' or ')}"
        " in the target profile",
    )


def logout(target: Target, door: LogoutDoor) -> Line:
    """Tries the way out with a session of its own."""
    kept, session = target.session(), target.new_session()
    if session is kept:
        return Line(f"{door.label} is not tried: a second login gave no session of its own")
    answer = target.logout(session, door.wants).response
    shown = target.protected_doors[0].present(kept.access.value, kept)
    opened = target.protected_doors[0].bought(shown, target.send(shown).response)
    target.refresh(kept)
    if kept.ended or not opened:
        # It was every session of the user that ended, or has been since the login.
        target.forget_sessions(target.account)
    if answer.is_success:
        return Line(f"{door.label} takes an honest {door.wants} token")
    names = ["takes", "sent_in", "encoding", "extra", "headers"]
    return Line(
        f"{door.label} answers {answer.status} to an honest {door.wants} token: {said(target, answer.text)}",
        f"if the target is right, set {', '.join(f'logout.{name}' for name in names)} or logout.method in the target"
        " profile",
    )


def optional(target: Target) -> Iterator[Line]:
    """Leaves out what the profile names and the target does not have: nobody need write a profile for that."""
    oauth, leaving, usual = target.profile.oauth, target.profile.logout, load(DEFAULT)
    expected = {usual.logout.path, *(getattr(usual.oauth, name) for name in OAUTH_ROUTES)}
    routes = {"logout": (leaving.method, leaving.path)}
    routes |= {name: ("POST", getattr(oauth, name)) for name in OAUTH_ROUTES}
    for name, (method, path) in routes.items():
        if not path:
            continue
        status = target.send(Request(method, path)).response.status
        if status not in NOT_THERE:
            yield Line(f"{method} {path} is there")
            continue
        target.absent[name] = f"{method} {path} answers {status}, so it is taken for not offered"
        setting = "logout.path or logout.method" if name == "logout" else f"oauth.{name}"
        # Nobody has written what the default profile says.
        hint = "" if path in expected else f"set {setting} in the target profile"
        yield Line(f"no {name}: {target.absent[name]} (see {setting} in the profile)", hint)
    if "logout" in target.absent:
        target.logout_door = None
    missing: dict[str, Any] = dict.fromkeys(target.absent.keys() & OAUTH_ROUTES, "")
    target.profile = replace(target.profile, oauth=replace(oauth, **missing))


def published_keys(target: Target, session: Session) -> Iterator[Line]:
    """Looks where the profile says that keys are published, if tokens are signed with such keys."""
    path, access = target.profile.capabilities.jwks, session.access.jwt
    if not path or access is None or access.algorithm in {*HMAC_ALGORITHMS, "none"}:
        return
    answer = target.send(Request("GET", path)).response
    if answer.is_success and isinstance(answer.json, dict) and isinstance(answer.json.get("keys"), list):
        yield Line(f"GET {path} publishes keys")
    else:
        yield Line(
            f"GET {path} answers {answer.status} without a JWK Set",
            # Nobody has written what the default profile says.
            "" if path == load(DEFAULT).capabilities.jwks else "set capabilities.jwks in the target profile",
        )
