"""A correct verifier refuses every forgery, for want of a good signature."""

from __future__ import annotations

import jwt
import pytest

from conformance.tokens.forging import TABLE, broken_copies
from tests.conformance.tokens.issuer import ALGORITHMS, issuer

SIGNED_BY_OTHERS = ("SIG-01", "SIG-02", "SIG-03", "SIG-05", "SIG-06", "SIG-08", "SIG-11", "SIG-12", "SIG-15", "SIG-17")
"""What any library refuses. The rest need the signing key, a listener, or a stricter decoder than PyJWT's."""
NOT_CHOSEN = "n - s for s"


def refusal(token: str, algorithm: str) -> type[Exception] | None:
    """Why a correct verifier refuses the token; None where it accepts it."""
    try:
        jwt.decode(token, issuer(algorithm).public, algorithms=[algorithm])
    except jwt.PyJWTError as error:
        return type(error)
    return None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_genuine_token_is_accepted(algorithm: str) -> None:
    """The verifier of these tests accepts what the issuer signed, so that its refusals mean something."""
    material = issuer(algorithm).material()

    assert refusal(".".join(material.token.segments), algorithm) is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", SIGNED_BY_OTHERS)
def test_every_forgery_is_refused_for_its_signature(name: str, algorithm: str) -> None:
    """With the right key and one algorithm a row is refused for its form, algorithm or signature, not its claims."""
    for case, forged in TABLE[name].every(issuer(algorithm).material()):
        if NOT_CHOSEN in case:
            continue
        reason = refusal(forged, algorithm)
        known = {jwt.DecodeError, jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidTokenError}
        assert reason in known, case


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_broken_copy_is_refused(algorithm: str) -> None:
    """A copy with one character changed does not verify; the character is never one that base64url leaves unused."""
    for case, copy in broken_copies(".".join(issuer(algorithm).material().token.segments)):
        assert refusal(copy, algorithm), case
