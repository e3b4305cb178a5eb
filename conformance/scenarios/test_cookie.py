"""Tokens in cookies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from conformance.scenarios.cookies import (
    CROSS_SITE,
    EVIL,
    NO_PREFLIGHT,
    cookies_alone,
    demands_proof,
    did_it_to,
    is_forced,
    life,
    made_up,
    require_cookies,
    shown_in_cookie,
    state_changing_doors,
    token_lines,
    url_path,
)
from conformance.target.http import Request
from conformance.target.set_cookie import HOST_PREFIX, SetCookie, covers, set_cookies
from conformance.tokens.reading import Kind, strings_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial

LARGEST_COOKIE: Final = 4096
"""Bytes of name and value; a browser drops a larger cookie without a word (RFC 6265 §6.1)."""
ROUNDED_S: Final = 60.0
"""A cookie may outlive its token by as much, in seconds."""


def test_cookie_01(target: Trial) -> None:
    """No script can read a token: its cookie is HttpOnly, and the body does not hold it as well."""
    for line in token_lines(target):
        answer = line.exchange.response
        texts = [answer.text, *strings_in(answer.json)]
        copied = any(value in text for text in texts for value in {line.cookie.value, unquote(line.cookie.value)})
        found = [] if line.cookie.is_http_only else ["no HttpOnly"]
        found += ["the same value in the body"] if copied else []
        target.expect(
            not found, line.case, expected="HttpOnly, and the token nowhere else", observed=" and ".join(found),
            shown_by=line.shown_by,
        )  # fmt: skip


def test_cookie_02(target: Trial) -> None:
    """A token travels over https only and cannot be planted: its cookie is Secure and has a prefix that it obeys."""
    plain = target.target.client.base_url.startswith("http:")
    lines = token_lines(target)
    for line in lines:
        cookie = line.cookie
        if plain and not cookie.is_secure and not cookie.prefix:
            continue
        found = cookie.breaks_prefix() or ("" if cookie.is_secure else "without Secure")
        found = f"set {found}" if found else "" if cookie.prefix else "a name without __Host- or __Secure-"
        target.expect(
            not found, line.case, expected="Secure, and the prefix __Host- or __Secure- with what it asks for",
            observed=found, shown_by=line.shown_by,
        )  # fmt: skip
    if target.probes < len(lines):
        target.untested("over plain http, as in development, Secure may be left out", give="the server's https URL")


def test_cookie_03(target: Trial) -> None:
    """A token's cookie says itself that other sites cannot have it sent."""
    declared = {"none"} if target.profile.cookies.cross_site else set()
    for line in token_lines(target):
        stated = line.cookie.same_site
        target.expect(
            stated in {"lax", "strict"} | declared and not (stated == "none" and not line.cookie.is_secure),
            line.case,
            expected="SameSite=Lax or SameSite=Strict",
            observed=f"SameSite={stated.capitalize()}" if stated else "no SameSite",
            shown_by=line.shown_by,
        )


def test_cookie_04(target: Trial) -> None:
    """A token's cookie stays with its host, and the refresh token is not sent along with every request."""
    refresh = url_path(target, target.profile.refresh.path)
    protected = [url_path(target, route.path) for route in target.profile.protected]
    for line in token_lines(target):
        cookie = line.cookie
        path = cookie.path(url_path(target, line.exchange.request.path))
        found = f"Domain={cookie.domain}" if cookie.domain else ""
        if line.kind is Kind.REFRESH and cookie.prefix != HOST_PREFIX:
            if not covers(path, refresh):
                found = found or f"Path={path}, where no refresh would get it"
            elif all(covers(path, route) for route in protected):
                found = found or f"Path={path}, which every protected route is under"
        target.expect(
            not found, line.case, expected="no Domain, and a Path of the refresh's own or the prefix __Host-",
            observed=found, shown_by=line.shown_by,
        )  # fmt: skip


