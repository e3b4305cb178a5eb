"""What scenarios about cookies share: the lines that one session sets, and requests that another site could send."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance.target.giving_doors import RefreshDoor
from conformance.target.http import Request
from conformance.target.set_cookie import SetCookie, set_cookies
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.scenarios.bracket import Bracket
    from conformance.scenarios.trial import Trial
    from conformance.target.doors import LogoutDoor
    from conformance.target.http import Exchange, Headers
    from conformance.target.session import Session

EVIL: Final = "https://evil.example"

CROSS_SITE: Final[Headers] = (
    ("Origin", EVIL),
    ("Referer", f"{EVIL}/"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "no-cors"),
)
"""What a browser of today tells of a request that another site makes it send."""

NO_PREFLIGHT: Final[Mapping[str, tuple[Headers, bytes]]] = {
    "text/plain": ((("Content-Type", "text/plain"),), b"{}"),
    "a form": ((("Content-Type", "application/x-www-form-urlencoded"),), b"a=b"),
    "a multipart form": (
        (("Content-Type", "multipart/form-data; boundary=edge"),),
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--edge--\r\n',
    ),
    "no Content-Type": ((), b"{}"),
}
"""Header and body of what a browser sends to another site without asking that site first (Fetch, CORS-safelisted)."""


@dataclass(frozen=True, slots=True)
class Life:
    """One session from login to logout, and what was answered; None where it did not come to that."""

    session: Session
    login: Exchange
    refresh: Exchange | None
    logout: Exchange | None
    began_at: float
    lifetimes_s: Mapping[Kind, float | None]

    def answers(self) -> Iterator[tuple[str, Exchange]]:
        """Those answers that can set a token's cookie."""
        yield "the login", self.login
        if self.refresh:
            yield "the refresh", self.refresh


@dataclass(frozen=True, slots=True)
class Line:
    """A `Set-Cookie` line that carries a token."""

    kind: Kind
    cookie: SetCookie
    where: str
    exchange: Exchange

    @property
    def case(self) -> str:
        """What it is, in words."""
        return f"the cookie {self.cookie.name!r} of {self.where}"

    @property
    def shown_by(self) -> list[tuple[str, Exchange]]:
        """The exchange that shows it."""
        return [(self.where, self.exchange)]


def require_cookies(trial: Trial) -> None:
    """Ends the scenario where tokens travel in another way."""
    if not trial.profile.uses_cookies:
        trial.not_applicable("tokens do not travel in cookies")


def life(trial: Trial) -> Life:
    """A session that was opened, refreshed and logged out; a run does this once."""
    require_cookies(trial)
    target = trial.target
    if "a life in cookies" not in target.memory:
        session = target.new_session()
        login, began_at = session.login, session.access.received_at
        lifetimes = {kind: session.token(kind).lifetime_s for kind in Kind}
        refresh = target.refresh(session) if trial.refresh_routes else None
        # Where each login ends the others, or gives no refresh token again, the only session is left alone.
        own = session is not target.session()
        logout = target.logout(session) if target.logout_door and own else None
        target.memory["a life in cookies"] = Life(
            session, login, _success(refresh), _success(logout), began_at, lifetimes
        )
    found: Life = target.memory["a life in cookies"]
    if found.refresh is None and trial.refresh_routes:
        trial.remark("not judged on the refresh, which failed (see REFRESH-01)")
    return found


def _success(exchange: Exchange | None) -> Exchange | None:
    return exchange if exchange and exchange.response.is_success else None


def token_lines(trial: Trial) -> list[Line]:
    """Every line in which a token is set, by the login and by the refresh.

    Raises:
        InconclusiveError: there is none.
    """
    kinds = {place.name: kind for kind in trial.kinds if (place := trial.profile.sent_in(kind)).where == "cookie"}
    lines = [
        Line(kinds[cookie.name], cookie, where, exchange)
        for where, exchange in life(trial).answers()
        for cookie in set_cookies(exchange.response)
        if cookie.name in kinds and cookie.value
    ]
    if not lines:
        trial.inconclusive("no answer set a token's cookie")
    return lines


