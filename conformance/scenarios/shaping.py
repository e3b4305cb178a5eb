"""What a target took over from members, headers and cookies that a caller added to a request."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from conformance.target.drafts import FORM_TYPE, JSON_TYPE, flat
from conformance.tokens.reading import Kind, strings_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Session

TEN_YEARS_S: Final = 10 * 365 * 86400
OWN_TO_A_TOKEN: Final = frozenset({"iat", "nbf", "exp", "auth_time"})
Leaves = dict[tuple[str, ...], Any]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Leaves:
    """Every string, number and truth value of a JSON value, by the names and numbers that lead to it."""
    match value:
        case dict():
            pairs: Any = value.items()
        case list():
            pairs = enumerate(value)
        case _:
            return {path: value}
    found: Leaves = {}
    for name, item in pairs:
        found |= leaves(item, (*path, str(name)))
    return found


def taken_over(plain: Any, shaped: Any, added: Mapping[str, Any]) -> list[str]:
    """Where `shaped` differs from `plain` and has a value that the caller added; true counts under its own name."""
    usual, extra = leaves(plain), leaves(added)
    values = {value for value in extra.values() if not isinstance(value, bool)}
    names = {path[-1] for path, value in extra.items() if value is True}
    return [
        ".".join(path)
        for path, value in leaves(shaped).items()
        if usual.get(path) != value
        and ((isinstance(value, str | int) and not isinstance(value, bool) and value in values)
             or (value is True and path and path[-1] in names))
    ]  # fmt: skip


def privileges(target: Trial) -> dict[str, dict[str, Any]]:
    """Members that would shape a token, in groups, so that a server which refuses one group is asked about the rest."""
    canary = f"canary-{uuid.uuid4()}"
    whom: Any = canary
    if target.target.second_account:
        somebody = target.session(target.target.second_account).access.jwt
        whom = somebody.claims.get("sub", canary) if somebody else target.target.second_account.username
    until = int(target.clock.now()) + TEN_YEARS_S
    identity = {"sub": whom, "user_id": whom, "id": whom}
    power = {"role": canary, "roles": [canary], "is_admin": True, "scope": canary, "permissions": [canary]}
    return {
        "an identity": identity,
        "privileges": power,
        "a lifetime": {"exp": until, "expires_in": TEN_YEARS_S},
        "an issuer and an audience": {"iss": canary, "aud": canary},
        "claims within an object": {"claims": identity | power, "additional_claims": identity | power},
        "a prototype": {"__proto__": identity | power, "constructor": {"prototype": identity | power}},
    }


def with_members(request: Request, added: Mapping[str, Any]) -> Request:
    """The request with further members in its JSON body or form, or with such an object where it had no body."""
    if FORM_TYPE[0] in request.headers:
        separator = b"&" if request.body else b""
        return request.with_body(request.body + separator + urlencode(flat(added)).encode())
    body = json.dumps({**json.loads(request.body or b"{}"), **added}).encode()
    headers = tuple(pair for pair in request.headers if pair[0] != JSON_TYPE[0][0])
    return type(request)(request.method, request.path, (*headers, *JSON_TYPE), body)


def judge_shape(
    target: Trial, case: str, exchange: Exchange, session: Session | None, plain: Session, added: Mapping[str, Any]
) -> bool:
    """Claims that an answer is a refusal, or that its tokens are what they are without the added members.

    Args:
        target: the target.
        case: what was added, and where.
        exchange: the request with the added members.
        session: what it gave, if anything.
        plain: a session of the same account that came without.
        added: the members.
    """
    answer, shown_by = exchange.response, [(case, exchange)]
    found = [f"status {answer.status}"] if target.crashed(exchange) else []
    if session:
        found += [f"{place} of the {kind} token" for kind, place in _in_tokens(session, plain, added)]
        for door in target.protected_doors[:1]:
            shown = target.send(door.present(session.access.value, session))
            shown_by.append((f"{door.label} with the token", shown))
            found += taken_over(door.honest_json, shown.response.json, added)
            who = door.identity(shown.response)
            if shown.response.is_success and who not in {None, target.account.username}:
                found.append(f"the data of {who!r}")
    return target.expect(
        not found,
        case,
        expected="a refusal (4xx), or tokens as they are without the added members",
        observed="taken over: " + ", ".join(found) if session else f"answered {answer.status}",
        shown_by=shown_by,
        certain=session is not None,
    )


def _in_tokens(session: Session, plain: Session, added: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    for kind in Kind:
        usual, shaped = plain.token(kind), session.token(kind)
        if usual.jwt and shaped.jwt:
            yield from ((kind, place) for place in taken_over(usual.jwt.claims, shaped.jwt.claims, added))
        # Less than was asked for may be a choice that the server offers and bounds.
        if (shaped.told_lifetime_s or 0) > max(0.9 * TEN_YEARS_S, 1.1 * (usual.told_lifetime_s or 0)):
            yield kind, f"the lifetime of {shaped.told_lifetime_s:.0f} s"


def adopted(session: Session, exchange: Exchange, brought: Session, plain: Session, canary: str) -> Iterator[str]:
    """What a new session has from the one that was brought along, and another session of the same user has not."""
    for kind in Kind:
        new, old, usual = (each.token(kind) for each in (session, brought, plain))
        if new.value and new.value == old.value:
            yield f"the {kind} token of the other session"
        elif new.jwt and canary in "\n".join([new.value, *strings_in(new.jwt.claims)]):
            yield f"the id, in the {kind} token"
        elif canary in new.value:
            yield f"the id, as the {kind} token"
        elif new.jwt and old.jwt and usual.jwt:
            for name, value in new.jwt.claims.items():
                same = value == old.jwt.claims.get(name) != usual.jwt.claims.get(name)
                if same and name not in OWN_TO_A_TOKEN and old.value != usual.value:
                    yield f"{name} of the other session's {kind} token"
    if any(canary in line for line in exchange.response.all_headers("Set-Cookie")):
        yield "the id, in a cookie"
