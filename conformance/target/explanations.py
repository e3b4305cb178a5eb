"""Why a target did not do what the profile has it do, in the user's words, with the keys of the profile to look at."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.errors import ConfigurationError, ConformanceError, TargetError
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.target.doors import Door
    from conformance.target.http import Exchange, Response
    from conformance.target.places import Place
    from conformance.target.session import Account
    from conformance.target.steps import StepError
    from conformance.target.target import Target

MOST_SEARCHED: Final = 1 << 16
MOST_SAID: Final = 300
WITHOUT_REFRESH: Final = (
    ', or refresh.path = "" where there is no refresh token, or refresh.token = "access" where the access token renews'
    " itself"
)


def check_route(door: Door, answer: Response, setting: str) -> None:
    """The route exists, for this method, and belongs to an API.

    Args:
        door: whose route it is.
        answer: what came back.
        setting: the table of the profile that speaks of it.

    Raises:
        ConfigurationError: it does not.
    """
    _check_there(door.label, door.path, answer, setting)
    content_type = (answer.header("Content-Type") or "").lower()
    if "html" in content_type and answer.is_success:
        raise ConfigurationError(
            f"{door.label} answers with an HTML page",
            f"is this the API's base URL? Check it, and {setting}.path, now {door.path!r}",
        )
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        raise ConfigurationError(
            f"{door.label} redirects to {answer.header('Location') or 'nowhere'}",
            f"the suite never follows redirects with credentials: set {setting}.path, or the base URL, to its end",
        )


def _check_there(label: str, path: str, answer: Response, setting: str) -> None:
    if answer.status == HTTPStatus.NOT_FOUND:
        raise ConfigurationError(
            f"{label} answers 404",
            f"set {setting}.path, now {path!r}, or {setting}.method in the target profile, or the base URL",
        )
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
        raise ConfigurationError(
            f"{label} answers 405",
            f"it allows {answer.header('Allow') or 'other methods'}; set {setting}.method, or {setting}.path",
        )


def explain_step(target: Target, error: StepError) -> ConformanceError:
    """Why a step of a login did not give what the next one needs: a page or a redirect is nothing unusual there."""
    request, answer = error.exchange.request, error.exchange.response
    try:
        _check_there(f"{request.method} {request.path}", request.path, answer, error.place)
    except ConfigurationError as found:
        return found
    if error.place == "login" and answer.is_client_error:
        return explain_login(target, error.exchange, target.account, "")
    return ConfigurationError(f"{error.args[0]}: {said(target, answer.text)}", error.hint)


def explain_login(target: Target, exchange: Exchange, account: Account, which: str) -> ConformanceError:
    """Why an honest login did not give what the profile speaks of."""
    door, answer = target.login_door, exchange.response
    status = answer.status
    try:
        check_route(door, answer, "login")
    except ConfigurationError as error:
        return error
    if answer.is_success:
        return _misplaced(target, exchange)
    sent = f"sent: {_sent(target)}"
    further = " login.before or login.after," if target.profile.login.before or target.profile.login.after else ""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        option = f"--{which.replace(' ', '-')}"
        return ConfigurationError(
            f"{door.label} refuses the {which}account {account.username!r} with {status}: {said(target, answer.text)}",
            f"check {option}username and {option}password; if they are right, login.username, login.password,"
            f" login.encoding, login.extra, login.headers, login.client,{further} and headers in the target profile"
            f" ({sent})",
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}:
        return ConfigurationError(
            f"{door.label} does not understand the login: {status} {said(target, answer.text)}",
            f"{sent}; set login.username, login.password, login.encoding, login.extra, login.headers, login.client,"
            f"{further} or headers in the target profile, or check the credentials",
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TargetError(
            f"{door.label} answers {status} to an honest login",
            "look into the server's log; it may miss what login.username, login.password, login.encoding or"
            f" login.extra should have sent ({sent})",
        )
    return ConfigurationError(
        f"{door.label} answers {status} to an honest login: {said(target, answer.text)}",
        f"set login.username, login.password, login.encoding, login.extra,{further} or headers in the target profile"
        f" ({sent})",
    )


def _misplaced(target: Target, exchange: Exchange) -> ConformanceError:
    """The first token that is not where the profile says."""
    profile, request, answer = target.profile, exchange.request, exchange.response
    label = f"{request.method} {request.path}" if profile.login.after else target.login_door.label
    kinds = tuple(Kind) if profile.has_refresh_token else (Kind.ACCESS,)
    places = {kind: profile.found_in(profile.login, kind) for kind in kinds}
    missing = [
        kind for kind, place in places.items() if not isinstance(place.read(answer), str) or not place.read(answer)
    ]
    kind = missing[0] if missing else Kind.ACCESS
    place = places[kind]
    is_named = profile.transport == "cookie" and ":" not in getattr(profile.login, kind)
    setting = f"cookies.{kind} or transport" if is_named else f"login.{kind}"
    where = str(place) if place.where == "header" else repr(place.name)
    return ConfigurationError(
        f"{label} answers {answer.status}, but the {kind} token is not at {where}; {_seen(target, answer, place)}",
        f"set {setting} in the target profile" + (WITHOUT_REFRESH if kind is Kind.REFRESH else ""),
    )


def _seen(target: Target, answer: Response, place: Place) -> str:
    """What an answer holds instead, by name."""
    cookies = f"its cookies are: {', '.join(sorted(answer.cookies)) or 'none'}"
    if place.scheme and replace(place, scheme="").read(answer):
        return f"{place.name} is there, and does not begin with {place.scheme!r}"
    if place.where == "cookie":
        return cookies
    if place.where == "header":
        return f"its headers are: {', '.join(sorted({name for name, _ in answer.headers}))}"
    if isinstance(answer.json, dict):
        members = said(target, ", ".join(sorted(_paths(answer.json))))
        told = f"its members are: {members or 'none'}"
        return f"{told}; {cookies}" if answer.cookies else told
    return cookies if answer.cookies else "its body is no JSON object"


def _paths(members: dict[str, object], prefix: str = "") -> list[str]:
    """The dotted paths of an object's members, down to three levels."""
    found: list[str] = []
    for name, value in members.items():
        deeper = isinstance(value, dict) and value and prefix.count(".") < 2  # noqa: PLR2004 - three levels in all
        found += _paths(value, f"{prefix}{name}.") if deeper and isinstance(value, dict) else [prefix + name]
    return found


def _sent(target: Target) -> str:
    """The names of what a login sends, and how."""
    login = target.profile.login
    names = _paths(dict(login.extra))
    if login.encoding == "basic":
        return "HTTP Basic" + (f" with {', '.join(sorted(names))}" if names else "")
    names += [name for name in (login.username, login.password) if name]
    return f"{', '.join(sorted(names))} as {login.encoding}"


def said(target: Target, text: str) -> str:
    """The target's own words on one line, redacted before they are cut: half a secret would not be recognised."""
    return " ".join(target.redactor.text(text[:MOST_SEARCHED]).split())[:MOST_SAID]