def test_cookie_05(target: Trial) -> None:
    """What another site makes a browser send changes nothing."""
    require_cookies(target)
    same_site = {line.cookie.same_site for line in token_lines(target)}
    for door in state_changing_doors(target):
        with target.bracket(target.one_of_each[-1]) as bracket:
            refused_with = None
            for case, headers in (
                ("a request of another site", CROSS_SITE),
                ("a request of another site, by an older browser", (("Origin", EVIL),)),
                ("a request of a sandboxed frame", (("Origin", "null"), ("Sec-Fetch-Site", "cross-site"))),
            ):
                session = bracket.session
                forced, exchange = is_forced(bracket, door, cookies_alone(door, session, headers))
                alone = "; SameSite alone keeps browsers from it" if same_site <= {"lax", "strict"} else ""
                target.expect(
                    not forced, f"{case} to {door.label}", expected="a refusal: nothing shows the user's intent",
                    observed=f"{door.label} answered {exchange.response.status} and did it{alone}",
                    shown_by=[(case, exchange)], certain=True,
                )  # fmt: skip
                refused_with = refused_with if forced else (session, exchange)
        if refused_with:
            session, exchange = refused_with
            target.expect(
                not session.ended, f"the session after requests that {door.label} refused",
                expected="as before", observed="its refresh token is no good any more",
                shown_by=[("the last of them", exchange)],
            )  # fmt: skip


def test_cookie_06(target: Trial) -> None:
    """A CSRF token is good for the session that it was given to, and for no other."""
    require_cookies(target)
    door = target.refresh_door
    if not shown_in_cookie(target, Kind.REFRESH):
        target.not_applicable("the refresh token does not travel in a cookie")
    if Kind.REFRESH not in target.session().csrf:
        target.not_applicable("the login sets no cookie with a CSRF token")
    foreign = target.session(target.second_account).csrf
    cases: dict[str, Callable[[str], str | None]] = {
        "the CSRF token of somebody else's session": lambda _own: foreign.get(Kind.REFRESH),
        "the CSRF token of an earlier session": lambda _own: life(target).session.csrf.get(Kind.REFRESH),
        "a CSRF token cut short": lambda own: own[:-1],
        "a CSRF token that was made up": made_up,
    }
    with target.bracket(door) as bracket:
        if not demands_proof(bracket, door):
            target.inconclusive(f"{door.label} asks for no proof at all (see COOKIE-05)")
        for case, make in cases.items():
            session = bracket.session
            shown = make(session.csrf[Kind.REFRESH])
            if shown is None or shown == session.csrf[Kind.REFRESH]:
                target.remark(f"{case} is the session's own, so it was not tried")
                continue
            target.target.keep_secret(shown, "CSRF token")
            probe = door.present(session.refresh.value, replace(session, csrf={Kind.REFRESH: shown}))
            forced, exchange = is_forced(bracket, door, probe)
            target.expect(
                not forced, f"{case}, in cookie and header", expected="a refusal",
                observed=f"{door.label} answered {exchange.response.status} with tokens",
                shown_by=[(case, exchange)], certain=True,
            )  # fmt: skip


def test_cookie_07(target: Trial) -> None:
    """A form on another site drives neither the login nor what the cookies open."""
    require_cookies(target)
    for door in state_changing_doors(target):
        with target.bracket(target.one_of_each[-1]) as bracket:
            if not demands_proof(bracket, door):
                continue
            for name, (headers, body) in NO_PREFLIGHT.items():
                request = cookies_alone(door, bracket.session, (*headers, *CROSS_SITE)).with_body(body)
                forced, exchange = is_forced(bracket, door, request)
                target.expect(
                    not forced, f"{name} from another site to {door.label}", expected="a refusal",
                    observed=f"{door.label} answered {exchange.response.status} and did it",
                    shown_by=[("without a body it is refused", exchange)], certain=True,
                )  # fmt: skip
    login = target.login_door
    honest = login.credentials(target.account.username, target.account.password)
    with target.bracket(login) as login_bracket:
        for name, (headers, _) in NO_PREFLIGHT.items():
            # A form of text/plain can spell any JSON: what is sent is what the server understands.
            request = Request(honest.method, honest.path, (*headers, *CROSS_SITE), honest.body)
            login_bracket.refuses(f"the honest JSON as {name} from another site to {login.label}", request)


def test_cookie_08(target: Trial) -> None:
    """An Authorization header neither stands in for the proof that goes with the cookies nor lends it."""
    require_cookies(target)
    cases = {"a junk Bearer token": "Bearer x", "an empty Authorization header": "", "junk as HTTP Basic": "Basic eDp5"}
    if target.target.second_account:
        cases["somebody else's access token"] = f"Bearer {target.session(target.second_account).access.value}"
    for door in state_changing_doors(target):
        with target.bracket(target.one_of_each[-1]) as bracket:
            if not demands_proof(bracket, door):
                continue
            for case, value in cases.items():
                session = bracket.session
                request = cookies_alone(door, session, (("Authorization", value), *CROSS_SITE))
                forced, exchange = is_forced(bracket, door, request)
                # A server that takes tokens from either place may go by the header, and so do nothing to the cookies.
                harmed = forced and did_it_to(target, session)
                target.expect(
                    not harmed, f"{case} beside the cookies, at {door.label}", expected="a refusal",
                    observed=f"{door.label} answered {exchange.response.status}: the cookies counted without a proof",
                    shown_by=[(case, exchange)], certain=True,
                )  # fmt: skip
    if not target.probes:
        target.not_applicable("nothing that takes cookies asks for a proof")
    target.remark("checked with " + ", ".join(cases))


