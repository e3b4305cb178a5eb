"""Published keys."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.published import (
    NO_KEY_PAIR,
    has_key_pair,
    jwks_path,
    key_sets,
    keys_in,
    known_keys,
    metadata,
    public_path,
    published_keys,
)
from conformance.target.http import Exchange, Request
from conformance.tokens.key_strength import ADVISED_RSA_BITS, LEAST_RSA_BITS, missing_members, weaknesses
from conformance.tokens.keys import verifies
from conformance.tokens.public_keys import public_key
from conformance.tokens.reading import HMAC_ALGORITHMS, Jwt

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

MOST_WEIGHED: Final = 100
"""So many published keys are looked at for weaknesses, each beside all others."""
JWK_SET_TYPE: Final = "application/jwk-set+json"
SAME_ALGORITHM: Final = {"EdDSA": ("Ed25519", "Ed448"), "Ed25519": ("EdDSA",), "Ed448": ("EdDSA",)}
"""RFC 9864 gave the two curves names of their own."""
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})


def _key_set(target: Trial) -> list[Exchange]:
    """The published sets; untested where there is none, or none that can be read."""
    found = [exchange for exchange in key_sets(target) if keys_in(exchange)]
    if not found:
        if not has_key_pair(target):
            target.not_applicable(NO_KEY_PAIR)
        problems = "; ".join(known_keys(target).problems)
        target.untested(problems or "no key set was found", give="the JWK Set's path as capabilities.jwks")
    return found


def test_jwks_01(target: Trial) -> None:
    """The key set can be read by anyone, and each of its keys is complete and has a name of its own."""
    declared = target.profile.capabilities.jwks
    sets = [exchange for exchange in key_sets(target) if keys_in(exchange) or _is_declared(exchange, declared)]
    if not sets:
        _key_set(target)
    for exchange in sets:
        answers = [exchange, target.send(Request("GET", exchange.request.path, (("Accept", JWK_SET_TYPE),)))]
        for answer in answers:
            how = dict(answer.request.headers).get("Accept", "anything")
            shown_by = [("key set", answer)]
            status, keys = answer.response.status, keys_in(answer)
            if answer is not exchange and status == HTTPStatus.NOT_ACCEPTABLE:
                target.remark(f"the set is not given to who accepts {JWK_SET_TYPE} only")
                continue
            if not target.expect(
                keys or _is_empty_set(answer),
                f"{answer.request.path}, asked for {how}",
                expected="a JWK Set: an object whose member keys is a list",
                observed=f"status {status}" + (", and no JWK Set" if answer.response.is_success else ""),
                shown_by=shown_by,
                certain=answer.response.is_success,
            ):
                continue
            problems = [f"key {index + 1} {problem}" for index, key in enumerate(keys) for problem in _flaws(key)]
            problems += [f"two {kty} keys are named {kid!r}" for kty, kid in _repeated(keys)]
            target.expect(
                not problems,
                f"the keys at {answer.request.path}, asked for {how}",
                expected="complete keys with names of their own",
                observed="; ".join(problems),
                shown_by=shown_by,
                certain=True,
            )
            media_type = (answer.response.header("Content-Type") or "").partition(";")[0].strip().lower()
            if media_type not in {JWK_SET_TYPE, "application/json"}:
                target.remark(f"the set is served as {media_type or 'nothing in particular'}, not as {JWK_SET_TYPE}")


def _is_declared(exchange: Exchange, declared: str) -> bool:
    """Whether the profile promises a set there, and something is there, if only a refusal."""
    return exchange.request.path == declared and exchange.response.status != HTTPStatus.NOT_FOUND


def _is_empty_set(answer: Exchange) -> bool:
    data = answer.response.json
    return answer.response.is_success and isinstance(data, dict) and data.get("keys") == []


def _flaws(key: dict[str, Any]) -> list[str]:
    flaws = [f"lacks {name}" for name in missing_members(key)]
    uses, operations = key.get("use"), key.get("key_ops")
    if uses == "sig" and isinstance(operations, list) and operations and "verify" not in operations:
        flaws.append("is for signatures by its use, and not by its key_ops")
    return flaws


def _repeated(keys: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Names that several keys of one kind have; of two kinds they may be alternatives (RFC 7517 §4.5)."""
    named = Counter((str(key.get("kty")), str(key["kid"])) for key in keys if "kid" in key)
    return [name for name, count in named.items() if count > 1]


def test_jwks_02(target: Trial) -> None:
    """No place where keys are published holds private or symmetric key material."""
    # That nothing is found there shows something only of a server that answers at all.
    with target.bracket(target.protected_routes[0]):
        found = key_sets(target)
    for exchange in found:
        private = sorted({name for key in keys_in(exchange) for name in PRIVATE_MEMBERS & set(key)})
        symmetric = any(key.get("kty") == "oct" for key in keys_in(exchange))
        for name in private:
            for key in keys_in(exchange):
                if isinstance(key.get(name), str):
                    target.target.redactor.add(key[name], "private key material")
        target.expect(
            not private and not symmetric,
            f"the keys at {exchange.request.path}",
            expected="public keys, or nothing",
            observed=f"members of a private key: {', '.join(private)}" if private else "a symmetric key",
            shown_by=[("key set", exchange)],
        )


