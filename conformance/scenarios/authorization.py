"""Credentials to put into requests, good, bad and hostile, and what a refusal's challenge says of them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.disguises import FORM_TYPE, asking, saying
from conformance.scenarios.endings import UntestedError
from conformance.scenarios.lapse import lapsed_access_token
from conformance.target.challenges import Challenge, parse
from conformance.tokens.forging import broken_copies
from conformance.tokens.keys import own_secret, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.http import Exchange, Request
    from conformance.tokens.reading import Jwt

WELL_FORMED_NONSENSE: Final = "a.b.c"
ABOUT_ERRORS: Final = ("error", "error_description", "error_uri")
BEARER: Final = "Bearer"


def require_bearer(trial: Trial) -> None:
    """Ends the scenario where tokens travel otherwise."""
    if not trial.profile.is_bearer:
        trial.not_applicable("access tokens do not travel in the Authorization header as Bearer tokens")


def challenges_of(exchange: Exchange) -> list[str]:
    """The lines of WWW-Authenticate."""
    return exchange.response.all_headers("WWW-Authenticate")


# -- Bad tokens --------------------------------------------------------------------------------------------------------


def bad_tokens(trial: Trial, door: ProtectedDoor) -> Iterator[tuple[str, Request]]:
    """Each kind of access token that is none, or none any more, as far as the target lets it come about."""
    session = trial.session()
    yield "a malformed token", door.present(WELL_FORMED_NONSENSE, session)
    *_, (_, altered), _ = broken_copies(session.access.value)
    trial.target.keep_secret(altered)
    yield "a token with an altered end", door.present(altered, session)
    if session.refresh.value:
        yield "a refresh token", door.present(session.refresh.value, session)
    if trial.target.logout_door:
        ended = trial.new_session()
        # Where there is no session but the shared one, that one has to live.
        if ended is not session:
            trial.target.logout(ended)
            yield "a token of a session that was logged out", door.present(ended.access.value, ended)
    yield from expired_token(trial, door)


def expired_token(trial: Trial, door: ProtectedDoor) -> Iterator[tuple[str, Request]]:
    """An expired access token, where there is a way to have one."""
    try:
        lapsed = lapsed_access_token(trial)
    except UntestedError as reason:
        trial.remark(f"not judged for an expired token: {reason}")
        return
    yield "an expired token", door.present(lapsed.value, lapsed.session)


def hostile_tokens() -> Iterator[tuple[str, str]]:
    """Forged tokens whose header holds what would break out of a quoted string, each with a word of its own."""
    for name, text in (
        ("quotation marks", '{}", realm="x", error="{}'),
        ("a backslash at the end", "{}\\"),
        ("commas and equals signs", "{}, Basic realm=x"),
        ("characters beyond ASCII", "{} é ✓"),
        ("line breaks", "{}\r\nX-Injected: {}"),
    ):
        word = f"c{secrets.token_hex(6)}"
        hostile = text.replace("{}", word)
        # Whatever the server repeats of a token that it cannot use: the algorithm, the key's name, the type, a claim.
        header = {"alg": hostile, "kid": hostile, "typ": hostile}
        yield f"{name} in alg, kid and typ", sign(header, {"sub": hostile, "exp": 4102444800}, own_secret(), "HS256")
        known = {"alg": "HS256", "kid": hostile, "typ": "JWT"}
        claims = {"sub": hostile, "iss": hostile, "aud": hostile, "exp": 4102444800}
        yield f"{name} in kid, sub, iss and aud", sign(known, claims, own_secret(), "HS256")


# -- What a challenge says ---------------------------------------------------------------------------------------------


def flaw(lines: list[str]) -> str:
    """What is wrong with the form of the Bearer challenge, or an empty string."""
    try:
        challenges = [challenge for challenge in parse(lines) if challenge.has_scheme(BEARER)]
    except ValueError as error:
        return f"it breaks the grammar: {error}"
    return next(filter(None, map(_flaw_of, challenges)), "")


def _flaw_of(challenge: Challenge) -> str:
    if not challenge.parameters:
        return "no parameter follows the scheme (RFC 6750 §3)"
    if "realm" in challenge.parameters and "realm" not in challenge.quoted:
        return "realm is no quoted string (RFC 9110 §11.5)"
    for name in ("error", "error_description"):
        value = challenge.parameters.get(name, "")
        if not all(" " <= character <= "~" and character not in '"\\' for character in value):
            return f"{name} holds a character that RFC 6750 §3 does not allow"
    return ""


# -- Elsewhere than in a Bearer header ---------------------------------------------------------------------------------


def other_schemes(trial: Trial, token: str) -> Iterator[tuple[str, str]]:
    """Values of the Authorization header in which a good token, or the password, stands under another scheme."""
    account = trial.account
    yield "the token without a scheme", token
    for scheme in ("Token", "JWT", "MAC"):
        yield f"the scheme {scheme}", f"{scheme} {token}"
    # As the password of nobody: under a real name it would count as a wrong one.
    yield "the scheme Basic, with the token as password", _basic(trial, "token", token)
    yield "the scheme Basic, with the account's password", _basic(trial, account.username, account.password)


def _basic(trial: Trial, name: str, password: str) -> str:
    encoded = base64.b64encode(f"{name}:{password}".encode("utf-8", "surrogatepass")).decode()
    trial.target.redactor.add(encoded, "Basic credentials")
    return f"Basic {encoded}"


def beside_the_header(door: ProtectedDoor, token: str) -> list[tuple[str, Request]]:
    """Requests whose token stands in the query or in a form, and in no header."""
    found = [
        (f"the parameter {name} in the query", asking(door.anonymous(), **{name: token}))
        for name in ("access_token", "token", "jwt", "auth")
    ]
    found.append(
        ("the parameter authorization in the query", asking(door.anonymous(), authorization=f"Bearer {token}"))
    )
    if door.method == "GET":
        form = door.anonymous((FORM_TYPE,)).with_body(f"access_token={token}".encode())
        found.append(("the form parameter access_token in the body", form))
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a second token can stand, and how to put it into a request that has one in its Authorization header."""

    name: str
    put: Callable[[Request, str], Request]


