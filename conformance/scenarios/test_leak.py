"""What answers and tokens give away."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.giveaways import (
    cache_control,
    cacheable,
    insides,
    long_words,
    personal,
    provoke,
    signatures,
    spelt_out,
    versions,
)
from conformance.target.http import Request
from conformance.target.places import dig
from conformance.target.session import Account
from conformance.tokens.reading import JWT_SHAPE, Kind, parse_json, read_jwt, strings_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange

SECRET_MEMBERS: Final = frozenset(
    {"password", "passwd", "pwd", "passwordhash", "hashedpassword", "hash", "salt", "secret", "otp", "otpsecret",
     "totpsecret", "privatekey"}
)  # fmt: skip
SECRET_SHAPES: Final = {
    "a bcrypt hash": re.compile(r"\$2[abxy]?\$\d\d\$"),
    "an Argon2 hash": re.compile(r"\$argon2(?:id|i|d)\$"),
    "a PBKDF2 hash": re.compile(r"pbkdf2(?:_sha\d+\$|:sha\d+)"),
    "a scrypt hash": re.compile(r"scrypt:\d+:\d+"),
    "a private key in PEM": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}
STATIC_SUFFIXES: Final = ("/x.css", ".css", ";x.js", "%2fx.png", "%0ax.css", "?x.css")


def test_leak_01(target: Trial) -> None:
    """An answer that holds tokens says that it must not be stored."""
    session = target.new_session()
    replies = [("login", session.login)]
    refreshed = target.target.refresh(session)
    if target.refresh_routes and not session.ended:
        replies.append(("refresh", refreshed))
    for name, exchange in replies:
        target.expect(
            "no-store" in cache_control(exchange.response),
            f"the answer to a {name}",
            expected="Cache-Control: no-store",
            observed=f"Cache-Control: {exchange.response.header('Cache-Control') or 'none'}",
            shown_by=[(name, exchange)],
        )


def test_leak_02(target: Trial) -> None:
    """An answer with a user's data does not stay in any cache."""
    session = target.session()
    doors = [door for door in target.protected_doors if door.method in {"GET", "HEAD"}]
    if not doors:
        target.not_applicable("no protected route is read with GET, and nothing else is cached")
    for door in doors:
        request = door.present(session.access.value, session)
        exchange = target.send(request)
        if not door.bought(request, exchange.response):
            target.inconclusive(f"{door.label} answered {exchange.response.status} to an honest access token")
        problem = cacheable(exchange.response)
        target.expect(
            not problem,
            f"the answer of {door.label}",
            expected="Cache-Control: no-store",
            observed=problem,
            shown_by=[(door.label, exchange)],
        )
        if not problem and "no-store" not in cache_control(exchange.response):
            told = exchange.response.header("Cache-Control")
            target.remark(f"{door.label} says {told}, which leaves the data in the browser; no-store is safer")


def test_leak_03(target: Trial) -> None:
    """No answer and no token payload holds a password, a hash, a key or another token."""
    session = target.new_session()
    tokens = [session.token(kind) for kind in Kind]
    replies = [("the login", session.login, True)]
    if not session.ended:
        replies += [("the refresh", target.target.refresh(session), True)] if target.refresh_routes else []
    shared = target.session()
    for door in target.protected_routes:
        replies.append((door.label, target.send(door.present(shared.access.value, shared)), True))
        replies.append((f"{door.label} without credentials", target.send(door.anonymous()), False))
    wrong = target.guess(target.account.username, target.target.wrong_password())
    replies.append(("a login with a wrong password", target.send(wrong), False))
    for name, exchange, is_success in replies:
        _check(target, f"the answer to {name}", exchange.response.text, exchange.response.json if is_success else None,
               exchange)  # fmt: skip
    for kind, token in [(token.kind, token) for token in tokens] + [(kind, session.token(kind)) for kind in Kind]:
        if parts := token.jwt:
            _check(
                target,
                f"the payload of the {kind} token",
                json.dumps(parts.claims),
                parts.claims,
                session.login,
            )
    for name, exchange, is_success in replies[2:]:
        stray = [match for match in JWT_SHAPE.findall(exchange.response.text) if read_jwt(match)]
        stray += [token for token in target.target.honest_values if token in exchange.response.text]
        target.expect(
            not (is_success and stray),
            f"the answer to {name}",
            expected="no token",
            observed="a token",
            shown_by=[(name, exchange)],
        )


def _check(target: Trial, case: str, text: str, data: Any, shown_by: Exchange) -> None:
    # JSON may escape any character, and so hide a password from whoever looks at the text alone.
    shown_text = "\n".join([text, *strings_in(_json(text))])
    found = [what for what, spelling in _spellings(target.account.password) if spelling in shown_text]
    found += [what for what, shape in SECRET_SHAPES.items() if shape.search(shown_text)]
    # In a refusal, a member named password may well say what is wrong with it.
    found += [f"a member named {name!r}" for name in _secret_members(data)]
    target.expect(
        not found,
        case,
        expected="no password, hash or key",
        observed=" and ".join(found),
        shown_by=[(case, shown_by)],
    )


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _spellings(password: str) -> Iterator[tuple[str, str]]:
    raw = password.encode("utf-8", "surrogatepass")
    yield "the password", password
    yield "the password in base64", base64.b64encode(raw).decode().rstrip("=")
    for name in ("md5", "sha1", "sha256", "sha512"):
        yield f"the {name.upper()} of the password", hashlib.new(name, raw, usedforsecurity=False).hexdigest()


