"""The Authorization header."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import pytest

from conformance.scenarios import authorization
from conformance.scenarios.authorization import ABOUT_ERRORS, BEARER, challenges_of, require_bearer
from conformance.target.challenges import offers, parameter
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.http import Exchange

BROKEN_FORMS: Final = (
    "Bearer={}",
    "Bearer:{}",
    "Bearer{}",
    "Bearer {0} {0}",
    "Bearer {},",
    'Bearer "{}"',
    "Bearer <{}>",
)
SPELLINGS: Final = ("bearer {}", "BEARER {}", "bEaReR {}", "Bearer  {}", " \t Bearer {} \t ")
CUSTOM_HEADERS: Final = ("X-Access-Token", "X-Auth-Token", "Token")
GARBAGE: Final = "garbage"
HIDDEN: Final = HTTPStatus.NOT_FOUND
"""RFC 9110 §15.5.4 lets a server hide what it forbids."""


@pytest.mark.waits("access")
def test_bearer_01(target: Trial) -> None:
    """Every 401 of a protected route says that a Bearer token is wanted."""
    require_bearer(target)
    seen = 0
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            probes = [
                ("no token", door.anonymous()),
                ("a malformed token", bracket.token(authorization.WELL_FORMED_NONSENSE)),
                *([("a refresh token", bracket.token(refresh))] if (refresh := bracket.session.refresh.value) else []),
                *([] if number else authorization.expired_token(target, door)),
            ]
            for case, request in probes:
                exchange = target.send(request)
                if exchange.response.status != HTTPStatus.UNAUTHORIZED:
                    continue
                seen += 1
                lines = challenges_of(exchange)
                target.expect(
                    offers(lines, BEARER),
                    f"{door.label} with {case}",
                    expected="WWW-Authenticate with a challenge of the scheme Bearer",
                    observed=f"status 401 with {' and '.join(map(repr, lines)) or 'no WWW-Authenticate'}",
                    shown_by=[(case, exchange)],
                )
    if not seen:
        target.not_applicable("no refusal has the status 401")


def test_bearer_02(target: Trial) -> None:
    """Whatever a token holds, the challenge that refuses it keeps to its grammar."""
    require_bearer(target)
    seen: set[str] = set()
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            probes = [("no token", door.anonymous()), ("garbage", bracket.token(GARBAGE))]
            if not seen:
                hostile = authorization.hostile_tokens()
                probes += [(f"a forged token with {name}", bracket.token(token)) for name, token in hostile]
            for case, request in probes:
                exchange = target.send(request)
                lines = challenges_of(exchange)
                broken_out = exchange.response.header("X-Injected") is not None
                if not offers(lines, BEARER) and not broken_out:
                    continue
                flaw = "a line break in the token has made a header" if broken_out else authorization.flaw(lines)
                # The same flaw again would be the same finding again.
                if flaw not in seen or not flaw:
                    target.expect(
                        not flaw,
                        f"the challenge of {door.label} for {case}",
                        expected="a Bearer challenge after RFC 9110 §11.6.1 and RFC 6750 §3",
                        observed=f"{' and '.join(map(repr, lines))}: {flaw}",
                        shown_by=[(case, exchange)],
                    )
                seen.add(flaw)
    if not seen:
        target.not_applicable("no refusal carries a Bearer challenge (see BEARER-01)")


def test_bearer_03(target: Trial) -> None:
    """Who has sent no token is not told that a token was bad."""
    require_bearer(target)
    seen = 0
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            unsupported = bracket.header("Authorization", "Conformance nothing-that-a-server-knows")
            for case, request in (("no credentials", door.anonymous()), ("a scheme of nobody's", unsupported)):
                exchange = target.send(request)
                lines = challenges_of(exchange)
                if not offers(lines, BEARER):
                    continue
                seen += 1
                told = [name for name in ABOUT_ERRORS if parameter(lines, BEARER, name) is not None]
                target.expect(
                    not told,
                    f"the challenge of {door.label} for {case}",
                    expected="a Bearer challenge without error, error_description and error_uri",
                    observed=f"{' and '.join(map(repr, lines))}, which has {' and '.join(told)}",
                    shown_by=[(case, exchange)],
                )
    if not seen:
        target.not_applicable("no refusal carries a Bearer challenge (see BEARER-01)")


@pytest.mark.waits("access")
def test_bearer_04(target: Trial) -> None:
    """Each kind of bad access token is refused with 401 and the code invalid_token."""
    require_bearer(target)
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            nonsense = bracket.token(authorization.WELL_FORMED_NONSENSE)
            probes = [("a malformed token", nonsense)] if number else authorization.bad_tokens(target, door)
            for case, request in probes:
                exchange = target.send(request)
                # That a bad token is accepted is another requirement's finding.
                if not door.bought(request, exchange.response):
                    _is_invalid_token(target, door, case, exchange)


def _is_invalid_token(target: Trial, door: ProtectedDoor, case: str, exchange: Exchange) -> None:
    status, lines = exchange.response.status, challenges_of(exchange)
    code = parameter(lines, BEARER, "error")
    has_code = code == "invalid_token"
    if status == HTTPStatus.UNAUTHORIZED and not offers(lines, BEARER):
        # What is not there carries no code; one finding is enough for one omission.
        target.remark("the code is not judged where no Bearer challenge carries it (see BEARER-01)")
        has_code = True
    target.expect(
        status == HTTPStatus.UNAUTHORIZED and has_code,
        f"{door.label} with {case}",
        expected='status 401 and error="invalid_token" in the challenge',
        observed=f"status {status} and " + (f"error={code!r}" if code is not None else "no error code"),
        shown_by=[(case, exchange)],
    )


def test_bearer_05(target: Trial) -> None:
    """The scheme's name is read in any case, and spaces beyond the one do no harm."""
    require_bearer(target)
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            for form in SPELLINGS[: 1 if number else None]:
                request = bracket.header("Authorization", form.format(bracket.session.access.value))
                exchange = target.send(request)
                target.expect(
                    door.bought(request, exchange.response),
                    f"{door.label} with a good token in the form {form.format('T')!r}",
                    expected="the answer to an honest request",
                    observed=f"{door.label} answered {exchange.response.status}",
                    shown_by=[("control: the honest request", bracket.before), ("probe", exchange)],
                )


