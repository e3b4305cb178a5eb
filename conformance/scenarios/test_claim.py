"""Claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.claim_cases import STRANGER, audiences, beginnings, issuers, marks, subjects
from conformance.scenarios.lapse import tolerated_leeway_s
from conformance.scenarios.minted import minted, refuses_minted, taking_minted
from conformance.scenarios.removed import DELETED, removed
from conformance.target.hooks import HookError
from conformance.target.http import Request
from conformance.tokens.kinds import differences
from conformance.tokens.reading import Jwt, Kind, Token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.claim_cases import Case
    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.giving_doors import RefreshDoor
    from conformance.target.http import Exchange


FRESH_S: Final = 5
"""So far may `iat` be from the moment at which the token came."""
CANARY: Final = "canary.jwt-conformance.example"
METADATA: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def _issued(target: Trial) -> list[tuple[str, Token, Exchange]]:
    """Tokens of two logins, of which the second was refreshed since, each with its answer; no token twice."""
    first, session = target.target.first_session, target.session()
    assert first is not None
    found = [(f"the {kind} token of the first login", first.token(kind), first.login) for kind in Kind]
    found += [(f"the {kind} token of another session", session.token(kind), session.login) for kind in Kind]
    exchange = target.target.refresh(session)
    if not session.ended:
        found += [(f"the {kind} token after a refresh", session.token(kind), exchange) for kind in Kind]
    seen: set[str] = set()
    return [item for item in found if item[1].value not in seen and not seen.add(item[1].value)]  # type: ignore[func-returns-value]


def test_claim_01(target: Trial) -> None:
    """Issued JWTs carry `sub`, `iat`, `exp` and `jti`, each of the right type."""
    issued = [(name, token, exchange) for name, token, exchange in _issued(target) if token.jwt]
    if not issued:
        target.not_applicable("the tokens are no JWTs")
    ends = bool(target.profile.logout.path) or target.target.rotates is True
    # A token that nobody looks up needs no name to be looked up by.
    looked_up = tuple(Kind) if target.profile.sessions.access == "revocable" else (Kind.REFRESH,)
    subject: Any = None
    ids: list[Any] = []
    for name, token, exchange in issued:
        assert token.jwt is not None
        claims = token.jwt.claims
        subject = subject if subject is not None else claims.get("sub")
        problems = list(_wrong_claims(token, token.jwt))
        if isinstance(claims.get("sub"), str) and claims["sub"] != subject:
            problems.append(f"sub is {claims['sub']!r}, and {subject!r} in another token of the same user")
        if "jti" in claims:
            problems += [] if isinstance(claims["jti"], str) else [f"jti is {claims['jti']!r}, no string"]
            problems += ["jti is that of another token"] if claims["jti"] in ids else []
            ids.append(claims["jti"])
        elif ends and token.kind in looked_up:
            problems.append("jti is missing, and tokens can be revoked or are rotated")
        target.expect(
            not problems,
            name,
            expected="sub, a string that is the same in every token of the user; numbers with nbf <= iat < exp, iat"
            " now; jti, a string that no other token has",
            observed="; ".join(problems),
            shown_by=[(name, exchange)],
        )


def _wrong_claims(token: Token, parts: Jwt) -> Iterator[str]:
    """What is wrong with the subject and the times of a token that was issued just now."""
    claims = parts.claims
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        yield f"sub is {claims['sub']!r}, no string that says anything" if "sub" in claims else "sub is missing"
    wrong = [name for name in ("iat", "exp") if parts.number(name) is None]
    wrong += ["nbf"] if "nbf" in claims and parts.number("nbf") is None else []
    yield from (f"{name} is {claims[name]!r}, no number" if name in claims else f"{name} is missing" for name in wrong)
    if wrong:
        return
    issued, end, begin = parts.number("iat"), parts.number("exp"), parts.number("nbf")
    assert issued is not None
    assert end is not None
    if abs(token.received_at - issued) > FRESH_S + 1:
        yield f"iat is {issued - token.received_at:+.0f} s from the time at which it came"
    if end < issued:
        yield "exp is earlier than iat"
    if begin is not None and begin > issued + 1:
        yield f"nbf is {begin - issued:.0f} s later than iat"


def test_claim_02(target: Trial) -> None:
    """An issued access token names its issuer and its audience, and something tells it from a refresh token."""
    target.require_jwt(Kind.ACCESS)
    issued = _issued(target)
    access = [token.jwt for _, token, _ in issued if token.kind is Kind.ACCESS and token.jwt]
    refresh = [token.jwt for _, token, _ in issued if token.kind is Kind.REFRESH and token.jwt]
    name, exchange = issued[0][0], issued[0][2]
    missing = [claim for claim in ("iss", "aud") if any(not token.claims.get(claim) for token in access)]
    target.expect(
        not missing,
        name,
        expected="iss and aud",
        observed=f"no {' and no '.join(missing)}",
        shown_by=[(name, exchange)],
    )
    if not refresh:
        target.remark("the refresh token is no JWT, which tells the two apart")
        return
    found = differences(access, refresh)
    target.expect(
        found,
        "the two kinds of token of one user",
        expected="a claim or header that tells them apart: typ, type, token_use, or aud",
        observed="no difference but in times and ids",
        shown_by=[(name, exchange)],
    )
    if found:
        target.remark(f"the kinds differ in {', '.join(map(str, found))}")
    if all(str(token.header.get("typ", "JWT")).upper() == "JWT" for token in access):
        target.remark("the access token's typ does not say its kind, as at+jwt would (RFC 9068 §2.1)")


def test_claim_03(target: Trial) -> None:
    """A token that is meant for another audience buys nothing."""
    refuses_minted(
        target,
        lambda _door, like: audiences(like),
        without="the tokens carry no aud: nothing says whom they are meant for",
    )
    door, like = taking_minted(target)[0]
    if isinstance(own := like.claims.get("aud"), str):
        taken = _takes(target, door, minted(target, like, {"aud": [own, STRANGER]}))
        target.target.policy["a list that holds the right aud"] = "accepted" if taken else "refused"


def _takes(target: Trial, door: ProtectedDoor | RefreshDoor, token: str) -> bool:
    request = door.present(token, target.session())
    return bool(door.bought(request, target.send(request).response))


def test_claim_04(target: Trial) -> None:
    """A token of another issuer buys nothing, and issuers are compared exactly."""
    refuses_minted(
        target,
        lambda _door, like: issuers(like),
        without="the tokens carry no iss: nothing says who issued them",
    )


def test_claim_05(target: Trial) -> None:
    """A token buys nothing before its `nbf` time."""
    soon = tolerated_leeway_s(target.target) + FRESH_S
    refuses_minted(
        target,
        lambda _door, like: beginnings(like, now=int(target.clock.now()), soon=soon),
        without="the tokens carry no nbf: none is ever good later than at once",
        cleanly=True,
    )
    door, like = taking_minted(target)[0]
    now = int(target.clock.now())
    taken = _takes(target, door, minted(target, like, {"iat": now + 3600, "exp": now + 7200}))
    target.target.policy["a token issued in the future"] = "accepted" if taken else "refused"


def test_claim_06(target: Trial) -> None:
    """A signed token without the mark of its kind, or with that of none, buys nothing."""
    issued = _issued(target)
    access, refresh = ([token.jwt for _, token, _ in issued if token.kind is kind and token.jwt] for kind in Kind)
    if not access or not refresh:
        target.not_applicable("only one of the two kinds of token is a JWT")
    found = differences(access, refresh)
    if other := [item.name for item in found if item.name in {"aud", "iss", "kid", "alg"}]:
        target.not_applicable(f"{' and '.join(other)} tell the kinds of token apart (see CLAIM-03, CLAIM-04)")
    markers = [item for item in found if item.is_marker]
    refuses_minted(
        target,
        lambda door, _like: marks(markers, door.wants),
        without="no claim and no header marks the kind of a token (see CLAIM-02)",
    )


def test_claim_07(target: Trial) -> None:
    """A token for a subject that does not exist buys nothing."""
    other = target.target.second_account
    stranger = target.session(other).access.jwt if other else None
    refuses_minted(
        target,
        lambda _door, like: subjects(like, stranger),
        without="no claim is known to name the token's subject",
        cleanly=True,
    )


def test_claim_08(target: Trial) -> None:
    """Claims and header parameters that the target does not know are ignored."""
    extra = {
        "x-conformance-text": "unknown \u2603", "x-conformance-number": 1.5, "x-conformance-flag": False,
        "x-conformance-null": None, "x-conformance-list": [1, "two"], "x-conformance-object": {"of": {"no": "use"}},
    }  # fmt: skip
    for number, (door, like) in enumerate(taking_minted(target)):
        apart: list[Case] = [("unknown claims", extra, {}), ("unknown header parameters", {}, extra)]
        together: list[Case] = [("unknown claims and unknown header parameters", extra, extra)]
        for name, *changes in together if number else apart:
            session = target.session()
            plain = target.send(door.present(minted(target, like), session))
            if not door.bought(plain.request, plain.response):
                target.inconclusive(f"{door.label} refuses a minted token, although it has accepted one before")
            exchange = target.send(door.present(minted(target, like, *changes), session))
            target.expect(
                door.bought(exchange.request, exchange.response),
                f"{door.wants.with_article} token with {name} of every type, at {door.label}",
                expected="a success, as without them",
                observed=f"{door.label} answered {exchange.response.status}",
                shown_by=[("the same without them", plain), (f"with {name}", exchange)],
            )


def test_claim_09(target: Trial) -> None:
    """The issuer and other URLs in tokens and answers do not follow what a request says of its host."""
    honest = target.session()
    genuine = {kind: honest.token(kind).jwt for kind in Kind}
    headers = (
        ("X-Forwarded-Host", CANARY), ("X-Forwarded-Server", CANARY), ("X-Original-Host", CANARY),
        ("X-Host", CANARY), ("Forwarded", f"host={CANARY};proto=https"),
    )  # fmt: skip
    case = "a login with X-Forwarded-Host, Forwarded and the like"
    exchange, session = target.target.try_login(target.account, headers=headers)
    if not _is_refused(target, case, exchange):
        tokens = [session.access, session.refresh] if session else []
        _stays(target, case, exchange, tokens, genuine)
    # The password does not go to whoever answers to a made-up name; a refresh token that can be spared does.
    for route in target.refresh_routes:
        own = session if session and session.is_complete else target.new_session()
        case = "a refresh with another Host"
        shown = own.token(route.wants).value
        exchange = target.send(route.present(shown, own, headers=(("Host", CANARY),)))
        if not _is_refused(target, case, exchange):
            target.target.take_over(own, exchange)
            stays = _stays(target, case, exchange, [own.access, own.refresh], genuine)
            if stays and not (own.ended or target.findings):
                target.target.keep_for_later(own)
    for path in filter(None, (*METADATA, target.profile.capabilities.jwks)):
        for name in ("Host", "X-Forwarded-Host"):
            exchange = target.send(Request("GET", path, ((name, CANARY),)))
            if exchange.response.is_success and exchange.response.json is not None:
                _stays(target, f"{path} with another {name}", exchange, [], genuine)


def _is_refused(target: Trial, case: str, exchange: Exchange) -> bool:
    """Whether a request that names another host was answered without tokens; which is fine, but for a 5xx."""
    if exchange.response.is_success:
        return False
    status = exchange.response.status
    target.expect(
        not target.crashed(exchange),
        case,
        expected="an ordinary answer, or a refusal such as 400 or 421",
        observed=f"status {status}",
        shown_by=[(case, exchange)],
    )
    return True


def _stays(target: Trial, case: str, exchange: Exchange, tokens: list[Token], genuine: dict[Kind, Jwt | None]) -> bool:
    """Whether nothing in an answer, and in the tokens that it gives, follows the host that the request has named."""
    problems = []
    for token in tokens:
        parts, usual = token.jwt, genuine[token.kind]
        if parts is None or usual is None:
            continue
        problems += [
            f"{claim} of the {token.kind} token is {parts.claims.get(claim)!r}"
            for claim in ("iss", "aud")
            if parts.claims.get(claim) != usual.claims.get(claim)
        ]
        if not problems and CANARY in f"{parts.header}{parts.claims}":
            problems.append(f"the {token.kind} token names {CANARY}")
    answer = exchange.response
    if CANARY in answer.text or any(CANARY in value for _, value in answer.headers):
        problems.append(f"the answer names {CANARY}")
    return target.expect(
        not problems,
        case,
        expected="the same issuer, audience and addresses as ever",
        observed="; ".join(problems),
        shown_by=[(case, exchange)],
        certain=True,
    )


def test_claim_10(target: Trial) -> None:
    """A new account does not inherit the tokens of a deleted one that had its name."""
    found = removed(target, DELETED)
    if isinstance(found, HookError):
        raise found
    account = target.provisioner.create(username=found.account.username)
    for door in target.one_of_each:
        kind = door.wants
        request = door.present(found.session.token(kind).value, found.session)
        case = f"the {kind} token of a deleted account, once there is a new one of the same name"
        if kind in found.dead:
            with target.bracket(door) as bracket:
                bracket.refuses(case, request)
            continue
        # It had outlived its account before; whether it is now the new one's shows in whom the tokens name.
        old, new = found.session.token(kind).jwt, target.target.login(account).token(kind).jwt
        exchange = target.send(request)
        target.expect(
            not door.bought(exchange.request, exchange.response)
            or (old is not None and new is not None and old.claims.get("sub") != new.claims.get("sub")),
            case,
            expected="a refusal, or another sub in the tokens of the new account",
            observed=f"accepted: {door.label} answered {exchange.response.status}, and nothing tells the old account"
            " from the new one",
            shown_by=[(case, exchange)],
            certain=True,
        )
        target.remark(f"the {kind} token outlives its account (see REVOKE-07)")
