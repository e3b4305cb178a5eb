"""Faults of TLS. They need the suite's profile `tls`, and the server in that mode."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import request

from reference_server.faults import fault
from reference_server.headers import AnswerHeaders
from reference_server.tls import TlsRelay

if TYPE_CHECKING:
    from flask import Response

_HANDSHAKE = b"\x16"  # RFC 8446 §5.1: the type of a ClientHello's record


class Bilingual(TlsRelay):
    """Does not turn away who speaks no TLS."""

    async def meet(self, connection: socket.socket) -> None:
        """Look at the first byte."""
        readable = asyncio.Event()
        self._loop.add_reader(connection, readable.set)
        try:
            await readable.wait()
        finally:
            self._loop.remove_reader(connection)
        if connection.recv(1, socket.MSG_PEEK) == _HANDSHAKE:
            await super().meet(connection)
        else:
            await self.meet_in_clear(connection)

    async def meet_in_clear(self, connection: socket.socket) -> None:
        """Serve a client that speaks no TLS."""
        await self.relay(await self.streams(connection, None))


@fault(
    "http-is-served-as-well",
    "TLS-01",
    seen="common where the application's own port stays open beside the proxy's",
    profile="tls",
    tls=True,
)
class PlainAsWell(Bilingual):
    """Serves the API without TLS too."""


@fault(
    "http-is-redirected",
    "TLS-01",
    seen="common: web servers are set up to redirect everything to https, APIs included",
    profile="tls",
    tls=True,
)
class Redirecting(Bilingual):
    """Redirects whatever comes without TLS."""

    async def meet_in_clear(self, connection: socket.socket) -> None:
        """Send the client on."""
        reader, writer = await self.streams(connection, None)
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode("latin-1")
        place = f"https://127.0.0.1:{self.port}{path}"
        lines = [
            "HTTP/1.1 301 Moved Permanently",
            f"Location: {place}",
            "Content-Length: 0",
            "Connection: close",
            "",
            "",
        ]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        writer.close()


class Oldtimer(TlsRelay):
    """Speaks a version of TLS that has been retired, with the ciphers that it needs."""

    oldest: ssl.TLSVersion

    def new_context(self) -> ssl.SSLContext:
        """Go below the usual level, in which OpenSSL 3 has no SHA-1."""
        context = super().new_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = self.oldest
        return context


@fault(
    "tls-1.0-is-spoken",
    "TLS-02",
    seen="common with configurations from before 2018, such as nginx's ssl_protocols TLSv1 TLSv1.1 TLSv1.2",
    profile="tls",
    tls=True,
)
class SinceTls10(Oldtimer):
    """Speaks TLS 1.0 with who wants it."""

    oldest = ssl.TLSVersion.TLSv1


@fault(
    "tls-1.1-is-spoken",
    "TLS-02",
    seen="common where only TLS 1.0 was switched off",
    profile="tls",
    tls=True,
)
class SinceTls11(Oldtimer):
    """Speaks TLS 1.1 with who wants it."""

    oldest = ssl.TLSVersion.TLSv1_1


class OddTransportSecurity(AnswerHeaders):
    """Sends another Strict-Transport-Security."""

    def complete(self, response: Response) -> Response:
        """Begin with what is right."""
        response = super().complete(response)
        self.change(response)
        return response

    def change(self, response: Response) -> None:
        """What is sent instead."""
        raise NotImplementedError


@fault(
    "hsts-is-short",
    "TLS-03",
    seen="common where the short time for trying it out is never raised",
    profile="tls",
    tls=True,
)
class ShortHsts(OddTransportSecurity):
    """Asks for TLS for five minutes."""

    def change(self, response: Response) -> None:
        """Shorten it."""
        response.headers["Strict-Transport-Security"] = "max-age=300; includeSubDomains"


@fault(
    "refusals-without-hsts",
    "TLS-03",
    seen="common with nginx, whose add_header leaves error answers out unless it says always",
    profile="tls",
    tls=True,
)
class HstsOnSuccess(OddTransportSecurity):
    """Leaves Strict-Transport-Security out of refusals."""

    def change(self, response: Response) -> None:
        """Leave successes alone."""
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            del response.headers["Strict-Transport-Security"]


@fault(
    "login-without-hsts",
    "TLS-03",
    seen="common where headers are set route by route",
    profile="tls",
    tls=True,
)
class HstsNotAtLogin(OddTransportSecurity):
    """Leaves Strict-Transport-Security out of a login's answers."""

    def change(self, response: Response) -> None:
        """Leave other routes alone."""
        if request.path == "/login":
            del response.headers["Strict-Transport-Security"]
