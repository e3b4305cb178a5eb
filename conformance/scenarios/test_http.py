"""Plain HTTP manners: methods, headers, framing and redirects."""

from __future__ import annotations

import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from conformance.scenarios import answer_headers, framing, methods
from conformance.scenarios.declared_types import wrongly_declared
from conformance.scenarios.replies import Reply, expect_of_all, ordinary_replies
from conformance.target import raw
from conformance.target.drafts import flat
from conformance.target.http import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial

KEEPING_METHOD: Final = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
REDIRECTS: Final = KEEPING_METHOD | {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}


def test_http_01(target: Trial) -> None:
    """A method that a route does not take is refused, and a 405 says which methods it does take."""
    first = target.protected_doors[0]
    with target.bracket(first) as bracket:
        for door in (target.login_route, *target.refresh_routes, *target.protected_routes):
            for method in (*methods.WRONG_METHODS, methods.NOBODYS_METHOD):
                if method != door.method:
                    # Without credentials: on a real API, DELETE might do what it says.
                    methods.refuses(target, door, Request(method, door.path))
        honest = bracket.token(bracket.session.access.value)
        if target.target.may_intrude:
            for method in (method for method in methods.WRONG_METHODS if method != first.method):
                methods.refuses(target, first, replace(honest, method=method), "with an honest token")
        request = replace(honest, method=methods.NOBODYS_METHOD)
        exchange = methods.refuses(target, first, request, "with an honest token")
        if exchange and bracket.before:
            bought = first.bought(request, exchange.response)
            target.expect(
                not bought,
                f"{request.method} {request.path} with an honest token",
                expected="a refusal: nobody has defined this method",
                observed=f"status {exchange.response.status} with {bought}, as for {first.method}",
                shown_by=[(f"an honest {first.method}", bracket.before), ("probe", exchange)],
                certain=True,
            )


def test_http_02(target: Trial) -> None:
    """GET and HEAD neither log in nor refresh, and leave refresh token and session as they were."""
    account, login = target.account, target.login_door
    with target.bracket(login):
        honest = login.credentials(account.username, account.password)
        forms = [("with the credentials in its body", honest)]
        if target.target.may_intrude:
            query = urlencode(flat(login.body(account.username, account.password)))
            forms.append(("with the credentials in the query", Request(honest.method, f"{login.path}?{query}")))
        else:
            target.remark("no password was sent in a query, which servers log: that takes --intrusive")
        for how, form in forms:
            for method in methods.SAFE_METHODS:
                methods.buys_nothing(target, login, replace(form, method=method), how)
    session, refresh = methods.session_that_refreshes(target), target.refresh_door
    for method in methods.SAFE_METHODS:
        request = replace(refresh.present(session.refresh.value, session), method=method)
        exchange = methods.buys_nothing(target, refresh, request, "with a refresh token")
        if refresh.bought(request, exchange.response):
            target.target.take_over(session, exchange)
        session = methods.still_good(target, session, "the refresh token", exchange)
    if target.target.logout_door:
        for method in methods.SAFE_METHODS:
            request = replace(target.logout_door.present(session.access.value, session), method=method)
            session = methods.still_good(target, session, "the session", target.send(request))


