"""Servers that are broken or mean harm: each a name, a sentence and a few lines, on real sockets.

Those that speak badly stand in `corpus_wire`, those that speak well and say bad things in `corpus_answers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

from werkzeug.wrappers import Request, Response

from tests.hostile.servers import Server, after, always
from tests.shapes.api import ACCOUNTS, Api
from tests.shapes.judging import profile_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from tests.hostile.servers import Behaviour

GOOD: Final = 45
"""So many connections are answered well, where the hostility comes late: the doctor is content by then."""
SETTINGS: Final = {
    "CONFORMANCE_USERNAME": "alice",
    "CONFORMANCE_PASSWORD": ACCOUNTS["alice"],
    "CONFORMANCE_SECOND_USERNAME": "bob",
    "CONFORMANCE_SECOND_PASSWORD": ACCOUNTS["bob"],
}
PROFILE: Final = profile_of(Api)
SOME: Final = (
    "access_01 or access_02 or refresh_01 or refresh_02 or sig_01 or login_03 or err_01 or bearer_04 or token_01"
)
"""Scenarios that log in, refresh, forge, and read answers."""


class World(NamedTuple):
    """What is outside of the hostile server: another host, and a file of the user's."""

    other: str
    file: str


@dataclass(frozen=True)
class Hostile:
    """A hostile server.

    Attributes:
        name: what it is called.
        sentence: what it does.
        words: what the user is told, as a pattern, where it is so from the first request on.
        start: starts it, good for so many connections first.
        comes_late: whether it is met a second time, good for a while: by scenarios, and not only by the doctor.
        command: how it is met, `run` or `discover`.
        options: what the command is given.
        may_pass: whether it keeps the requirements all the same.
    """

    name: str
    sentence: str
    words: str
    start: Callable[[World, int], Server] = field(repr=False)
    comes_late: bool = False
    command: str = "run"
    options: tuple[str, ...] = ("-k", SOME)
    may_pass: bool = False


CORPUS: Final[dict[str, Hostile]] = {}


def wire(
    name: str, sentence: str, words: str, *, late: bool = False, tls: ssl.SSLContext | None = None, scheme: str = ""
) -> Callable[[Callable[[World], Behaviour]], Callable[[World], Behaviour]]:
    """Adds a server that meets its connections with a behaviour."""

    def add(make: Callable[[World], Behaviour]) -> Callable[[World], Behaviour]:
        def start(world: World, good: int) -> Server:
            behaviour = make(world)
            server = Server(after(good, behaviour) if good else always(behaviour), Api(), tls=tls)
            server.url = f"{scheme}://{server.host}" if scheme else server.url
            return server

        CORPUS[name] = Hostile(name, sentence, words, start, comes_late=late)
        return make

    return add


Twist = Callable[[Request, Response, World], Response]


def answer(
    name: str,
    sentence: str,
    words: str,
    *,
    api: Callable[[], WSGIApplication] = Api,
    command: str = "run",
    options: tuple[str, ...] = ("-k", SOME),
    may_pass: bool = False,
) -> Callable[[Twist], Twist]:
    """Adds a server whose healthy answers are replaced by others."""

    def add(twist: Twist) -> Twist:
        def start(world: World, _good: int) -> Server:
            return Server(app=_twisted(api(), twist, world))

        CORPUS[name] = Hostile(name, sentence, words, start, False, command, options, may_pass)
        return twist

    return add


def _twisted(api: WSGIApplication, twist: Twist, world: World) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = Request(environ)
        # Read by both of them.
        environ["wsgi.input"] = BytesIO(asked.get_data())
        return twist(asked, Response.from_app(api, environ), world)(environ, start_response)

    return app
