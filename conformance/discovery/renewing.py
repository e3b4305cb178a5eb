"""Finding the refresh: where a refresh token is shown for a new access token."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from conformance.discovery.findings import Sureness
from conformance.discovery.harvest import Find, harvest
from conformance.discovery.probing import GARBAGE, Presence
from conformance.target.places import parse
from conformance.target.profile_tables import Refresh
from conformance.tokens.reading import Kind, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.discovery.clues import Clues
    from conformance.discovery.harvest import Harvest
    from conformance.discovery.visit import Visit
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Protected
    from conformance.target.session import Session

MOST_TRIED: Final = 10
"""So many ways to refresh are tried."""
MEMBERS: Final = ("refresh_token", "refreshToken", "refresh", "token")
BEARER: Final = "header:Authorization Bearer"
_RENEWS: Final = re.compile(
    r"(auth|token|session|jwt|login|user)\S*(refresh|renew)|^/(api/|v\d+/)*refresh|refresh_?-?token|token_?-?refresh",
    re.IGNORECASE,
)
"""What renews a token, and not a subscription."""


@dataclass(frozen=True, slots=True)
class RefreshIdea:
    """A way that a refresh might be."""

    refresh: Refresh
    how: Sureness
    origin: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """A refresh that worked.

    Attributes:
        refresh: how it is done, with the places of what comes back.
        given: the refresh token that came back; None where none did.
        is_other: whether it is another one than was shown.
        is_new: whether the access token is another one than before.
        opened: whether the access token that came opened a protected route.
        with_proof: whether the proof of same-site intent went with it, without which it did not work.
        to_anything: whether a token that is none is served as well.
    """

    refresh: Refresh
    how: Sureness
    origin: str
    given: Find | None
    is_other: bool
    is_new: bool
    opened: bool
    with_proof: bool
    to_anything: bool


def ideas_of(profile: Profile, presets: Iterable[Profile], clues: Clues) -> list[RefreshIdea]:
    """Whoever says how to refresh."""
    has_token = bool(profile.login.refresh)
    found = [
        RefreshIdea(replace(preset.refresh, sent_in=str(_place(preset))), Sureness.GUESS, f"the preset {preset.name}")
        for preset in presets
        if preset.refresh.path and preset.has_refresh_token == has_token
    ]
    for how, origin, method, path, members in _paths(clues):
        found += [RefreshIdea(form, how, origin) for form in _forms(profile, method, path, members)]
    if has_token and profile.login.encoding == "form" and "grant_type" in profile.login.extra:
        found.insert(0, RefreshIdea(_granted(profile), Sureness.GUESS, "RFC 6749 §6"))
    return found


def _place(preset: Profile) -> str:
    if preset.refresh.sent_in or preset.has_refresh_token:
        return preset.refresh.sent_in or str(preset.sent_in(Kind.REFRESH))
    return str(preset.sent_in(Kind.ACCESS))


def _granted(profile: Profile) -> Refresh:
    """By the grant of RFC 6749, at the token endpoint that the login used."""
    login = profile.login
    extra: dict[str, Any] = {"grant_type": "refresh_token"}
    extra |= {key: value for key, value in login.extra.items() if key == "client_id"}
    return Refresh(
        login.path, sent_in="body:refresh_token", encoding="form", extra=MappingProxyType(extra), client=login.client
    )


def _paths(clues: Clues) -> Iterator[tuple[Sureness, str, str, str, tuple[str, ...]]]:
    for operation in clues.document.operations if clues.document else ():
        if _RENEWS.search(f"{operation.path} {operation.words}") and operation.method in {"POST", "GET"}:
            origin = f"{operation.label} of {clues.document.origin if clues.document else ''}"
            members = tuple(each.path for each in operation.members)
            yield Sureness.OPENAPI, origin, operation.method, operation.path, members


def usual_ideas(profile: Profile) -> list[RefreshIdea]:
    """The usual paths."""
    paths = usual_paths(profile.login.path, ("refresh", "token/refresh", "refresh-token", "refresh_token"))
    return [
        RefreshIdea(form, Sureness.GUESS, "a usual path")
        for path in paths
        for form in _forms(profile, "POST", path, ())
    ]


def usual_paths(login_path: str, names: Iterable[str]) -> list[str]:
    """Paths of that name beside the login, below it, and at the top."""
    slash = "/" if login_path.endswith("/") else ""
    parts = login_path.partition("?")[0].strip("/").split("/")
    folders = dict.fromkeys(["/".join(parts[:-1]), "/".join(parts), "", "auth"])
    return list(dict.fromkeys(f"{'/' if each else ''}{each}/{name}{slash}" for name in names for each in folders))


def _forms(profile: Profile, method: str, path: str, members: tuple[str, ...]) -> Iterator[Refresh]:
    if not profile.login.refresh:
        yield Refresh(path, method, sent_in=profile.access.sent_in or BEARER, token="access")  # noqa: S106 - a choice
        return
    stands = profile.found_in(profile.login, Kind.REFRESH)
    if stands.where == "cookie":
        yield Refresh(path, method, sent_in=str(stands))
    named = [name for name in members if "refresh" in name.lower() or "token" in name.lower()]
    own = [stands.name.rpartition(".")[2]] if stands.where == "body" else []
    for name in dict.fromkeys([*named, *own, *MEMBERS]):
        yield Refresh(path, method, sent_in=f"body:{name}")
    yield Refresh(path, method, sent_in=BEARER)


@dataclass(slots=True)
class Renewal:
    """Tries ways to refresh with one session, and takes what comes back."""

    visit: Visit
    profile: Profile
    session: Session
    route: Protected | None

    def found(self, ideas: list[RefreshIdea]) -> Renewed | None:
        """The first way that gives an access token.

        Raises:
            TargetError: the target stops answering.
        """
        there = [moved for idea in ideas if (moved := self._there(idea))]
        rows = {repr(self._kept(idea.refresh)): idea for idea in reversed(there)}
        for idea in sorted(rows.values(), key=self._worth, reverse=True)[:MOST_TRIED]:
            if renewed := self._try(idea, {}):
                return renewed
            if self.session.csrf and idea.refresh.sent_in.startswith("cookie:"):
                proofs = self.session.csrf
                if renewed := self._try(idea, proofs):
                    return renewed
        return None

    @staticmethod
    def _kept(refresh: Refresh) -> Refresh:
        """The request of a refresh, without what the answer holds."""
        plain = Refresh()
        names = (
            "access",
            "refresh",
            "expires_in",
            "refresh_expires_in",
            "expiry",
            "rotation",
            "reuse",
            "grace",
            "format",
        )
        return replace(refresh, **{name: getattr(plain, name) for name in names})

    def _there(self, idea: RefreshIdea) -> RefreshIdea | None:
        if (idea.refresh.client != "none" or "{client_id}" in idea.refresh.extra.values()) and not self.visit.clients:
            return None
        prober, method = self.visit.prober, idea.refresh.method
        path = prober.with_slash(method, idea.refresh.path)
        answer = prober.ask(method, path)
        if answer is None or prober.presence(method, path) is Presence.NO or harvest(answer).access:
            return None
        return replace(idea, refresh=replace(idea.refresh, path=path))

    def _worth(self, idea: RefreshIdea) -> int:
        refresh = idea.refresh
        answer = self.visit.prober.ask(refresh.method, refresh.path)
        place, text = parse(refresh.sent_in, bare="header"), answer.text[:4000] if answer else ""
        worth = 3 * self.visit.prober.presence(refresh.method, refresh.path)
        worth += 3 if idea.how is Sureness.OPENAPI else 0
        worth += 2 if idea.origin.startswith(("the preset", "RFC")) else 0
        if place.where == "body" and re.search(rf"\b{re.escape(place.name)}\b", text):
            worth += 3
        if place.where == "header" and answer and (re.search("(?i)authorization header|bearer", text)
                                                   or answer.header("WWW-Authenticate")):  # fmt: skip
            worth += 2
        return worth + 4 * (place.where == "cookie")

    def _try(self, idea: RefreshIdea, proofs: dict[Kind, str]) -> Renewed | None:
        profile = replace(self.profile, refresh=idea.refresh)
        target = self.visit.target(profile)
        door = target.refresh_door
        shown = self.session.token(door.wants)
        session = replace(self.session, csrf=proofs)
        answer = self.visit.client.send(door.present(shown.value, session)).response
        found = harvest(answer)
        self.visit.keep_secret(found.values())
        access = self._access(idea, found)
        if access is None:
            return None
        again = next((find for find in found.refresh), None)
        before = self.session.access.value
        self.session.access = Token(access.value, Kind.ACCESS)
        if again:
            self.session.refresh = Token(again.value, Kind.REFRESH)
        refresh = replace(
            idea.refresh, access=self._written(access), refresh=self._written(again) if again else "",
            rotation="", reuse="", grace=None, format="",
        )  # fmt: skip
        garbage = self.visit.client.send(door.present(GARBAGE, session)).response
        return Renewed(
            refresh, idea.how, idea.origin, again, is_other=bool(again and again.value != shown.value),
            is_new=access.value != before, opened=self._opens(profile), with_proof=bool(proofs),
            to_anything=bool(harvest(garbage).access),
        )  # fmt: skip

    def _access(self, idea: RefreshIdea, found: Harvest) -> Find | None:
        """The access token of an answer: where the idea says, else where the login has it, else the likeliest."""
        profile = replace(self.profile, refresh=idea.refresh)
        places = [profile.found_in(idea.refresh, Kind.ACCESS), profile.found_in(profile.login, Kind.ACCESS)]
        ranked = sorted(
            found.access, key=lambda find: places.index(find.place) if find.place in places else len(places)
        )
        return ranked[0] if ranked else None

    def _written(self, find: Find) -> str:
        """The place as a profile writes it."""
        if find.place.where == "cookie" and self.profile.transport == "cookie":
            return "access_token" if find.kind is Kind.ACCESS else "refresh_token"
        return find.place.name if find.place.where == "body" else str(find.place)

    def _opens(self, profile: Profile) -> bool:
        if self.route is None:
            return False
        door = self.visit.target(replace(profile, protected=(self.route,))).protected_doors[0]
        return self.visit.client.send(door.present(self.session.access.value, self.session)).response.is_success
