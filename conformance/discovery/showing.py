"""How an access token is shown, and which routes it opens that stay closed to anybody else."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.discovery.findings import Sureness
from conformance.discovery.harvest import leaves
from conformance.discovery.probing import GARBAGE, Presence, is_page
from conformance.target.profile_tables import Protected
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.discovery.clues import Clues
    from conformance.discovery.harvest import Find
    from conformance.discovery.openapi import Operation
    from conformance.discovery.visit import Visit
    from conformance.target.http import Response
    from conformance.target.profile import Profile
    from conformance.target.session import Session

MOST_ROUTES: Final = 50
"""So many protected routes of an OpenAPI document are tried."""
ENOUGH: Final = 2
"""So many are enough where they have to be guessed."""
USUAL: Final = ("me", "profile", "users/me", "dashboard", "protected", "user", "whoami", "userinfo", "account",
                "auth/me", "api/me", "api/profile", "api/user", "api/users/me", "api/dashboard")  # fmt: skip
SCHEMES: Final = ("header:Authorization Bearer", "header:Authorization JWT", "header:Authorization Token",
                  "header:Authorization", "header:X-Access-Token", "header:X-Auth-Token")  # fmt: skip
_LEAVES: Final = re.compile(r"log_?-?out|sign_?-?out|refresh|revoke|log_?-?in|sign_?-?in|delete|token", re.IGNORECASE)
_NAMES: Final = ("username", "email", "preferred_username", "login", "identity", "user_name", "userName", "name", "sub")


@dataclass(frozen=True, slots=True)
class RouteIdea:
    """A route that may be protected, and who says so."""

    route: Protected
    how: Sureness
    origin: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A protected route that the token opened.

    Attributes:
        honest: the answer to the token.
        to_anything: whether a token that is none opened it as well.
    """

    route: Protected
    how: Sureness
    origin: str
    honest: Response
    to_anything: bool = False


def documented(clues: Clues) -> list[RouteIdea]:
    """The routes that declare security, need nothing, and change nothing."""
    found = []
    for operation in secured(clues):
        if operation.method == "GET" and not _LEAVES.search(operation.path.rpartition("/")[2]):
            route = Protected(operation.path)
            found.append(RouteIdea(route, Sureness.OPENAPI, f"{clues.document.origin if clues.document else ''}"))
    return found[:MOST_ROUTES]


def secured(clues: Clues) -> Iterator[Operation]:
    """The operations that declare security and need nothing."""
    for operation in clues.document.operations if clues.document else ():
        if operation.is_secured and operation.is_plain:
            yield operation


def unsafe(clues: Clues, profile: Profile) -> Iterator[Operation]:
    """The operations that declare security and need nothing, but may change something: nobody tries them unasked."""
    doors = {profile.login.path, profile.refresh.path, profile.logout.path}
    for operation in secured(clues):
        if operation.method != "GET" and operation.path not in doors and not _LEAVES.search(operation.path):
            yield operation


def of_presets(presets: Iterable[Profile]) -> list[RouteIdea]:
    """The routes of shipped presets."""
    found: dict[tuple[str, str], RouteIdea] = {}
    for preset in presets:
        for route in preset.protected:
            idea = RouteIdea(route, Sureness.GUESS, f"the preset {preset.name}")
            found.setdefault((route.method, route.path), idea)
    return list(found.values())


def usual(login_path: str) -> list[RouteIdea]:
    """Usual names, beside the login and at the top."""
    before = login_path.strip("/").split("/")[:-1]
    folders = ["/".join(before[:count]) for count in range(len(before), 0, -1)]
    paths = [f"/{folder}/{name}" for name in USUAL[:5] for folder in folders] + [f"/{name}" for name in USUAL]
    if login_path.endswith("/"):
        paths = [f"{path}/" for path in paths]
    return [RouteIdea(Protected(path), Sureness.GUESS, "a usual path") for path in dict.fromkeys(paths)]


