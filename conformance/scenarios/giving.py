"""What an answer says of the tokens that it gives, and what many of them give away together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.target.places import dig
from conformance.target.session import stated_lifetime_s
from conformance.tokens.randomness import ENOUGH, variation
from conformance.tokens.reading import read_jwt

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.profile_tables import Login, Refresh
    from conformance.tokens.reading import Kind, Token

TOLERANCE_S: Final = 5.0
LEAST_BITS: Final = 64
"""NIST SP 800-63B-4 §5.1; RFC 6749 §10.10 and ASVS 5.0 V7.2.3 want 128, which a random UUID misses by a little."""
WANTED_BITS: Final = 120
GUESSABLE: Final = ("a number", "UUIDs of version")


def told(answer: Any, where: Login | Refresh) -> tuple[Any, Any]:
    """What an answer's JSON says of its access token, beside it: the type and the lifetime; None for what is absent."""
    around = where.access.rpartition(".")[0]
    beside = dig(answer, around) if around else answer
    names = ("token_type", "tokenType")
    kind = next((beside[name] for name in names if name in beside), None) if isinstance(beside, dict) else None
    return kind, dig(answer, where.expires_in)


def misstated(lifetime: Any, token: Token, expiry: str = "seconds") -> str:
    """What is wrong with a token's stated lifetime, in words; an empty string where nothing is.

    Args:
        lifetime: what the answer says.
        token: the token.
        expiry: what the profile calls it: seconds, or the moment of the end.
    """
    if lifetime is None:
        return "none"
    seconds = stated_lifetime_s(lifetime, expiry, token.received_at)
    if seconds is None or seconds <= 0:
        return repr(lifetime)
    end, start = (token.jwt.number("exp"), token.jwt.number("iat")) if token.jwt else (None, None)
    # By its own word, or by the clock: a token may be issued with an `iat` that lies a little back.
    lives = [end - moment for moment in (start, token.received_at) if moment is not None] if end is not None else []
    if lives and all(abs(seconds - life) > TOLERANCE_S for life in lives):
        return f"{seconds:.0f}, though the token lives {lives[0]:.0f} s"
    return ""


def given_tokens(target: Trial, kind: Kind) -> list[str]:
    """The different tokens of that kind that the target has given in this run, in their order."""
    return [value for value, name in target.target.honest_values.items() if name == f"{kind.upper()}_TOKEN" and value]


def judge_strings(target: Trial, kind: Kind, opaque: list[str]) -> None:
    """Claims that opaque tokens cannot be guessed."""
    if len(opaque) < ENOUGH:
        target.inconclusive(f"there are only {len(opaque)} different {kind} tokens to compare (see LOGIN-04)")
    seen = variation(opaque)
    target.expect(
        seen.bits >= LEAST_BITS and not seen.pattern.startswith(GUESSABLE),
        f"{len(opaque)} {kind} tokens",
        expected=f"strings that vary in {LEAST_BITS} bits at least, without a counter or a clock in them",
        observed=f"they vary in {seen.bits} bits" + (f": {seen.pattern}" if seen.pattern else ""),
        certain=True,
    )
    if LEAST_BITS <= seen.bits < WANTED_BITS or seen.pattern == "random UUIDs":
        words = f" ({seen.pattern})" if seen.pattern else ""
        target.remark(f"{kind} tokens vary in about {seen.bits} bits{words}; RFC 6749 §10.10 wants 128")


def judge_ids(target: Trial, kind: Kind, signed: list[str]) -> None:
    """Claims that the ids of JWTs vary; that they can be guessed is only told, since a signature is around them."""
    found = [parts.claims["jti"] for value in signed if (parts := read_jwt(value)) and "jti" in parts.claims]
    ids = list(dict.fromkeys(map(str, found)))
    if len(ids) < ENOUGH:
        target.remark(f"the {kind} tokens are signed, and too few have ids of their own to compare")
        return
    seen = variation(ids)
    words = seen.pattern if seen.pattern.startswith(GUESSABLE) else f"{seen.bits} bits vary"
    if seen.bits >= LEAST_BITS and words != seen.pattern:
        target.expect(holds=True, case=f"the ids of the {kind} tokens", expected="ids that vary", observed=words)
    else:
        target.target.policy[f"ids of {kind} tokens"] = words
        target.remark(f"the ids of the {kind} tokens can be guessed ({words}), though not the signature around them")
