"""Polite questions without credentials: which routes are there, and how the target answers where there is none."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from conformance.target.http import Request

if TYPE_CHECKING:
    from conformance.target.http import HttpClient, Response

MOST_QUESTIONS: Final = 90
"""So many are asked in all, each route once."""
GARBAGE: Final = "no-token-of-anybodys"
"""What is shown to see whether a route looks at tokens."""
LONGEST_COMPARED: Final = 2000
_VARYING: Final = re.compile(r"[0-9a-f]{8,}|[\d/]+", re.ASCII)
"""What differs from one answer to the next by itself: times, numbers of requests, and the path."""
JSON_HEADERS: Final = (("Content-Type", "application/json"),)
ABSENT: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE,
                           HTTPStatus.NOT_IMPLEMENTED})  # fmt: skip


class Presence(IntEnum):
    """Whether a route is there."""

    NO = 0
    UNKNOWN = 1
    """The target answers as it does where there is nothing, and that is no plain no."""
    YES = 2


@dataclass(slots=True)
class Prober:
    """Asks each route once, and remembers the answer.

    Attributes:
        account: what was done and seen, in sentences, for the user.
    """

    client: HttpClient
    account: list[str] = field(default_factory=list)
    _answers: dict[tuple[str, str], Response] = field(default_factory=dict)
    _made_up: dict[str, Response] = field(default_factory=dict)

    def tell(self, sentence: str) -> None:
        """Adds to the account."""
        self.account.append(sentence)

    def ask(self, method: str, path: str) -> Response | None:
        """The answer to a request without credentials; None once enough has been asked.

        Raises:
            TargetError: no answer came.
        """
        key = (method, path)
        if key not in self._answers:
            if len(self._answers) >= MOST_QUESTIONS:
                return None
            self._answers[key] = self._send(method, path)
        return self._answers[key]

    def asked_before(self, method: str, path: str) -> Response | None:
        """The answer, where the question has been asked."""
        return self._answers.get((method, path))

    def _send(self, method: str, path: str) -> Response:
        if method == "GET":
            return self.client.send(Request(method, path)).response
        return self.client.send(Request(method, path, JSON_HEADERS, b"{}")).response

    def made_up(self, method: str) -> Response:
        """The answer of a route that nobody has."""
        if method not in self._made_up:
            self._made_up[method] = self._send(method, f"/{secrets.token_hex(8)}")
        return self._made_up[method]

    def presence(self, method: str, path: str) -> Presence:
        """Whether a route of an API is there, as far as an answer without credentials tells."""
        answer = self.ask(method, path)
        if answer is None or answer.status in ABSENT or is_page(answer):
            return Presence.NO
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            return Presence.NO
        if likeness(answer, path) != likeness(self.made_up(method), ""):
            return Presence.YES
        return Presence.NO if answer.is_success else Presence.UNKNOWN

    def with_slash(self, method: str, path: str) -> str:
        """The path, with a slash at its end where the target redirects to that."""
        answer = self.ask(method, path)
        if answer is None or not HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            return path
        where = (answer.header("Location") or "").partition("?")[0]
        return f"{path}/" if where.endswith(f"{path}/") else path

    @property
    def asked(self) -> int:
        """How many routes have been asked."""
        return len(self._answers)


def is_page(answer: Response) -> bool:
    """Whether it is a page for people and no answer of an API."""
    return answer.is_success and "html" in (answer.header("Content-Type") or "").lower()


def likeness(answer: Response, path: str) -> tuple[Any, ...]:
    """What two answers have in common where a server has nothing to say of either."""
    text = _VARYING.sub("", answer.text[:LONGEST_COMPARED].replace(path.strip("/") or "/", ""))
    return answer.status, answer.header("WWW-Authenticate"), answer.header("Content-Type"), text