def test_bearer_06(target: Trial) -> None:
    """An Authorization header without a usable Bearer token is refused cleanly."""
    if not target.profile.is_bearer:
        target.not_applicable("tokens do not travel in the Authorization header")
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            values = ["", "Bearer", "Bearer ", "Bearer ,", *(form.format("garbage") for form in BROKEN_FORMS)]
            probes = [(f"{door.label} with {value!r}", bracket.header("Authorization", value)) for value in values]
            bracket.refuses_each(probes, cleanly=True)
            # A tolerant parser that digs a valid token out of a broken form gives nobody what they lack;
            # RFC 6750 §3.1 only recommends a 400. A crash is what matters.
            valid = [
                bracket.header("Authorization", form.format(bracket.session.access.value)) for form in BROKEN_FORMS
            ]
            for form, exchange in zip(BROKEN_FORMS, target.send_each(valid), strict=True):
                target.expect(
                    not target.crashed(exchange),
                    f"{door.label} with a valid token in the form {form.format('T')!r}",
                    expected="no server error",
                    observed=f"{door.label} answered {exchange.response.status}",
                    shown_by=[("probe", exchange)],
                )
                if door.bought(exchange.request, exchange.response):
                    target.remark(f"a valid token is found even in {form.format('T')!r}")


def test_bearer_07(target: Trial) -> None:
    """A good token opens nothing under another scheme, nor does the password in place of a token."""
    require_bearer(target)
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            values = list(authorization.other_schemes(target, bracket.session.access.value))
            bracket.refuses_each(
                (f"{door.label} with {name}", bracket.header("Authorization", value))
                for name, value in values[: 2 if number else None]
            )


def test_bearer_08(target: Trial) -> None:
    """A token in the query or in the body of a GET opens nothing."""
    for number, door in enumerate(target.protected_doors):
        with target.bracket(door) as bracket:
            token = bracket.session.access.value
            probes = authorization.beside_the_header(door, token)
            bracket.refuses_each(
                (f"{door.label} with {name}", request) for name, request in probes[: 1 if number else None]
            )
            for name in () if number else CUSTOM_HEADERS:
                # No text forbids a header of the server's own: it is told, and not held against the target.
                exchange = target.send(bracket.header(name, token))
                if door.bought(exchange.request, exchange.response):
                    target.remark(f"the header {name} carries a token as well")


def test_bearer_09(target: Trial) -> None:
    """Of two tokens in one request, the first one in the Authorization header decides, or neither does."""
    require_bearer(target)
    other = target.session(target.second_account).access.value
    door = next((door for door in target.protected_doors if door.route.identity), None)
    if door is None:
        target.untested("no protected route says whose data it shows", give="identity for one in the profile")
    with target.bracket(door) as bracket:
        for place in authorization.second_places(target, door):
            exchange = target.send(place.put(bracket.token(bracket.session.access.value), other))
            shown = door.identity(exchange.response) if door.bought(exchange.request, exchange.response) else None
            target.expect(
                shown in {None, bracket.account.username},
                f"{door.label} with two good tokens, the second of them {place.name}",
                expected=f"a refusal, or the data of {bracket.account.username!r}, whose token comes first",
                observed=f"status {exchange.response.status} with the data of {shown!r}",
                shown_by=[("probe", exchange)],
                certain=True,
            )
            seen = target.target.policy.setdefault(f"a second token is {'ignored' if shown else 'refused'}", [])
            if isinstance(seen, list) and place.name not in seen:
                seen.append(place.name)
            bracket.refuses(
                f"{door.label} with garbage as the first token, and a good one {place.name}",
                place.put(bracket.token(GARBAGE), other),
            )


def test_bearer_10(target: Trial) -> None:
    """A good token whose scope does not do is refused with 403 and the code insufficient_scope."""
    require_bearer(target)
    genuine = target.require_jwt(Kind.ACCESS)
    claim = authorization.scope_claim(genuine)
    if not claim:
        target.not_applicable("access tokens name no scope")
    wanted = [door for door in target.protected_doors if authorization.wants_scope(target, door, genuine, claim)]
    if not wanted:
        target.not_applicable("no protected route wants a scope")
    for door in wanted:
        with target.bracket(door) as bracket:
            for name, value in authorization.narrowed(genuine, claim):
                request = bracket.token(target.minter.mint(genuine, **{claim: value}))
                exchange = target.send(request)
                got, code = door.bought(request, exchange.response), parameter(challenges_of(exchange), BEARER, "error")
                status = exchange.response.status
                target.expect(
                    not got and (status, code) in {(HTTPStatus.FORBIDDEN, "insufficient_scope"), (HIDDEN, code)},
                    f"{door.label} with {name}",
                    expected='status 403 and error="insufficient_scope" in the challenge',
                    observed=f"status {status} and " + (f"error={code!r}" if code is not None else "no error code"),
                    shown_by=[(name, exchange)],
                    certain=bool(got),
                )