def url_path(trial: Trial, path: str) -> str:
    """The whole path of the profile's `path`, as a browser sees it."""
    return urlsplit(trial.target.client.base_url).path + path


# -- Without proof ---------------------------------------------------------------------------------------------------


def cookies_alone(door: RefreshDoor | LogoutDoor, session: Session, headers: Headers = ()) -> Request:
    """The door's request with the session's cookies, its CSRF cookie as well, and nothing that shows its intent.

    A browser sends every cookie with a request that another site makes it send; what it does not send is the header.
    """
    honest = door.present(session.token(door.wants).value, session)
    sent = tuple(pair for pair in honest.headers if pair[0] == "Cookie")
    return Request(honest.method, honest.path, (*sent, *headers))


def shown_in_cookie(trial: Trial, kind: Kind) -> bool:
    """Whether a browser sends a token of that kind by itself."""
    return kind in trial.kinds and trial.profile.sent_in(kind).where == "cookie"


def state_changing_doors(trial: Trial) -> list[RefreshDoor | LogoutDoor]:
    """The refresh and, where an honest logout was seen to work, the logout."""
    doors: list[RefreshDoor | LogoutDoor] = [trial.refresh_door] if shown_in_cookie(trial, Kind.REFRESH) else []
    if trial.target.logout_door and shown_in_cookie(trial, trial.target.logout_door.wants):
        if life(trial).logout:
            doors.append(trial.target.logout_door)
        else:
            trial.remark("not judged on the logout, of which no honest one was seen")
    if not doors:
        trial.not_applicable("nothing that changes a session takes a token in a cookie")
    return doors


def is_forced(bracket: Bracket, door: RefreshDoor | LogoutDoor, request: Request) -> tuple[bool, Exchange]:
    """Whether a request had the door's effect; the session follows what became of it.

    A success alone is none: there are logouts that answer so to everybody, and do nothing.
    """
    trial, session = bracket.trial, bracket.session
    exchange = trial.send(request)
    forced = bool(door.bought(request, exchange.response))
    if forced and isinstance(door, RefreshDoor):
        trial.target.take_over(session, exchange)
    elif forced:
        session.ended = not opens(trial, session)
        forced = session.ended or any(
            line.name == trial.profile.sent_in(Kind.ACCESS).name and line.clears(trial.clock.now())
            for line in set_cookies(exchange.response)
        )
    return forced, exchange


def opens(trial: Trial, session: Session) -> bool:
    """Whether the session's access token opens the first protected route."""
    door = trial.protected_routes[0]
    request = door.present(session.access.value, session)
    return bool(door.bought(request, trial.send(request).response))


def demands_proof(bracket: Bracket, door: RefreshDoor | LogoutDoor) -> bool:
    """Whether the door refuses the plainest request of another site; COOKIE-05 reports it where it does not."""
    forced, _ = is_forced(bracket, door, cookies_alone(door, bracket.session, CROSS_SITE))
    if forced:
        bracket.trial.remark(f"not judged on {door.label}, which asks for no proof at all (see COOKIE-05)")
    return not forced


def did_it_to(trial: Trial, session: Session) -> bool:
    """Whether what came of a request was done to the session's own user, as far as the protected routes tell."""
    if session.ended:
        return True
    telling = next((door for door in trial.protected_routes if door.route.identity), None)
    if telling is None:
        return True
    shown = telling.identity(trial.send(telling.present(session.access.value, session)).response)
    # With another user's token in it, it is nobody's session any more.
    session.ended = shown != session.account.username
    return not session.ended


def made_up(like: str) -> str:
    """A string of the same length, with characters of the same sort in the same places."""
    sorts = (digits, ascii_lowercase, ascii_uppercase)
    alike = {character: sort for sort in sorts for character in sort}
    return "".join(secrets.choice(alike[character]) if character in alike else character for character in like)
