"""Servers that speak HTTP badly, never, or without end."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import random
import ssl
import time
import zlib
from typing import TYPE_CHECKING, Final

import trustme
from werkzeug.test import Client

from tests.hostile.corpus import World, wire
from tests.hostile.servers import answers, closes, hangs, puts_off, read_request, repeats, says
from tests.hostile.servers import trickles_headers as headers_that_trickle
from tests.shapes.api import Api

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from tests.hostile.servers import Behaviour

MEGABYTE: Final = 1 << 20
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LATE: Final = r"did not answer within [\d.]+ s"
NO_HTTP: Final = "does not answer in well-formed HTTP"
TOO_LONG: Final = "the headers of an answer from .* are too long"
CUT: Final = "broke off in the middle of an answer"
CLOSED: Final = "closed the connection without an answer"
NOT_READ: Final = r"not at 'access_token'|answers \d+ to the access token|does not say whose data"
BROTLI_BOMB: Final = bytes.fromhex(
    "cfffff7f002400e2b14072effff9ffff0f8004401c1680eefd3fffffff01900088c302d0bdffe7ffff3f001200715800baf7"
    "fffcffff074002200e0b40f7fe9fffffff004800c46101e8defff3ffff1f000980382c00ddfb7ffeffff032001108705a07b"
    "ffcfffff7f002400e2b00074effff9ffff0f8004401c1680eefd3fffffff01900088c302d0bdffe7ffff3f001200715800ba"
    "f7fffcffff074002200e0b40f7fe9fffffff004800c46101e8defff3ffff1f000980382c00ddfb7ffeffff032001108705a0"
    "7bff3f"
)
"""256 MB of zeros."""


def pours(opening: bytes, pieces: Iterable[bytes]) -> Behaviour:
    """After an opening come the pieces, as fast as they are taken."""

    def behaviour(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            read_request(connection)
            connection.sendall(opening)
            for piece in pieces:
                connection.sendall(piece)

    return behaviour


def packed(body: bytes, encoding: str) -> Behaviour:
    """A body with its encoding."""
    head = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return says(OK + head.encode() + body)


# -- Time --------------------------------------------------------------------------------------------------------------


@wire("never answers", "It reads the request and keeps silent.", LATE, late=True)
def never(_world: World) -> Behaviour:
    return hangs


@wire("a byte a second", "Its body comes a byte at a time.", LATE, late=True)
def a_byte_a_second(_world: World) -> Behaviour:
    def behaviour(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            read_request(connection)
            connection.sendall(OK + b"Content-Length: 3600\r\n\r\n")
            while True:
                connection.sendall(b" ")
                time.sleep(1)

    return behaviour


@wire("headers that trickle", "A header comes a byte at a time.", LATE)
def trickling_headers(_world: World) -> Behaviour:
    return headers_that_trickle


@wire("100 Continue for ever", "It says that it will answer soon, again and again.", LATE)
def for_ever_soon(_world: World) -> Behaviour:
    return puts_off


@wire("slow headers after the status", "Nothing comes after its status line.", LATE)
def status_alone(_world: World) -> Behaviour:
    return repeats(b"HTTP/1.1 200 OK\r\n", b"")


# -- Size --------------------------------------------------------------------------------------------------------------


@wire("endless body", "A body without a length never ends.", NOT_READ, late=True)
def endless_body(_world: World) -> Behaviour:
    return pours(OK + b"\r\n", itertools.repeat(b"[" * 65536))


@wire("endless chunks", "A body in chunks never ends.", NOT_READ)
def endless_chunks(_world: World) -> Behaviour:
    return pours(OK + b"Transfer-Encoding: chunked\r\n\r\n", itertools.repeat(b"10000\r\n" + b"x" * 65536 + b"\r\n"))


@wire("a chunk of 4 GB", "One chunk says that it is as long as that.", NOT_READ)
def one_chunk(_world: World) -> Behaviour:
    return pours(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", itertools.repeat(b"x" * 65536))


@wire("a gigabyte", "It declares a gigabyte, and sends it.", NOT_READ)
def a_gigabyte(_world: World) -> Behaviour:
    return pours(OK + b"Content-Length: 1073741824\r\n\r\n", itertools.repeat(b" " * 65536, 16384))


@wire("a gigabyte that does not come", "It declares a gigabyte, and sends nothing.", LATE)
def no_gigabyte(_world: World) -> Behaviour:
    return repeats(OK + b"Content-Length: 1073741824\r\n\r\n", b"")


@wire("a gzip bomb", "A megabyte becomes a gigabyte.", NOT_READ, late=True)
def gzip_bomb(_world: World) -> Behaviour:
    return packed(_gzip_bomb(), "gzip")


@wire("a deflate bomb", "Two megabytes become 512 in another encoding.", NOT_READ)
def deflate_bomb(_world: World) -> Behaviour:
    squeeze = zlib.compressobj(1)
    return packed(b"".join([*(squeeze.compress(bytes(MEGABYTE)) for _ in range(512)), squeeze.flush()]), "deflate")


@wire("a bomb in a bomb", "A few kilobytes become a megabyte, which becomes a gigabyte.", NOT_READ)
def nested_bomb(_world: World) -> Behaviour:
    return packed(gzip.compress(_gzip_bomb()), "gzip, gzip")


@wire("a brotli bomb", "Two hundred bytes become 256 megabytes.", NOT_READ)
def brotli_bomb(_world: World) -> Behaviour:
    return packed(BROTLI_BOMB, "br")


def _gzip_bomb() -> bytes:
    """A gigabyte of zeros: a file of gzip is a row of members, and each of these is the same."""
    return gzip.compress(bytes(16 * MEGABYTE)) * 64


@wire("endless headers", "Header follows upon header.", TOO_LONG, late=True)
def endless_headers(_world: World) -> Behaviour:
    return pours(OK, itertools.repeat(b"X-More: more\r\n" * 1000))


@wire("one endless header", "A header never ends.", TOO_LONG)
def endless_header(_world: World) -> Behaviour:
    return pours(OK + b"X-Long: ", itertools.repeat(b"x" * 65536))


@wire("an endless status line", "Its first line never ends.", f"{TOO_LONG}|{NO_HTTP}")
def endless_status(_world: World) -> Behaviour:
    return pours(b"HTTP/1.1 200 O", itertools.repeat(b"K" * 65536))


@wire("endless trailers", "After its body come headers without end.", f"{LATE}|{TOO_LONG}|{NO_HTTP}")
def endless_trailers(_world: World) -> Behaviour:
    return pours(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", itertools.repeat(b"X: y\r\n" * 1000))


@wire("a flood of cookies", "Ninety cookies of 60 kB each come with every answer.", NOT_READ, late=True)
def cookie_flood(_world: World) -> Behaviour:
    lines = b"".join(b"Set-Cookie: c%d=%s\r\n" % (number, b"x" * 60000) for number in range(90))
    return says(OK + lines + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")


# -- Grammar -----------------------------------------------------------------------------------------------------------


@wire("invalid chunks", "The length of a chunk is no number.", f"{NO_HTTP}|{CUT}", late=True)
def invalid_chunks(_world: World) -> Behaviour:
    return says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")


@wire("a negative chunk", "The length of a chunk is below zero.", f"{NO_HTTP}|{CUT}|{NOT_READ}")
def negative_chunk(_world: World) -> Behaviour:
    return says(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n")


@wire("an endless chunk extension", "What follows the length of a chunk never ends.", f"{TOO_LONG}|{NO_HTTP}|{CUT}")
def endless_extension(_world: World) -> Behaviour:
    return pours(OK + b"Transfer-Encoding: chunked\r\n\r\n2;", itertools.repeat(b"x" * 65536))


@wire("a length that is too long", "It sends less than it declares, and closes.", CUT)
def too_long(_world: World) -> Behaviour:
    return says(OK + b"Content-Length: 200\r\n\r\n{}")


@wire(
    "a length that is too short",
    "It sends more than it declares: the rest looks like the next answer.",
    f"{NOT_READ}|{CLOSED}",
    late=True,
)
def too_short(_world: World) -> Behaviour:
    return says(OK + b"Content-Length: 2\r\n\r\n{}" + OK + b'Content-Length: 21\r\n\r\n{"username": "alice"}')


@wire("a length below zero", "It declares a length that there cannot be.", f"{NOT_READ}|{NO_HTTP}")
def below_zero(_world: World) -> Behaviour:
    return says(OK + b"Content-Length: -1\r\nConnection: close\r\n\r\n{}")


@wire("two lengths", "It declares two lengths.", f"{NO_HTTP}|{NOT_READ}")
def two_lengths(_world: World) -> Behaviour:
    return says(OK + b"Content-Length: 2\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{}")


@wire("a length of many digits", "A length that no computer holds.", f"{NO_HTTP}|{LATE}|{CUT}|{NOT_READ}")
def many_digits(_world: World) -> Behaviour:
    return says(OK + b"Content-Length: " + b"9" * 5000 + b"\r\nConnection: close\r\n\r\n{}")


@wire("a mail server", "It speaks SMTP.", NO_HTTP)
def mail(_world: World) -> Behaviour:
    return says(b"220 mail.example ESMTP ready\r\n")


@wire("noise", "It answers with random bytes.", NO_HTTP)
def noise(_world: World) -> Behaviour:
    return says(random.Random(7).randbytes(3000))


@wire("closes", "It hangs up without a word.", CLOSED)
def hang_up(_world: World) -> Behaviour:
    return closes


@wire("a strange status", "Its status is 99999.", NO_HTTP)
def strange_status(_world: World) -> Behaviour:
    return says(b"HTTP/1.1 99999 Odd\r\nContent-Length: 0\r\n\r\n")


@wire(
    "another protocol from here on",
    "It switches protocols unasked.",
    f"{NO_HTTP}|answers 101|{NOT_READ}|{LATE}|{CUT}|{CLOSED}",
)
def switches(_world: World) -> Behaviour:
    return says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello")


@wire("bytes in headers", "Its headers hold controls and bytes that are no text.", f"refuses the account|{NO_HTTP}")
def bytes_in_headers(_world: World) -> Behaviour:
    odd = b"X-A: \x00\x1b]0;owned\x07\xff\xfe\r\nX B: c\r\n: d\r\nno colon\r\n folded\r\n"
    odd += b"WWW-Authenticate: Bearer \xff\x00\r\n"
    return says(b"HTTP/1.1 401 \x1b[31mNo\r\n" + odd + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")


# -- Elsewhere ---------------------------------------------------------------------------------------------------------


@wire("redirects without end", "Every address leads to another.", "redirects to")
def redirects(_world: World) -> Behaviour:
    numbers = itertools.count()

    def behaviour(connection: socket.socket) -> None:
        answers("302 Found", Location=f"/profile/{next(numbers)}")(connection)

    return behaviour


@wire("a redirect to another host", "It sends visitors away, with what they brought.", "redirects to", late=True)
def elsewhere(world: World) -> Behaviour:
    return answers("307 Temporary Redirect", Location=f"{world.other}/steal")


@wire("a redirect to another host without a scheme", "The same in other words.", "redirects to")
def elsewhere_briefly(world: World) -> Behaviour:
    return answers("308 Permanent Redirect", Location=world.other.removeprefix("http:") + "/steal")


@wire("a redirect to a file", "It sends visitors to their own disk.", "redirects to file:")
def to_a_file(world: World) -> Behaviour:
    return answers("302 Found", Location=world.file)


@wire("a redirect to nonsense", "Its Location is no address.", "redirects to")
def to_nonsense(_world: World) -> Behaviour:
    return answers("301 Moved", Location="http://[::1" + "/\x1b[31m%0d%0aX-A:b" * 500)


@wire("an endless body behind a redirect", "Nobody need read it, and it never ends.", "redirects to", late=True)
def endless_redirect(_world: World) -> Behaviour:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n"
    return pours(moved, itertools.repeat(b"x" * 65536))


@wire("a bomb behind a redirect", "Nobody need read it, and it becomes a gigabyte.", "redirects to", late=True)
def bomb_redirect(_world: World) -> Behaviour:
    body = _gzip_bomb()
    head = f"Location: /there\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    return says(b"HTTP/1.1 302 Found\r\n" + head.encode() + body)


@wire("a refresh to another host", "It names another host wherever a browser would look.", NOT_READ)
def named_elsewhere(world: World) -> Behaviour:
    return answers("200 OK", "{}", Refresh=f"0; url={world.other}", Link=f'<{world.other}>; rel="preload"',
                   Content_Location=world.other, Alt_Svc=f'h2="{world.other[7:]}"')  # fmt: skip


# -- Whims -------------------------------------------------------------------------------------------------------------


@wire("come back next year", "It limits requests for a year.", "limits the rate of requests", late=True)
def next_year(_world: World) -> Behaviour:
    return answers("429 Too Many Requests", "{}", Retry_After="31536000")


@wire(
    "come back in the end",
    "It limits requests for longer than numbers reach.",
    "limits the rate of requests",
    late=True,
)
def in_the_end(_world: World) -> Behaviour:
    return answers("429 Too Many Requests", "{}", Retry_After="9" * 400)


@wire("come back in the year 9999", "It limits requests until a date that is far away.", "limits the rate of requests")
def far_date(_world: World) -> Behaviour:
    return answers("429 Too Many Requests", "{}", Retry_After="Fri, 31 Dec 9999 23:59:59 -1200")


@wire(
    "cuts connections at random",
    "It keeps connections, and cuts them before, in or after an answer.",
    f"{CUT}|{CLOSED}|stopped",
)
def cuts(_world: World) -> Behaviour:
    chance, client = random.Random(4), Client(Api())

    def behaviour(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, IndexError):
            while reply := _reply(client, read_request(connection)):
                cut = chance.choice([0, len(reply) // 2, *[len(reply)] * 8])
                connection.sendall(reply[:cut])
                if cut < len(reply) or chance.random() < 0.1:
                    return

    return behaviour


def _reply(client: Client, request: bytes) -> bytes:
    """What the healthy API answers, on a connection that is kept."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    answer = client.open(path, method=method, headers=headers, data=body)
    fields = "".join(f"{name}: {value}\r\n" for name, value in answer.headers if name != "Content-Length")
    return f"HTTP/1.1 {answer.status}\r\n{fields}Content-Length: {len(answer.data)}\r\n\r\n".encode() + answer.data


# -- TLS ---------------------------------------------------------------------------------------------------------------


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@wire("a certificate of its own", "Nobody vouches for its certificate.", "not trusted", tls=_context())
def own_certificate(_world: World) -> Behaviour:
    return answers("200 OK", "{}")


@wire(
    "a handshake that never ends",
    "It listens to the greeting and keeps silent.",
    "no TLS|within|did not answer",
    scheme="https",
)
def endless_handshake(_world: World) -> Behaviour:
    return hangs


@wire("a handshake that is refused", "It answers the greeting with an alert.", "no TLS connection", scheme="https")
def alert(_world: World) -> Behaviour:
    def behaviour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")

    return behaviour


@wire("a handshake of noise", "It answers the greeting with nonsense.", "no TLS connection", scheme="https")
def noisy_handshake(_world: World) -> Behaviour:
    def behaviour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\xff\xff" + b"\x00" * 65535)

    return behaviour


@wire("a handshake that is cut", "It hangs up upon the greeting.", "no TLS|closed the connection", scheme="https")
def cut_handshake(_world: World) -> Behaviour:
    def behaviour(connection: socket.socket) -> None:
        connection.recv(65536)

    return behaviour
