"""TLS in front of waitress, which speaks none: a relay that ends it, with a certificate made for one run."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

if TYPE_CHECKING:
    from trustme import CA, LeafCert

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LOOPBACK = "127.0.0.1"
_HOSTS = ("localhost", LOOPBACK, "::1")
_PIECE = 65536
_FAREWELL_S = 1.0


class Certificate:
    """A throw-away certificate for loopback. Whoever is to trust it reads `authority_file`, which lasts until `close`.

    Attributes:
        authority_file: the certificate of the authority that signed it, in PEM.
        leaf: the certificate and its key.
    """

    def __init__(self) -> None:
        """Make an authority, and have it sign a certificate."""
        from trustme import CA  # noqa: PLC0415 - only where TLS is on

        authority: CA = CA()
        self.leaf: LeafCert = authority.issue_cert(*_HOSTS)
        self._folder = TemporaryDirectory(prefix="reference-server-")
        self.authority_file = str(Path(self._folder.name) / "authority.pem")
        authority.cert_pem.write_to_path(self.authority_file)

    def close(self) -> None:
        """Remove the file. May be called twice."""
        self._folder.cleanup()


class TlsRelay:
    """Speaks TLS with clients and hands what they say to the server behind it, and back."""

    def __init__(self, certificate: Certificate, behind: int, *, host: str = LOOPBACK, port: int = 0) -> None:
        """Relay at once.

        Args:
            certificate: what is shown to clients.
            behind: the loopback port of the server that speaks HTTP.
            host: the address to listen on.
            port: the port to listen on; 0 takes a free one.

        Raises:
            OSError: if the port cannot be had.
        """
        self._behind = behind
        self.context = self.new_context()
        certificate.leaf.configure_cert(self.context)
        self._listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._listener.setblocking(False)
        self._loop = asyncio.new_event_loop()
        self._open: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._accepting = self._loop.create_task(self._accept())
        self._thread = threading.Thread(target=self._run, name="reference-server-tls", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._listener.getsockname()[1])

    def new_context(self) -> ssl.SSLContext:
        """What is spoken: TLS 1.2 and 1.3 (RFC 9325 §3.1.1)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    async def meet(self, connection: socket.socket) -> None:
        """Serve one client until either side is done."""
        await self.relay(await self.streams(connection, self.context))

    async def streams(self, connection: socket.socket, context: ssl.SSLContext | None) -> Streams:
        """The connection as a pair of streams, with TLS where a context is given.

        Raises:
            OSError: if the handshake fails.
        """
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
        self._open.add(transport)
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)

    async def relay(self, client: Streams) -> None:
        """Copy in both directions until either side is done."""
        try:
            inside = await asyncio.open_connection(LOOPBACK, self._behind)
        except OSError:
            client[1].close()
            raise
        self._open.add(inside[1].transport)
        directions = [
            self._loop.create_task(_copy(client[0], inside[1])),
            self._loop.create_task(_copy(inside[0], client[1])),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            # What has been written still goes out.
            inside[1].close()
            client[1].close()

    async def _accept(self) -> None:
        clients: dict[asyncio.Task[None], socket.socket] = {}
        try:
            while True:
                connection, _ = await self._loop.sock_accept(self._listener)
                # Asyncio would do so, had the socket not come from outside.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client = self._loop.create_task(self._meet(connection))
                clients[client] = connection
                client.add_done_callback(clients.pop)
        finally:
            await self._break_off(clients)

    async def _break_off(self, clients: dict[asyncio.Task[None], socket.socket]) -> None:
        # To asyncio it looks as if the client had gone, even in the middle of a handshake, and it cleans up after it.
        for connection in clients.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if clients:
            await asyncio.wait(list(clients), timeout=_FAREWELL_S)
        for transport in self._open:
            # Not `close`, which would wait for the client's word that it has understood.
            cast("asyncio.Transport", transport).abort()
        await asyncio.sleep(0.01)

    async def _meet(self, connection: socket.socket) -> None:
        # A client that speaks no TLS, or breaks off, is nobody's problem but its own. Asyncio closes the socket.
        with suppress(OSError):
            await self.meet(connection)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._accepting)
        self._loop.close()

    def close(self) -> None:
        """Stop listening, and break every connection off. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._accepting.cancel)
            self._thread.join()
        self._listener.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(_PIECE):
            sink.write(piece)
            await sink.drain()
