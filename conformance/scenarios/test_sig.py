"""Signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.scenarios.published import published_keys
from conformance.tokens.forging import TABLE, Material
from conformance.tokens.reading import Kind, b64url_decode
from conformance.tokens.weak_secrets import find_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor, RefreshDoor
    from conformance.tokens.reading import Jwt, Token

RECOGNISED: Final = frozenset(
    {f"{family}{bits}" for family in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512)}
    | {"EdDSA", "Ed25519", "Ed448", "ES256K"}
)
ECDSA_SIGNATURES: Final = 20


def _material(target: Trial, kind: Kind) -> Material:
    """Genuine tokens of the kind, for a forger to start from."""
    session = target.session()
    token, opposite = (
        session.token(kind).jwt,
        session.token(Kind.REFRESH if kind is Kind.ACCESS else Kind.ACCESS).jwt,
    )
    earlier = target.target.first_session
    other = earlier.token(kind).jwt if earlier else None
    assert token is not None
    victim: object = "somebody-else"
    if target.target.second_account:
        stranger = target.session(target.second_account).access.jwt
        victim = stranger.claims.get("sub", victim) if stranger else victim
    elif not isinstance(token.claims.get("sub"), str):
        victim = 1
    pem = target.target.public_key_pem
    return Material(
        token,
        other if other and other.segments != token.segments else token,
        opposite,
        victim,
        tuple(published_keys(target)) if target.session().access.jwt else (),
        (pem.encode(),) if pem else (),
        target.clock.now(),
    )


def _refuses_forgeries(target: Trial, doors: list[ProtectedDoor | RefreshDoor]) -> None:
    """No forgery of the scenario's row of the table buys anything at any of the doors."""
    for door in doors:
        with target.bracket(door) as bracket:
            material = _material(target, door.wants)
            for name, forged in TABLE[target.requirement.id](material):
                if forged not in target.target.honest_values:
                    bracket.refuses(f"{name}, at {door.label}", bracket.token(forged))


def test_sig_01(target: Trial) -> None:
    """A token whose content or signature was altered buys nothing."""
    _refuses_forgeries(target, target.jwt_doors())


def test_sig_02(target: Trial) -> None:
    """An unsigned token, however `none` is spelt, buys nothing."""
    _refuses_forgeries(target, target.jwt_doors())


def test_sig_03(target: Trial) -> None:
    """A token signed with a key that the server does not own buys nothing."""
    _refuses_forgeries(target, target.jwt_doors())


def test_sig_04(target: Trial) -> None:
    """The HMAC secret is not one that everybody knows."""
    session = target.session()
    symmetric = [token for kind in Kind if (token := session.token(kind)).jwt and token.jwt.algorithm.startswith("HS")]
    if not symmetric:
        target.not_applicable("no token is signed with an HMAC secret")
    for token in symmetric:
        assert token.jwt is not None
        secret = find_secret(token.jwt, guesses=_guesses(target, token))
        if secret is not None:
            target.target.redactor.add(secret, "signing key")
        target.expect(
            secret is None,
            f"the secret behind the {token.kind} token",
            expected="a secret that is in no list: at least 32 random bytes",
            observed=f"a well-known secret of {len(secret or '')} characters: anybody can sign tokens for any user",
            shown_by=[("login", session.login)],
        )
    if (minter := target.target.minter) and isinstance(minter.key, bytes):
        enough = int(minter.algorithm[2:]) // 8
        if len(minter.key) < enough:
            target.remark(f"the secret has {len(minter.key)} bytes; {minter.algorithm} wants {enough} (RFC 7518 §3.2)")


def _guesses(target: Trial, token: Token) -> Iterator[str]:
    """What a forger would try for this target in particular."""
    host = target.target.client.base_url.partition("://")[2]
    yield from (host, host.partition(":")[0], target.account.username)
    if token.jwt:
        yield from (str(token.jwt.claims[name]) for name in ("iss", "aud", "sub") if name in token.jwt.claims)


def test_sig_05(target: Trial) -> None:
    """The server's public key is never accepted as an HMAC secret."""
    doors = [door for door in target.jwt_doors() if not _algorithm(target, door.wants).startswith("HS")]
    if not doors:
        target.not_applicable("tokens are signed with an HMAC secret, so there is no public key")
    if not published_keys(target) and not target.target.public_key_pem:
        target.untested(
            "the public key is not known",
            give="--public-key @FILE, or the JWK Set's path as capabilities.jwks",
        )
    _refuses_forgeries(target, doors)


def _algorithm(target: Trial, kind: Kind) -> str:
    parts = target.session().token(kind).jwt
    return parts.algorithm if parts else ""


def test_sig_06(target: Trial) -> None:
    """A key or certificate carried inside a token is never trusted."""
    _refuses_forgeries(target, target.jwt_doors())


def test_sig_18(target: Trial) -> None:
    """Every issued JWT is signed with one current algorithm per kind, and no ECDSA nonce is used twice."""
    session = target.new_session()
    logged_in = session.login
    issued: dict[Kind, list[Token]] = {kind: [session.token(kind)] for kind in Kind}
    if target.target.first_session:
        for kind in Kind:
            issued[kind].append(target.target.first_session.token(kind))
    target.target.refresh(session)
    while _wants_more(issued) and not session.ended:
        for kind in Kind:
            issued[kind].append(session.token(kind))
        target.target.refresh(session)
    if not any(token.jwt for tokens in issued.values() for token in tokens):
        target.not_applicable("the tokens are no JWTs")
    for kind, tokens in issued.items():
        algorithms = sorted({token.jwt.algorithm for token in tokens if token.jwt})
        if algorithms:
            target.expect(
                len(algorithms) == 1 and algorithms[0] in RECOGNISED,
                f"the algorithm of {kind} tokens",
                expected="one and the same recognised algorithm",
                observed=" and ".join(algorithm or "none given" for algorithm in algorithms),
                shown_by=[("login", logged_in)],
            )
    signed = {token.value: token.jwt for tokens in issued.values() for token in tokens if token.jwt}
    halves = [_r_of(parts) for parts in signed.values() if parts.algorithm.startswith("ES")]
    if halves:
        target.expect(
            len(set(halves)) == len(halves),
            f"the r values of {len(halves)} ECDSA signatures",
            expected="each is used once",
            observed="one is used twice, which gives the private key away",
            shown_by=[("login", logged_in)],
        )


def _r_of(token: Jwt) -> bytes:
    """The first half of an ECDSA signature (RFC 7518 §3.4)."""
    signature = b64url_decode(token.segments[2])
    return signature[: len(signature) // 2]


def _wants_more(issued: dict[Kind, list[Token]]) -> bool:
    """Whether there are too few signatures yet: two of each kind, and of ECDSA twenty in all."""
    tokens = [token for kind in Kind for token in issued[kind]]
    if any(token.jwt and token.jwt.algorithm.startswith("ES") for token in tokens):
        return len({token.value for token in tokens}) < ECDSA_SIGNATURES and len(tokens) < 4 * ECDSA_SIGNATURES
    return len(issued[Kind.ACCESS]) < 3  # noqa: PLR2004 - two logins and a refresh
