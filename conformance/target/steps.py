"""The requests before and after the one with the credentials, where a login takes several."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from conformance.errors import TargetError
from conformance.target.drafts import Draft, cookie_line, filled
from conformance.target.places import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.target.http import Exchange, Request, Response
    from conformance.target.profile_tables import Login, Step

MOST_WALKS: Final = 64
"""So many logins may be prepared before the first of them is sent."""


class StepError(TargetError):
    """A step of the login did not give what the next one needs.

    Attributes:
        place: the table of the profile that speaks of the step.
        exchange: what was asked and answered.
    """

    def __init__(self, message: str, hint: str, place: str, exchange: Exchange) -> None:
        """Keeps where the profile speaks of it."""
        super().__init__(message, hint)
        self.place, self.exchange = place, exchange


@dataclass(frozen=True, slots=True)
class Prelude:
    """What the steps before a login left: words for its placeholders, and cookies."""

    words: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Walk:
    """A login in progress: what has been captured, and the cookies so far."""

    words: dict[str, str]
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Steps:
    """Takes the steps of a login.

    Attributes:
        login: what the profile says of it.
        send: sends a request.
        told: is told every captured value, which may be a secret.
        words: what stands for `{base_url}` and the like.
        problem: why the last login did not come to its end, if it did not.
    """

    login: Login
    send: Callable[[Request], Exchange]
    told: Callable[[str], None]
    words: Mapping[str, str]
    problem: StepError | None = None
    _walks: deque[_Walk] = field(default_factory=lambda: deque(maxlen=MOST_WALKS), repr=False)

    def before(self, given: Mapping[str, str]) -> Prelude:
        """Takes the steps before a login with this name and password.

        Raises:
            StepError: an answer lacks what it should hold.
        """
        if not (self.login.before or self.login.after):
            return Prelude()
        walk = _Walk({**self.words, **given})
        for number, step in enumerate(self.login.before):
            self._take(walk, step, f"login.before[{number}]")
        self._walks.append(walk)
        return Prelude(dict(walk.words), tuple(walk.cookies.items()))

    def after(self, exchange: Exchange) -> Exchange:
        """The last exchange of a login that began with this one; this one itself, where nothing follows.

        Where a step is refused what it needs, `problem` says so, and the exchange is that step's.
        """
        self.problem = None
        if not self.login.after:
            return exchange
        walk = self._walk_of(exchange.request)
        try:
            label = f"{self.login.method} {self.login.path}"
            _learn(walk, exchange, self.login.capture, "login", label, self.told)
            for number, step in enumerate(self.login.after):
                exchange = self._take(walk, step, f"login.after[{number}]")
        except StepError as error:
            self.problem = error
            return error.exchange
        if not exchange.response.is_success:
            last, setting = self.login.after[-1], f"login.after[{len(self.login.after) - 1}]"
            says = f"{last.method} {last.path} answers {exchange.response.status}"
            self.problem = StepError(says, f"set {_what_leads_to(setting)}", setting, exchange)
        return exchange

    def _walk_of(self, request: Request) -> _Walk:
        """What was prepared for this login, as its cookies tell; else what was prepared last."""
        shown = next((value for name, value in request.headers if name == "Cookie"), "")
        for walk in reversed(self._walks):
            if cookie_line(walk.cookies.items()) == shown:
                return _Walk(dict(walk.words), dict(walk.cookies))
        last = self._walks[-1] if self._walks else _Walk({**self.words})
        return _Walk(dict(last.words), dict(last.cookies))

    def _take(self, walk: _Walk, step: Step, setting: str) -> Exchange:
        path = filled(step.path, {name: quote(word, safe="", errors="replace") for name, word in walk.words.items()})
        draft = Draft(step.method, path, step.encoding)
        draft.add(filled(dict(step.extra), walk.words))
        draft.headers += [(name, filled(value, walk.words)) for name, value in step.headers.items()]
        draft.cookies += walk.cookies.items()
        exchange = self.send(draft.request())
        _learn(walk, exchange, step.capture, setting, f"{step.method} {step.path}", self.told)
        return exchange


def _what_leads_to(setting: str) -> str:
    """The keys that make a step's request."""
    return ", ".join(f"{setting}.{name}" for name in ("path", "method", "encoding", "extra", "headers")) + " or headers"


def _learn(
    walk: _Walk, exchange: Exchange, capture: Mapping[str, str], setting: str, label: str, told: Callable[[str], None]
) -> None:
    """Remembers what an answer holds.

    Raises:
        StepError: it lacks something.
    """
    answer: Response = exchange.response
    walk.cookies |= answer.cookies
    for name, text in capture.items():
        place = parse(text)
        value = place.read(answer)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise StepError(
                f"{label} answers {answer.status} without {name!r} {place.words}",
                f"set {setting}.capture.{name} in the target profile, or what leads there: {_what_leads_to(setting)}",
                setting,
                exchange,
            )
        walk.words[name] = str(value)
        told(str(value))
