"""Finding the shipped preset that says what was found, so that only the difference has to be written."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from conformance.target.profile_files import load
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.discovery.findings import Findings
    from conformance.target.profile import Profile

REQUESTS: Final = ("path", "method", "encoding", "extra", "headers", "client")
ANNOUNCED: Final = frozenset({"name", "summary", "checked_against", "extends", "bundled", "companions", "protected"})
"""What says nothing of the target, and what is compared by itself."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A preset, and where what was found differs from it.

    Attributes:
        differing: dotted keys of what was found that the preset has otherwise.
        unseen: what the preset declares, and no probe has shown, by dotted key.
    """

    preset: Profile
    differing: tuple[str, ...]
    same_routes: bool
    unseen: dict[str, Any]


def likest(findings: Findings, presets: Iterable[Profile]) -> Likeness | None:
    """The preset that has most of it; None where none has the login, the way to show a token and the refresh."""
    rows = []
    for preset in presets:
        mine, theirs = facts(findings.profile), facts(preset)
        differing = tuple(
            key for key, value in mine.items() if theirs.get(key) != value and not _idle(key, value, preset)
        )
        differing += _otherwise(findings, preset)
        if any(key.startswith(("login.", "access.", "refresh.", "headers", "transport")) for key in differing):
            continue
        if _contradicts(findings, preset):
            continue
        routes = {(route.method, route.path) for route in findings.profile.protected}
        known = {(route.method, route.path) for route in preset.protected}
        common = len(routes & known)
        if not common:
            continue
        likeness = Likeness(preset, differing, routes == known and _same_identities(findings, preset),
                            _unseen(findings, preset))  # fmt: skip
        rows.append((common - len(routes ^ known) / 10 - len(differing), -len(likeness.unseen), preset.name, likeness))
    return max(rows, key=lambda row: row[:3])[3] if rows else None


def facts(profile: Profile) -> dict[str, Any]:
    """What a profile says of requests and of the places of tokens, in one spelling."""
    login, refresh, logout = profile.login, profile.refresh, profile.logout
    found: dict[str, Any] = {
        f"login.{name}": _plain(getattr(login, name)) for name in (*REQUESTS, "username", "password")
    }
    found["headers"] = _plain(profile.headers)
    found["login.access"] = str(profile.found_in(login, Kind.ACCESS))
    found["access.sent_in"] = str(profile.sent_in(Kind.ACCESS))
    found["login.refresh"] = str(profile.found_in(login, Kind.REFRESH)) if profile.has_refresh_token else ""
    found["refresh.path"] = refresh.path
    if refresh.path:
        found |= {f"refresh.{name}": _plain(getattr(refresh, name)) for name in (*REQUESTS[1:], "token", "with_access")}
        own = refresh.sent_in if refresh.token == "access" else ""  # noqa: S105 - a choice
        found["refresh.sent_in"] = own or str(
            profile.sent_in(Kind.REFRESH if profile.has_refresh_token else Kind.ACCESS)
        )
        found["refresh.access"] = str(profile.found_in(refresh, Kind.ACCESS))
        found["refresh.refresh"] = str(profile.found_in(refresh, Kind.REFRESH)) if refresh.refresh else ""
    found["logout.path"] = logout.path
    if logout.path:
        names = ("method", "takes", "sent_in", "encoding", "extra", "headers")
        found |= {f"logout.{name}": _plain(getattr(logout, name)) for name in names}
    for key in ("capabilities.jwks", "oauth.token", "oauth.revocation", "oauth.introspection"):
        table, _, name = key.partition(".")
        if value := getattr(getattr(profile, table), name):
            found[key] = value
    if profile.uses_cookies and profile.transport == "cookie":
        cookies = profile.cookies
        found["cookies.csrf_header"] = cookies.csrf_header
        found |= {f"cookies.{name}": getattr(cookies, name) for name in ("access_csrf", "refresh_csrf")}
    return found


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, MappingProxyType) else value


def _otherwise(findings: Findings, preset: Profile) -> tuple[str, ...]:
    """The lifetimes that a preset declares, and the tokens deny."""
    declared = {"lifetimes.access": preset.lifetimes.access, "lifetimes.refresh": preset.lifetimes.refresh}
    return tuple(key for key, value in findings.observed.items() if (declared[key] or value) != value)


def _idle(key: str, value: Any, preset: Profile) -> bool:
    """Whether a difference is none: the preset looks for what does not come, and expects nothing of it."""
    if key == "refresh.refresh" and not value:
        return preset.refresh.rotation != "each"
    return key == "logout.takes" and preset.logout.takes == "either"


def _contradicts(findings: Findings, preset: Profile) -> bool:
    """Whether the preset declares what was seen to be otherwise."""
    found = findings.profile
    if not found.refresh.path and preset.refresh.path:
        return True
    pairs = ((found.access.format, preset.access.format), (found.refresh.format, preset.refresh.format))
    if any(mine and theirs and mine != theirs for mine, theirs in pairs):
        return True
    return preset.refresh.rotation == "none" and any("rotation" in line for line in findings.asides.get("refresh", ()))


def _same_identities(findings: Findings, preset: Profile) -> bool:
    """Whether the preset looks for the user's name where it was seen, or nowhere."""
    found = {(route.method, route.path): route.identity for route in findings.profile.protected}
    return all(route.identity in {"", found.get((route.method, route.path))} for route in preset.protected)


def _unseen(findings: Findings, preset: Profile) -> dict[str, Any]:
    """What a preset declares beside what was compared."""
    bare = _values(load("bare"))
    compared = {*facts(findings.profile), *findings.notes, *findings.observed, "transport"}
    compared |= {key for key, value in _values(preset).items() if key.endswith(("expires_in", "expiry")) and not value}
    return {
        key: value
        for key, value in _values(preset).items()
        if key not in compared and value != bare.get(key) and key.partition(".")[0] not in ANNOUNCED
    }


def _values(item: Any, prefix: str = "") -> dict[str, Any]:
    """Every value of a profile by its dotted key."""
    found: dict[str, Any] = {}
    for each in fields(item):
        value, key = getattr(item, each.name), f"{prefix}{each.name}"
        if is_dataclass(value):
            found |= _values(value, f"{key}.")
        else:
            found[key] = _plain(value)
    return found
