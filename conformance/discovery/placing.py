"""From tokens that were found in an answer to the places that a profile names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance.discovery import login_ideas
from conformance.discovery.harvest import csrf_names
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.discovery.harvest import Find
    from conformance.discovery.login_ideas import LoginIdea
    from conformance.target.http import Response
    from conformance.target.profile import Profile

CSRF_HEADERS: Final = {"XSRF-TOKEN": "X-XSRF-TOKEN", "csrftoken": "X-CSRFToken"}
"""The header that goes with a cookie of that name, where it is not the usual X-CSRF-TOKEN."""


def fitting(idea: LoginIdea, answer: Response) -> tuple[Profile, ...]:
    """The shipped profiles that log in like this, and find their access token in the answer."""
    alike = [preset for preset in login_ideas.presets() if login_ideas.of_preset(preset).key == idea.key]
    return tuple(each for each in alike if isinstance(each.found_in(each.login, Kind.ACCESS).read(answer), str))


def ranked(finds: Sequence[Find], kind: Kind, presets: Iterable[Profile], answer: Response) -> list[Find]:
    """Those first that stand where a preset has them; before all, one that finds everything it looks for."""
    places = [preset.found_in(preset.login, kind) for preset in presets]
    best = [preset.found_in(preset.login, kind) for preset in presets if _holds_all(preset, answer)]
    return sorted(finds, key=lambda find: (find.place not in best, find.place not in places))


def _holds_all(preset: Profile, answer: Response) -> bool:
    kinds = tuple(Kind) if preset.has_refresh_token else (Kind.ACCESS,)
    return all(preset.found_in(preset.login, kind).read(answer) for kind in kinds)


def beside(access: Find, finds: Sequence[Find]) -> Find | None:
    """The refresh token that belongs to it: another value, and in the same part of the answer if there is one."""
    others = [find for find in finds if find.value != access.value]
    return next((find for find in others if find.place.where == access.place.where), None) or next(iter(others), None)


def placed(profile: Profile, access: Find, refresh: Find | None, answer: Response) -> Profile:
    """The profile with the places of the two tokens."""
    if access.place.where != "cookie" or (refresh and refresh.place.where != "cookie"):
        login = replace(profile.login, access=written(access), refresh=written(refresh) if refresh else "")
        return replace(profile, login=login)
    names = csrf_names(answer)
    proof = {kind: next((each for each in names if kind in each.lower()), names[0] if names else "") for kind in Kind}
    cookies = replace(
        profile.cookies,
        access=_cookie(access),
        refresh=_cookie(refresh) if refresh else profile.cookies.refresh,
        csrf_header=CSRF_HEADERS.get(proof[Kind.ACCESS], "X-CSRF-TOKEN") if names else "",
        access_csrf=proof[Kind.ACCESS],
        refresh_csrf=proof[Kind.REFRESH] if refresh else "",
    )
    login = replace(profile.login, access="access_token", refresh="refresh_token" if refresh else "")
    return replace(profile, transport="cookie", cookies=cookies, login=login)


def _cookie(find: Find) -> str:
    """A cookie's name, and its scheme if there is one."""
    return str(find.place).partition(":")[2]


def written(find: Find) -> str:
    """A place as a profile writes it."""
    return find.place.name if find.place.where == "body" else str(find.place)


def proofs(profile: Profile, answer: Response) -> dict[Kind, str]:
    """The proofs of same-site intent that an answer holds."""
    found = {}
    for kind in Kind:
        place = profile.csrf_in(kind)
        value = place.read(answer) if place else None
        if isinstance(value, str) and value:
            found[kind] = value
    return found
