"""Finding the logout: last of all, with sessions of its own, and only where the path says what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.discovery.findings import Sureness
from conformance.discovery.probing import Presence
from conformance.discovery.renewing import usual_paths
from conformance.target.profile_tables import Logout
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.discovery.clues import Clues
    from conformance.discovery.visit import Visit
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Protected
    from conformance.target.session import Session

MOST_SESSIONS: Final = 4
"""So many logins are spent on it."""
METHODS: Final = frozenset({"POST", "DELETE", "GET"})
_LEAVES: Final = re.compile(r"(log|sign)_?-?(out|off)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogoutIdea:
    """A way out that might be there."""

    logout: Logout
    how: Sureness
    origin: str


@dataclass(frozen=True, slots=True)
class Left:
    """A logout that was seen to work.

    Attributes:
        logout: how it is done.
        is_open: whether it succeeds without any token, too.
        access_lives: whether the access token that was shown opened a route afterwards; None where that was not seen.
    """

    logout: Logout
    how: Sureness
    origin: str
    is_open: bool = False
    access_lives: bool | None = None


def ideas_of(profile: Profile, presets: Iterable[Profile], clues: Clues) -> list[LogoutIdea]:
    """Whoever says how to leave, likeliest first."""
    found = []
    for operation in clues.document.operations if clues.document else ():
        # By its path alone: words could also be those of a route that deletes an account.
        if _LEAVES.search(operation.path.rpartition("/")[2] or operation.path) and operation.method in METHODS:
            origin = f"{operation.label} of {clues.document.origin if clues.document else ''}"
            found.append(LogoutIdea(Logout(operation.path, operation.method), Sureness.OPENAPI, origin))
    found += [
        LogoutIdea(preset.logout, Sureness.GUESS, f"the preset {preset.name}")
        for preset in presets
        if preset.logout.path
    ]
    # What is not in a document is not there.
    for path in () if clues.document else usual_paths(profile.login.path, ("logout", "signout", "sign-out")):
        found += [LogoutIdea(Logout(path, method), Sureness.GUESS, "a usual path") for method in ("POST", "DELETE")]
    return found


@dataclass(slots=True)
class Leaving:
    """Tries ways out."""

    visit: Visit
    profile: Profile
    route: Protected | None
    sessions: int = 0
    _unused: Session | None = None
    """A session that no logout has taken so far."""

    def found(self, ideas: list[LogoutIdea]) -> Left | None:
        """The first way out that succeeds.

        Raises:
            TargetError: the target stops answering.
        """
        for idea in ideas:
            prober, logout = self.visit.prober, idea.logout
            if logout.method == "DELETE" and self._is_missing(logout.path):
                continue
            path = prober.with_slash(logout.method, logout.path)
            if prober.presence(logout.method, path) is Presence.NO:
                continue
            moved = replace(idea, logout=replace(logout, path=path))
            answer = prober.ask(logout.method, path)
            if answer and answer.is_success:
                # It clears cookies, and asks for nothing.
                return Left(moved.logout, idea.how, idea.origin, is_open=True)
            if prober.presence(logout.method, path) is Presence.YES and (left := self._try(moved)):
                return left
        return None

    def _is_missing(self, path: str) -> bool:
        """Whether nothing is there, whatever the method."""
        asked = self.visit.prober.asked_before("POST", path)
        return asked is not None and asked.status == HTTPStatus.NOT_FOUND

    def _try(self, idea: LogoutIdea) -> Left | None:
        """With each token by itself, and with both at last."""
        with_access, lives = self._takes(idea, "access")
        with_refresh, _ = self._takes(idea, "refresh") if self.profile.login.refresh else (None, None)
        if with_access and with_refresh:
            logout = replace(with_refresh, takes="either")
        elif with_access or with_refresh:
            logout = with_access or with_refresh or idea.logout
        else:
            both, lives = self._takes(idea, "both") if self.profile.login.refresh else (None, None)
            if both is None:
                return None
            logout = both
        return Left(logout, idea.how, idea.origin, access_lives=lives)

    def _takes(self, idea: LogoutIdea, takes: str) -> tuple[Logout | None, bool | None]:
        """How it takes that token, if it does, and whether the access token opens a route afterwards."""
        logout = replace(idea.logout, takes=takes)  # type: ignore[arg-type] # one of its choices
        forms = [logout]
        if takes != "access" and not logout.sent_in:
            # In a body it often has another name than at the refresh.
            name = self.profile.found_in(self.profile.login, Kind.REFRESH).name.rpartition(".")[2]
            forms += [replace(logout, sent_in=f"body:{each}") for each in dict.fromkeys((name, "refresh_token"))]
        if takes == "access":
            forms = [replace(logout, sent_in="")]
        for form in forms[:2]:
            session = self._unused or self._new_session()
            if session is None:
                return None, None
            self._unused = None
            target = self.visit.target(replace(self.profile, logout=form))
            kind = Kind.REFRESH if takes == "refresh" else Kind.ACCESS
            if target.logout(session, kind).response.is_success:
                return form, self._lives(session)
            self._unused = session
        return None, None

    def _new_session(self) -> Session | None:
        if self.sessions >= MOST_SESSIONS:
            return None
        self.sessions += 1
        return self.visit.new_session(self.profile)

    def _lives(self, session: Session) -> bool | None:
        if self.route is None:
            return None
        door = self.visit.target(replace(self.profile, protected=(self.route,))).protected_doors[0]
        return self.visit.client.send(door.present(session.access.value, session)).response.is_success