def second_places(trial: Trial, door: ProtectedDoor) -> list[Place]:
    """Where a second token can stand beside the one in the Authorization header."""
    cookies = dict.fromkeys([trial.profile.cookies.access, "access_token", "token", "jwt"])
    places = [
        Place("in the query", lambda request, token: asking(request, access_token=token)),
        Place(
            "in cookies",
            lambda request, token: saying(request, (("Cookie", "; ".join(f"{name}={token}" for name in cookies)),)),
        ),
        Place(
            "on a second Authorization line",
            lambda request, token: saying(request, (("Authorization", f"Bearer {token}"),)),
        ),
        Place("after a comma on the same line", _after_a_comma),
    ]
    if door.method == "GET":
        places.insert(1, Place("in a form", _in_a_form))
    return places


def _in_a_form(request: Request, token: str) -> Request:
    return saying(request, (FORM_TYPE,)).with_body(f"access_token={token}".encode())


def _after_a_comma(request: Request, token: str) -> Request:
    joined = tuple(
        (name, f"{value}, Bearer {token}" if name == "Authorization" else value) for name, value in request.headers
    )
    return replace(request, headers=joined)


# -- Scopes ------------------------------------------------------------------------------------------------------------


def scope_claim(token: Jwt) -> str:
    """The name of the claim that holds the token's scopes, or an empty string."""
    return next((name for name in ("scope", "scp") if isinstance(token.claims.get(name), str | list)), "")


def narrowed(token: Jwt, claim: str) -> list[tuple[str, Any]]:
    """Values for the claim that grant nothing, of the same JSON type as its own."""
    is_list = isinstance(token.claims[claim], list)
    other = "conformance-nothing"
    return [("another scope", [other] if is_list else other), ("no scope", [] if is_list else "")]


def wants_scope(trial: Trial, door: ProtectedDoor, genuine: Jwt, claim: str) -> bool:
    """Whether a route wants some scope: the profile says so, or a token with another one is refused.

    Raises:
        UntestedError: the target refuses a minted token that differs from a genuine one in nothing that matters.
    """
    session = trial.session()

    def opens(**changes: Any) -> bool:
        request = door.present(trial.minter.mint(genuine, **changes), session)
        return bool(door.bought(request, trial.send(request).response))

    if not opens():
        trial.untested("the target accepts no token that the suite minted: it keeps a register of its own")
    return bool(door.route.scope) or not opens(**{claim: narrowed(genuine, claim)[0][1]})
