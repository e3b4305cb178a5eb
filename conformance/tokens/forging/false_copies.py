"""What names the same session as a genuine token and is worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.tokens import keys
from conformance.tokens.forging.table import encoded, flipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.tokens.reading import Jwt


def _broken_signature(token: Jwt, _now: float) -> str | None:
    header, payload, signature = token.segments
    return f"{header}.{payload}.{flipped(signature)}" if len(signature) > 2 else None  # noqa: PLR2004 - a middle


def _no_signature(token: Jwt, _now: float) -> str | None:
    header, payload, signature = token.segments
    return f"{header}.{payload}." if signature else None


def _unsigned(token: Jwt, _now: float) -> str | None:
    return f"{encoded({**token.header, 'alg': 'none'})}.{token.segments[1]}."


def _self_signed(token: Jwt, _now: float) -> str | None:
    if not keys.can_sign(token.algorithm):
        return None
    return keys.sign(token.header, token.claims, keys.foreign_key_for(token.algorithm), token.algorithm)


def _over(token: Jwt, now: float) -> str | None:
    header, _, signature = token.segments
    return f"{header}.{encoded({**token.claims, 'exp': int(now) - 3600})}.{signature}"


FALSE_COPIES: Final[dict[str, Callable[[Jwt, float], str | None]]] = {
    "a character of the signature changed": _broken_signature,
    "an empty signature": _no_signature,
    "alg none": _unsigned,
    "the signature of another key": _self_signed,
    "an end that has passed and the old signature": _over,
}
"""ROTATE-07: what names the same session as a genuine token and is worth nothing; None where it cannot be made.

The functions take the genuine token and the target's time.
"""
