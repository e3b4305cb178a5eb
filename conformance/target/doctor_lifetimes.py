"""What a login's answer says of its tokens' lives, and whether the profile has it read as it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.target.doctor_lines import Line
from conformance.target.places import dig
from conformance.target.session import stated_lifetime_s
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Login, Refresh
    from conformance.target.session import Session

LONGEST_S: Final = 20 * 366 * 24 * 3600
"""What reads as a longer life is a moment, or counts milliseconds."""
TOLERANCE_S: Final = 60
"""Servers round, and state a life without their leeway."""


def doubts(profile: Profile, door: str, answer: Any, session: Session) -> Iterator[Line]:
    """A line for each lifetime that is not where the profile says, or cannot be meant so.

    Args:
        profile: how the target speaks.
        door: `login` or `refresh`.
        answer: what came back.
        session: the tokens that it gave.
    """
    where: Login | Refresh = getattr(profile, door)
    for kind, name in ((Kind.ACCESS, "expires_in"), (Kind.REFRESH, "refresh_expires_in")):
        place, token = getattr(where, name), session.token(kind)
        value = dig(answer.json, place) if place else None
        if value is None:
            if place and place != name and token.value:
                yield Line(
                    f"the answer to a {door} says nothing of the {kind} token's life at {place!r}",
                    f"set {door}.{name} in the target profile",
                )
            continue
        seconds = stated_lifetime_s(value, where.expiry, token.received_at)
        problem = _problem(seconds, token.jwt.lifetime_s if token.jwt else None)
        if problem:
            yield Line(
                f"the answer to a {door} holds {value!r} at {place!r}, which read as {where.expiry} {problem}",
                f"set {door}.expiry, or {door}.{name}, in the target profile",
            )


def _problem(seconds: float | None, own: float | None) -> str:
    """What is odd about a stated life, the token's own word being the other; an empty string where nothing is."""
    if seconds is None:
        return "means nothing"
    if not 0 < seconds < LONGEST_S:
        return f"is a life of {seconds:.0f} s"
    # Some servers misstate a life: that is for a scenario to say. A wrong unit is out by a factor of many.
    if own and abs(seconds - own) > TOLERANCE_S and not 1 / 100 < seconds / own < 100:  # noqa: PLR2004
        return f"is a life of {seconds:.0f} s, while the token's own word is {own:.0f} s"
    return ""