def ways(find: Find, presets: Iterable[Profile], clues: Clues) -> list[str]:
    """Where a token that was found there may be shown, likeliest first."""
    found = [str(preset.sent_in(Kind.ACCESS)) for preset in presets
             if preset.found_in(preset.login, Kind.ACCESS) == find.place]  # fmt: skip
    if find.place.where == "cookie":
        return [str(find.place)]
    if find.place.where == "header" and find.place.name.lower() != "authorization":
        found += [str(find.place), *SCHEMES[:1]]
    found += clues.document.shown_in if clues.document else ()
    places = [each for each in [*found, *SCHEMES] if not each.startswith("cookie:")]
    return list(dict.fromkeys(places))


@dataclass(slots=True)
class Tour:
    """Tries routes with one session."""

    visit: Visit
    session: Session
    _opens_nowhere: bool | None = None
    """Whether the token gets a success even where nothing is."""

    def opened(self, profile: Profile, ideas: Iterable[RouteIdea], sent_in: list[str]) -> list[Opened]:
        """The routes that are closed to anybody and open to the token; once a way to show it works, that is kept."""
        found: list[Opened] = []
        for idea in ideas:
            moved = self._there(idea)
            if moved is None:
                continue
            shown = list(sent_in)
            for place in shown:
                if opened := self._try(profile, moved, place):
                    sent_in[:] = [place]
                    found.append(opened)
                    break
        return found

    def _there(self, idea: RouteIdea) -> RouteIdea | None:
        """The idea, where its route refuses whoever shows nothing."""
        prober, route = self.visit.prober, idea.route
        path = prober.with_slash(route.method, route.path)
        answer = prober.ask(route.method, path)
        if answer is None or answer.is_success or prober.presence(route.method, path) is Presence.NO:
            return None
        return replace(idea, route=replace(route, path=path)) if answer.is_client_error else None

    def _try(self, profile: Profile, idea: RouteIdea, place: str) -> Opened | None:
        profile = with_way(profile, place)
        target = self.visit.target(replace(profile, protected=(replace(idea.route, identity=""),)))
        door = target.protected_doors[0]
        honest = self.visit.client.send(door.present(self.session.access.value, self.session)).response
        if not honest.is_success or is_page(honest) or honest.status == HTTPStatus.NO_CONTENT:
            return None
        garbage = self.visit.client.send(door.present(GARBAGE, self.session)).response
        identity = named(honest, self.session.account.username)
        if not identity and idea.how is Sureness.GUESS and self._is_open_nowhere(profile):
            return None
        route = replace(idea.route, identity=identity, identity_is="username")
        return Opened(route, idea.how, idea.origin, honest, to_anything=garbage.is_success)

    def _is_open_nowhere(self, profile: Profile) -> bool:
        if self._opens_nowhere is None:
            route = Protected(f"/{secrets.token_hex(8)}")
            door = self.visit.target(replace(profile, protected=(route,))).protected_doors[0]
            answer = self.visit.client.send(door.present(self.session.access.value, self.session)).response
            self._opens_nowhere = answer.is_success
        return self._opens_nowhere


def with_way(profile: Profile, place: str) -> Profile:
    """The profile with the access token shown there."""
    stated = "" if place.startswith("cookie:") and profile.transport == "cookie" else place
    return replace(profile, access=replace(profile.access, sent_in=stated))


def named(answer: Response, username: str) -> str:
    """The dotted path of the member that holds the account's name; the plainest of several."""
    paths = [path for path, value in leaves(answer.json) if value == username]

    def rank(path: str) -> tuple[int, int]:
        last = path.rpartition(".")[2]
        return path.count("."), _NAMES.index(last) if last in _NAMES else len(_NAMES)

    return min(paths, key=rank, default="")


def likely_identity(answer: Response) -> str:
    """A member that may name the user otherwise."""
    paths = [
        path for path, value in leaves(answer.json) if isinstance(value, str | int) and not isinstance(value, bool)
    ]
    telling = ("sub", "id", "user_id", "userId", "uuid", "email", "username", "name")
    found = [path for name in telling for path in paths if path.rpartition(".")[2] == name]
    return found[0] if found else ""
