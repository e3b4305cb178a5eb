"""Requests whose own headers contradict each other about where they end (RFC 9112 §6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from conformance.target.raw import converse, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.http import Headers, Request
    from conformance.target.raw import Conversation

END = b"0\r\n\r\n"
CHUNKED: Headers = (("Transfer-Encoding", "chunked"),)
CLOSE: Headers = (("Connection", "close"),)


@dataclass(frozen=True, slots=True)
class Probe:
    """A message that can be taken to end in two places.

    Attributes:
        case: what contradicts what.
        request: the message.
        then: what follows it on the connection.
        choice: whether the one reading that leaves something over is one that RFC 9112 allows.
    """

    case: str
    request: Request
    then: bytes = b""
    choice: bool = False


def chunked(honest: Request) -> Request:
    """The honest request with a body in one chunk, on a connection that is not kept."""
    return replace(honest, headers=(*honest.headers, *CHUNKED, *CLOSE), body=b"4\r\nbody\r\n" + END)


def with_inside(honest: Request, token: str, character: str) -> Request:
    """The honest request with a character in the middle of its token, on a connection that is not kept."""
    half = len(token) // 2
    broken = token[:half] + character + token[half:]
    headers = tuple((name, value.replace(token, broken)) for name, value in honest.headers)
    return replace(honest, headers=(*headers, *CLOSE))


def contradictions(honest: Request, harmless: Request, base_url: str) -> Iterator[Probe]:
    """Messages that hide an honest request where a wrong reading takes it for the next one.

    Args:
        honest: what is hidden, and the beginning of what hides it.
        harmless: a request that is refused; it ends the connection where the message was read well.
        base_url: the target's.
    """
    hidden = written(base_url, replace(honest, headers=(*honest.headers, *CLOSE)))
    last = written(base_url, replace(harmless, headers=(*harmless.headers, *CLOSE)))

    def probe(case: str, *headers: tuple[str, str], body: bytes, then: bytes = b"", choice: bool = False) -> Probe:
        return Probe(case, replace(honest, headers=(*honest.headers, *headers), body=body), then, choice)

    size = b"%x\r\n" % len(hidden)
    yield probe(
        "Content-Length beside chunked, and shorter",
        ("Content-Length", str(len(size))),
        *CHUNKED,
        body=size + hidden + b"\r\n" + END,
        then=last,
    )
    length = ("Content-Length", str(len(END + hidden)))
    yield probe("Content-Length beside chunked, and longer", length, *CHUNKED, body=END + hidden, choice=True)
    none, all_of_it = ("Content-Length", "0"), ("Content-Length", str(len(hidden)))
    yield probe("two Content-Lengths, the first of them 0", none, all_of_it, body=hidden)
    yield probe("two Content-Lengths, the second of them 0", all_of_it, none, body=hidden)
    yield probe("Transfer-Encoding: chunked, identity", ("Transfer-Encoding", "chunked, identity"), body=END + hidden)
    yield probe("Transfer-Encoding: xchunked", ("Transfer-Encoding", "xchunked"), body=hidden)
    for value in ("+4", "4x"):
        yield probe(f"Content-Length: {value}", ("Content-Length", value), body=b"body" + hidden)
    for digits in ("0x4", "+4"):
        body = f"{digits}\r\nbody\r\n".encode() + END + hidden
        yield probe(f"a chunk whose size is written {digits}", *CHUNKED, body=body)


def leaves_nothing_over(
    target: Trial, door: ProtectedDoor, probe: Probe, honest: Request, control: Conversation
) -> None:
    """Claims that the honest request which the probe hides is not answered."""
    talk = converse(target.target.client, probe.request, then=probe.then)
    left_over = any(door.bought(honest, answer) for answer in talk.later)
    if probe.choice:
        # RFC 9112 §6.1: it may be refused, or read as chunked. That the connection be closed then, not every server
        # keeps to (Go, h11, waitress); there is one way to read the message all the same.
        refused = not door.bought(honest, talk.exchange.response)
        read = "read as chunked, and the connection " + ("closed" if talk.closed and not left_over else "kept")
        target.target.policy["Content-Length beside chunked"] = "refused" if refused else read
        if left_over and not refused:
            target.remark("after Content-Length beside chunked the connection is kept, against RFC 9112 §6.1")
            left_over = False
    crashed = talk.exchange.response.status == HTTPStatus.INTERNAL_SERVER_ERROR
    target.expect(
        not left_over and not crashed,
        probe.case,
        expected="a refusal, and the connection closed",
        observed="a server error" if crashed else "what followed was answered as a second request",
        shown_by=[("control: a body in one chunk", control.exchange), ("probe", talk.exchange)],
        certain=left_over,
    )