def test_cookie_09(target: Trial) -> None:
    """The refresh token is not accepted in the access cookie, nor the access token in the refresh cookie."""
    if not all(shown_in_cookie(target, kind) for kind in Kind):
        target.not_applicable("only one kind of token, if any, travels in a cookie")
    for door in target.token_doors:
        other = Kind.REFRESH if door.wants is Kind.ACCESS else Kind.ACCESS
        with target.bracket(door) as bracket:
            session = bracket.session
            swapped = door.present(session.token(other).value, session, proof_of=other)
            bracket.refuses(f"the {other} token in the {door.wants} cookie, at {door.label}", swapped)


def test_cookie_10(target: Trial) -> None:
    """A token's cookie goes when its session does: at the logout, and when the token expires."""
    require_cookies(target)
    out = life(target).logout if target.logout_door else None
    if out is None:
        target.inconclusive(f"no honest logout was seen at {target.logout_door.label}")
    now = target.clock.now()
    cleared = [line for line in set_cookies(out.response) if line.clears(now) and not line.breaks_prefix()]
    gone = {_scope(target, line, out.request.path) for line in cleared}
    wiped = '"cookies"' in (out.response.header("Clear-Site-Data") or "")
    kept_at_all = [line for line in token_lines(target) if not line.cookie.breaks_prefix()]
    if not kept_at_all:
        target.inconclusive("browsers ignore every cookie that carries a token (see COOKIE-02)")
    for line in kept_at_all:
        scope = _scope(target, line.cookie, line.exchange.request.path)
        target.expect(
            wiped or scope in gone, f"{line.case}, at the logout", expected="cleared, with its own Path and Domain",
            observed="left where it is", shown_by=[*line.shown_by, ("the logout", out)],
        )  # fmt: skip
        kept, lives = line.cookie.lifetime_s(life(target).began_at), life(target).lifetimes_s[line.kind]
        if kept is not None and lives is not None:
            target.expect(
                kept <= lives + ROUNDED_S, f"how long {line.case} is kept", expected=f"{lives:.0f} s, as its token",
                observed=f"{kept:.0f} s", shown_by=line.shown_by,
            )  # fmt: skip


def _scope(target: Trial, cookie: SetCookie, request_path: str) -> tuple[str, str, str]:
    """What a browser tells cookies apart by (RFC 6265 §5.3)."""
    return cookie.name, cookie.domain, cookie.path(url_path(target, request_path))


def test_cookie_11(target: Trial) -> None:
    """A browser keeps each token's cookie, and two of one name do not choose the user by their order."""
    for line in token_lines(target):
        size = len(f"{line.cookie.name}{line.cookie.value}".encode())
        target.expect(
            size <= LARGEST_COOKIE, line.case, expected=f"at most {LARGEST_COOKIE} bytes of name and value",
            observed=f"{size} bytes", shown_by=line.shown_by,
        )  # fmt: skip
    if not shown_in_cookie(target, Kind.ACCESS):
        return
    name = target.profile.sent_in(Kind.ACCESS).name
    if name.lower().startswith(HOST_PREFIX):
        target.remark(f"no browser holds two cookies named {name!r}: the prefix __Host- leaves room for one")
        return
    door = next((door for door in target.protected_doors if door.route.identity), None)
    if target.target.second_account is None or door is None:
        target.untested("this needs two people", give="--second-username, and identity for a protected route")
    with target.bracket(door) as bracket:
        mine, other = bracket.session, target.session(target.second_account)
        shown = []
        for first, second in ((mine, other), (other, mine)):
            pair = f"{name}={first.access.value}; {name}={second.access.value}"
            shown.append(target.send(Request(door.method, door.path, (("Cookie", pair),))))
        people = [door.identity(exchange.response) for exchange in shown]
        target.expect(
            people[0] == people[1] or None in people,
            f"two cookies named {name!r}, of two people, at {door.label}",
            expected="a refusal, or the same user in both orders",
            observed="whoever comes first" if people[0] == mine.account.username else "whoever comes last",
            shown_by=list(zip(("one order", "the other"), shown, strict=True)),
            certain=True,
        )
