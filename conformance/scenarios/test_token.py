"""The token endpoint of OAuth clients."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from conformance.scenarios.clients import second_client, token_endpoint
from conformance.target.oauth import error_of, with_secret
from conformance.tokens.reading import finite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from conformance.scenarios.bracket import Bracket
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request, Response
    from conformance.target.oauth import TokenEndpoint

NO_TOKEN: Final = "conformance-no-token-"  # noqa: S105 - what it says
NO_SCOPE: Final = "conformance.everything"
ERROR_TEXT: Final = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
"""What `error` and `error_description` may hold (RFC 6749 §5.2)."""
GRANT: Final = ("grant_type", "refresh_token")


def test_token_01(target: Trial) -> None:
    """A client trades a refresh token, posted as a form, for tokens in the shape of RFC 6749 §5.1."""
    door = token_endpoint(target)
    session = target.session()
    request = door.refresh(session.refresh.value, extra=(("scope", ""), ("conformance_unknown", "1")))
    exchange = target.send(request)
    answer = exchange.response
    door.take_over(target.target, session, exchange)
    if error_of(answer) == "invalid_client":
        target.inconclusive(f"{door.label} refuses the client {door.client.username!r}: check its id and secret")
    case = "a refresh with an unknown parameter and an empty scope"
    if not target.expect(
        answer.is_success and door.bought(request, answer), case, expected="status 200 with an access token",
        observed=f"{door.label} answered {answer.status}", shown_by=[(case, exchange)],
    ):  # fmt: skip
        return
    for problem in _misshapen(answer):
        target.expect(
            not problem, "the shape of the answer", expected="that of RFC 6749 §5.1", observed=problem,
            shown_by=[(case, exchange)],
        )  # fmt: skip
    route = target.protected_doors[0]
    used = target.send(route.present(session.access.value, session))
    target.expect(
        route.bought(used.request, used.response), f"the access token that came back, at {route.label}",
        expected="a success", observed=f"{route.label} answered {used.response.status}",
        shown_by=[(case, exchange), ("its use", used)],
    )  # fmt: skip


def _misshapen(answer: Response) -> Iterator[str]:
    """What is wrong with an answer that carries tokens."""
    media_type = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
    members, seconds = answer.json, answer.json.get("expires_in")
    kind = members.get("token_type")
    yield "" if media_type == "application/json" else f"the media type {media_type or '(none)'}"
    yield "" if isinstance(kind, str) and kind else "no string token_type"
    yield "" if "expires_in" not in members or finite(seconds) is not None else "an expires_in that is no number"
    yield "" if isinstance(members.get("refresh_token", ""), str) else "a refresh_token that is no string"
    yield "" if "no-store" in (answer.header("Cache-Control") or "").lower() else "no Cache-Control: no-store"


def test_token_02(target: Trial) -> None:
    """The token endpoint refuses with status 400, or 401 to a client, and with the code that fits."""
    door = token_endpoint(target)
    with target.bracket(door) as bracket:
        good = bracket.session.refresh.value
        token = ("refresh_token", good)
        # oauthlib and others call a missing grant type an unsupported one, and do no harm by it.
        missing = {"invalid_request", "unsupported_grant_type"}
        _refuses(bracket, "no grant_type", door.form((token,), door.client), missing)
        unknown = door.form((("grant_type", "urn:example:unknown"), token), door.client)
        _refuses(bracket, "an unknown grant_type", unknown, {"unsupported_grant_type"})
        _refuses(bracket, "no refresh_token", door.form((GRANT,), door.client), {"invalid_request"})
        garbage = door.refresh(NO_TOKEN + secrets.token_urlsafe(24))
        _refuses(bracket, "a refresh_token that nobody issued", garbage, {"invalid_grant"})
        for case, value in _ended(target, door):
            exchange = target.send(door.refresh(value))
            if door.bought(exchange.request, exchange.response):
                target.remark(f"not judged on {case}, which buys tokens (see ROTATE and REVOKE)")
            else:
                _judge(target, case, exchange, {"invalid_grant"})
        scoped = target.send(door.refresh(bracket.session.refresh.value, extra=(("scope", NO_SCOPE),)))
        if scoped.response.is_success:
            # The server may ignore what is asked for, and then says what it gave (RFC 6749 §3.3).
            door.take_over(target.target, bracket.session, scoped)
            given = str(scoped.response.json.get("scope", "")) if isinstance(scoped.response.json, dict) else ""
            target.expect(
                NO_SCOPE not in given.split(), "a scope that was never granted", expected="invalid_scope, or less",
                observed="tokens with that scope", shown_by=[("the scope", scoped)], certain=True,
            )  # fmt: skip
        else:
            _judge(target, "a scope that was never granted", scoped, {"invalid_scope"})
        if door.client.password:
            stranger = with_secret(door.client, secrets.token_urlsafe(24))
            wrong = door.refresh(bracket.session.refresh.value, stranger)
            _refuses(bracket, "the client with a wrong secret", wrong, {"invalid_client"})


def _ended(target: Trial, door: TokenEndpoint) -> Iterator[tuple[str, str]]:
    """Refresh tokens that were good once, each brought to its end when it is asked for."""
    session = target.new_session()
    if session is target.session():
        target.remark("not tried with tokens that have ended: there is one session, and others need it")
        return
    if target.target.minter and session.refresh.jwt:
        yield "an expired refresh_token", target.minter.mint(session.refresh.jwt, exp=int(target.clock.now()) - 3600)
    spent = session.refresh.value
    door.control(target.target, session)
    if session.rotated:
        yield "a refresh_token that is spent", spent
    if target.target.logout_door and not session.ended:
        target.target.logout(session)
        yield "a refresh_token whose session has ended", session.refresh.value


def _refuses(bracket: Bracket, case: str, request: Request, codes: Collection[str]) -> None:
    """Sends what must be refused with one of these codes."""
    exchange = bracket.trial.send(request)
    if bracket.door.bought(request, exchange.response):
        bracket.session.ended = True
    _judge(bracket.trial, case, exchange, codes)


def _judge(target: Trial, case: str, exchange: Exchange, codes: Collection[str]) -> None:
    answer, by_basic = exchange.response, "Authorization" in dict(exchange.request.headers)
    code, statuses = error_of(answer), {400}
    if codes == {"invalid_client"}:
        statuses = {401} if by_basic else {400, 401}
    texts = [answer.json.get(name) for name in ("error", "error_description")] if isinstance(answer.json, dict) else []
    problem = ""
    if answer.status not in statuses:
        problem = f"status {answer.status}"
    elif code not in codes:
        problem = f"the error {code!r}" if isinstance(code, str) else "no error code"
    elif any(isinstance(text, str) and not ERROR_TEXT.fullmatch(text) for text in texts if text):
        problem = "characters in the error that RFC 6749 §5.2 does not allow"
    elif answer.status == 401 and not _asks_for_basic(answer, by_basic=by_basic):  # noqa: PLR2004 - RFC 6749 §5.2
        problem = "no WWW-Authenticate header that fits"
    wanted = f"status {' or '.join(map(str, sorted(statuses)))} with the error {' or '.join(sorted(codes))}"
    target.expect(not problem, case, expected=wanted, observed=problem, shown_by=[(case, exchange)])


def _asks_for_basic(answer: Response, *, by_basic: bool) -> bool:
    """Whether a 401 names the scheme that the client had used (RFC 6749 §5.2)."""
    return not by_basic or "basic" in " ".join(answer.all_headers("WWW-Authenticate")).lower()


def test_token_03(target: Trial) -> None:
    """A parameter that occurs twice is not resolved in favour of either."""
    door = token_endpoint(target)
    bad = ("refresh_token", NO_TOKEN + secrets.token_urlsafe(24))
    client_id = ("client_id", door.client.username)
    with target.bracket(door) as bracket:
        for case, before, after in (
            ("the same grant_type twice", (GRANT, GRANT), ()),
            ("two grant_types", (("grant_type", "password"), GRANT), ()),
            ("the same refresh_token twice", (GRANT,), ("again",)),
            ("a refresh_token and then another", (GRANT,), (bad,)),
            ("another refresh_token before it", (GRANT, bad), ()),
            ("the same client_id twice", (GRANT, client_id, client_id), ()),
        ):
            good = ("refresh_token", bracket.session.refresh.value)
            pairs = (*before, good, *(good if pair == "again" else pair for pair in after))
            _refuses_twice(bracket, door, case, door.form(pairs, door.client))
        # What is read from the body alone is right to overlook the address; the address must not win.
        request = door.form((GRANT, bad), door.client)
        twin = door.with_query(request, (("refresh_token", bracket.session.refresh.value),))
        _refuses_twice(bracket, door, "the refresh_token in the address, and another in the body", twin)


def _refuses_twice(bracket: Bracket, door: TokenEndpoint, case: str, request: Request) -> None:
    session = bracket.session
    exchange = bracket.refuses(case, request)
    if door.bought(request, exchange.response):
        door.take_over(bracket.trial.target, session, exchange)


def test_token_04(target: Trial) -> None:
    """A refresh token serves the client that it was issued to, and nobody else."""
    door = token_endpoint(target)
    with target.bracket(door) as bracket:
        nobody = [("no client at all", None), ("the client without its secret", with_secret(door.client, ""))]
        strangers = [(f"the client {other.username!r}", other) for other in target.target.clients[1:]]
        for case, client in [*(nobody if door.client.password else ()), *strangers]:
            session = bracket.session
            exchange = bracket.refuses(case, door.form((GRANT, ("refresh_token", session.refresh.value)), client))
            if door.bought(exchange.request, exchange.response):
                door.take_over(target.target, session, exchange)
    second_client(target)


def test_token_05(target: Trial) -> None:
    """The token endpoint takes no user's password."""
    door = token_endpoint(target)
    user = (("username", target.account.username), ("password", target.account.password))
    with target.bracket(door) as bracket:
        request = door.form((("grant_type", "password"), *user), door.client)
        bracket.refuses("the password grant, with the account's own name and password", request)