def test_http_03(target: Trial) -> None:
    """HEAD gets the status that GET gets, and no content."""
    doors = [door for door in target.protected_doors if door.method == "GET"]
    if not doors:
        target.not_applicable("no protected route takes GET")
    door = doors[0]
    with target.bracket(door) as bracket:
        session = bracket.session
        for how, request in (
            ("without a token", door.anonymous()),
            ("with garbage", door.present("garbage", session)),
            ("with an honest token", door.present(session.access.value, session)),
        ):
            # Content after the headers of HEAD would be the next answer on a connection that is kept.
            get, head = target.send(request), target.send(replace(request, method="HEAD"), new_connection=True)
            if head.response.status in methods.NOT_OFFERED:
                target.remark("HEAD is not offered, as RFC 9110 §9.1 lets servers that are not general-purpose")
            else:
                methods.alike(target, f"HEAD {door.path} {how}", get, head)
        if target.target.client.is_proxied:
            target.remark("whether content follows was not seen through the proxy")
            return
        honest = door.present(session.access.value, session, headers=(("Connection", "close"),))
        head_alone = raw.converse(target.target.client, replace(honest, method="HEAD"))
        target.expect(
            not head_alone.surplus,
            f"the content of HEAD {door.path}",
            expected="none: the answer ends with its headers",
            observed=f"{len(head_alone.surplus)} bytes after the headers",
            shown_by=[("probe", head_alone.exchange)],
        )


def test_http_04(target: Trial) -> None:
    """Every 401, whichever route it comes from, says how to authenticate."""
    # What a protected route says about Bearer tokens is a requirement of its own, BEARER-01.
    refused = [
        reply
        for reply in ordinary_replies(target)
        if reply.exchange.response.status == HTTPStatus.UNAUTHORIZED
        and not (reply.protected and target.profile.transport == "bearer")
    ]
    if not refused:
        target.not_applicable("no refusal at login, refresh or logout has the status 401")
    expect_of_all(
        target,
        refused,
        lambda reply: (reply.exchange.response.header("WWW-Authenticate") or "").strip(),
        "WWW-Authenticate in answers with the status 401",
        expected="at least one challenge in each",
        flaw="none in the answer to",
    )


def test_http_05(target: Trial) -> None:
    """An answer that has content declares the type that it is of."""
    door, session = target.protected_routes[0], target.session()
    replies = list(ordinary_replies(target))
    for accept in ("*/*", "text/html"):
        for how, request in (
            ("with an honest token", door.present(session.access.value, session, headers=(("Accept", accept),))),
            ("without credentials", door.anonymous((("Accept", accept),))),
        ):
            replies.append(Reply(f"{door.label} {how} and Accept: {accept}", target.send(request)))
    with_content = [reply for reply in replies if reply.exchange.response.body]
    if not with_content:
        target.inconclusive("no answer has any content")
    for reply in with_content:
        problem = wrongly_declared(reply.exchange.response)
        target.expect(
            not problem,
            f"the answer to {reply.case}",
            expected="a Content-Type that fits: application/json or +json where the content is JSON",
            observed=problem,
            shown_by=[(reply.case, reply.exchange)],
        )


def test_http_06(target: Trial) -> None:
    """TRACE does not send credentials back."""
    door = target.protected_doors[0]
    with target.bracket(door) as bracket:
        token, planted = bracket.session.access.value, f"planted-{secrets.token_hex(8)}"
        honest = bracket.token(token)
        cookie = next((value for name, value in honest.headers if name == "Cookie"), "")
        rest = tuple((name, value) for name, value in honest.headers if name != "Cookie")
        for method in ("TRACE", "TRACK"):
            cookies = ("Cookie", "; ".join(filter(None, (cookie, f"trace={planted}"))))
            exchange = methods.sent(target, Request(method, door.path, (*rest, cookies)))
            echoed = answer_headers.repeated(exchange, {"token": token, "cookie": planted}) if exchange else []
            target.expect(
                not echoed,
                f"{method} {door.path} with a token and a cookie",
                expected="an answer that repeats neither",
                observed=f"an answer with the {' and the '.join(echoed)}",
                shown_by=[("probe", exchange)] if exchange else (),
                certain=True,
            )