def _secret_members(data: Any) -> Iterator[str]:
    match data:
        case dict():
            for name, value in data.items():
                plain = re.sub(r"[^a-z]", "", str(name).lower())
                # Some APIs show that there is a password by a row of asterisks.
                if plain in SECRET_MEMBERS and isinstance(value, str) and value.strip("*•"):
                    yield str(name)
                yield from _secret_members(value)
        case list():
            for value in data:
                yield from _secret_members(value)


def test_leak_04(target: Trial) -> None:
    """A refusal does not repeat the password or the token that it refuses."""
    login, door, shared = target.login_route, target.protected_doors[0], target.session()
    canary, nobody = f"Canary-{secrets.token_hex(8)}", target.account.nobody()
    with target.bracket(door):
        requests = {
            "a wrong password": target.guess(target.account.username, canary),
            "an unknown user's password": login.credentials(nobody, canary),
            "a password without a username": login.lacking("username", account=Account(nobody, canary)),
        }
        if login.takes_json:
            body = login.body(nobody, canary)
            requests["a password in a list"] = login.credentials(nobody, [canary])
            requests["a password beside an unknown member"] = login.raw(
                json.dumps({**body, "unexpected": True}).encode()
            )
            requests["a password in JSON that stops halfway"] = login.raw(json.dumps(body).encode()[:-1])
        for each in (door, *target.refresh_routes):
            requests[f"garbage at {each.label}"] = each.present(canary, shared)
            if parts := shared.token(each.wants).jwt:
                forged = f"{parts.segments[0]}.{parts.segments[1]}.{canary}"
                requests[f"a token with another signature at {each.label}"] = each.present(forged, shared)
        for case, request in requests.items():
            exchange = target.send(request)
            target.expect(
                canary not in spelt_out(exchange.response),
                case,
                expected="an answer without it",
                observed=f"the answer, {exchange.response.status}, repeats it",
                shown_by=[(case, exchange)],
                certain=True,
            )


def test_leak_05(target: Trial) -> None:
    """No refusal shows the inside of the server, or the signature that a token should have had; no debugger is open."""
    told: set[tuple[str, str]] = set()
    with target.bracket(target.protected_doors[0]):
        genuine = signatures(target.target.honest_values)
        for case, exchange in provoke(target):
            target.probes += 1
            request, found, shown = exchange.request, insides(exchange.response), long_words(exchange.response)
            sent = " ".join(
                [request.path, *(value for _, value in request.headers), request.body.decode(errors="replace")]
            )
            if any(right in shown and right not in sent for right in genuine):
                found.append("the signature of a genuine token that was not sent")
            for what in found:
                if (case, what) not in told:
                    told.add((case, what))
                    target.expect(
                        holds=False,
                        case=case,
                        expected="a refusal that says what is wrong with the request, and no more",
                        observed=f"an answer, {exchange.response.status}, with {what}",
                        shown_by=[(case, exchange)],
                        certain=True,
                    )


def test_leak_06(target: Trial) -> None:
    """No answer tells the version of a component."""
    session, door = target.session(), target.protected_routes[0]
    replies = {
        "a login": session.login,
        door.label: target.send(door.present(session.access.value, session)),
        f"{door.label} without credentials": target.send(door.anonymous()),
        "a login whose body is no JSON": target.send(target.login_route.raw(b"{")),
        "an address where nothing is": target.send(Request("GET", f"/nothing-{secrets.token_hex(6)}")),
    }
    told: set[str] = set()
    for case, exchange in replies.items():
        found = [what for what in versions(exchange.response) if what not in told]
        told.update(found)
        target.expect(
            not found,
            f"the answer to {case}",
            expected="no version",
            observed="; ".join(found),
            shown_by=[(case, exchange)],
            certain=True,
        )


def test_leak_07(target: Trial) -> None:
    """A token that anyone can read says who the user is by an identifier, and nothing else about the person."""
    session = target.session()
    tokens = {kind: parts for kind in Kind if (parts := session.token(kind).jwt)}
    if not tokens:
        target.not_applicable("the tokens are no JWTs, so that nobody reads anything in them")
    known = {target.account.username}
    for door in target.protected_routes:
        if door.route.identity and door.honest_body:
            known.add(str(dig(door.honest_json, door.route.identity)))
    for kind, parts in tokens.items():
        found = list(personal(parts.claims, known | {str(parts.claims.get("sub"))}))
        target.expect(
            not found,
            f"the payload of the {kind} token",
            expected="identifiers, and what the user may do",
            observed=f"personal data in {', '.join(found)}",
            shown_by=[("login", session.login)],
            certain=True,
        )


def test_leak_08(target: Trial) -> None:
    """A user's data is not to be had, to be cached, at an address that looks like a file's."""
    door = next((door for door in target.protected_doors if door.method == "GET" and "?" not in door.path), None)
    if door is None:
        target.not_applicable("no protected route is read with GET")
    with target.bracket(door) as bracket:
        honest = door.present(bracket.session.access.value, bracket.session)
        plain = target.send(honest)
        for suffix in STATIC_SUFFIXES:
            if suffix.startswith("?") and cacheable(plain.response):
                target.remark(f"{door.label} may be cached as it is (see LEAK-02)")
                continue
            request = replace(honest, path=door.path + suffix)
            exchange = target.send(request)
            safe = {"no-store", "private"} & set(cache_control(exchange.response))
            target.expect(
                safe or not door.bought(request, exchange.response),
                f"GET {request.path}",
                expected="no data, or data with Cache-Control: no-store",
                observed=f"the data, with Cache-Control: {exchange.response.header('Cache-Control') or 'none'}",
                shown_by=[(door.label, plain), (f"GET {request.path}", exchange)],
                certain=True,
            )
