"""Signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from conformance.scenarios.costs import cost, costs_nothing, is_slow
from conformance.scenarios.forgeries import material, refuses_forgeries
from conformance.scenarios.published import NO_KEY_PAIR, known_keys, require_key
from conformance.target.canary import PATIENCE_S, canary
from conformance.tokens.forging.foreign_keys import DELAYS, delaying
from conformance.tokens.forging.heavy import BOMB_SIZES, ITERATIONS, bombs, giants, iterating
from conformance.tokens.reading import Kind, b64url_decode
from conformance.tokens.weak_secrets import find_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.tokens.reading import Jwt, Token

RECOGNISED: Final = frozenset(
    {f"{family}{bits}" for family in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512)}
    | {"EdDSA", "Ed25519", "Ed448", "ES256K"}
)
ECDSA_SIGNATURES: Final = 20
DELAY_S: Final = 2
SLOW_S: Final = 1.0


def test_sig_01(target: Trial) -> None:
    """A token whose content or signature was altered buys nothing."""
    refuses_forgeries(target)


def test_sig_02(target: Trial) -> None:
    """An unsigned token, however `none` is spelt, buys nothing."""
    refuses_forgeries(target)


def test_sig_03(target: Trial) -> None:
    """A token signed with a key that the server does not own buys nothing."""
    refuses_forgeries(target)


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
        target.not_applicable(NO_KEY_PAIR)
    require_key(target)
    refuses_forgeries(target, doors)


def _algorithm(target: Trial, kind: Kind) -> str:
    parts = target.session().token(kind).jwt
    return parts.algorithm if parts else ""


def test_sig_06(target: Trial) -> None:
    """A key or certificate carried inside a token is never trusted."""
    refuses_forgeries(target)


@pytest.mark.waits("a moment")
def test_sig_07(target: Trial) -> None:
    """A URL in a token is neither trusted as a source of keys nor fetched."""
    doors = target.jwt_doors()
    if not target.target.canary_host:
        target.untested("this needs a listener that the target can reach", give="--canary-host")
    with canary(target.target.canary_host) as listener:
        refuses_forgeries(target, doors, canary=listener.url)
        if not listener.contacts:
            target.clock.let_pass(PATIENCE_S)
        seen = list(dict.fromkeys(listener.contacts))
        target.expect(
            not seen,
            "a URL in the token that leads to the suite's own listener",
            expected="nobody calls there",
            observed=f"the target called: {', '.join(seen)}",
            certain=True,
        )


def test_sig_08(target: Trial) -> None:
    """A hostile `kid` selects no key, reads no file and runs no query or command."""
    doors = target.jwt_doors()
    refuses_forgeries(target, doors, cleanly=True)
    with target.bracket(doors[0]) as bracket:
        genuine = material(target, doors[0].wants)
        for name, kid in DELAYS.items():
            request = bracket.token(delaying(genuine, kid.format(s=DELAY_S)))
            first = cost(target, request)
            target.expect(
                not is_slow(target, bracket, request, first, DELAY_S * 0.9, usual=delaying(genuine, "x")),
                f"a kid that would make {name} wait for {DELAY_S} s, at {doors[0].label}",
                expected="an answer as quick as any",
                observed=f"{first.seconds:.1f} s",
                shown_by=[("probe", first.exchange)] if first.exchange else [],
            )


def test_sig_09(target: Trial) -> None:
    """The right key under another algorithm opens nothing."""
    doors = target.jwt_doors()
    target.minter  # noqa: B018 - untested without one
    refuses_forgeries(target, doors, nothing_with="with a key that serves one algorithm only")


def test_sig_10(target: Trial) -> None:
    """A correctly signed token that lists a critical header nobody knows opens nothing."""
    doors = target.jwt_doors()
    target.minter  # noqa: B018 - as above
    refuses_forgeries(target, doors)


def test_sig_11(target: Trial) -> None:
    """A genuine token in a JSON serialisation, or in something that is both, opens nothing."""
    refuses_forgeries(target)


def test_sig_12(target: Trial) -> None:
    """A genuine token with parts missing, added or appended opens nothing, and breaks nothing."""
    refuses_forgeries(target, cleanly=True)


def test_sig_13(target: Trial) -> None:
    """A genuine token in another spelling than strict base64url opens nothing."""
    refuses_forgeries(target, suits=lambda token: bool({"-", "_"} & set(token.segments[2])))


def test_sig_14(target: Trial) -> None:
    """A token whose header or claims are not one unambiguous JSON object opens nothing, and breaks nothing."""
    doors = target.jwt_doors()
    target.minter  # noqa: B018 - as above
    refuses_forgeries(target, doors, cleanly=True)


def test_sig_15(target: Trial) -> None:
    """Claims encrypted to the server's public key, in place of being signed, open nothing."""
    doors = target.jwt_doors()
    require_key(target)
    refuses_forgeries(target, doors, nothing_with="with a key that can only sign")


def test_sig_16(target: Trial) -> None:
    """A token that asks for a long computation or swells when unpacked is refused as quickly as any."""
    door = target.jwt_doors()[0]
    with target.bracket(door) as bracket:
        known = known_keys(target)
        genuine = material(target, door.wants, published=known.jwks, pem_files=known.pem_files)
        for makes, sizes, by_s in ((iterating, ITERATIONS, SLOW_S), (bombs, BOMB_SIZES, SLOW_S / 2)):
            # The second size only of those that took the first one well.
            hurt: set[int] = set()
            for size in sizes:
                for index, (case, token) in enumerate(makes(genuine, size)):
                    usual = "x" * len(token)
                    if index not in hurt and not costs_nothing(target, bracket, case, token, by_s, usual=usual):
                        hurt.add(index)


def test_sig_17(target: Trial) -> None:
    """An ECDSA signature that nobody can have made, or in another encoding, opens nothing."""
    doors = [door for door in target.jwt_doors() if _algorithm(target, door.wants).startswith("ES")]
    if not doors:
        target.not_applicable("no token is signed with ECDSA")
    refuses_forgeries(target, doors)


def test_sig_18(target: Trial) -> None:
    """Every issued JWT is signed with one current algorithm per kind, and no ECDSA nonce is used twice."""
    session = target.honest_session()
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


def test_sig_19(target: Trial) -> None:
    """A giant token, or one with thousands of dots, is refused quickly, and the target answers as before."""
    door = target.jwt_doors()[0]
    with target.bracket(door) as bracket:
        for case, token, small in giants(material(target, door.wants)):
            costs_nothing(target, bracket, case, token, SLOW_S, usual=small)


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