def test_http_07(target: Trial) -> None:
    """Of a message with contradictory framing nothing is left over that is answered as a request of its own."""
    client = target.target.client
    if client.is_proxied:
        target.untested("a proxy stands between the suite and the target", give="a way to reach it directly (NO_PROXY)")
    door = target.protected_doors[0]
    with target.bracket(door) as bracket:
        honest = bracket.token(bracket.session.access.value)
        control = raw.converse(client, framing.chunked(honest))
        if not door.bought(honest, control.exchange.response):
            target.untested(f"{door.label} is refused when it has a body, be it framed well")
        for probe in framing.contradictions(honest, door.anonymous(), client.base_url):
            framing.leaves_nothing_over(target, door, probe, honest, control)
        for name, character in (("NUL", "\0"), ("CR", "\r")):
            request = framing.with_inside(honest, bracket.session.access.value, character)
            exchange = raw.converse(client, request).exchange
            target.expect(
                not door.bought(request, exchange.response),
                f"a {name} inside the token",
                expected="a refusal, as the token is another one with it",
                observed=f"status {exchange.response.status} with the protected data: the {name} was dropped",
                shown_by=[("control", control.exchange), ("probe", exchange)],
                certain=True,
            )


def test_http_08(target: Trial) -> None:
    """Answers tell browsers not to sniff, not to frame, and not to pass their address on."""
    replies = ordinary_replies(target)
    with_content = [reply for reply in replies if reply.exchange.response.body]
    if not with_content:
        target.inconclusive("no answer has any content")
    sniffing, framing_rule = (
        "X-Content-Type-Options",
        "frame-ancestors or default-src 'none' in Content-Security-Policy",
    )
    for name, expected, claim in (
        (sniffing, "nosniff", lambda answer: answer_headers.has(answer, sniffing, "nosniff")),
        ("protection against framing", framing_rule, answer_headers.unframed),
        ("Referrer-Policy", "any but unsafe-url", answer_headers.keeps_its_address),
    ):
        expect_of_all(
            target,
            with_content,
            lambda reply, claim=claim: claim(reply.exchange.response),  # type: ignore[misc]
            name,
            expected=expected,
            flaw="not in the answer to",
        )
    if not all(reply.exchange.response.header("Cross-Origin-Resource-Policy") for reply in with_content):
        target.remark("some answers have no Cross-Origin-Resource-Policy, which ASVS asks for at level 3")


def test_http_09(target: Trial) -> None:
    """No spelling of the login or the refresh is redirected with its body, and no URL in an answer holds a token."""
    with target.bracket(target.protected_doors[0]):
        for door in (target.login_route, *target.refresh_routes):
            empty = door.anonymous((("Content-Type", "application/json"),)).with_body(b"{}")
            for how, path in _other_spellings(door.path):
                exchange = target.send(replace(empty, path=path))
                status, place = exchange.response.status, exchange.response.header("Location") or ""
                downgraded = target.target.client.base_url.startswith("https:") and place.lower().startswith("http:")
                if status in REDIRECTS - KEEPING_METHOD:
                    target.remark(f"{door.path} {how} is redirected with {status}, which leaves the body behind")
                target.expect(
                    status not in KEEPING_METHOD and not (status in REDIRECTS and downgraded),
                    f"{door.method} {path}: {door.label} {how}",
                    expected="an answer of its own, or 404 or 405",
                    observed=f"{status} to {place}, to which a client sends its credentials again",
                    shown_by=[("probe", exchange)],
                    certain=True,
                )
    expect_of_all(
        target,
        ordinary_replies(target),
        lambda reply: (
            not any(
                answer_headers.has_token(url, target.target.honest_values)
                for url in answer_headers.urls(reply.exchange.response)
            )
        ),
        "URLs in the headers of answers",
        expected="no token in any of them",
        flaw="a token in the answer to",
    )


def _other_spellings(path: str) -> Iterator[tuple[str, str]]:
    bare = path.rstrip("/")
    yield ("without its slash", bare) if path.endswith("/") and bare else ("with a slash at its end", f"{path}/")
    yield "with its first slash doubled", f"/{path}"
    first, _, last = bare.rpartition("/")
    if last.upper() != last:
        yield "in capitals", f"{first}/{last.upper()}{path[len(bare) :]}"
