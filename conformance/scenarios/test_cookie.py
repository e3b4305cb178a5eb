"""Tokens in cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial


def test_cookie_09(target: Trial) -> None:
    """The refresh token is not accepted in the access cookie, nor the access token in the refresh cookie."""
    if target.profile.transport != "cookie":
        target.not_applicable("tokens do not travel in cookies")
    for door in target.token_doors:
        other = Kind.REFRESH if door.wants is Kind.ACCESS else Kind.ACCESS
        with target.bracket(door) as bracket:
            session = bracket.session
            swapped = door.present(session.token(other).value, session, proof_of=other)
            bracket.refuses(f"the {other} token in the {door.wants} cookie, at {door.label}", swapped)
