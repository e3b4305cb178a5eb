"""Trying honest logins, the likeliest first, within a budget that locks no account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.discovery.findings import Sureness
from conformance.discovery.harvest import Harvest, harvest
from conformance.discovery.login_ideas import USER_NAMES, LoginIdea, variants
from conformance.discovery.probing import Presence, likeness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.discovery.visit import Visit
    from conformance.target.http import Exchange, Response

MOST_FAILED: Final = 5
"""So many honest logins may fail in a row."""
MOST_REFUSED: Final = 4
"""So many of them may look like a wrong password to the target."""
NOT_READ: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                             HTTPStatus.UNPROCESSABLE_ENTITY})  # fmt: skip
_REFUSED: Final = re.compile(
    r"invalid_grant|credential|incorrect|wrong|failed to auth|not authenticated", re.IGNORECASE
)
_STRENGTH: Final = {Sureness.OPENAPI: 3, Sureness.METADATA: 3, Sureness.GUESS: 1, Sureness.SEEN: 3}


@dataclass(frozen=True, slots=True)
class Entry:
    """A login that worked.

    Attributes:
        idea: how it was done.
        exchange: what was sent and what came back.
        found: the tokens in the answer.
    """

    idea: LoginIdea
    exchange: Exchange
    found: Harvest


@dataclass(slots=True)
class Attempts:
    """The honest logins so far."""

    visit: Visit
    failed: int = 0
    refused: int = 0
    _said: dict[tuple[str, str], list[Response]] = field(default_factory=dict)
    _tried: list[LoginIdea] = field(default_factory=list)
    _closed: set[tuple[str, str]] = field(default_factory=set)
    """Doors that have understood a login and do not know the account."""

    @property
    def is_over(self) -> bool:
        """Whether another failure might harm the account."""
        return self.failed >= MOST_FAILED or self.refused >= MOST_REFUSED

    def among(self, ideas: list[LoginIdea]) -> Entry | None:
        """The first login that gives a token.

        Raises:
            TargetError: the target stops answering.
        """
        there = self.there(ideas)
        pool = {idea.key: idea for idea in [*there, *self._more(there)]}
        while pool and not self.is_over:
            idea = max(pool.values(), key=self._worth)
            del pool[idea.key]
            if (idea.login.method, idea.login.path) in self._closed or self._worth(idea) < 0:
                continue
            if entry := self._try(idea):
                return entry
        return None

    def there(self, ideas: Iterable[LoginIdea]) -> list[LoginIdea]:
        """Those whose routes seem to be there, and that need nothing that the user has not given."""
        found = []
        for idea in ideas:
            if idea.uses_client and not self.visit.clients:
                continue
            method, path = idea.login.method, idea.login.path
            asked = self.visit.prober.ask(method, path)
            if asked and harvest(asked).access:
                self.visit.keep_secret(harvest(asked).values())
                self.visit.prober.tell(f"{method} {path} gives tokens without credentials, and so is no login")
                continue
            if self.visit.prober.presence(method, path) is not Presence.NO:
                found.append(idea)
            elif (other := self.visit.prober.with_slash(method, path)) != path:
                moved = self.visit.moved(idea, other)
                found += [moved] if self.visit.prober.presence(method, other) is not Presence.NO else []
        return found

    def best(self, ideas: Iterable[LoginIdea]) -> LoginIdea | None:
        """The likeliest, where none can be tried."""

        def rank(idea: LoginIdea) -> tuple[int, int]:
            return self.visit.prober.presence(idea.login.method, idea.login.path), self._worth(idea)

        return max(self.there(ideas), key=rank, default=None)

    def _more(self, ideas: list[LoginIdea]) -> list[LoginIdea]:
        certain = {idea.login.path: idea for idea in ideas
                   if self.visit.prober.presence(idea.login.method, idea.login.path) is Presence.YES}  # fmt: skip
        known = {idea.key for idea in ideas}
        return [more for idea in certain.values() for more in variants(idea)
                if more.key not in known and (self.visit.clients or not more.uses_client)]  # fmt: skip

    def _worth(self, idea: LoginIdea) -> int:
        """How likely an idea is: by what the target has said at that door so far."""
        login = idea.login
        presence = self.visit.prober.presence(login.method, login.path)
        said = self._answers(idea)
        text = " ".join(answer.text[:4000] for answer in said)
        mentioned = {name for name in (*USER_NAMES, "client_id") if re.search(rf"\b{re.escape(name)}\b", text)}
        worth = 4 * presence + _STRENGTH[idea.how] + bool(idea.presets) - 2 * bool(idea.headers)
        if mentioned and login.encoding != "basic":
            worth += 3 if login.username.rpartition(".")[2] in mentioned else -2
        if "mail" in login.username.lower() and idea.how is Sureness.GUESS:
            worth += 1 if "@" in self.visit.account.username else -4
        if re.search(r"grant_type|unsupported_grant|urlencoded", text):
            worth += 3 if login.encoding == "form" else -3
        if any(answer.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE for answer in said):
            worth += 2 if login.encoding == "form" else -2
        worth += self._worth_of_basic(said) if login.encoding == "basic" else 0
        worth += 2 if idea.uses_client else 0
        # Only with that scope is there a refresh token.
        worth += "offline_access" in str(login.extra.get("scope")) and idea.how is Sureness.METADATA
        for other in self._tried:
            if other.login.path == login.path:
                worth -= (other.login.encoding == login.encoding) + (other.login.username == login.username)
        return worth

    @staticmethod
    def _worth_of_basic(said: list[Response]) -> int:
        """Whether a door reads no body: it says so, or one with credentials changes nothing."""
        first = said[0]
        if (first.header("WWW-Authenticate") or "").lower().startswith("basic"):
            return 4
        if first.status == HTTPStatus.UNAUTHORIZED and first.header("WWW-Authenticate") and not first.body:
            return 4
        unread = any(likeness(answer, "") == likeness(first, "") for answer in said[1:])
        return 4 if unread and is_refusal(first) else -3

    def _answers(self, idea: LoginIdea) -> list[Response]:
        asked = self.visit.prober.ask(idea.login.method, idea.login.path)
        return [*([asked] if asked else []), *self._said.get((idea.login.method, idea.login.path), [])]

    def _try(self, idea: LoginIdea) -> Entry | None:
        exchange = self.visit.log_in(idea)
        answer, door = exchange.response, (idea.login.method, idea.login.path)
        found = harvest(answer)
        self.visit.keep_secret(found.values())
        if found.access:
            self.failed = self.refused = 0
            return Entry(idea, exchange, found)
        self._tried.append(idea)
        self.failed += 1
        self._said.setdefault(door, []).append(answer)
        asked = self.visit.prober.ask(*door)
        if is_refusal(answer):
            self.refused += 1
            if asked and asked.status in NOT_READ and answer.status != asked.status:
                # It reads this login, which it did not read before: what it refuses is the account.
                self._closed.add(door)
        sent = f"{idea.login.encoding}, {idea.login.username} and {idea.login.password}"
        what = "without anything like a token" if answer.is_success else "to an honest login"
        self.visit.prober.tell(f"POST {idea.login.path} ({sent}) answers {answer.status} {what}")
        return None


def is_refusal(answer: Response) -> bool:
    """Whether an answer to a login may have been counted as a wrong password."""
    if answer.status in NOT_READ:
        return bool(_REFUSED.search(answer.text[:4000]))
    return answer.is_client_error and answer.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