def test_jwks_03(target: Trial) -> None:
    """Access tokens of the login and of the refresh verify with the one published key that their header points to."""
    session = target.session()
    logged_in = target.target.first_session or session
    issued, shown_by = {"login": logged_in.access}, {"login": logged_in.login}
    shown_by["refresh"] = target.target.refresh(session)
    issued["refresh"] = session.access
    if not any(token.jwt and token.jwt.algorithm not in HMAC_ALGORITHMS for token in issued.values()):
        target.not_applicable("no access token is signed with a key pair")
    _key_set(target)
    for where, token in issued.items():
        if token.jwt is None:
            continue
        problem = _unverified(token.jwt, published_keys(target))
        target.expect(
            not problem,
            f"the access token of the {where}",
            expected="one published key that its kid and alg point to, and that verifies it",
            observed=problem,
            shown_by=[(where, shown_by[where]), *(("key set", one) for one in _key_set(target)[:1])],
        )


def _unverified(token: Jwt, keys: list[dict[str, Any]]) -> str:
    """Why a stranger cannot verify the token with these keys; an empty string where one can."""
    usable = [key for key in keys if key.get("use") != "enc" and public_key(key) is not None]
    kid = token.header.get("kid")
    chosen = usable if kid is None else [key for key in usable if key.get("kid") == kid]
    if kid is not None and not chosen:
        return "no usable key has the token's kid"
    good = [key for key in chosen if verifies(token, public_key(key))]
    if not good:
        return "the key that its kid names does not verify it" if kid is not None else "no published key verifies it"
    if kid is None and len(usable) > 1:
        return f"it has no kid, and {len(usable)} keys are published"
    stated = {key["alg"] for key in good if "alg" in key}
    accepted = {token.algorithm, *SAME_ALGORITHM.get(token.algorithm, ())}
    return "" if stated <= accepted else f"its alg is {token.algorithm}, and the key is for {', '.join(stated)}"


def test_jwks_04(target: Trial) -> None:
    """No published key is weak, and none is an example that everybody has."""
    sets = _key_set(target)
    published = published_keys(target)
    keys = published[:MOST_WEIGHED]
    for index, key in enumerate(keys):
        found = list(weaknesses(key, [other for other in keys if other is not key]))
        target.expect(
            not found,
            f"key {index + 1}, {key.get('kty')} {key.get('kid', 'without a kid')!r}",
            expected="a key of at least 128 bits of security that nobody else has made",
            observed="; ".join(found),
            shown_by=[("key set", sets[0])],
            certain=True,
        )
        bits = len(str(key.get("n") or "")) * 6
        if LEAST_RSA_BITS <= bits < ADVISED_RSA_BITS - 8:
            target.remark(f"an RSA key has fewer than {ADVISED_RSA_BITS} bits")
    if len(published) > len(keys) and not target.findings:
        target.inconclusive(
            f"{len(published)} keys are published; the first {len(keys)} are sound, and no more are looked at"
        )


def test_jwks_05(target: Trial) -> None:
    """The server's own description names the issuer that its tokens name, and the set that their key is in."""
    described = {one.request.path: one for one in metadata(target) if isinstance(_issuer(one), str)}
    if not described:
        broken = [
            f"{one.request.path} answered {one.response.status}" for one in metadata(target) if target.crashed(one)
        ]
        target.not_applicable("; ".join(["the server offers no metadata", *broken]))
    tokens = [token for token in (target.session().access, target.session().refresh) if token.jwt]
    named = {str(token.jwt.claims["iss"]) for token in tokens if token.jwt and "iss" in token.jwt.claims}
    for path, exchange in described.items():
        issuer = _issuer(exchange)
        target.expect(
            named <= {issuer},
            f"the issuer of {path} and of the tokens",
            expected="the same text, character by character",
            observed=f"{issuer!r} there, {' and '.join(map(repr, sorted(named)))} in the tokens",
            shown_by=[("metadata", exchange)],
            certain=True,
        )
        problem = _unreachable_keys(target, exchange)
        target.expect(
            not problem,
            f"the jwks_uri of {path}",
            expected="the key set that holds the tokens' key",
            observed=problem,
            shown_by=[("metadata", exchange)],
        )
        if issuer.rstrip("/") != target.target.client.base_url:
            # Behind a proxy, or on a developer's machine, the two differ rightly.
            target.remark(f"the issuer is {issuer!r}, and the server was reached at another URL")
    target.expect(
        len({_issuer(one) for one in described.values()}) == 1,
        "the issuers of the two descriptions",
        expected="one and the same",
        observed=" and ".join(repr(_issuer(one)) for one in described.values()),
        shown_by=[("metadata", one) for one in described.values()],
        certain=True,
    )


def _issuer(exchange: Exchange) -> Any:
    data = exchange.response.json
    return data.get("issuer") if exchange.response.is_success and isinstance(data, dict) else None


def _unreachable_keys(target: Trial, exchange: Exchange) -> str:
    """Why the document's `jwks_uri` does not lead to the tokens' key; an empty string where it does."""
    uri = exchange.response.json.get("jwks_uri")
    if uri is None:
        return ""  # RFC 8414 §2: it is optional.
    path = jwks_path(target, exchange) or public_path(uri)
    if not path:
        return f"it is {uri!r}, which is no URL"
    answer = target.send(Request("GET", path))
    keys = keys_in(answer)
    if not keys:
        return f"{path} answers {answer.response.status} without keys"
    token = target.session().access.jwt
    if token is None or token.algorithm in HMAC_ALGORITHMS:
        return ""
    # That no published key at all verifies it is JWKS-03's finding.
    good = [key for key in published_keys(target) if verifies(token, public_key(key))]
    return "" if not good or any(key in keys for key in good) else "the access token's key is published elsewhere only"
